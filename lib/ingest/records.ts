import { type ErrorCode, HearthlineError, isHearthlineError, messageOf } from "../base/errors.ts";
import { type EventRecord, packTextLines, type RelayRecord, relayRecordsSchema } from "../event/index.ts";
import { SQS_MESSAGE_MAX_BYTES } from "../limits.ts";
import {
  checkEvent,
  checkGap,
  checkLoss,
  checkRegistry,
  checkRevision,
  checkStatus,
  type EventMoment,
  type EventTimes,
} from "./check.ts";

/** Longer records are not taken, however well they pack (chosen by us: Home Assistant's own recorder stops at 16 KiB of attributes). */
export const RECORD_MAX_BYTES = 1_048_576;
/** A packed record must leave this much of a message for what enrichment adds to it. */
const ENRICHMENT_MAX_BYTES = 16_384;
/** At most so many bytes of a message for each character of a record: three in UTF-8 that no compression makes fewer, in base64. */
const PACKED_BYTES_PER_CHARACTER = 4;

/** A record that may go on; an event with its times. */
export type ReadRecord =
  | { readonly record: EventRecord; readonly moment: EventMoment }
  | { readonly record: Exclude<RelayRecord, EventRecord> };

/** A line that may not go on, as it came, and why. */
export interface RejectedRecord {
  readonly line: string;
  readonly code: ErrorCode;
  readonly detail: string;
  /** Its sequence number as it says itself, else that of its place in the envelope; absent when neither is known. */
  readonly n?: number;
  /** The number of its place in the envelope, which a relay fills in order; absent when no relay numbered it. */
  readonly place?: number;
}

export interface ReadRecords {
  readonly records: readonly ReadRecord[];
  readonly rejected: readonly RejectedRecord[];
}

export interface ReadOptions {
  /** The envelope's sequence; 0 and 0 when no relay numbered its records: then their numbers mean nothing. */
  readonly first: number;
  readonly last: number;
  readonly times: EventTimes;
}

/** Reads each line by itself: a wrong one costs only itself. Order stays. */
export function readRecords(lines: readonly string[], { first, last, times }: ReadOptions): ReadRecords {
  const records: ReadRecord[] = [];
  const rejected: RejectedRecord[] = [];
  const isNumbered = first !== 0 || last !== 0;
  const taken = new Set<number>();
  for (const [at, line] of lines.entries()) {
    let value: unknown;
    try {
      checkSize(line);
      value = parseJson(line);
      const record = checkShape(value);
      if (isNumbered) checkNumber(record.n, { first, last, taken });
      records.push(checkMeaning(record, times));
    } catch (thrown) {
      rejected.push(rejection(line, thrown, { value, place: isNumbered ? first + at : undefined }));
    }
  }
  return { records, rejected };
}

function checkSize(line: string): void {
  const packedMaxBytes = SQS_MESSAGE_MAX_BYTES - ENRICHMENT_MAX_BYTES;
  if (line.length <= packedMaxBytes / PACKED_BYTES_PER_CHARACTER) return;
  const bytes = Buffer.byteLength(line);
  if (bytes > RECORD_MAX_BYTES) throw tooLarge(bytes, RECORD_MAX_BYTES);
  const packedBytes = packTextLines([line]).length;
  if (packedBytes > packedMaxBytes) throw tooLarge(packedBytes, packedMaxBytes, "packed ");
}

const tooLarge = (bytes: number, maxBytes: number, what = "") =>
  new HearthlineError("event_too_large", `The record has ${what}${bytes} bytes; at most ${maxBytes} are taken.`);

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (thrown) {
    throw new HearthlineError("record_malformed", `The record is not JSON: ${messageOf(thrown)}`, { cause: thrown });
  }
}

function checkShape(value: unknown): RelayRecord {
  const parsed = relayRecordsSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues
    .slice(0, 5)
    .map((issue) => `${issue.path.join(".") || "record"}: ${issue.message}`);
  throw new HearthlineError(
    codeOf(value, parsed.error.issues[0]?.path[0]),
    `The record cannot be read. ${issues.join("; ")}.`,
  );
}

/** By the first member that is wrong. */
function codeOf(value: unknown, member: PropertyKey | undefined): ErrorCode {
  const type = typeof value === "object" && value !== null && "t" in value ? value.t : undefined;
  if (type !== "state" && type !== "removed") return "record_malformed";
  switch (member) {
    case "entity_id":
      return "event_entity_id_invalid";
    case "state":
      return "event_state_invalid";
    case "attributes":
      return "event_attributes_invalid";
    case "last_changed":
    case "last_updated":
    case "time_fired":
      return "event_time_invalid";
    default:
      return "event_malformed";
  }
}

function checkNumber(n: number, { first, last, taken }: { first: number; last: number; taken: Set<number> }): void {
  if (n < first || n > last) {
    throw new HearthlineError(
      "record_malformed",
      `The record has number ${n}; its envelope holds ${first} to ${last}.`,
    );
  }
  if (taken.has(n)) throw new HearthlineError("record_malformed", `The number ${n} comes twice in its envelope.`);
  taken.add(n);
}

function checkMeaning(record: RelayRecord, times: EventTimes): ReadRecord {
  if (record.t === "state" || record.t === "removed") return { record, moment: checkEvent(record, times) };
  switch (record.t) {
    case "loss":
      checkLoss(record);
      break;
    case "gap":
      checkGap(record, times);
      break;
    case "registry":
    case "capabilities":
      checkRegistry(record);
      checkRevision(record, times);
      break;
    case "home":
      checkRevision(record, times);
      break;
    case "relay":
      checkStatus(record, times);
  }
  return { record };
}

// As every relay writes it: the number is read also from a line that is not looked at any further, too long or cut off.
const OWN_NUMBER = /^\{"n":(\d{1,16})[,}]/;

function rejection(
  line: string,
  thrown: unknown,
  { value, place }: { readonly value: unknown; readonly place: number | undefined },
): RejectedRecord {
  if (!isHearthlineError(thrown)) throw thrown;
  const n = ownNumber(line, value) ?? place;
  const { code, message: detail } = thrown;
  return { line, code, detail, ...(n !== undefined && { n }), ...(place !== undefined && { place }) };
}

function ownNumber(line: string, value: unknown): number | undefined {
  if (typeof value === "object" && value !== null && "n" in value && typeof value.n === "number") return value.n;
  const [, digits] = OWN_NUMBER.exec(line) ?? [];
  return digits === undefined ? undefined : Number(digits);
}
