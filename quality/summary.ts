import { quantileOf } from "../lib/analysis/detectors/statistics.ts";
import { PATTERN_KINDS, type PatternKind } from "../lib/analysis/patterns/types.ts";
import { calibrationError } from "./calibration.ts";
import type { JobResult } from "./job.ts";
import type { Outcome } from "./score-home.ts";

export interface KindFigures {
  readonly planted: number;
  readonly found: number;
  readonly recall: number | null;
  readonly precision: number | null;
  readonly f1: number | null;
  readonly falseInPlanted: number;
  readonly implied: number;
  readonly nullHomes: number;
  readonly falsePerNullHome: number | null;
  readonly daysToFindMedian: number | null;
}

const round = (value: number): number => Math.round(value * 1000) / 1000;
const share = (part: number, of: number): number | null => (of === 0 ? null : round(part / of));
const sorted = (values: readonly number[]) => [...values].sort((a, b) => a - b);
const quantile = (values: readonly number[], at: number): number | null =>
  values.length === 0 ? null : round(quantileOf(sorted(values), at));
const mean = (values: readonly number[]): number | null =>
  values.length === 0 ? null : round(values.reduce((sum, value) => sum + value, 0) / values.length);

/** Homes of 28 days in which nothing special is going on: what F1 is stated for. */
const of = (results: readonly JobResult[], kind: PatternKind) =>
  results.flatMap(({ score }) => score.outcomes.filter((one) => one.kind === kind));

function figuresOf(results: readonly JobResult[], kind: PatternKind): KindFigures {
  const outcomes = of(results, kind);
  const falses = (isNull: boolean) =>
    results.reduce(
      (sum, { score }) =>
        score.isNull === isNull ? sum + score.falses.filter((one) => one.kind === kind).length : sum,
      0,
    );
  const found = outcomes.filter(({ isFound }) => isFound).length;
  const wrong = falses(false);
  const nulls = results.filter(({ score }) => score.isNull).length;
  const [recall, precision] = [share(found, outcomes.length), share(found, found + wrong)];
  return {
    planted: outcomes.length,
    found,
    recall,
    precision,
    f1: share(2 * found, outcomes.length + found + wrong),
    falseInPlanted: wrong,
    implied: results.reduce((sum, { score }) => sum + (score.isNull ? 0 : (score.implied[kind] ?? 0)), 0),
    nullHomes: nulls,
    falsePerNullHome: share(falses(true), nulls),
    daysToFindMedian: quantile(
      outcomes.flatMap(({ daysToFind }) => daysToFind ?? []),
      0.5,
    ),
  };
}

/** Recall of what was planted with this spread in the homes `clock`. */
function bySpread(results: readonly JobResult[]) {
  const clock = results.flatMap(({ score }) => (score.recipe === "clock" ? score.outcomes : []));
  const groups = Map.groupBy(clock, ({ plantId, spreadMinutes = 0 }) =>
    plantId.startsWith("weekday") ? `sd ${spreadMinutes}` : plantId,
  );
  return Object.fromEntries(
    [...groups]
      .sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }))
      .map(([name, all]) => [name, timesOf(all)]),
  );
}

function timesOf(outcomes: readonly Outcome[]) {
  const errors = outcomes.flatMap(({ errorMinutes }) => errorMinutes ?? []);
  return {
    planted: outcomes.length,
    recall: share(outcomes.filter(({ isFound }) => isFound).length, outcomes.length),
    daysRight: share(
      outcomes.filter(({ isDaysRight }) => isDaysRight).length,
      outcomes.filter(({ isDaysRight }) => isDaysRight !== undefined).length,
    ),
    errorMedianMinutes: quantile(errors, 0.5),
    errorP95Minutes: quantile(errors, 0.95),
  };
}

function byRecipe(results: readonly JobResult[]) {
  const groups = Map.groupBy(results, ({ score }) => score.recipe);
  return Object.fromEntries(
    [...groups].map(([name, all]) => {
      const outcomes = all.flatMap(({ score }) => score.outcomes);
      return [
        name,
        {
          homes: all.length,
          planted: outcomes.length,
          recall: share(outcomes.filter(({ isFound }) => isFound).length, outcomes.length),
          falsePerHome: share(
            all.reduce((sum, { score }) => sum + score.falses.length, 0),
            all.length,
          ),
          stale: all.reduce((sum, { score }) => sum + score.stale.length, 0),
        },
      ];
    }),
  );
}

