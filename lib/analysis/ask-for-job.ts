import type { Clock } from "../base/clock.ts";
import { HearthlineError } from "../base/errors.ts";
import { formatIsoUs } from "../base/time.ts";
import { addDays } from "../base/zone.ts";
import type { Home } from "../devices/ports.ts";
import type { Queue } from "../ingest/ports.ts";
import { newJob } from "./due.ts";
import { jobMessage } from "./message.ts";
import { periodOf } from "./periods.ts";
import type { Job, JobKind, JobStore } from "./ports.ts";
import { JOB_LEASE_MS } from "./run-job.ts";

export interface AskForJobParts {
  readonly jobs: Pick<JobStore, "create" | "requeue">;
  /** The analysis queue. */
  readonly queue: Queue;
  readonly clock: Pick<Clock, "nowMs">;
  /** `03:00` */
  readonly analysisTime: string;
}

/**
 * Has a job run by hand, for any day, week or month of the home that has ended. `date`: any day of it. One that is done runs once more; one that waits or runs
 * does so once. The job's own `date` is the period's last day, as the nightly schedule makes it.
 * @throws HearthlineError `request_invalid`: it has not ended yet; fate-`retry` service errors, safe to repeat
 */
export async function askForJob(
  home: Pick<Home, "homeId" | "timeZone">,
  { kind, date }: { readonly kind: JobKind; readonly date: string },
  { jobs, queue, clock, analysisTime }: AskForJobParts,
): Promise<Job> {
  const { homeId, timeZone } = home;
  if (date < FIRST_DATE || date > LAST_DATE)
    throw new HearthlineError(
      "request_invalid",
      `A ${kind} job was asked for "${date}", when no home was recorded; wanted is a date from ${FIRST_DATE} on that has ended.`,
    );
  const { endDate, toUs } = periodOf(kind, date, { timeZone, analysisTime });
  const nowMs = clock.nowMs();
  if (toUs > nowMs * 1000)
    throw new HearthlineError(
      "request_invalid",
      `A ${kind} job was asked for "${date}", which ends at ${formatIsoUs(toUs)}; wanted is a date whose ${WORDS[kind]} has ended.`,
    );
  const { job, created } = await jobs.create(newJob(homeId, { kind, date: addDays(endDate, -1) }, nowMs));
  const waiting = created ? job : ((await jobs.requeue(homeId, job.id, new Date(nowMs).toISOString())) ?? job);
  // One whose runner is gone is sent as well: dispatch looks after the newest jobs alone.
  const isLeft = waiting.status === "running" && Date.parse(waiting.startedAt ?? "") + JOB_LEASE_MS <= nowMs;
  if (waiting.status === "queued" || isLeft) await queue.send([jobMessage(waiting)]);
  return waiting;
}

/** Before it there was no Home Assistant, and behind the other the calendar's four digits end. */
const FIRST_DATE = "2000-01-01";
const LAST_DATE = "9990-12-31";

const WORDS: Readonly<Record<JobKind, string>> = { daily: "day", weekly: "week", monthly: "month" };
