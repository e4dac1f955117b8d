import { isDayOff } from "../home-day.ts";
import { negativeBinomialTails } from "../negative-binomial.ts";
import { entriesOf, totalOf } from "../sums.ts";
import type { HomeDay } from "../types.ts";
import type { AnomalyRow } from "./rows.ts";

/** One token on the day that is scored, and on the days that it is compared with: these never include it. */
export interface Scored {
  readonly row: AnomalyRow;
  readonly day: HomeDay;
  readonly before: readonly { readonly day: HomeDay; readonly row: AnomalyRow | undefined }[];
}

export interface Odd {
  readonly finding: "too-much" | "too-few" | "absent" | "held";
  /** Of the family of days, or of hours. */
  readonly of: "day" | "hour";
  readonly p: number;
  /** By how many times it is out of the ordinary; at least 1. */
  readonly times: number;
  readonly details: Readonly<Record<string, number | string>>;
}

/** Days off have a level of their own as far as this many days' worth of evidence can tell. */
const SHRINK_DAYS = 3;
/** People differ from day to day by a fifth and more, whatever the counts of a month say. */
const MIN_VARIATION = 0.05;
const MAX_VARIATION = 3;

const TOO_MUCH_TIMES = 3.3;
const TOO_MUCH_MORE = 6;
/** And by so much more than on any day before. */
const MORE_THAN_EVER = 1.3;
const TOO_FEW_EXPECTED = 8;
const TOO_FEW_SHARE = 0.3;

/** Of one hour: what comes in bursts comes in bursts of about its own size. */
const HOUR_MIN = 10;
const HOUR_MORE_THAN_EVER = 3;
const HOUR_VARIATION = 1;

const ABSENT_MIN_DAYS = 38;
const ABSENT_MISSES = 1 / 60;
const ABSENT_MAX_PER_DAY = 3;
const ABSENT_HOURS = 3;

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** What is to be expected of the day: a Gamma-Poisson with the mean of its kind of day, drawn towards that of all, and the variation of the days before. */
function expected({ day, before }: Scored) {
  const counts = before.map((each) => ({ day: each.day, count: each.row ? totalOf(each.row.h) : 0 }));
  const all = sum(counts.map(({ count }) => count)) / counts.length;
  const level = (isOff: boolean) => {
    const own = counts.filter((each) => isDayOff(each.day) === isOff);
    return (sum(own.map(({ count }) => count)) + SHRINK_DAYS * all) / (own.length + SHRINK_DAYS);
  };
  const [working, off] = [level(false), level(true)];
  const meanOf = (each: HomeDay) => Math.max(0.02, isDayOff(each) ? off : working);
  const excess = counts.map((each) => {
    const mean = meanOf(each.day);
    return ((each.count - mean) ** 2 - mean) / mean ** 2;
  });
  const variation = Math.min(MAX_VARIATION, Math.max(MIN_VARIATION, sum(excess) / counts.length));
  const mean = meanOf(day);
  const size = 1 / (variation + 1 / (sum(counts.map(({ count }) => count)) + 1));
  return { mean, all, size, most: Math.max(0, ...counts.map(({ count }) => count)) };
}

/** Far more or far less of it in all the day. */
export function oddTotal(scored: Scored): Odd | undefined {
  const observed = totalOf(scored.row.h);
  const { mean, all, size, most } = expected(scored);
  const { upper, lower } = negativeBinomialTails(observed, { mean, size });
  const details = { observed, expected: Math.round(mean * 10) / 10 };
  const usual = Math.max(mean, all);
  if (observed >= TOO_MUCH_TIMES * usual && observed - usual >= TOO_MUCH_MORE && observed >= MORE_THAN_EVER * most)
    return { finding: "too-much", of: "day", p: Math.min(1, 2 * upper), times: observed / usual, details };
  const isFew = Math.min(mean, all) >= TOO_FEW_EXPECTED && observed <= TOO_FEW_SHARE * mean;
  return isFew
    ? { finding: "too-few", of: "day", p: Math.min(1, 2 * lower), times: mean / (observed + 1), details }
    : undefined;
}

/** Far more of it in one hour than there ever was about that time. */
export function oddHour({ row, before }: Scored): Odd | undefined {
  let oddest: Odd | undefined;
  for (const [hour, observed] of entriesOf(row.h)) {
    if (observed < HOUR_MIN) continue;
    const near = new Set([(hour + 23) % 24, hour, (hour + 1) % 24]);
    const counts = before.flatMap((each) =>
      each.row ? [...entriesOf(each.row.h)].filter(([at]) => near.has(at)) : [],
    );
    const most = Math.max(0, ...counts.map(([, count]) => count));
    if (observed < HOUR_MORE_THAN_EVER * Math.max(1, most)) continue;
    const mean = (sum(counts.map(([, count]) => count)) / 3 + 0.5) / before.length;
    const p = negativeBinomialTails(observed, { mean, size: 1 / HOUR_VARIATION }).upper;
    const at = `${String(hour).padStart(2, "0")}:00`;
    const details = { observed, expected: Math.round(mean * 10) / 10, at };
    if (!oddest || p < oddest.p) oddest = { finding: "too-much", of: "hour", p, times: observed / mean, details };
  }
  return oddest;
}

/**
 * A habit of every day, at about its time, that was left out. Two months without a miss are not more against chance than one in forty, so this is the one
 * anomaly that is told without being significant among all others: who never forgets wants to know.
 */
export function absent({ row, day, before }: Scored): Odd | undefined {
  if (row.t !== 1 || totalOf(row.h) > 0) return undefined;
  const isOff = isDayOff(day);
  const own = before.filter((each) => isDayOff(each.day) === isOff);
  const others = before.filter((each) => isDayOff(each.day) !== isOff && each.row && each.row.h.length > 0);
  const days = others.length * 2 < before.length - own.length ? own : before;
  if (days.length < ABSENT_MIN_DAYS) return undefined;
  const perDay = sum(days.map((each) => (each.row ? totalOf(each.row.h) : 0))) / days.length;
  if (perDay > ABSENT_MAX_PER_DAY) return undefined;
  const hours = Array.from({ length: 24 }, (_, from) => ({
    from,
    hits: days.filter((each) => isWithin(each.row, from)).length,
  }));
  const best = hours.reduce((most, one) => (one.hits > most.hits ? one : most));
  const misses = days.length - best.hits;
  if (misses > ABSENT_MISSES * days.length) return undefined;
  const p = (misses + 1) / (days.length + 2);
  const details = {
    observed: 0,
    expected: Math.round(perDay * 10) / 10,
    at: `${String(best.from).padStart(2, "0")}:00`,
  };
  return { finding: "absent", of: "day", p, times: 1 / p, details };
}

const isWithin = (row: AnomalyRow | undefined, from: number): boolean =>
  row !== undefined && [...entriesOf(row.h)].some(([hour]) => (hour - from + 24) % 24 < ABSENT_HOURS);
