import type { Clock } from "../../lib/base/clock.ts";
import { messageOf } from "../../lib/base/errors.ts";
import type { Logger } from "../../lib/base/log.ts";
import { parseSchedule, type Schedule } from "./schedule-expression.ts";

export interface ScheduleOptions {
  /** The function's name, for logs. */
  readonly name: string;
  /** `rate(...)` or `cron(...)`; each is a schedule of its own. */
  readonly expressions: readonly string[];
  /** IANA name. Default UTC. */
  readonly timeZone?: string;
  /** What the function gets. Default: the event that EventBridge sends where none is set. */
  readonly input?: unknown;
  readonly region: string;
  readonly invoke: (event: unknown) => Promise<unknown>;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface RunningSchedules {
  /** Fires no more, lets the invocations under way end, and resolves then. */
  stop(): Promise<void>;
}

/** A machine that sleeps, or whose clock is set, notices within this time. */
const MAX_SLEEP_MS = 30_000;
/** Waits before the second and the third attempt of an invocation that failed, as Lambda does for asynchronous ones. */
const RETRY_AFTER_MS = [60_000, 120_000];

/**
 * Fires a function at its times. What was due while the machine slept fires once, late; invocations of one schedule may overlap, as on AWS.
 * @throws HearthlineError `setting_invalid` for an expression that cannot be read
 */
export function startSchedules(options: ScheduleOptions): RunningSchedules {
  const { clock, timeZone = "UTC" } = options;
  const stopping = new AbortController();
  const running = new Set<Promise<void>>();
  const schedules = options.expressions.map((expression) => {
    const schedule = parseSchedule(expression, timeZone, clock.nowMs());
    const nextMs = schedule.nextMs(clock.nowMs());
    const next = nextMs === undefined ? "never" : new Date(nextMs).toISOString();
    options.log.info("schedule", { function: options.name, expression, timeZone, next });
    return schedule;
  });

  async function follow(schedule: Schedule): Promise<void> {
    let dueMs = schedule.nextMs(clock.nowMs());
    while (dueMs !== undefined && !stopping.signal.aborted) {
      const nowMs = clock.nowMs();
      if (dueMs > nowMs) {
        await clock.sleep(Math.min(dueMs - nowMs, MAX_SLEEP_MS), stopping.signal);
        // A clock that was ahead and is set right would leave what is due next in a far future.
        if (clock.nowMs() < nowMs - MAX_SLEEP_MS) dueMs = schedule.nextMs(clock.nowMs());
        continue;
      }
      const run: Promise<void> = fire(dueMs, options, stopping.signal).finally(() => running.delete(run));
      running.add(run);
      // From now on, not from when it was due: what was missed is not made up for one by one.
      dueMs = schedule.nextMs(Math.max(dueMs, clock.nowMs()));
    }
  }

  const following = schedules.map(follow);
  return {
    async stop() {
      stopping.abort();
      await Promise.all(following);
      await Promise.all(running);
    },
  };
}

async function fire(dueMs: number, options: ScheduleOptions, stopping: AbortSignal): Promise<void> {
  const { clock, log, name } = options;
  const event = options.input ?? scheduledEvent(dueMs, options.region);
  for (let attempt = 0; ; attempt++) {
    try {
      await options.invoke(event);
      return;
    } catch (thrown) {
      const waitMs = RETRY_AFTER_MS[attempt];
      log.error("scheduled function failed", { function: name, attempt: attempt + 1, error: messageOf(thrown) });
      if (waitMs === undefined || stopping.aborted) return;
      await clock.sleep(waitMs, stopping);
      if (stopping.aborted) return;
    }
  }
}

const scheduledEvent = (dueMs: number, region: string) => ({
  version: "0",
  id: `${dueMs}`,
  "detail-type": "Scheduled Event",
  source: "aws.scheduler",
  account: "000000000000",
  time: new Date(dueMs).toISOString().replace(".000Z", "Z"),
  region,
  resources: [],
  detail: "{}",
});