/** ECE of what users are told to expect, of hits/opportunities and of `reliability` (a lower bound: it lies below by design), and how often the month after kept what was promised. */
function calibrationOf(results: readonly JobResult[]) {
  const promises = results
    .flatMap(({ score }) => score.promises)
    .map((one) => ({ ...one, came: one.heldHits / one.heldOpportunities }));
  if (promises.length === 0) return null;
  return {
    findings: promises.length,
    eceOfReliability: round(
      calibrationError(promises.map(({ reliability, came }) => ({ promised: reliability, came }))),
    ),
    eceOfExpected: round(calibrationError(promises.map((one) => ({ promised: one.expected, came: one.came })))),
    eceOfShare: round(calibrationError(promises.map((one) => ({ promised: one.share, came: one.came })))),
    keptAtLeast: share(promises.filter(({ reliability, came }) => came >= reliability).length, promises.length),
  };
}

/** All figures of a run. */
export function summarize(results: readonly JobResult[], kinds: readonly PatternKind[]) {
  const asked = PATTERN_KINDS.filter((kind) => kinds.includes(kind));
  const planted = results.filter(({ score }) => !score.isNull);
  const sum = (pick: (result: JobResult) => number) => results.reduce((total, one) => total + pick(one), 0);
  const days = sum((one) => one.days);
  const top = (pick: "right" | "planted") =>
    share(
      planted.reduce((total, { score }) => total + score.top[pick], 0),
      planted.reduce((total, { score }) => total + score.top.of, 0),
    );
  return {
    homes: results.length,
    days,
    kinds: Object.fromEntries(asked.map((kind) => [kind, figuresOf(results, kind)])) as Record<string, KindFigures>,
    clock: bySpread(results),
    recipes: byRecipe(results),
    top10: { precision: top("right"), plantedOnly: top("planted") },
    suggestionsPerNullHome: share(
      results.reduce((total, { score }) => total + (score.isNull ? score.top.of : 0), 0),
      results.length - planted.length,
    ),
    stability: mean(results.flatMap(({ score }) => score.jaccards)),
    calibration: calibrationOf(results),
    mergesAgree: Object.fromEntries(
      asked.map((kind) => [kind, results.every(({ mergesAgree }) => mergesAgree[kind] !== false)]),
    ),
    ms: {
      factsPerDay: share(
        sum((one) => one.spent.facts),
        days,
      ),
      aggregatePerDay: share(
        sum((one) => one.spent.aggregate),
        days,
      ),
      findPerNight: share(
        sum((one) => one.spent.find),
        sum((one) => one.spent.nights),
      ),
    },
    rowBytesPerDay: Math.round(sum((one) => one.rowBytes) / Math.max(1, results.length)),
  };
}

export type Figures = ReturnType<typeof summarize>;

const least = (values: readonly (number | null)[]): number | null => {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.min(...known);
};

/** The goals; null: nothing was measured. */
export function goalsOf(
  figures: Figures,
): Record<string, { readonly is: number | null; readonly wanted: string; readonly isMet: boolean | null }> {
  const goal = (is: number | null, wanted: number, isUpper = false) => ({
    is,
    wanted: `${isUpper ? "<=" : ">="} ${wanted}`,
    isMet: is === null ? null : isUpper ? is <= wanted : is >= wanted,
  });
  const kinds = Object.entries(figures.kinds);
  const worst = kinds.map(([, one]) => one.falsePerNullHome ?? 0);
  return {
    ...Object.fromEntries(kinds.map(([kind, { f1 }]) => [`F1 ${kind}`, goal(f1, 0.9)])),
    "recall at sd 15": goal(figures.clock["sd 15"]?.recall ?? null, 0.9),
    "recall at sd 35": goal(figures.clock["sd 35"]?.recall ?? null, 0.8),
    "false per null home, worst detector": goal(worst.length === 0 ? null : Math.max(...worst), 0.1, true),
    "precision of the top 10": goal(figures.top10.precision, 0.9),
    "calibration error of the expected share": goal(figures.calibration?.eceOfExpected ?? null, 0.05, true),
    "calibration error of hits/opportunities": goal(figures.calibration?.eceOfShare ?? null, 0.05, true),
    "calibration error of reliability": goal(figures.calibration?.eceOfReliability ?? null, 0.05, true),
    stability: goal(figures.stability, 0.8),
    "F1, least of all kinds": goal(least(kinds.map(([, { f1 }]) => f1)), 0.9),
  };
}
