import type { Clock } from "../base/clock.ts";

/** Wakes one waiter. A ring before the wait is not lost. */
export interface Bell {
  ring(): void;
  /** Resolves after `ms`, or at once when it rings or has rung since the last wait. */
  wait(ms: number): Promise<void>;
}

export function createBell(clock: Clock): Bell {
  let hasRung = false;
  let wake: (() => void) | undefined;
  return {
    ring() {
      hasRung = true;
      wake?.();
    },
    async wait(ms) {
      if (!hasRung) {
        const controller = new AbortController();
        wake = () => controller.abort();
        await clock.sleep(ms, controller.signal);
        wake = undefined;
      }
      hasRung = false;
    },
  };
}
