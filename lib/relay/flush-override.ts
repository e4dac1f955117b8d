import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";

/** How long the cloud's sink collects while somebody tries another time than that of the settings. It is kept nowhere: a start of the relay is back at its settings. */
export interface FlushOverride {
  /** undefined: the settings hold. */
  currentMs(): number | undefined;
  /** @param until ISO 8601; absent, or no time: until the relay's end */
  set(seconds: number, until?: string): void;
}

export function createFlushOverride(clock: Pick<Clock, "nowMs" | "monotonicMs">, log: Logger): FlushOverride {
  let wanted: { readonly ms: number; readonly endMs: number } | undefined;
  return {
    currentMs() {
      if (wanted && clock.monotonicMs() >= wanted.endMs) {
        wanted = undefined;
        log.info("The flush time that was tried has ended: that of the settings holds.");
      }
      return wanted?.ms;
    },
    set(seconds, until) {
      const untilMs = until === undefined ? Number.NaN : Date.parse(until);
      // By the clock that nobody sets: a clock that is set back must not make it last.
      const endMs = Number.isNaN(untilMs) ? Number.POSITIVE_INFINITY : clock.monotonicMs() + (untilMs - clock.nowMs());
      wanted = { ms: seconds * 1000, endMs };
      log.info("The cloud's sink collects for another time than its settings say.", { flush_seconds: seconds, until });
    },
  };
}
