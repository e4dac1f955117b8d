import { isDayOff } from "../home-day.ts";
import { adjustFalseDiscovery, binomialTail, medianOf } from "../statistics.ts";
import type { HomeDay } from "../types.ts";

/** Counts of one token, day by day. */
export interface Counted {
  readonly day: HomeDay;
  readonly count: number;
}

export interface Change {
  readonly p: number;
  /** A day, before and since. */
  readonly before: number;
  readonly after: number;
  /** Where it began, by Page and Hinkley. */
  readonly since: string;
  /** Days since, and those of them on which it went the same way. */
  readonly days: number;
  readonly hits: number;
}

export const LAST_DAYS = 7;
const BEFORE_DAYS = 28;
const MIN_BEFORE_DAYS = 14;
/** Nobody would notice less. */
const MIN_RATIO = 1.5;
const MIN_DIFFERENCE = 1;
/** One day out of the ordinary is an anomaly, not a change: so many of the last days must go the same way. */
const SAME_WAY = 5;
/** Days off have a level of their own as far as this many days' worth of evidence can tell. */
const SHRINK_DAYS = 3;

/**
 * Whether the last seven days differ from the four weeks before: an exact test of two Poisson counts, each thinned by how much more than Poisson the days before
 * vary; the most extreme of the last days counts as the one next to it. undefined: too little is known, or the difference is none that people would notice.
 */
export function changeOf(days: readonly Counted[]): Change | undefined {
  const last = days.slice(-LAST_DAYS);
  const before = days.slice(-LAST_DAYS - BEFORE_DAYS, -LAST_DAYS);
  if (last.length < LAST_DAYS || before.length < MIN_BEFORE_DAYS) return undefined;
  const expectedOf = levels(before);
  const [was, is] = [meanOf(before), meanOf(last)];
  const expected = last.map(({ day }) => expectedOf(day));
  const isMore = is > mean(expected);
  const sameWay = last.filter(({ count }, at) => (isMore ? count > (expected[at] ?? 0) : count < (expected[at] ?? 0)));
  // In the middle: a day five times as full must not make the week.
  const ratio = medianOf(last.map(({ count }, at) => (count + 0.5) / ((expected[at] ?? 0) + 0.5)));
  const isNoticed = Math.max(ratio, 1 / ratio) >= MIN_RATIO && Math.abs(is - mean(expected)) >= MIN_DIFFERENCE;
  if (!isNoticed || sameWay.length < SAME_WAY) return undefined;
  const dispersion = dispersionOf(before, expectedOf);
  const [x, y] = [sumOf(tamed(last, expected, isMore)), sumOf(before.map(({ count }) => count))].map((n) =>
    Math.round(n / dispersion),
  );
  const expectedBefore = before.reduce((sum, { day }) => sum + expectedOf(day), 0);
  const share = sumOf(expected) / (sumOf(expected) + expectedBefore);
  const total = (x ?? 0) + (y ?? 0);
  const tail = isMore ? binomialTail(x ?? 0, total, share) : binomialTail(y ?? 0, total, 1 - share);
  const since = beginningOf(days.slice(-LAST_DAYS - BEFORE_DAYS), { expectedOf, isMore });
  const after = days.filter(({ day }) => day.date >= since);
  const hits = after.filter(({ day, count }) => (isMore ? count > expectedOf(day) : count < expectedOf(day))).length;
  return { p: Math.min(1, 2 * tail), before: was, after: is, since, days: after.length, hits };
}

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
const mean = (values: readonly number[]): number => (values.length === 0 ? 0 : sumOf(values) / values.length);
const meanOf = (days: readonly Counted[]): number => mean(days.map(({ count }) => count));

/** What working days and days off bring, drawn towards each other as far as little is known. */
function levels(before: readonly Counted[]): (day: HomeDay) => number {
  const all = meanOf(before);
  const of = (isOff: boolean) => {
    const own = before.filter(({ day }) => isDayOff(day) === isOff);
    return (sumOf(own.map(({ count }) => count)) + SHRINK_DAYS * all) / (own.length + SHRINK_DAYS);
  };
  const [working, off] = [of(false), of(true)];
  return (day) => (isDayOff(day) ? off : working);
}

/**
 * Variance over mean (Pearson); 1 for a Poisson, and at least that. Without the most extreme days, of which some may be those of the change: for a normal the mean
 * of the rest is so much smaller.
 */
function dispersionOf(before: readonly Counted[], expectedOf: (day: HomeDay) => number): number {
  const squares = before
    .map(({ day, count }) => (count - expectedOf(day)) ** 2 / Math.max(expectedOf(day), 0.1))
    .sort((a, b) => a - b);
  const rest = squares.slice(0, Math.ceil(squares.length * (1 - EXTREME_SHARE)));
  return Math.max(1, WITHOUT_EXTREME * mean(rest));
}
const EXTREME_SHARE = 0.07;
const WITHOUT_EXTREME = 1.43;

function tamed(last: readonly Counted[], expected: readonly number[], isMore: boolean): number[] {
  const excess = last.map(({ count }, at) => (isMore ? 1 : -1) * (count - (expected[at] ?? 0)));
  const [most = 0, next = 0] = excess.toSorted((a, b) => b - a);
  const out = excess.indexOf(most);
  return last.map(({ count }, at) => (at === out ? Math.max(0, count - (isMore ? 1 : -1) * (most - next)) : count));
}

/** Page and Hinkley's cumulative sum of Pearson residuals less a drift: the change began behind its lowest point. */
function beginningOf(
  days: readonly Counted[],
  { expectedOf, isMore }: { readonly expectedOf: (day: HomeDay) => number; readonly isMore: boolean },
): string {
  const DRIFT = 0.5;
  let [sum, lowest, at] = [0, 0, 0];
  for (const [index, { day, count }] of days.entries()) {
    const expected = Math.max(expectedOf(day), 0.1);
    sum += ((isMore ? 1 : -1) * (count - expected)) / Math.sqrt(expected) - DRIFT;
    if (sum <= lowest) [lowest, at] = [sum, index + 1];
  }
  return (days[at] ?? days.at(-1))?.day.date ?? "";
}

/** q-values of what was found, in a family of so many tokens. */
export const significances = (changes: readonly { readonly p: number }[], family: number): number[] =>
  adjustFalseDiscovery(
    changes.map(({ p }) => p),
    family,
  );
