import type { Detector } from "../lib/analysis/detectors/types.ts";
import type { PatternKind } from "../lib/analysis/patterns/types.ts";
import { RECIPE_NAMES, RECIPES, type RecipeName, scenarioOf } from "../local/home/scenario/recipes.ts";
import { type HomeRun, runHome } from "./home-run.ts";
import { type HomeScore, NIGHTLY_KINDS, scoreHome } from "./score-home.ts";

/** One home to be lived through and judged. */
export interface Job {
  readonly recipe: RecipeName;
  readonly seed: number;
  readonly kinds: readonly PatternKind[];
  readonly days?: number;
  readonly heldOutDays: number;
}

export interface JobResult extends Pick<HomeRun, "spent" | "rowBytes" | "mergesAgree"> {
  readonly score: HomeScore;
  readonly days: number;
}

/** Further nights of the longer ones; each whole. */
const NIGHTS: Readonly<Partial<Record<RecipeName, readonly number[]>>> = {
  ends: [28, 44, 60, 75],
  drift: [28, 56],
  sun: [28, 60, 90],
  season: [200, 300],
};
const NIGHTLY_FROM_END = 8;

/** Weeks' ends, and the last three nights (for how steady the top is). */
export function nightsOf(recipe: RecipeName, days: number): number[] {
  const weeks = NIGHTS[recipe] ?? [7, 14, 21, 28];
  return [...new Set([...weeks, days - 2, days - 1, days])].filter((night) => night > 0 && night <= days);
}

export function runJob(job: Job, detectors: readonly Detector[]): JobResult {
  const scenario = scenarioOf(job.recipe, job.seed, job.days);
  const run = runHome(scenario, {
    detectors,
    nights: nightsOf(job.recipe, scenario.days),
    everyNightFrom: { kinds: NIGHTLY_KINDS, day: Math.max(1, scenario.days - NIGHTLY_FROM_END) },
    heldOutDays: job.heldOutDays,
  });
  const { spent, rowBytes, mergesAgree } = run;
  return { score: scoreHome(run, new Set(job.kinds)), days: scenario.days, spent, rowBytes, mergesAgree };
}

const HELD_OUT_DAYS = 28;
const HELD_OUT_RECIPES: ReadonlySet<string> = new Set(["clock", "pairs", "residents", "rooms", "null-life"]);
/** Of every so manieth seed the month after is kept; the long homes are lived through by as few. */
const SELDOM = 4;

/** Which homes are to be lived through for these kinds: those that have something of them planted, and all in which nothing is to be found. */
export function jobsOf(options: {
  readonly kinds: readonly PatternKind[];
  readonly isEveryKind: boolean;
  readonly seeds: readonly number[];
  readonly days?: number;
  readonly recipes?: readonly string[];
}): Job[] {
  const { kinds, seeds, days } = options;
  return RECIPE_NAMES.flatMap((recipe) => {
    if (options.recipes && !options.recipes.includes(recipe)) return [];
    const { plants } = scenarioOf(recipe, 1);
    const isWanted = options.isEveryKind || plants.length === 0 || plants.some(({ kind }) => kinds.includes(kind));
    if (!isWanted) return [];
    const isLong = RECIPES[recipe].days > 60;
    const own = isLong ? seeds.slice(0, Math.max(1, Math.ceil(seeds.length / SELDOM))) : seeds;
    return own.map((seed, index) => ({
      recipe,
      seed,
      kinds,
      ...(days !== undefined && !isLong && { days }),
      heldOutDays: HELD_OUT_RECIPES.has(recipe) && index % SELDOM === 0 ? HELD_OUT_DAYS : 0,
    }));
  });
}
