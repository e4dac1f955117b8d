import type { ReadOptions, SpooledRecord } from "../../relay/ports.ts";
import { type ReaderOptions, SinkReader } from "./reader.ts";
import type { Segment } from "./segment.ts";

interface Run {
  readonly n: number;
  readonly atMs: number;
}

/** Where one sink is: what it has read, what is in its hands, how old its oldest record is. Calls are put in a row. */
export class SinkPlace {
  readonly #reader: SinkReader;
  #row: Promise<unknown> = Promise.resolve();
  #highestRead = 0;
  #readingFrom: number | undefined;
  /** Where the append time changes among the records in its hands. */
  #runs: Run[] = [];
  /** Of the first record behind its cursor; undefined: there is none. */
  oldestAtMs: number | undefined;

  constructor(options: ReaderOptions) {
    this.#reader = new SinkReader(options);
  }

  read(cursor: () => number, options: ReadOptions): Promise<readonly SpooledRecord[]> {
    return this.#inRow(async () => {
      const after = Math.max(options.after ?? 0, cursor());
      this.#readingFrom = after + 1;
      try {
        const records = await this.#reader.read(after, options);
        for (const { n, appendedAtMs } of records) this.#note(n, appendedAtMs);
        return records;
      } finally {
        this.#readingFrom = undefined;
      }
    });
  }

  /** After the cursor was moved: finds how old the oldest record is now. */
  moved(cursor: () => number, last: () => number): Promise<void> {
    while (this.#runs[1] && this.#runs[1].n <= cursor() + 1) this.#runs.shift();
    if (cursor() < this.#highestRead) {
      this.oldestAtMs = this.#runs[0]?.atMs;
      return Promise.resolve();
    }
    this.#runs = [];
    this.oldestAtMs = undefined;
    if (cursor() >= last()) return Promise.resolve();
    return this.#inRow(async () => {
      if (cursor() < last()) this.oldestAtMs = await this.#reader.timeAfter(cursor());
    });
  }

  isInHand(segment: Segment, lastOfSegment: number, cursor: number): boolean {
    if (lastOfSegment <= cursor) return false;
    const from = this.#readingFrom;
    if (from !== undefined && from <= lastOfSegment && from >= segment.first) return true;
    return segment.first <= this.#highestRead;
  }

  close(): Promise<void> {
    return this.#inRow(() => this.#reader.close());
  }

  #note(n: number, atMs: number): void {
    if (n <= this.#highestRead) return;
    this.#highestRead = n;
    if (this.#runs.at(-1)?.atMs !== atMs) this.#runs.push({ n, atMs });
  }

  #inRow<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#row.then(work);
    this.#row = result.catch(() => {});
    return result;
  }
}
