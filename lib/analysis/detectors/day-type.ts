import { isActive } from "./active.ts";
import { significant, type Tests } from "./asked.ts";
import { isDayOff } from "./home-day.ts";
import { mixText, seededShuffle } from "./permutation.ts";
import { binomialTail, medianOf, wilsonLower } from "./statistics.ts";
import { addSparse, entriesOf, type Sparse, sparseOf, sumRows, totalOf } from "./sums.ts";
import { DAY_SETS, type DaySet } from "./time-of-day/series.ts";
import type { Detector, DetectorHistory, Finding, HomeDay } from "./types.ts";

/** How often a person brought a token about on a day, by hour of the local wall clock: `[entityId, state, [hour, count, ...]]`. */
type DayTypeRow = readonly [entityId: string, state: string, hours: Sparse];

/** About 250 KB of a day: what came most often is kept. */
const ROWS_MAX = 6000;
const MAX_Q = 0.01;
const MIN_DAYS = 4;
const MIN_HISTORY_DAYS = 14;
const MIN_COUNT = 8;
/** People call it a difference from about one and a half times on. */
const MIN_LOG_RATIO = Math.log(1.5);
const Z_90 = 1.6448536269514722;
const PERMUTATIONS = 999;
const MAX_PERMUTED_SHARE = 0.005;
/** What comes at most so often on its days, and nearly always in these hours, has a time of day: that detector tells it. */
const TIMED_PER_DAY = 1.5;
const TIMED_SHARE = 0.75;
const TIMED_HOURS = 3;
const HOURS = 24;

/**
 * What is done more on some days of the week than on the others: "the television is on three times as often at weekends". Days are compared, not events: an evening
 * of many is one day.
 */
export const dayType: Detector<DayTypeRow> = {
  kind: "day-type",
  version: 1,
  nightsToHold: 3,
  aggregate(facts) {
    const hours = new Map<string, { entityId: string; state: string; hours: number[] }>();
    for (const { entityId, state, role, actor, minute } of facts.occurrences) {
      if (role !== "target" || actor !== "person" || !isActive(state)) continue;
      const there = hours.get(`${entityId}=${state}`) ?? { entityId, state, hours: [] };
      hours.set(`${entityId}=${state}`, there);
      there.hours.push(Math.floor(minute / 60));
    }
    const most = [...hours.values()].sort((a, b) => b.hours.length - a.hours.length).slice(0, ROWS_MAX);
    return mergeDays([most.map((each): DayTypeRow => [each.entityId, each.state, sparseOf(each.hours)])]);
  },
  merge: mergeDays,
  find(history) {
    const days = history.days.filter(({ day }) => day.isEligible).map(({ day }) => day);
    if (days.length < MIN_HISTORY_DAYS) return [];
    const testsOf = (asked?: ReadonlySet<string>): Tests<Difference> => {
      const series = seriesOf(history, asked && namesOf(asked));
      return { tests: series.flatMap((each) => bestOf(each, days) ?? []), family: series.length * SETS.length };
    };
    return significant(history, { mostQ: MAX_Q, testsOf }).flatMap(([difference, significance]) => {
      const isTold = !isTimed(difference) && isFirmByDays(difference, days);
      return isTold ? [factsOf(difference, days, significance)] : [];
    });
  },
};

/** All days are no difference. */
const SETS = DAY_SETS.slice(1);

const nameOf = ([entityId, state]: DayTypeRow): string => `${entityId}=${state}`;

function mergeDays(parts: Iterable<readonly DayTypeRow[]>): DayTypeRow[] {
  return sumRows(
    parts,
    nameOf,
    (rows): DayTypeRow => [rows[0]?.[0] ?? "", rows[0]?.[1] ?? "", addSparse(rows.map((row) => row[2]))],
  );
}

interface Series {
  readonly entityId: string;
  readonly state: string;
  /** By eligible day. */
  readonly hours: readonly Sparse[];
  readonly counts: readonly number[];
}

interface Difference {
  readonly series: Series;
  readonly set: DaySet;
  readonly p: number;
  /** Mean of a day of the set, and of the days that it is compared with. */
  readonly perDay: number;
  readonly perOtherDay: number;
  /** Lower limit (90 %, two-sided) of the logarithm of their ratio, less what the home as a whole is busier. */
  readonly logRatioAtLeast: number;
}

/** Of the series that the keys are of. */
const namesOf = (keys: ReadonlySet<string>): ReadonlySet<string> =>
  new Set([...keys].map((key) => key.slice(0, key.lastIndexOf("/"))));

/** By name; `wanted`: only these. */
function seriesOf(history: DetectorHistory<DayTypeRow>, wanted?: ReadonlySet<string>): Series[] {
  const days = history.days.filter(({ day }) => day.isEligible);
  const found = new Map<string, { entityId: string; state: string; hours: Sparse[] }>();
  for (const [index, { rows }] of days.entries()) {
    for (const row of rows) {
      const name = nameOf(row);
      if (wanted && !wanted.has(name)) continue;
      const there = found.get(name) ?? {
        entityId: row[0],
        state: row[1],
        hours: new Array<Sparse>(days.length).fill([]),
      };
      found.set(name, there);
      there.hours[index] = row[2];
    }
  }
  return [...found]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, each]) => ({ ...each, counts: each.hours.map(totalOf) }));
}

/** A weekday is compared with the days of its own sort, else a Saturday would only say that it is a day off. */
const isComparedWith = (set: DaySet, day: HomeDay): boolean =>
  !set.has(day) && (set.days?.length !== 1 || isDayOff(day) === (set.days[0] === "sat" || set.days[0] === "sun"));

