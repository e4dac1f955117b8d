import type { LostRange } from "../../event/index.ts";
import type { LostEvents, SpoolEntry } from "../../relay/ports.ts";
import { lossTextOf } from "./book.ts";
import { FLAG_GROUP, FLAG_LOSS, FLAG_REVISION } from "./format.ts";
import type { GroupBuffer } from "./group-buffer.ts";
import type { SegmentFacts } from "./segment.ts";
import type { PendingLoss } from "./state-file.ts";

/** What is appended by one call. */
export interface Call {
  readonly entries: readonly SpoolEntry[];
  readonly lost?: LostEvents;
}

/** Calls that go to the disk together, encoded. */
export class Group {
  readonly #buffer: GroupBuffer;
  readonly #atMs: number;
  readonly #first: number;
  #next: number;
  #revision = 0;
  readonly #losses: { n: number; range: LostRange }[] = [];

  constructor(buffer: GroupBuffer, first: number, atMs: number) {
    buffer.clear();
    this.#buffer = buffer;
    this.#first = first;
    this.#next = first;
    this.#atMs = atMs;
  }

  get last(): number {
    return this.#next - 1;
  }

  get revision(): number {
    return this.#revision;
  }

  bytes(): Uint8Array {
    return this.#buffer.bytes();
  }

  facts(): SegmentFacts {
    return { fromMs: this.#atMs, toMs: this.#atMs, losses: this.#losses };
  }

  /** Its numbers, in order. */
  add({ entries, lost }: Call): number[] {
    const numbers: number[] = [];
    for (const { text, revision } of entries) {
      numbers.push(this.#put(text, revision === undefined ? 0 : FLAG_REVISION));
      if (revision !== undefined && revision > this.#revision) this.#revision = revision;
    }
    if (lost) numbers.push(this.addLoss(lost));
    return numbers;
  }

  addLoss(lost: PendingLoss): number {
    const { text, range } = lossTextOf(lost, this.#next);
    this.#losses.push({ n: this.#next, range });
    return this.#put(text, FLAG_LOSS);
  }

  #put(text: string, flags: number): number {
    const n = this.#next;
    this.#buffer.add({ n, atMs: this.#atMs, flags: n === this.#first ? flags | FLAG_GROUP : flags, text });
    this.#next = n + 1;
    return n;
  }
}
