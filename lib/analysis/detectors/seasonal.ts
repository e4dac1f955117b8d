import { isActive } from "./active.ts";
import { bestBlock, bicOf, leastSquares, residualsOf } from "./seasonal/regression.ts";
import { adjustFalseDiscovery, wilsonLower } from "./statistics.ts";
import { sumRows } from "./sums.ts";
import type { Detector, DetectorHistory, DetectorPeriod, Finding } from "./types.ts";

/** How often a token came about, by persons and by automations: `[entityId, state, persons, automations]`. */
type SeasonRow = readonly [entityId: string, state: string, byPersons: number, byAutomations: number];

/** About 250 KB of a day: what came most often is kept. */
const ROWS_MAX = 6000;
const MAX_Q = 0.01;
const MIN_WEEKS = 26;
/** A week of fewer days says little. */
const MIN_DAYS_OF_WEEK = 4;
/** Evidence that is called strong (Kass and Raftery 1995). */
const MIN_BIC_GAP = 6;
const MIN_R2 = 0.3;
/** From the trough to the crest, of the mean: below it is a matter of taste whether there is a season. */
const MIN_SWING = 0.7;
const MIN_WEEKS_WITH = 6;
/** What is shorter is a holiday, or a guest. */
const MIN_SEASON_WEEKS = 4;
const YEAR_DAYS = 365.2425;
const DAY_MS = 86_400_000;

/**
 * What is done in some part of the year: "the heater from October to April". A year's wave through the weeks, or a block of them with
 * a beginning and an end, must explain them better than no change, than a trend and than one step: what began or ended once is no season. Whether a time of day follows the sun is for the detector of those.
 */
export const seasonal: Detector<SeasonRow> = {
  kind: "seasonal",
  version: 1,
  nightsToHold: 3,
  needsWeeks: true,
  aggregate(facts) {
    const rows: SeasonRow[] = [];
    for (const { entityId, state, role, actor } of facts.occurrences)
      if (role === "target" && isActive(state))
        rows.push([entityId, state, Number(actor === "person"), Number(actor === "automation")]);
    const most = mergeRows([rows]).sort((a, b) => b[2] + b[3] - a[2] - a[3]);
    return mergeRows([most.slice(0, ROWS_MAX)]);
  },
  merge: mergeRows,
  find(history) {
    const weeks = history.weeks.filter(({ dates }) => dates.length >= MIN_DAYS_OF_WEEK);
    if (weeks.length < MIN_WEEKS) return [];
    const series = seriesOf(weeks);
    const waves = series.flatMap((each) => waveOf(each, weeks) ?? []);
    const q = adjustFalseDiscovery(
      waves.map(({ p }) => p),
      series.length,
    );
    return waves.flatMap((wave, index) => {
      const significance = q[index] ?? 1;
      const isTold = significance <= MAX_Q && wave.r2 >= MIN_R2 && wave.gap >= MIN_BIC_GAP && wave.swing >= MIN_SWING;
      return isTold ? [factsOf(wave, history, { weeks, significance })] : [];
    });
  },
};

const nameOf = ([entityId, state]: SeasonRow): string => `${entityId}=${state}`;

function mergeRows(parts: Iterable<readonly SeasonRow[]>): SeasonRow[] {
  return sumRows(
    parts,
    nameOf,
    (rows): SeasonRow => [
      rows[0]?.[0] ?? "",
      rows[0]?.[1] ?? "",
      rows.reduce((sum, row) => sum + row[2], 0),
      rows.reduce((sum, row) => sum + row[3], 0),
    ],
  );
}

type Week = DetectorPeriod<SeasonRow>;

interface Series {
  readonly entityId: string;
  readonly state: string;
  /** By week, of a day. */
  readonly persons: readonly number[];
  readonly automations: readonly number[];
}

interface Wave {
  readonly series: Series;
  readonly rates: readonly number[];
  readonly fitted: readonly number[];
  readonly mean: number;
  readonly p: number;
  /** Adjusted. */
  readonly r2: number;
  readonly gap: number;
  readonly swing: number;
}

function seriesOf(weeks: readonly Week[]): Series[] {
  const found = new Map<string, { entityId: string; state: string; persons: number[]; automations: number[] }>();
  for (const [index, { rows, dates }] of weeks.entries()) {
    for (const row of rows) {
      const zeros = () => new Array<number>(weeks.length).fill(0);
      const there = found.get(nameOf(row)) ?? {
        entityId: row[0],
        state: row[1],
        persons: zeros(),
        automations: zeros(),
      };
      found.set(nameOf(row), there);
      there.persons[index] = row[2] / dates.length;
      there.automations[index] = row[3] / dates.length;
    }
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each);
}

