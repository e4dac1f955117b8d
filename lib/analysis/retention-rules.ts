import type { Microseconds } from "../base/time.ts";
import { addDays } from "../base/zone.ts";
import type { AggregateLayer } from "./ports.ts";

/** How long each layer is kept; patterns are kept for ever. */
export interface Retention {
  /** Whole local days of raw events, the one that has just ended included. */
  readonly rawDays: number;
  /** Daily aggregates. */
  readonly dailyDays: number;
  /** Weekly and monthly aggregates. */
  readonly weeklyWeeks: number;
}

const DAY_MS = 86_400_000;
/** The nightly job deletes; the table's own end of an item comes a little later, in case no job runs. */
const MARGIN_DAYS = 2;

/** The first day whose raw events are kept after the job of `date`. */
export const firstKeptDate = (date: string, { rawDays }: Retention): string => addDays(date, 1 - rawDays);

/** Aggregates of periods that begin before this date have ended so long ago that they go with the job of `date`. */
export function pruneBeforeDate(layer: AggregateLayer, date: string, retention: Retention): string {
  const next = addDays(date, 1);
  if (layer === "daily") return addDays(next, -retention.dailyDays);
  const cutoff = addDays(next, -7 * retention.weeklyWeeks);
  // A week that ended by the cutoff began at least seven days before it, a month before the cutoff's own.
  return layer === "weekly" ? addDays(cutoff, -6) : `${cutoff.slice(0, 7)}-01`;
}

/** So long after their end weeks and months may still be summed anew, because one of their days came late. */
const LATE_DAYS = 7;
/** The longest month, and so long after it: daily aggregates are needed for it, however short their own retention is. */
const OPEN_DAYS = 31 + LATE_DAYS;
/** Days of an imported past are kept until their month is whole: its other days may take some nights. */
const PAST_DAYS = 31;

/** The first day whose daily aggregate is kept after the job of `date`: all that the retention says, and what open weeks and months are summed of. */
export const dailyKeptFrom = (date: string, retention: Retention): string =>
  [pruneBeforeDate("daily", date, retention), firstOfPeriods(addDays(date, -LATE_DAYS))].sort()[0] ?? date;

/** Where the earlier of the week and the month of that day begins. */
export const firstOfPeriods = (date: string): string =>
  [`${date.slice(0, 7)}-01`, addDays(date, -new Date(`${date}T00:00:00Z`).getUTCDay())].sort()[0] ?? date;

/** When an aggregate whose period ends at `toUs` ends by itself: never before the job would prune it, and later for a past that was imported. */
export function expiresMs(
  layer: AggregateLayer,
  toUs: Microseconds,
  { retention, nowMs }: { readonly retention: Retention; readonly nowMs: number },
): number {
  const days = layer === "daily" ? Math.max(retention.dailyDays, OPEN_DAYS) : 7 * retention.weeklyWeeks;
  return Math.max(toUs / 1000 + days * DAY_MS, nowMs + PAST_DAYS * DAY_MS) + MARGIN_DAYS * DAY_MS;
}

/** The job's day, or the last one that has ended: no job deletes what is still to be aggregated, whatever day it names. */
export const endedDate = (date: string, lastEnded: string): string => (date < lastEnded ? date : lastEnded);

/** Whether nothing is kept of that day any more after the job of `jobDate`, in no layer. */
export const isForgotten = (date: string, jobDate: string, retention: Retention): boolean =>
  date < pruneBeforeDate("daily", jobDate, retention) &&
  date < pruneBeforeDate("weekly", jobDate, retention) &&
  date < pruneBeforeDate("monthly", jobDate, retention);
