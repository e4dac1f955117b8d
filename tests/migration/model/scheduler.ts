import type { Clock } from "../../../lib/base/clock.ts";
import { type Random, seededRandom } from "../../../lib/base/random.ts";

interface Waiter {
  readonly atMs: number;
  /** Of those that are due at the same moment the one that chance prefers goes first. */
  readonly tie: number;
  readonly go: () => void;
}

/** A process: dies at one of its calls, or when it is killed; then nothing of it ever goes on. */
export interface Life {
  readonly name: string;
  isDead: boolean;
  /** So many turns from now it dies. */
  left: number;
}

/**
 * Time and turns: whatever waits (a call under way, a sleep) waits here, and one after the other goes on, in the order of moments that chance has drawn. Between two of them everything that can go on
 * without waiting has gone on.
 */
export class Scheduler {
  readonly random: Random;
  /** Of the world: nobody sets it. */
  nowMs = 0;
  /** What the wall clock of the cloud is off; the relay's is Home Assistant's. */
  skewMs = 0;
  turns = 0;
  readonly #startMs: number;
  readonly #heap: Waiter[] = [];

  constructor(seed: number, startMs: number) {
    this.random = seededRandom(seed);
    this.#startMs = startMs;
  }

  /** Microseconds since 1970, as Home Assistant has them. */
  get nowUs(): number {
    return Math.round((this.#startMs + this.nowMs) * 1000);
  }

  /** Forward by so much in all. */
  aheadMs = 0;

  setClock(skewMs: number): void {
    this.aheadMs += Math.max(0, skewMs - this.skewMs);
    this.skewMs = skewMs;
  }

  wallMs(): number {
    return Math.round(this.#startMs + this.nowMs + this.skewMs);
  }

  chance(share: number): boolean {
    return this.random() < share;
  }

  between(low: number, high: number): number {
    return low + this.random() * (high - low);
  }

  int(low: number, high: number): number {
    return Math.floor(this.between(low, high + 1));
  }

  pick<T>(values: readonly T[]): T {
    const value = values[Math.floor(this.random() * values.length)];
    if (value === undefined) throw new Error("Nothing to pick from.");
    return value;
  }

  life(name: string, left = Number.POSITIVE_INFINITY): Life {
    return { name, isDead: false, left };
  }

  at(ms: number, go: () => void): Waiter {
    const waiter = { atMs: this.nowMs + Math.max(0, ms), tie: this.random(), go };
    push(this.#heap, waiter);
    return waiter;
  }

  /** The turn of a process comes again after so long; never, if it dies meanwhile. */
  pause(life: Life, ms: number): Promise<void> {
    life.left -= 1;
    if (life.left <= 0) life.isDead = true;
    if (life.isDead) return new Promise(() => {});
    return new Promise((resolve) => {
      this.at(ms, () => {
        if (!life.isDead) resolve();
      });
    });
  }

  homeMs(): number {
    return Math.round(this.#startMs + this.nowMs);
  }

  clock(life: Life, nowMs = () => this.wallMs()): Clock {
    return {
      nowMs,
      monotonicMs: () => this.nowMs,
      sleep: (ms, signal) =>
        new Promise((resolve) => {
          if (life.isDead) return;
          if (signal?.aborted) return resolve();
          const done = () => {
            signal?.removeEventListener("abort", done);
            if (!life.isDead) resolve();
          };
          signal?.addEventListener("abort", done, { once: true });
          this.at(ms, done);
        }),
    };
  }

  /** Until so much time has passed, nothing waits any more, or `isOver`. */
  async run(untilMs: number, isOver: () => boolean = () => false): Promise<void> {
    await settle();
    while (!isOver()) {
      const next = this.#heap[0];
      if (!next || next.atMs > untilMs) {
        this.nowMs = Math.max(this.nowMs, untilMs);
        return;
      }
      pop(this.#heap);
      this.nowMs = Math.max(this.nowMs, next.atMs);
      this.turns += 1;
      next.go();
      await settle();
    }
  }
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

const isBefore = (a: Waiter, b: Waiter): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.tie < b.tie);

function push(heap: Waiter[], waiter: Waiter): void {
  let at = heap.length;
  heap.push(waiter);
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = heap[parent];
    if (!above || !isBefore(waiter, above)) break;
    heap[at] = above;
    at = parent;
  }
  heap[at] = waiter;
}

function pop(heap: Waiter[]): void {
  const last = heap.pop();
  if (!last || heap.length === 0) return;
  let at = 0;
  for (;;) {
    const left = 2 * at + 1;
    const [a, b] = [heap[left], heap[left + 1]];
    if (!a) break;
    const child = b && isBefore(b, a) ? left + 1 : left;
    const below = heap[child];
    if (!below || !isBefore(below, last)) break;
    heap[at] = below;
    at = child;
  }
  heap[at] = last;
}
