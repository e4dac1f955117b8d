import type { DayEvidence, Histogram } from "../patterns/types.ts";
import { significant, type Tests } from "./asked.ts";
import { BIN_WIDTH, binOf, type DurationRow, durationRows, mergeDurations, secondsOf } from "./duration/rows.ts";
import { binomialTail, medianOf, normalTail, poissonTail, wilsonLower } from "./statistics.ts";
import { entriesOf, type IndexedDay, indexed, type Sparse, totalOf } from "./sums.ts";
import type { Detector, DetectorHistory, Finding } from "./types.ts";

const MAX_Q = 0.01;
const MIN_RELIABILITY = 0.5;
const MIN_EPISODES = 8;
const MIN_DAYS = 5;
/** Bins of a length that people would call the same: a quarter more or less. */
const WINDOW_BINS = 5;
/** The share of those bins at their best place in an exponential is .18 (times that have no length of their own), in a wide log-normal a little more. */
const CHANCE_SHARE = 0.3;
/** Places at which such a window may lie: from a minute to three hours. */
const WINDOWS = 45;

/** Forgotten is what lasted for more than so many times its usual length, and for more than an hour. */
const FORGOTTEN_TIMES = 8;
const FORGOTTEN_SECONDS = 3_600;
/** Up to so many times its usual length it is merely long. Nearly nothing may lie between the two: else it has no usual length. */
const LONG_TIMES = 4;
const FORGOTTEN_MIN_DAYS = 3;
/** Of times that have no length of their own (exponential) so many last longer than eight times their median, and between four and eight times. */
const FORGOTTEN_CHANCE = 0.0045;
const LONG_CHANCE = 0.0586;
const FORGOTTEN_MAX_SHARE = 0.25;
/** People's times are wide, and some of them long: as likely as this by a log-normal as wide as the shorter half is, or of which as few are long, they are no more than that. */
const WIDE_CHANCE = 0.01;
/** In a log-normal (deviation up to 1.6) at least every second that is longer than four times its median is shorter than eight times. */
const LONG_SHARE = 0.5;
/** From the 16th percentile to the median lies one deviation. */
const LOW_SHARE = 0.16;

/** What comes so often on most of its days has no person behind it: a pump, a plug that is switched by itself. Nothing is to be done about its length. */
const MACHINE_PER_DAY = 16;

/**
 * How long something lasts when a person does it: always for about the same time ("the heater runs for 20 minutes": an automation can turn it off), or usually for a
 * while and now and then for hours (forgotten: a reminder can help). Times that an automation ended teach nothing.
 */
export const duration: Detector<DurationRow> = {
  kind: "duration",
  version: 1,
  nightsToHold: 3,
  aggregate: durationRows,
  merge: mergeDurations,
  find(history: DetectorHistory<DurationRow>): readonly Finding[] {
    const days = indexed(history.days, ({ e, s }) => `${e}=${s}`);
    const testsOf = (asked?: ReadonlySet<string>) => testsIn(asked ? rowsOf(asked, days) : history.days, days);
    return significant(history, { mostQ: MAX_Q, testsOf }).map(([{ finding }, significance]) => ({
      ...finding,
      significance,
    }));
  },
};

function testsIn(parts: readonly { readonly rows: readonly DurationRow[] }[], days: Days): Tests<Found> {
  const sums = mergeDurations(parts.map(({ rows }) => rows));
  const tests = sums.flatMap((row) => (isOfMachine(row, days) ? [] : (forgotten(row, days) ?? fixed(row, days) ?? [])));
  return { tests, family: 2 * sums.filter(({ n }) => n.length > 0).length };
}

/** Those that the keys are of. */
function rowsOf(keys: ReadonlySet<string>, days: Days) {
  const names = new Set([...keys].map((key) => key.slice(key.indexOf(" ") + 1)));
  return days.map(({ rows }) => ({ rows: [...names].flatMap((name) => rows.get(name) ?? []) }));
}

interface Found {
  readonly p: number;
  readonly finding: Omit<Finding, "significance">;
}
type Days = readonly IndexedDay<DurationRow>[];

function isOfMachine({ e, s }: DurationRow, all: Days): boolean {
  const counts = all.flatMap(({ rows }) => {
    const row = rows.get(`${e}=${s}`);
    return row ? [totalOf(row.n)] : [];
  });
  return counts.length > 0 && medianOf(counts) >= MACHINE_PER_DAY;
}

const within = (sparse: Sparse, from: number, to: number): number =>
  [...entriesOf(sparse)].reduce((sum, [bin, count]) => sum + (bin >= from && bin < to ? count : 0), 0);

/** In the middle of its bin. */
function quantileSeconds(sparse: Sparse, share: number): number {
  let left = totalOf(sparse) * share;
  let last = 0;
  for (const [bin, count] of entriesOf(sparse)) {
    last = bin;
    left -= count;
    if (left <= 0) break;
  }
  return Math.round(Math.sqrt(secondsOf(last) * secondsOf(last + 1)));
}

/** Where most of them lie together: the first bin, and how many. Complexity: O(bins of the widest length). */
function bestWindow(sparse: Sparse): { readonly from: number; readonly hits: number } {
  const counts = new Map(entriesOf(sparse));
  const [first, last] = [sparse[0] ?? 0, sparse.at(-2) ?? 0];
  let best = { from: first, hits: 0 };
  let hits = 0;
  for (let bin = first; bin <= last; bin++) {
    hits += (counts.get(bin) ?? 0) - (counts.get(bin - WINDOW_BINS) ?? 0);
    if (hits > best.hits) best = { from: bin - WINDOW_BINS + 1, hits };
  }
  return best;
}

