import { createHash } from "node:crypto";
import * as z from "zod";

const rate = z.strictObject({ rate: z.number().gt(0).max(1) });
const time = z.strictObject({ ms: z.int().min(1).max(600_000) });
const on = z.literal(true);

/** What can be wrong with the old pipeline. Each is off when it is not named; the names of `PUT /faults`. */
export const faultsSchema = z.strictObject({
  /** Events are acknowledged and forgotten. */
  drops: rate.optional(),
  /** Events are kept twice. */
  duplicates: rate.optional(),
  /** Events can be read only so long after they came. */
  delays: time.optional(),
  /** Another state is kept than came: a number one higher, a text with something behind it. */
  wrong_values: rate.optional(),
  /** A page's events come in an order of its own. */
  reordered: on.optional(),
  /** Every answer waits. */
  slow: time.optional(),
  /** Every connection is cut, but for this switch. */
  down: on.optional(),
  /** Time stamps are cut to milliseconds when they come in. */
  milliseconds: on.optional(),
  /** So many bytes of every request stay in memory, up to LEAK_MAX_BYTES in all. */
  leak: z.strictObject({ bytes: z.int().min(1).max(16_777_216) }).optional(),
  /** Answers of 500. */
  errors: rate.optional(),
  /** 200 with a web page. */
  html: on.optional(),
  /** 200 with an error inside. */
  error_inside: on.optional(),
  /** Answers end in the middle. */
  truncated: on.optional(),
  /** Time stamps of answers have no offset: local time of nobody knows where. */
  no_offset: on.optional(),
  /** States that are numbers are answered as numbers. */
  floats: on.optional(),
  /** Events are answered under other names, and `/health` says another schema. */
  schema: on.optional(),
  /** At the moment in which it is switched on, the newest so many rows are lost. */
  newest_lost: z.strictObject({ rows: z.int().min(1).max(1_000_000) }).optional(),
});
export type Faults = z.infer<typeof faultsSchema>;

/** Is it this one's turn? The same for the same seed and text, however often and in which order it is asked. */
export function isHit(share: { readonly rate: number } | undefined, seed: number, text: string): boolean {
  if (!share) return false;
  const hash = createHash("sha256").update(`${seed}\n${text}`).digest();
  return hash.readUInt32BE(0) / 2 ** 32 < share.rate;
}

/** A state that was not the one that came. */
export function wrongState(state: string): string {
  const number = Number(state);
  return state.trim() !== "" && Number.isFinite(number) ? String(number + 1) : `${state}?`;
}
