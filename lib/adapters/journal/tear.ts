import { nextCandidate, RECORD_HEAD_BYTES } from "./format.ts";

/** Disks write whole sectors of this size, or of a multiple of it. */
const SECTOR_BYTES = 512;
/** A head has a CRC, which may be zero, and then a length, which is not: fewer zeros at the end of a sector mean nothing. */
const EMPTY_MIN_BYTES = 8;
/** A head, `{"n":1,` and a brace: no record is shorter. */
const RECORD_MIN_BYTES = RECORD_HEAD_BYTES + 8;
const BRACE = 0x7d;
const MARKS_TRIED = 16;

/**
 * Is this how a crash leaves a group that was not synced? Then sectors of it are missing (zeros, which no payload has) or its end is. What is there to its end
 * and yet wrong was whole once: it may have been read and sent, so its numbers must not mean anything else.
 * `rest` begins with the record that is not whole, at `position` in the file, and reaches to the file's end.
 */
export function isTorn(rest: Buffer, position: number): boolean {
  return (
    rest.length < RECORD_HEAD_BYTES || hasEmptySector(rest, position) || !(endsByLengths(rest) || endsByText(rest))
  );
}

function hasEmptySector(rest: Buffer, position: number): boolean {
  for (let from = 0; from < rest.length; ) {
    const to = Math.min(rest.length, from + SECTOR_BYTES - ((position + from) % SECTOR_BYTES));
    if (to - from >= EMPTY_MIN_BYTES && rest.subarray(from, to).every((byte) => byte === 0)) return true;
    from = to;
  }
  return false;
}

/** Do the lengths in the heads lead from record to record to the very end? */
function endsByLengths(rest: Buffer): boolean {
  let at = 0;
  while (at + RECORD_HEAD_BYTES <= rest.length) at += RECORD_HEAD_BYTES + rest.readUInt32LE(at + 4);
  return at === rest.length;
}

/** Is the last thing in it a whole payload? The mark may stand within one as well. */
function endsByText(rest: Buffer): boolean {
  if (rest.at(-1) !== BRACE) return false;
  const starts = [0];
  for (let at = nextCandidate(rest, 1, rest.length); at >= 0; at = nextCandidate(rest, at + 1, rest.length))
    starts.push(at);
  return starts.slice(-MARKS_TRIED).some((at) => isJson(rest.toString("utf8", at + RECORD_HEAD_BYTES)));
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** What is not whole in `rest`: how many records it seems to be, at least one, and how many it can be at most. */
export function recordsIn(rest: Buffer): { readonly seen: number; readonly most: number } {
  let seen = 0;
  for (let at = nextCandidate(rest, 0, rest.length); at >= 0; at = nextCandidate(rest, at + 1, rest.length)) seen += 1;
  return { seen: Math.max(1, seen), most: Math.ceil(rest.length / RECORD_MIN_BYTES) };
}
