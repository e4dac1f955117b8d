import type { JournalFile, JournalFiles } from "./files.ts";
import { nextCandidate, RECORD_HEAD_BYTES, type RecordAt, recordAt } from "./format.ts";
import { openLenient } from "./lenient-file.ts";
import type { Segment } from "./segment.ts";

const CHUNK_BYTES = 262_144;

/** Where a segment stopped being readable, and which number was due there. */
export interface Damage {
  readonly offset: number;
  readonly n: number;
}

/**
 * Goes through one segment's records in order, in chunks; every record's CRC is checked. Behind damage it goes on with the next whole record.
 * Not for two calls at once.
 */
export class SegmentWalker {
  readonly segment: Segment;
  /** The first damage met. */
  damage: Damage | undefined;
  readonly #file: JournalFile;
  #buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  /** Place in the file of the buffer's first byte, and how much of the buffer is filled. */
  #start = 0;
  #filled = 0;
  #offset: number;
  #due: number;

  constructor(file: JournalFile, segment: Segment) {
    this.#file = file;
    this.segment = segment;
    this.#offset = segment.headerBytes;
    this.#due = segment.first;
  }

  static async open(files: JournalFiles, segment: Segment): Promise<SegmentWalker> {
    const { name, isUnreadable } = segment;
    return new SegmentWalker(await (isUnreadable ? openLenient(files, name) : files.open(name, "read")), segment);
  }

  /** Behind the last record that was gone over. */
  get offset(): number {
    return this.#offset;
  }

  /** The record that comes next, below the number `bound`; undefined at the end of what is durable. Stays before it: see `pass`. */
  async peek(bound: number): Promise<RecordAt | undefined> {
    const end = this.segment.bytes;
    while (this.#offset < end) {
      const found = await this.#recordHere(end);
      if (found && found.n >= this.#due) return found.n < bound ? found : undefined;
      // Where the next segment begins, what is left here had failed: nobody misses it.
      if (this.#due >= bound) return undefined;
      this.damage ??= { offset: this.#offset, n: this.#due };
      this.segment.isDamaged = true;
      await this.#resynchronise(end);
    }
    return undefined;
  }

  /** Goes on behind a record that `peek` gave. */
  pass(record: RecordAt): void {
    this.#offset = this.#start + record.end;
    this.#due = record.n + 1;
  }

  /** The line of a record that `peek` has just given. */
  lineOf(record: RecordAt): string {
    return this.#buffer.toString("utf8", record.payload, record.end);
  }

  /** All bytes from `position` on. */
  async rest(position: number): Promise<Buffer> {
    const bytes = Buffer.alloc(this.segment.bytes - position);
    return bytes.subarray(0, await this.#file.read(bytes, position, bytes.length));
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  async #recordHere(end: number): Promise<RecordAt | undefined> {
    for (let need = RECORD_HEAD_BYTES; this.#offset + need <= end; ) {
      if (!(await this.#have(need))) return undefined;
      const found = recordAt(this.#buffer, this.#offset - this.#start, this.#filled);
      if (found === undefined || "n" in found) return found;
      need = found.need;
    }
    return undefined;
  }

  /** To the next place at which a record begins that is whole and not one gone over before; to the end where there is none. */
  async #resynchronise(end: number): Promise<void> {
    for (let from = this.#offset + 1; from + RECORD_HEAD_BYTES < end; ) {
      this.#offset = from;
      // The file is shorter than it was: somebody has cut it.
      if (!(await this.#have(Math.min(CHUNK_BYTES, end - from))) && this.#filled < RECORD_HEAD_BYTES) break;
      const at = nextCandidate(this.#buffer, from - this.#start, this.#filled);
      if (at < 0) {
        // A mark may lie across the end of the chunk.
        from = Math.max(from + 1, this.#start + this.#filled - RECORD_HEAD_BYTES - 8);
        if (this.#start + this.#filled >= end) break;
        continue;
      }
      from = this.#start + at;
      this.#offset = from;
      const found = await this.#recordHere(end);
      if (found && found.n >= this.#due) return;
      from += 1;
    }
    this.#offset = end;
  }

  /** Fills the buffer, so that it holds `need` bytes from the offset on; false when the file has not so many. */
  async #have(need: number): Promise<boolean> {
    const left = this.#start + this.#filled - this.#offset;
    if (left >= need && this.#offset >= this.#start) return true;
    const kept =
      left > 0 && this.#offset >= this.#start
        ? this.#buffer.subarray(this.#offset - this.#start, this.#filled)
        : undefined;
    const size = Math.max(CHUNK_BYTES, need);
    // Large for one record, small again behind it.
    const buffer = size === this.#buffer.length ? this.#buffer : Buffer.allocUnsafeSlow(size);
    kept?.copy(buffer, 0);
    const keptBytes = kept?.length ?? 0;
    this.#buffer = buffer;
    this.#start = this.#offset;
    this.#filled = keptBytes;
    const wanted = Math.min(size - keptBytes, this.segment.bytes - this.#offset - keptBytes);
    if (wanted > 0) this.#filled += await this.#file.read(buffer.subarray(keptBytes), this.#offset + keptBytes, wanted);
    return this.#filled >= need;
  }
}
