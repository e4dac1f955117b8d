import { type JournalFile, type JournalFiles, writeAll } from "./files.ts";
import { encodeHeader, type SegmentHeader, segmentName } from "./format.ts";
import type { Segment } from "./segment.ts";

export interface TailOptions {
  readonly files: JournalFiles;
  readonly segmentBytes: number;
  readonly header: (first: number) => SegmentHeader;
  /** The segment to go on with, as the last run left it. */
  readonly segment: Segment | undefined;
}

/** The segment that is written to. What fails is cut off again; what cannot be cut off is left behind in a segment that is not written to any more. */
export class Tail {
  readonly #options: TailOptions;
  #segment: Segment | undefined;
  #file: JournalFile | undefined;
  /** What is beyond `segment.bytes` in the file is not known: cut it off, or leave the file. */
  #isDirty = true;
  /** A sync failed: what the system says of this file from now on means nothing. */
  #isLost = false;
  #isNameSynced = true;

  constructor(options: TailOptions) {
    this.#options = options;
    this.#segment = options.segment;
  }

  get segment(): Segment | undefined {
    return this.#segment;
  }

  /** The segment for `bytes` more, from the number `first` on: the one there is, or a new one. */
  async prepare(first: number, bytes: number): Promise<Segment> {
    const now = this.#segment;
    if (now && !(await this.#isFit(now, bytes))) await this.leave();
    this.#segment ??= await this.#begin(first);
    return this.#segment;
  }

  /** What comes next goes into a new segment. */
  async leave(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    this.#segment = undefined;
    this.#isDirty = false;
    this.#isLost = false;
    this.#isNameSynced = true;
    try {
      await file?.close();
    } catch {
      // What it holds was synced, or does not count.
    }
  }

  /** Writes behind what is there, and syncs; the caller then lets the segment grow. Nothing counts when it rejects. */
  async write(bytes: Uint8Array): Promise<void> {
    const [segment, file] = [this.#segment, this.#file];
    if (!segment || !file) throw new RangeError("The tail was written to before it was prepared.");
    this.#isDirty = true;
    let isWritten = false;
    try {
      await writeAll(file, bytes, segment.bytes);
      isWritten = true;
      await file.sync();
      if (!this.#isNameSynced) await this.#options.files.syncFolder();
      this.#isNameSynced = true;
      this.#isDirty = false;
    } catch (thrown) {
      this.#isLost ||= isWritten;
      await this.#cut(segment).catch(() => {});
      throw thrown;
    }
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }

  async #isFit(segment: Segment, bytes: number): Promise<boolean> {
    const isEmpty = segment.last === undefined;
    if (this.#isLost || segment.isGone || segment.isDamaged) return false;
    if (!isEmpty && segment.bytes + bytes > this.#options.segmentBytes) return false;
    try {
      if (this.#isDirty) await this.#cut(segment);
      return true;
    } catch {
      return false;
    }
  }

  async #cut(segment: Segment): Promise<void> {
    this.#file ??= await this.#options.files.open(segment.name, "write");
    await this.#file.truncate(segment.bytes);
    this.#isDirty = false;
  }

  async #begin(first: number): Promise<Segment> {
    const { files, header } = this.#options;
    const name = segmentName(first);
    // Left by an attempt whose first group failed: it holds nothing that counts.
    await files.remove(name).catch((thrown: { code?: unknown }) => {
      if (thrown.code !== "ENOENT") throw thrown;
    });
    const head = header(first);
    const bytes = encodeHeader(head);
    const file = await files.create(name);
    try {
      await writeAll(file, bytes, 0);
      // Before any record: a header that is not whole then means that there is none, or that the disk has damaged it.
      await file.sync();
    } catch (thrown) {
      await file.close();
      await files.remove(name).catch(() => {});
      throw thrown;
    }
    this.#file = file;
    this.#isNameSynced = false;
    this.#isDirty = false;
    const parts = { createdMs: head.created_ms, headerBytes: bytes.length, bytes: bytes.length };
    return { name, first, ...parts, isDamaged: false, isGone: false };
  }
}
