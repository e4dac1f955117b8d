import type { ReadOptions, SpooledRecord } from "../../relay/ports.ts";
import type { JournalFiles } from "./files.ts";
import type { RecordAt } from "./format.ts";
import type { Segments } from "./segment.ts";
import type { Unreadable } from "./unreadable.ts";
import { SegmentWalker } from "./walker.ts";

export interface ReaderOptions {
  readonly files: JournalFiles;
  readonly segments: Segments;
  readonly unreadable: Unreadable;
  /** Said to be lost: whatever a file holds under that number is not given. */
  readonly isLost: (n: number) => boolean;
  /** Numbers that should be there and are not; called before what follows them is given. */
  readonly onMissing: (first: number, last: number) => void;
}

/** Reads for one sink, in order; keeps its place, so that reading on costs no search. Not for two calls at once. */
export class SinkReader {
  readonly #options: ReaderOptions;
  #walker: SegmentWalker | undefined;
  #next = 1;

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  /** Records after `after`, and behind every number that is missing there. */
  async read(after: number, { limit, maxBytes }: ReadOptions): Promise<readonly SpooledRecord[]> {
    await this.#seek(after + 1);
    const found: SpooledRecord[] = [];
    for (let size = 0; found.length < limit; ) {
      const record = await this.#step().catch((thrown: unknown) => {
        // What was found before goes first.
        if (found.length === 0) throw thrown;
        return undefined;
      });
      if (!record || !this.#walker) break;
      size += record.end - record.payload;
      if (found.length > 0 && size > maxBytes) break;
      found.push({ n: record.n, appendedAtMs: record.atMs, line: this.#walker.lineOf(record) });
      this.#walker.pass(record);
      this.#next = record.n + 1;
    }
    return found;
  }

  /** When the first record after `after` was appended; undefined: there is none. */
  async timeAfter(after: number): Promise<number | undefined> {
    await this.#seek(after + 1);
    return (await this.#step())?.atMs;
  }

  async close(): Promise<void> {
    const walker = this.#walker;
    this.#walker = undefined;
    await walker?.close();
  }

  async #seek(n: number): Promise<void> {
    if (n === this.#next) return;
    const segment = this.#options.segments.holding(n);
    if (n < this.#next || segment !== this.#walker?.segment) await this.close();
    this.#next = n;
  }

  /** The next record at or after `#next`, not passed yet. */
  async #step(): Promise<RecordAt | undefined> {
    for (;;) {
      try {
        return await this.#stepOnce();
      } catch (thrown) {
        const segment = this.#walker?.segment;
        await this.close().catch(() => {});
        if (!segment) throw thrown;
        await this.#options.unreadable.failed(segment, thrown);
      }
    }
  }

  async #stepOnce(): Promise<RecordAt | undefined> {
    const { segments, unreadable, isLost } = this.#options;
    for (;;) {
      const walker = await this.#walkerHere();
      if (!walker) return undefined;
      const { segment } = walker;
      const { bytes, last } = segment;
      const following = segments.after(segment);
      const record = await walker.peek(following?.first ?? Number.POSITIVE_INFINITY);
      unreadable.worked(segment);
      if (record && (record.n < this.#next || isLost(record.n))) {
        walker.pass(record);
        continue;
      }
      if (record) {
        this.#missUpTo(record.n - 1);
        return record;
      }
      if (segment.isGone || segment.bytes !== bytes || segments.after(segment) !== following) continue;
      this.#missUpTo(following ? following.first - 1 : (last ?? 0));
      if (!following) return undefined;
      await this.close();
    }
  }

  async #walkerHere(): Promise<SegmentWalker | undefined> {
    if (this.#walker && !this.#walker.segment.isGone) return this.#walker;
    await this.close();
    const { files, segments, unreadable } = this.#options;
    for (;;) {
      const segment = segments.holding(this.#next);
      if (!segment) return undefined;
      this.#missUpTo(segment.first - 1);
      unreadable.check(segment);
      try {
        this.#walker = await SegmentWalker.open(files, segment);
        return this.#walker;
      } catch (thrown) {
        if (segment.isGone) continue;
        if ((thrown as { code?: unknown }).code !== "ENOENT") {
          await unreadable.failed(segment, thrown);
          continue;
        }
        // Somebody deleted it while the relay ran: what it held is missing, and the next segment tells how much. But a folder that is gone as a whole
        // (moved, a disk unplugged) may come back.
        await files.syncFolder();
        segments.remove([segment]);
      }
    }
  }

  #missUpTo(last: number): void {
    if (last < this.#next) return;
    const first = this.#next;
    this.#next = last + 1;
    this.#options.onMissing(first, last);
  }
}
