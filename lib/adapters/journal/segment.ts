import type { LostRange } from "../../event/index.ts";
import type { SegmentHeader } from "./format.ts";
import type { Hole } from "./state-file.ts";

/** What a loss record has to say when the segment is given up. */
export interface SegmentFacts {
  fromMs: number;
  toMs: number;
  readonly losses: { readonly n: number; readonly range: LostRange }[];
}

/** One file of records. `bytes` and `last` are changed together, when what was written is durable: nothing reads beyond them. */
export interface Segment {
  readonly name: string;
  readonly first: number;
  readonly createdMs: number;
  /** 0 where the header is damaged: records are looked for from the start. */
  readonly headerBytes: number;
  /** As found at the start; undefined where it is damaged. */
  readonly header?: SegmentHeader;
  bytes: number;
  /** Known of a segment that this process wrote or read whole; of the others the next segment tells it. */
  last?: number;
  isDamaged: boolean;
  /** The disk does not read all of it: what it does not give counts as damaged. */
  isUnreadable?: boolean;
  /** Its file has been given up or removed. */
  isGone: boolean;
  facts?: SegmentFacts;
}

/** All segments, ascending. */
export class Segments {
  #all: Segment[] = [];
  #bytes = 0;

  /** What the files take. */
  get bytes(): number {
    return this.#bytes;
  }

  get all(): readonly Segment[] {
    return this.#all;
  }

  add(segment: Segment): void {
    this.#all.push(segment);
    this.#bytes += segment.bytes;
  }

  /** More of it is durable. */
  grow(segment: Segment, bytes: number, last: number): void {
    this.#bytes += bytes - segment.bytes;
    segment.bytes = bytes;
    segment.last = last;
  }

  remove(gone: readonly Segment[]): void {
    for (const segment of gone) {
      segment.isGone = true;
      this.#bytes -= segment.bytes;
    }
    const all = new Set(gone);
    this.#all = this.#all.filter((each) => !all.has(each));
  }

  /** The segment in which `n` is, or would be; where none reaches so far back, the first one. */
  holding(n: number): Segment | undefined {
    return this.#all[this.#indexOf(n)];
  }

  after(segment: Segment): Segment | undefined {
    const index = this.#indexOf(segment.first);
    const found = this.#all[index];
    // One that has been removed is followed by the first one behind its place.
    return found && found.first > segment.first ? found : this.#all[index + 1];
  }

  /** The last number that the segment answers for. */
  lastOf(segment: Segment): number {
    const next = this.after(segment);
    return next ? next.first - 1 : (segment.last ?? segment.first - 1);
  }

  #indexOf(n: number): number {
    let [low, high] = [0, this.#all.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#all[middle]?.first ?? 0) <= n) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** Ascending; those that touch are one. */
export function withHole(holes: readonly Hole[], [first, last]: Hole): Hole[] {
  const apart = holes.filter((hole) => hole[1] + 1 < first || hole[0] > last + 1);
  const joined = holes.filter((hole) => !apart.includes(hole));
  const merged: Hole = [
    Math.min(first, ...joined.map((hole) => hole[0])),
    Math.max(last, ...joined.map((hole) => hole[1])),
  ];
  return [...apart, merged].sort((a, b) => a[0] - b[0]);
}

/** The parts of [first, last] that lie in no hole. */
export function outsideHoles(holes: readonly Hole[], first: number, last: number): Hole[] {
  const parts: Hole[] = [];
  let from = first;
  for (const hole of holes) {
    if (hole[1] < from || hole[0] > last) continue;
    if (hole[0] > from) parts.push([from, hole[0] - 1]);
    from = hole[1] + 1;
  }
  if (from <= last) parts.push([from, last]);
  return parts;
}
