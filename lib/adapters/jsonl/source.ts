import { createHash } from "node:crypto";
import { closeSync, openSync, readSync, realpathSync, statSync } from "node:fs";
import { HearthlineError, isHearthlineError, messageOf } from "../../base/errors.ts";
import type { HistoryChunk, HistorySource, PastRow, RejectedRow } from "../../history/ports.ts";
import { LINE_MAX_BYTES, type Line, readLines } from "./lines.ts";
import { parseLine } from "./parse.ts";

/** Byte and line at which to go on, and how what stands before it looked. */
interface Position {
  readonly offset: number;
  /** The number of the line that begins there. */
  readonly line: number;
  readonly before: string;
}

/** So much in front of a position, and at the start of the file, tells whether it is still the same file. */
const LOOKED_AT_BYTES = 65_536;
const CHUNK_ROWS = 1_000;
const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

const unreadable = (path: string, why: string) =>
  new HearthlineError("history_unreadable", `The file "${path}" cannot be read: ${why}`);

/** A file of one event a line. It may grow: what was appended is read next time. @throws HearthlineError `history_unreadable` */
export function createJsonlSource(path: string): HistorySource {
  checkFile(path);
  return {
    kind: "jsonl",
    name: path,
    identity: realpathSync(path),
    placeName: "line",
    entityIds: async () => undefined,
    read: (position, signal) => readEvents(path, position as Position | undefined, signal),
    close: async () => {},
  };
}

function checkFile(path: string): void {
  let head: Buffer;
  try {
    if (!statSync(path).isFile()) throw unreadable(path, "it is no file.");
    head = bytesOf(path, 0, 4);
  } catch (thrown) {
    if (isHearthlineError(thrown)) throw thrown;
    throw unreadable(path, messageOf(thrown));
  }
  if (head[0] === 0x1f && head[1] === 0x8b) throw unreadable(path, "it is compressed; unpack it first, with: gzip -d");
  if (head.readUInt32BE(0) === 0x28b52ffd) throw unreadable(path, "it is compressed; unpack it first, with: zstd -d");
  if (["fffe", "feff"].includes(head.toString("hex", 0, 2))) throw unreadable(path, "it is UTF-16; wanted is UTF-8.");
}

/** Zeros where the file is shorter. */
function bytesOf(path: string, offset: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  const file = openSync(path, "r");
  try {
    readSync(file, bytes, 0, length, offset);
  } finally {
    closeSync(file);
  }
  return bytes;
}

function lookBefore(path: string, offset: number): string {
  const start = Math.min(offset, LOOKED_AT_BYTES);
  const from = Math.max(0, offset - LOOKED_AT_BYTES);
  return createHash("sha256")
    .update(bytesOf(path, 0, start))
    .update(bytesOf(path, from, offset - from))
    .digest("hex");
}

const CHANGED =
  "What stands before the place at which the last import ended has changed since, so the file was read again from its start. What was imported before stays as it is.";

async function* readEvents(
  path: string,
  position: Position | undefined,
  signal: AbortSignal,
): AsyncGenerator<HistoryChunk> {
  const isSame = position && lookBefore(path, position.offset) === position.before;
  const hasBom = bytesOf(path, 0, BOM.length).equals(BOM);
  const start = isSame
    ? { offset: position.offset, number: position.line }
    : { offset: hasBom ? BOM.length : 0, number: 1 };
  let remark = position && !isSame ? CHANGED : undefined;
  const { size } = statSync(path);
  for await (const lines of readLines(path, start)) {
    for (let from = 0; from < lines.length && !signal.aborted; from += CHUNK_ROWS) {
      const some = lines.slice(from, from + CHUNK_ROWS);
      const { rows, rejected, goOnAt } = readChunk(some);
      const position: Position = { ...goOnAt, before: lookBefore(path, goOnAt.offset) };
      const fraction = Math.min(1, goOnAt.offset / Math.max(1, size));
      yield { rows, rejected, position, fraction, ...(remark && { remark }) };
      remark = undefined;
    }
    if (signal.aborted) return;
  }
}

interface Read {
  readonly rows: PastRow[];
  readonly rejected: RejectedRow[];
  readonly goOnAt: { readonly offset: number; readonly line: number };
}

/** At least one line. */
function readChunk(lines: readonly Line[]): Read {
  const rows: PastRow[] = [];
  const rejected: RejectedRow[] = [];
  let goOnAt = { offset: 0, line: 1 };
  for (const line of lines) {
    // The end of an open line that is whole is still to come: what is left of it has the same number.
    goOnAt = { offset: line.endsAt, line: line.isOpen ? line.number : line.number + 1 };
    if (line.bytes !== undefined && isBlank(line.bytes)) continue;
    try {
      rows.push(readLine(line));
    } catch (thrown) {
      if (!isHearthlineError(thrown)) throw thrown;
      const { code, message } = thrown;
      if (!line.isOpen) rejected.push({ place: line.number, code, detail: message });
      else {
        // Perhaps it is being written: next time it is read again.
        goOnAt = { offset: line.startsAt, line: line.number };
        rejected.push({ place: line.number, code, detail: `${message} The file ends within this line.` });
      }
    }
  }
  return { rows, rejected, goOnAt };
}

const isBlank = (bytes: Buffer): boolean => bytes.every((byte) => byte === 0x20 || byte === 0x09);

function readLine({ bytes, number }: Line): PastRow {
  if (bytes) return parseLine(bytes, number);
  throw new HearthlineError("event_too_large", `The line is longer than ${LINE_MAX_BYTES} bytes, which no event is.`);
}
