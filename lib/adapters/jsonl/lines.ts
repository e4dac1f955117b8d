import { createReadStream } from "node:fs";

/** One line without its end. `bytes` is undefined when it is longer than LINE_MAX_BYTES: then it was passed over. */
export interface Line {
  readonly number: number;
  readonly bytes: Buffer | undefined;
  readonly startsAt: number;
  /** Where the next line begins. */
  readonly endsAt: number;
  /** It ends with the file and not with a line end: more of it may be written yet. */
  readonly isOpen: boolean;
}

/** A longer line is no event; it is passed over piece by piece. */
export const LINE_MAX_BYTES = 1_048_576;
const READ_BYTES = 262_144;
const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** The lines of a file from a byte on, which begins line `number`. Memory is bounded by LINE_MAX_BYTES. Empty lines come too. */
export async function* readLines(
  path: string,
  start: { readonly offset: number; readonly number: number },
): AsyncGenerator<Line[]> {
  const stream = createReadStream(path, { start: start.offset, highWaterMark: READ_BYTES });
  let { offset, number } = start;
  let held: Buffer[] = [];
  let heldBytes = 0;
  let isTooLong = false;

  function hold(piece: Buffer): void {
    offset += piece.length;
    heldBytes += piece.length;
    // One byte more for the carriage return.
    isTooLong ||= heldBytes > LINE_MAX_BYTES + 1;
    if (isTooLong) held = [];
    else held.push(piece);
  }

  function ended(isOpen: boolean): Line {
    const whole = held.length === 1 ? (held[0] as Buffer) : Buffer.concat(held);
    const bytes = whole.at(-1) === RETURN ? whole.subarray(0, -1) : whole;
    const startsAt = offset - heldBytes;
    const endsAt = isOpen ? offset : offset + 1;
    const line = { number, bytes: isTooLong ? undefined : bytes, startsAt, endsAt, isOpen };
    held = [];
    heldBytes = 0;
    isTooLong = false;
    number += 1;
    return line;
  }

  for await (const block of stream as AsyncIterable<Buffer>) {
    const lines: Line[] = [];
    let from = 0;
    for (let at = block.indexOf(NEWLINE); at !== -1; at = block.indexOf(NEWLINE, from)) {
      hold(block.subarray(from, at));
      lines.push(ended(false));
      offset += 1;
      from = at + 1;
    }
    if (from < block.length) hold(block.subarray(from));
    yield lines;
  }
  if (heldBytes > 0) yield [ended(true)];
}