function bestOf(series: Series, days: readonly HomeDay[]): Difference | undefined {
  if (series.counts.reduce((sum, count) => sum + count, 0) < MIN_COUNT) return undefined;
  let best: Difference | undefined;
  for (const set of SETS) {
    const difference = differenceOf(series, set, days);
    if (difference && difference.logRatioAtLeast >= MIN_LOG_RATIO && difference.p < (best?.p ?? 1)) best = difference;
  }
  return best;
}

/** Counts of a day vary more than a Poisson's: they are taken for as many fewer. */
function differenceOf(series: Series, set: DaySet, days: readonly HomeDay[]): Difference | undefined {
  const inside = series.counts.filter((_, index) => has(set, days[index]));
  const others = series.counts.filter((_, index) => isOther(set, days[index]));
  if (inside.length < MIN_DAYS || others.length < MIN_DAYS) return undefined;
  const [perDay, perOtherDay] = [meanOf(inside), meanOf(others)];
  if (perDay <= perOtherDay) return undefined;
  const [a, b] = [perDay * inside.length, perOtherDay * others.length];
  const dispersion = Math.max(1, dispersionOf(inside), dispersionOf(others));
  const busier = Math.sqrt(Math.max(1, busierOf(set, days)));
  const exposed = inside.length * busier;
  const p = binomialTail(
    Math.floor(a / dispersion),
    Math.ceil((a + b) / dispersion),
    exposed / (exposed + others.length),
  );
  const logRatio = Math.log((a + 0.5) / exposed) - Math.log((b + 0.5) / others.length);
  const error = Math.sqrt(dispersion * (1 / (a + 0.5) + 1 / (b + 0.5)));
  return { series, set, p, perDay, perOtherDay, logRatioAtLeast: logRatio - Z_90 * error };
}

/** How much busier the home is on these days: whoever is at home more uses everything more, and that is no habit of one thing. Half of it (its root) is taken off. */
function busierOf(set: DaySet, days: readonly HomeDay[]): number {
  const activity = (chosen: readonly HomeDay[]) =>
    meanOf(chosen.map((day) => day.activityByHour.reduce((sum, count) => sum + count, 0)));
  return activity(days.filter((day) => set.has(day))) / activity(days.filter((day) => isComparedWith(set, day)));
}

const has = (set: DaySet, day: HomeDay | undefined): boolean => day !== undefined && set.has(day);
const isOther = (set: DaySet, day: HomeDay | undefined): boolean => day !== undefined && isComparedWith(set, day);
const meanOf = (values: readonly number[]): number => values.reduce((sum, each) => sum + each, 0) / values.length;

function dispersionOf(values: readonly number[]): number {
  const mean = meanOf(values);
  if (mean === 0 || values.length < 2) return 1;
  return values.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (values.length - 1) / mean;
}

/** Would the days in any other order differ as much? The order is shuffled by the token's name, so the answer is the same each time. */
function isFirmByDays({ series, set, perDay }: Difference, days: readonly HomeDay[]): boolean {
  const compared = [...days.keys()].filter((index) => has(set, days[index]) || isOther(set, days[index]));
  const counts = compared.map((index) => series.counts[index] ?? 0);
  const size = compared.filter((index) => has(set, days[index])).length;
  const shuffle = seededShuffle(mixText(`${series.entityId}=${series.state}/${set.name}`));
  let asMuch = 1;
  for (let turn = 0; turn < PERMUTATIONS; turn++) if (meanOf(shuffle(counts).slice(0, size)) >= perDay - 1e-9) asMuch++;
  return asMuch / (PERMUTATIONS + 1) <= MAX_PERMUTED_SHARE;
}

function isTimed({ series, perDay, perOtherDay }: Difference): boolean {
  if (Math.max(perDay, perOtherDay) > TIMED_PER_DAY) return false;
  const byHour = new Array<number>(HOURS).fill(0);
  for (const [hour, count] of entriesOf(addSparse(series.hours))) byHour[hour] = count;
  const total = byHour.reduce((sum, count) => sum + count, 0);
  return byHour.some((_, first) => {
    let within = 0;
    for (let by = 0; by < TIMED_HOURS; by++) within += byHour[(first + by) % HOURS] ?? 0;
    return within >= TIMED_SHARE * total;
  });
}

const rounded = (value: number): number => Math.round(value * 100) / 100;

function factsOf(difference: Difference, days: readonly HomeDay[], significance: number): Finding {
  const { series, set, perDay, perOtherDay } = difference;
  const usual = medianOf(series.counts.filter((_, index) => isOther(set, days[index])));
  const days90 = days.flatMap((day, index) =>
    set.has(day) ? [{ date: day.date, hits: Number((series.counts[index] ?? 0) > usual), opportunities: 1 }] : [],
  );
  const hits = days90.reduce((sum, day) => sum + day.hits, 0);
  const insideCounts = series.counts.filter((_, index) => has(set, days[index]));
  const most = Math.max(...insideCounts, 0);
  const counts = Array.from({ length: most + 1 }, (_, count) => insideCounts.filter((each) => each === count).length);
  return {
    kind: "day-type",
    key: `${series.entityId}=${series.state}/${set.name}`,
    target: { entityId: series.entityId, state: series.state },
    ...(set.days && { days: set.days }),
    hits,
    opportunities: days90.length,
    reliability: wilsonLower(hits, days90.length),
    significance,
    automated: false,
    days90,
    histogram: { unit: "count", edges: Array.from({ length: most + 2 }, (_, edge) => edge), counts },
    details: {
      perDay: rounded(perDay),
      perOtherDay: rounded(perOtherDay),
      ...(perOtherDay > 0 && { ratio: rounded(perDay / perOtherDay) }),
      ratioAtLeast: rounded(Math.exp(difference.logRatioAtLeast)),
    },
  };
}
