import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { Monitor } from "./monitor.ts";
import type { ReferenceClock } from "./ports.ts";

/** A clock that is off by more is reported: AWS refuses signatures from five minutes on, and the order of events suffers before. */
const WARN_OVER_MS = 60_000;

export interface ClockCheck {
  /** Asks the references; those that do not answer say nothing. Never rejects. */
  ask(): Promise<void>;
  /** Judges what is known now; says it once until it is right again. */
  judge(): void;
}

export function createClockCheck(
  references: readonly ReferenceClock[],
  { clock, monitor, log }: { readonly clock: Clock; readonly monitor: Monitor; readonly log: Logger },
): ClockCheck {
  let isOff = false;
  return {
    async ask() {
      for (const reference of references) {
        const beforeMs = clock.nowMs();
        const theirsMs = await reference.nowMs();
        if (theirsMs === undefined) continue;
        // Their stamp is cut to whole seconds, and was made between the question and the answer.
        const offsetMs = (beforeMs + clock.nowMs()) / 2 - (theirsMs + 500);
        monitor.setOffset(reference.name, offsetMs);
      }
    },
    judge() {
      monitor.takeEventOffset();
      const offsetMs = monitor.clockOffsetMs ?? 0;
      const isOffNow = Math.abs(offsetMs) > WARN_OVER_MS;
      if (isOffNow && !isOff) {
        const way = offsetMs > 0 ? "ahead of" : "behind";
        log.warn(`This machine's clock is ${Math.round(Math.abs(offsetMs) / 1000)} s ${way} the others: set it.`, {
          offsets_ms: monitor.offsets,
        });
      }
      isOff = isOffNow;
    },
  };
}