function fixed(row: DurationRow, all: Days): Found | undefined {
  const episodes = totalOf(row.n);
  if (episodes < MIN_EPISODES) return undefined;
  const { from, hits } = bestWindow(row.n);
  const reliability = wilsonLower(hits, episodes);
  if (reliability < MIN_RELIABILITY) return undefined;
  const days90 = evidenceOf(row, all, (n) => within(n, from, from + WINDOW_BINS));
  if (days90.length < MIN_DAYS) return undefined;
  const p = Math.min(1, WINDOWS * binomialTail(hits, episodes, CHANCE_SHARE));
  const own = [...entriesOf(row.n)].filter(([bin]) => bin >= from && bin < from + WINDOW_BINS).flat();
  const seconds = { median: quantileSeconds(own, 0.5), p90: quantileSeconds(row.n, 0.9) };
  return {
    p,
    finding: { ...factsOf(row, "fixed"), durationSeconds: seconds, hits, opportunities: episodes, reliability, days90 },
  };
}

function forgotten(row: DurationRow, all: Days): Found | undefined {
  const episodes = totalOf(row.n);
  if (episodes < MIN_EPISODES) return undefined;
  const usual = quantileSeconds(row.n, 0.5);
  const least = Math.max(FORGOTTEN_TIMES * usual, FORGOTTEN_SECONDS);
  const far = within(row.n, binOf(least), Number.POSITIVE_INFINITY);
  const long = within(row.n, binOf(Math.max(1, LONG_TIMES * usual)), binOf(least));
  if (far < FORGOTTEN_MIN_DAYS || far > FORGOTTEN_MAX_SHARE * episodes || long > far / 2) return undefined;
  if (isMerelyWide(row.n, { usual, far, long })) return undefined;
  const isFar = (n: Sparse) => within(n, binOf(least), Number.POSITIVE_INFINITY);
  const days = evidenceOf(row, all, isFar);
  const farDays = days.filter(({ hits }) => hits > 0).length;
  if (farDays < FORGOTTEN_MIN_DAYS) return undefined;
  const hits = episodes - far;
  const own = [...entriesOf(row.n)].filter(([bin]) => bin < binOf(least)).flat();
  const seconds = { median: quantileSeconds(own, 0.5), p90: quantileSeconds(own, 0.9) };
  const facts = factsOf(row, "forgotten");
  return {
    // The two are independent where they are rare: far too many at the end, and too few before it.
    p: binomialTail(far, episodes, FORGOTTEN_CHANCE) * (1 - poissonTail(long + 1, episodes * LONG_CHANCE)),
    finding: {
      ...facts,
      durationSeconds: seconds,
      // What is reliable is its usual length; how often it was forgotten stands in the details.
      hits,
      opportunities: episodes,
      reliability: wilsonLower(hits, episodes),
      days90: evidenceOf(row, all, (n) => totalOf(n) - isFar(n)),
      details: { ...facts.details, forgotten: far, forgottenSeconds: quantileSeconds(row.n, 1 - far / 2 / episodes) },
    },
  };
}

/** Whether so many far ones, and so few long ones, are what people's times bring by themselves. */
function isMerelyWide(all: Sparse, { usual, far, long }: { usual: number; far: number; long: number }): boolean {
  const episodes = totalOf(all);
  const least = Math.log(Math.max(FORGOTTEN_TIMES, FORGOTTEN_SECONDS / usual));
  // As if each length lay anywhere in its bin, and the deviation were a standard error larger than it seems.
  const width = Math.log(usual / quantileSeconds(all, LOW_SHARE)) + BIN_WIDTH / 2;
  const deviation = width * (1 + 1.25 / Math.sqrt(episodes));
  const isTight = binomialTail(far, episodes, normalTail(least / deviation)) <= WIDE_CHANCE;
  const isApart = binomialTail(far, far + long, 1 - LONG_SHARE) <= WIDE_CHANCE;
  return !isTight && !isApart;
}

const evidenceOf = ({ e, s }: DurationRow, days: Days, hitsOf: (n: Sparse) => number): DayEvidence[] =>
  days.flatMap(({ day, rows }) => {
    const row = rows.get(`${e}=${s}`);
    const opportunities = row ? totalOf(row.n) : 0;
    return row && opportunities > 0 ? [{ date: day.date, hits: hitsOf(row.n), opportunities }] : [];
  });

function factsOf({ e, s, n, a, x }: DurationRow, finding: "fixed" | "forgotten") {
  const [[ends] = ["off"]] = Object.entries(x).sort((one, other) => other[1] - one[1] || (one[0] < other[0] ? -1 : 1));
  return {
    kind: "duration" as const,
    key: `${finding} ${e}=${s}`,
    target: { entityId: e, state: ends },
    trigger: { entityId: e, state: s },
    automated: a >= totalOf(n),
    histogram: histogramOf(n),
    details: { finding, endedByAutomation: a },
  };
}

function histogramOf(sparse: Sparse): Histogram {
  const bins = [...entriesOf(sparse)];
  const [first, last] = [bins[0]?.[0] ?? 0, bins.at(-1)?.[0] ?? 0];
  const counts = new Array<number>(last - first + 1).fill(0);
  for (const [bin, count] of bins) counts[bin - first] = count;
  const edges = Array.from({ length: counts.length + 1 }, (_, at) => Math.round(secondsOf(first + at) * 10) / 10);
  return { unit: "seconds", edges, counts };
}
