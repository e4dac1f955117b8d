import type { Clock } from "../../base/clock.ts";
import { HearthlineError } from "../../base/errors.ts";
import { type LostRange, lossesOf, lossRecordOf, mergeLostRanges } from "../../event/index.ts";
import type { LostEvents, ReadOptions, Spool, SpoolEntry, SpooledRecord, SpoolState } from "../../relay/ports.ts";

export interface MemorySpoolOptions {
  readonly relayId: string;
  readonly clock: Clock;
  readonly sinks: readonly string[];
  readonly maxBytes: number;
}

interface Kept extends SpooledRecord {
  readonly bytes: number;
  /** Only of a loss record. */
  readonly range?: LostRange;
}

/** What a record takes beside its line: an object, three numbers. */
const OVERHEAD_BYTES = 64;

/** A spool for tests and for demonstrations that need not survive their process. */
export function createMemorySpool(options: MemorySpoolOptions): Spool {
  return new MemorySpool(options);
}

class MemorySpool implements Spool {
  readonly relayId: string;
  readonly #clock: Clock;
  readonly #maxBytes: number;
  readonly #cursors: Map<string, number>;
  #kept: Kept[] = [];
  #last = 0;
  #bytes = 0;
  #losses = 0;
  #revision = 0;
  #isClosed = false;

  constructor({ relayId, clock, sinks, maxBytes }: MemorySpoolOptions) {
    this.relayId = relayId;
    this.#clock = clock;
    this.#maxBytes = maxBytes;
    this.#cursors = new Map(sinks.map((sink) => [sink, 0]));
  }

  async append(entries: readonly SpoolEntry[]): Promise<readonly number[]> {
    this.#checkOpen();
    const numbers = entries.map((entry) => this.#put(entry));
    this.#keepBound();
    return numbers;
  }

  async recordLoss({ range, ...lost }: LostEvents): Promise<number> {
    this.#checkOpen();
    const [first, last] = range ?? [this.#last + 1, this.#last + 1];
    this.#losses += lost.count;
    const number = this.#putRange({ ...lost, first, last });
    this.#keepBound();
    return number;
  }

  async read(sink: string, { limit, maxBytes, after = 0 }: ReadOptions): Promise<readonly SpooledRecord[]> {
    this.#checkOpen();
    const from = Math.max(after, this.#cursorOf(sink));
    const start = Math.max(0, from + 1 - (this.#kept[0]?.n ?? 1));
    const found: SpooledRecord[] = [];
    let size = 0;
    for (const { n, appendedAtMs, line } of this.#kept.slice(start, start + limit)) {
      size += Buffer.byteLength(line);
      if (found.length > 0 && size > maxBytes) break;
      found.push({ n, appendedAtMs, line });
    }
    return found;
  }

  async acknowledge(sink: string, sequence: number): Promise<void> {
    this.#checkOpen();
    this.#cursors.set(sink, Math.max(this.#cursorOf(sink), Math.min(sequence, this.#last)));
    this.#remove(Math.min(...this.#cursors.values()));
  }

  state(): SpoolState {
    const [oldest] = this.#kept;
    return {
      relayId: this.relayId,
      lastSequence: this.#last,
      lastRevision: this.#revision,
      bytes: this.#bytes,
      records: this.#kept.length,
      losses: this.#losses,
      ...(oldest && { oldestAtMs: oldest.appendedAtMs }),
      cursors: Object.fromEntries(this.#cursors),
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  #put({ text, revision = 0 }: SpoolEntry, range?: LostRange): number {
    this.#last += 1;
    this.#revision = Math.max(this.#revision, revision);
    const line = `{"n":${this.#last},${text.slice(1)}`;
    const bytes = Buffer.byteLength(line) + OVERHEAD_BYTES;
    this.#kept.push({ n: this.#last, appendedAtMs: this.#clock.nowMs(), line, bytes, ...(range && { range }) });
    this.#bytes += bytes;
    return this.#last;
  }

  #putRange(range: LostRange): number {
    return this.#put({ text: JSON.stringify(lossRecordOf(range)) }, range);
  }

  /** Gives back what went. */
  #remove(upTo: number): Kept[] {
    const gone = this.#kept.splice(0, Math.max(0, upTo + 1 - (this.#kept[0]?.n ?? upTo + 1)));
    for (const { bytes } of gone) this.#bytes -= bytes;
    return gone;
  }

  #keepBound(): void {
    if (this.#bytes <= this.#maxBytes) return;
    let left = this.#bytes;
    const enough = this.#kept.findIndex(({ bytes }) => {
      left -= bytes;
      return left <= this.#maxBytes * 0.9;
    });
    const gone = this.#remove(this.#kept[enough]?.n ?? this.#last);
    const [first, last] = [gone[0], gone.at(-1)];
    if (!first || !last) return;
    const { ranges, events } = lossesOf(
      {
        first: first.n,
        last: last.n,
        reason: `the spool was full (${Math.round(this.#maxBytes / 1_048_576)} MiB)`,
        fromMs: first.appendedAtMs,
        toMs: last.appendedAtMs,
        older: gone.flatMap(({ n, range }) => (range ? [{ n, range }] : [])),
      },
      Object.fromEntries(this.#cursors),
    );
    this.#losses += events;
    for (const range of mergeLostRanges(ranges)) this.#putRange(range);
  }

  #cursorOf(sink: string): number {
    const cursor = this.#cursors.get(sink);
    if (cursor !== undefined) return cursor;
    throw new RangeError(`The spool has no sink "${sink}"; it knows ${[...this.#cursors.keys()].join(", ")}.`);
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new HearthlineError("spool_failed", "The spool in memory is closed.");
  }
}
