import { HearthlineError } from "../../base/errors.ts";
import type { QueueMessage } from "../../ingest/ports.ts";
import { SQS_BATCH_MAX_BYTES, SQS_BATCH_MAX_MESSAGES, SQS_MESSAGE_MAX_BYTES } from "../../limits.ts";

/** SQS: attributes of one message. Source: SQS developer guide, "quotas-messages"; read 2026-09. */
const ATTRIBUTES_MAX_COUNT = 10;
const STRING = "String";

/** An attribute as SQS wants and gives it. */
export interface SqsAttribute {
  readonly DataType: string;
  readonly StringValue?: string;
  readonly BinaryValue?: string;
}

/** A message as an entry of SendMessageBatch, with the bytes by which SQS counts it. */
export interface SqsEntry {
  readonly MessageBody: string;
  readonly MessageAttributes?: Readonly<Record<string, SqsAttribute>>;
  readonly bytes: number;
}

// What XML 1.0 knows as a character; everything else makes SQS refuse the message. With the u flag a lone surrogate is one that does not match.
const FORBIDDEN = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;

/**
 * Checks a message before it travels, because SQS refuses a whole batch for one wrong message.
 * @throws HearthlineError `queue_message_invalid`: empty, too large, a character that SQS does not take, over 10 attributes
 */
export function toSqsEntry(message: QueueMessage): SqsEntry {
  const attributes = Object.entries(message.attributes ?? {});
  if (message.body === "") throw invalid("is empty; wanted is at least one character");
  if (attributes.length > ATTRIBUTES_MAX_COUNT)
    throw invalid(`has ${attributes.length} attributes; SQS takes at most ${ATTRIBUTES_MAX_COUNT}`);
  let bytes = Buffer.byteLength(message.body);
  checkCharacters("body", message.body);
  for (const [name, value] of attributes) {
    if (value === "") throw invalid(`has the attribute "${name}" without a value; SQS wants at least one character`);
    checkCharacters(`attribute "${name}"`, value);
    bytes += Buffer.byteLength(name) + STRING.length + Buffer.byteLength(value);
  }
  if (bytes > SQS_MESSAGE_MAX_BYTES)
    throw invalid(`has ${bytes} bytes with its attributes; SQS takes at most ${SQS_MESSAGE_MAX_BYTES}`);
  return {
    MessageBody: message.body,
    ...(attributes.length > 0 && {
      MessageAttributes: Object.fromEntries(
        attributes.map(([name, value]) => [name, { DataType: STRING, StringValue: value }]),
      ),
    }),
    bytes,
  };
}

function checkCharacters(where: string, text: string): void {
  const found = FORBIDDEN.exec(text);
  if (!found) return;
  const code = (found[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  throw invalid(`has U+${code} at position ${found.index} of its ${where}; SQS does not take that character`);
}

const invalid = (what: string) =>
  new HearthlineError("queue_message_invalid", `A message for the queue ${what}. Nothing of this call was sent.`);

/** Splits into batches of at most 10 messages and 1 MiB, keeping the order. */
export function packSqsBatches<E extends { readonly bytes: number }>(entries: readonly E[]): E[][] {
  const batches: E[][] = [];
  let batch: E[] = [];
  let bytes = 0;
  for (const entry of entries) {
    if (batch.length > 0 && (batch.length >= SQS_BATCH_MAX_MESSAGES || bytes + entry.bytes > SQS_BATCH_MAX_BYTES)) {
      batches.push(batch);
      batch = [];
      bytes = 0;
    }
    batch.push(entry);
    bytes += entry.bytes;
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}
