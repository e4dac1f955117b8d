import type { Microseconds } from "../base/time.ts";
import { addDays, homeDayOf } from "../base/zone.ts";
import type { Job, JobKind } from "./ports.ts";

/** A machine that slept longer leaves the older nights out: their raw events are near the end of their retention by then. */
export const LOOK_BACK_NIGHTS = 7;

export interface DueJob {
  readonly kind: JobKind;
  /** YYYY-MM-DD: the local day that has ended; of `weekly` and `monthly` the last day of the week or month. */
  readonly date: string;
}

export interface DueOptions {
  readonly timeZone: string;
  /** Local time at which a home's day begins and ends: `03:00`. */
  readonly analysisTime: string;
  /** Kinds that have something to do. */
  readonly kinds: readonly JobKind[];
  /** Nights before this moment are none of the home's. */
  readonly sinceUs: Microseconds;
}

/**
 * The jobs whose night has come by `nowUs`, of the last LOOK_BACK_NIGHTS nights, oldest first. Each day ends at `analysisTime` of the next date:
 * then `daily` is due for it, `weekly` if that next date is a Sunday, `monthly` if it is a 1st. The same answer until the next night.
 * @throws HearthlineError `setting_invalid` for an unknown time zone
 */
export function dueJobs(nowUs: Microseconds, options: DueOptions): DueJob[] {
  const { timeZone, analysisTime, kinds, sinceUs } = options;
  const today = homeDayOf(nowUs, analysisTime, timeZone);
  const firstDay = homeDayOf(sinceUs, analysisTime, timeZone);
  const due: DueJob[] = [];
  for (let back = LOOK_BACK_NIGHTS; back >= 1; back--) {
    const date = addDays(today, -back);
    if (date < firstDay) continue;
    const next = addDays(date, 1);
    const isDue: Record<JobKind, boolean> = { daily: true, weekly: isSunday(next), monthly: next.endsWith("-01") };
    for (const kind of kinds) if (isDue[kind]) due.push({ kind, date });
  }
  return due;
}

const isSunday = (date: string): boolean => new Date(`${date}T00:00:00Z`).getUTCDay() === 0;

/** The id says what the job is: there is one for each home, kind and date, and whoever makes it makes the same. */
export const jobIdOf = ({ kind, date }: DueJob): string => `${kind}-${date}`;

/** A job that nobody has begun. */
export const newJob = (homeId: string, due: DueJob, nowMs: number): Job => ({
  id: jobIdOf(due),
  homeId,
  kind: due.kind,
  date: due.date,
  attempt: 0,
  status: "queued",
  phases: [],
  queuedAt: new Date(nowMs).toISOString(),
});