/** Of square roots: their scatter is the same in quiet and in busy weeks. */
function waveOf(series: Series, weeks: readonly Week[]): Wave | undefined {
  const rates = series.persons.map((rate, index) => Math.sqrt(rate + (series.automations[index] ?? 0)));
  if (rates.filter((rate) => rate > 0).length < MIN_WEEKS_WITH) return undefined;
  const size = rates.length;
  const ones = rates.map(() => 1);
  const angles = weeks.map(({ date }) => (2 * Math.PI * (Date.parse(date) / DAY_MS + 3)) / YEAR_DAYS);
  const columns = [ones, angles.map(Math.cos), angles.map(Math.sin)];
  const year = leastSquares(rates, columns);
  const flat = leastSquares(rates, [ones]);
  const trend = leastSquares(rates, [ones, rates.map((_, index) => index / size)]);
  if (!year || !flat || !trend || flat.squares <= 0) return undefined;
  const { block, step } = bestBlock(rates, MIN_SEASON_WEEKS);
  const others = [bicOf(flat.squares, size, 1), bicOf(trend.squares, size, 2), bicOf(step, size, 3)];
  const waveBic = bicOf(year.squares, size, 3);
  const blockBic = block ? bicOf(block.squares, size, 4) : Number.POSITIVE_INFINITY;
  const isBlock = block !== undefined && blockBic < waveBic;
  const squares = isBlock ? block.squares : year.squares;
  const parameters = isBlock ? 4 : 3;
  const fitted = isBlock
    ? levelsOf(rates, block)
    : rates.map((rate, index) => rate - (residualsOf(rates, columns, year.coefficients)[index] ?? 0));
  const mean = rates.reduce((sum, rate) => sum + rate, 0) / size;
  const freedom = Math.max(1, effectiveSize(rates.map((rate, index) => rate - (fitted[index] ?? 0))) - parameters);
  return {
    series,
    rates,
    fitted,
    mean,
    // The tail of F with two degrees of freedom above has this closed form. A block was chosen among all.
    p: Math.min(1, (isBlock ? size ** 2 / 2 : 1) * (squares / flat.squares) ** (freedom / 2)),
    r2: 1 - squares / (size - parameters) / (flat.squares / (size - 1)),
    gap: Math.min(...others) - Math.min(waveBic, blockBic),
    swing: (Math.max(...fitted) - Math.min(...fitted)) / mean,
  };
}

function levelsOf(rates: readonly number[], { from, to }: { readonly from: number; readonly to: number }): number[] {
  const isIn = (index: number) => index >= from && index < to;
  const level = (wanted: boolean) => {
    const chosen = rates.filter((_, index) => isIn(index) === wanted);
    return chosen.reduce((sum, rate) => sum + rate, 0) / chosen.length;
  };
  const [inside, outside] = [level(true), level(false)];
  return rates.map((_, index) => (isIn(index) ? inside : outside));
}

/** Weeks that follow each other are alike: so many independent ones they are worth. */
function effectiveSize(residuals: readonly number[]): number {
  let [products, squares] = [0, 0];
  for (const [index, value] of residuals.entries()) {
    squares += value ** 2;
    products += value * (residuals[index + 1] ?? 0);
  }
  const likeness = squares > 0 ? Math.min(0.9, Math.max(0, products / squares)) : 0;
  return (residuals.length * (1 - likeness)) / (1 + likeness);
}

const rounded = (value: number): number => Math.round(value * 100) / 100;

function factsOf(
  { series, rates, fitted, mean, r2 }: Wave,
  history: DetectorHistory<SeasonRow>,
  { weeks, significance }: { readonly weeks: readonly Week[]; readonly significance: number },
): Finding {
  const inSeason = fitted.map((rate) => rate > mean);
  const weeksOf = weeks.flatMap(({ date }, index) =>
    inSeason[index] ? [{ date, hits: Number((rates[index] ?? 0) > mean / 2), opportunities: 1 }] : [],
  );
  const hits = weeksOf.reduce((sum, week) => sum + week.hits, 0);
  const since = weeks.at(-13)?.date ?? history.date;
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const rateOf = (isIn: boolean) => {
    const chosen = rates.filter((_, index) => inSeason[index] === isIn);
    return rounded(sum(chosen.map((rate) => rate ** 2)) / Math.max(1, chosen.length));
  };
  return {
    kind: "seasonal",
    key: `${series.entityId}=${series.state}`,
    target: { entityId: series.entityId, state: series.state },
    hits,
    opportunities: weeksOf.length,
    reliability: wilsonLower(hits, weeksOf.length),
    significance,
    automated: sum(series.automations) >= sum(series.persons),
    days90: weeksOf.filter(({ date }) => date >= since),
    details: {
      ...monthsOf(inSeason, weeks),
      perDayInSeason: rateOf(true),
      perDayOutside: rateOf(false),
      r2: rounded(r2),
      weeks: weeks.length,
    },
  };
}

/** The months in which the season begins and ends, as far as the weeks reach. */
function monthsOf(inSeason: readonly boolean[], weeks: readonly Week[]): { fromMonth?: number; toMonth?: number } {
  const monthAt = (index: number) => Number(weeks[index]?.dates.at(3)?.slice(5, 7) ?? 0);
  const begin = inSeason.findIndex((isIn, index) => isIn && index > 0 && !inSeason[index - 1]);
  const end = inSeason.findIndex((isIn, index) => !isIn && index > 0 && inSeason[index - 1] === true);
  return { ...(begin > 0 && { fromMonth: monthAt(begin) }), ...(end > 0 && { toMonth: monthAt(end - 1) }) };
}
