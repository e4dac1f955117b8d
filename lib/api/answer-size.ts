import { LAMBDA_PAYLOAD_MAX_BYTES } from "../limits.ts";

/** A page ends before its items are more. Chosen by us: with what is around them they stay well within what a function may answer. */
export const PAGE_MAX_BYTES = 4_500_000;
/** For an answer that has no pages: what a function may answer, less 64 KiB for the headers and what the gateway wants around them. */
export const ANSWER_MAX_BYTES = LAMBDA_PAYLOAD_MAX_BYTES - 65_536;

/** Bytes of a value in what a function answers. The body is a text within JSON, so each of its quotes and backslashes is escaped once more. */
export const answerBytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(JSON.stringify(value)));

/** Of values, in order, those that fit; the first always does, so that pages go on. */
export function fitting<T>(values: readonly T[], maxBytes = PAGE_MAX_BYTES): readonly T[] {
  let bytes = 0;
  const count = values.findIndex((value, at) => {
    bytes += answerBytes(value);
    return at > 0 && bytes > maxBytes;
  });
  return count < 0 ? values : values.slice(0, count);
}
