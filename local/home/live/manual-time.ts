import type { Clock } from "../../../lib/base/clock.ts";
import type { Timeline } from "./timeline.ts";

/** A clock that moves only when it is told to. */
export function manualClock(startAtMs: number): {
  readonly clock: Clock;
  advance(ms: number, timeline: Timeline): void;
} {
  let elapsed = 0;
  return {
    clock: {
      nowMs: () => startAtMs + elapsed,
      monotonicMs: () => elapsed,
      // Nobody waits on it: the timeline is run by `advance`.
      sleep: () => Promise.resolve(),
    },
    /** From one entry of the timeline to the next, so that each sees its own moment. */
    advance(ms, timeline) {
      const until = elapsed + ms;
      for (let due = timeline.nextDue(); due !== undefined && due <= until; due = timeline.nextDue()) {
        elapsed = Math.max(elapsed, due);
        timeline.runDue();
      }
      elapsed = until;
    },
  };
}
