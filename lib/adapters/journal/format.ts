import { crc32c } from "./crc32c.ts";

/**
 * The format of a segment, version 1. All numbers are little-endian; a u48 is six bytes.
 *
 * A segment `NNNNNNNNNNNNNNNN.seg` (16 decimal digits: the number of its first record) is a header and then records, without anything between them.
 * Numbers rise within a segment. What a segment holds at or above the first number of the next segment does not count: its sync had failed.
 *
 * Header: magic "HLspool\n" (8) | version u16 | bytes of the whole header u16 | JSON (SegmentHeader) | CRC32C u32 of all before.
 * Magic, version, length and the place of the CRC stay in every version, so that an older program can tell a newer file from a damaged one.
 *
 * Record: CRC32C u32 of all that follows | payload bytes u32 | sequence u48 | flags u16 | append time in ms u48 | 0 u16 | payload.
 * The payload is the record's line of JSON in UTF-8; it begins with `{"n":SEQUENCE,`, by which a reader finds the next record behind damage.
 */
export const FORMAT_VERSION = 1;
export const RECORD_HEAD_BYTES = 24;
const MAGIC = "HLspool\n";
const HEADER_FIXED_BYTES = 12;
/** A header is shorter: home id, relay id and four numbers. */
export const HEADER_MAX_BYTES = 512;

/** A `loss` record. */
export const FLAG_LOSS = 1;
/** The first record of a group: everything before it in the file was synced when it was written. */
export const FLAG_GROUP = 2;
/** The record carries a revision. */
export const FLAG_REVISION = 4;

export interface SegmentHeader {
  readonly home_id: string;
  readonly relay_id: string;
  readonly first: number;
  readonly created_ms: number;
  /** As they were when the segment was begun, for the day on which the state file cannot be read. */
  readonly revision: number;
  readonly losses: number;
}

export const segmentName = (first: number): string => `${String(first).padStart(16, "0")}.seg`;

/** The first number of a segment by its name; undefined: another file. */
export const firstOf = (name: string): number | undefined =>
  /^\d{16}\.seg$/.test(name) ? Number.parseInt(name, 10) : undefined;

export function encodeHeader(header: SegmentHeader): Buffer {
  const json = Buffer.from(JSON.stringify(header));
  const bytes = Buffer.alloc(HEADER_FIXED_BYTES + json.length + 4);
  if (bytes.length > HEADER_MAX_BYTES) throw new RangeError(`A segment's header of ${bytes.length} bytes is too long.`);
  bytes.write(MAGIC, 0, "latin1");
  bytes.writeUInt16LE(FORMAT_VERSION, 8);
  bytes.writeUInt16LE(bytes.length, 10);
  json.copy(bytes, HEADER_FIXED_BYTES);
  bytes.writeUInt32LE(crc32c(bytes, 0, bytes.length - 4), bytes.length - 4);
  return bytes;
}

export type HeaderRead =
  | { readonly is: "good"; readonly header: SegmentHeader; readonly bytes: number }
  | { readonly is: "newer"; readonly version: number }
  | { readonly is: "damaged" };

/** Reads a header from the first bytes of a file. */
export function decodeHeader(bytes: Buffer): HeaderRead {
  if (bytes.length < HEADER_FIXED_BYTES + 4 || bytes.toString("latin1", 0, 8) !== MAGIC) return { is: "damaged" };
  const length = bytes.readUInt16LE(10);
  if (length < HEADER_FIXED_BYTES + 4 || length > bytes.length) return { is: "damaged" };
  if (bytes.readUInt32LE(length - 4) !== crc32c(bytes, 0, length - 4)) return { is: "damaged" };
  const version = bytes.readUInt16LE(8);
  if (version > FORMAT_VERSION) return { is: "newer", version };
  const header = JSON.parse(bytes.toString("utf8", HEADER_FIXED_BYTES, length - 4)) as SegmentHeader;
  return { is: "good", header, bytes: length };
}

/** A record as it lies in a buffer: its payload is [payload, end). */
export interface RecordAt {
  readonly n: number;
  readonly atMs: number;
  readonly flags: number;
  readonly payload: number;
  readonly end: number;
}

/** The record at `at`; `{need}`: the buffer must hold so many bytes from `at` on to tell; undefined: there is none. */
export function recordAt(buffer: Buffer, at: number, end: number): RecordAt | { readonly need: number } | undefined {
  if (end - at < RECORD_HEAD_BYTES) return { need: RECORD_HEAD_BYTES };
  const length = buffer.readUInt32LE(at + 4);
  const recordEnd = at + RECORD_HEAD_BYTES + length;
  // Beyond its segment no record reaches, and no segment this far: a length that was damaged.
  if (length > 0x3fff_ffff) return undefined;
  if (recordEnd > end) return { need: RECORD_HEAD_BYTES + length };
  if (buffer.readUInt32LE(at) !== crc32c(buffer, at + 4, recordEnd)) return undefined;
  return {
    n: buffer.readUIntLE(at + 8, 6),
    flags: buffer.readUInt16LE(at + 14),
    atMs: buffer.readUIntLE(at + 16, 6),
    payload: at + RECORD_HEAD_BYTES,
    end: recordEnd,
  };
}

const MARK = Buffer.from('{"n":');

/** The next place from `from` on at which a record may begin; -1: none up to `end`. Only its CRC tells whether one does. */
export function nextCandidate(buffer: Buffer, from: number, end: number): number {
  const mark = buffer.subarray(0, end).indexOf(MARK, from + RECORD_HEAD_BYTES);
  return mark < 0 ? -1 : mark - RECORD_HEAD_BYTES;
}
