import type { Clock } from "../../lib/base/clock.ts";

interface Sleeper {
  readonly untilMs: number;
  readonly wake: () => void;
}

export interface ManualClock extends Clock {
  /** Lets `ms` pass: who sleeps wakes in order of time, and what it then does (until it sleeps again) is done before the next one wakes. */
  advance(ms: number): Promise<void>;
  /** Sets the wall clock alone, as a person or NTP does; who sleeps does not notice. */
  set(nowMs: number): void;
  /** Lets `ms` pass for whoever measures, as a call that takes so long does; who sleeps wakes at the next `advance`. */
  slip(ms: number): void;
  /** How many sleep now. */
  sleeping(): number;
}

/** A clock that stands still until told otherwise. */
export function manualClock(startMs = Date.UTC(2026, 10, 22, 6, 0, 0)): ManualClock {
  let monotonicMs = 0;
  let wallOffsetMs = startMs;
  const sleepers = new Set<Sleeper>();

  const next = (limitMs: number): Sleeper | undefined =>
    [...sleepers].filter(({ untilMs }) => untilMs <= limitMs).sort((a, b) => a.untilMs - b.untilMs)[0];

  return {
    nowMs: () => monotonicMs + wallOffsetMs,
    monotonicMs: () => monotonicMs,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        const sleeper = { untilMs: monotonicMs + Math.max(0, ms), wake };
        function wake() {
          sleepers.delete(sleeper);
          signal?.removeEventListener("abort", wake);
          resolve();
        }
        sleepers.add(sleeper);
        signal?.addEventListener("abort", wake, { once: true });
      }),
    advance: async (ms) => {
      const limitMs = monotonicMs + ms;
      await settle();
      for (let sleeper = next(limitMs); sleeper; sleeper = next(limitMs)) {
        monotonicMs = Math.max(monotonicMs, sleeper.untilMs);
        sleeper.wake();
        await settle();
      }
      monotonicMs = limitMs;
    },
    set: (nowMs) => {
      wallOffsetMs = nowMs - monotonicMs;
    },
    slip: (ms) => {
      monotonicMs += ms;
    },
    sleeping: () => sleepers.size,
  };
}

/** Until every promise that can go on has gone on. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
