import { binomialTail, wilsonLower } from "../statistics.ts";
import type { HomeDay } from "../types.ts";
import { DAY_SETS, type DaySet } from "./series.ts";
import {
  at0,
  type Counted,
  type CountingSlate,
  circular,
  count,
  HALF_WIDTHS,
  newCounted,
  newCountingSlate,
  STEP_MINUTES,
  STEPS,
  sumOver,
} from "./windows.ts";

/**
 * Windows and sets of days overlap, and most of them are no candidates for want of reliability: on homes without habits the smallest p of a series was below x for
 * at most 80 x of them (14 to 84 days, hours shared or even), so of the 5,760 windows of one time a hundred tell something of their own.
 */
export const HYPOTHESES_OF_SERIES = 100;

const MIN_DAYS = 4;
/** Looser than what is told: refining finds the middle and gains hits. */
const MIN_RELIABILITY = 0.35;
const MIN_SHARE = 0.5;
/** Nothing likelier is looked at. */
const CANDIDATE_P = 1e-3;
/** On its own days it stands out, too: a day of the week has its hours. */
const SHARP_P = 2e-3;
/** A routine stands out from the hours around it, not only from the rest of the day. */
const AROUND_STEPS = 18;
/** That it stands out is asked only of the few windows where something is: so much fewer hypotheses. */
const HOURS_CHOICES = 8;

/** The days that are looked at, and the time that the clock shows less `shift` (a sunset's minute; 0: the clock itself). A day without one is not looked at. */
export interface ScanView {
  readonly days: readonly HomeDay[];
  readonly shifts: readonly (number | undefined)[];
  /** How much of the home's activity of a day lies in each ten minutes, sum 1, by this view's time. */
  readonly profile: Float64Array;
}

export interface Candidate {
  readonly set: DaySet;
  readonly centre: number;
  readonly halfWidth: number;
  readonly p: number;
}

/** Days of a class are in the same sets. */
const classOf = (day: HomeDay): number =>
  DAY_SETS.reduce((bits, set, index) => bits | (Number(set.has(day)) << index), 0);

/** The days of a view by class, worked out once for all series. */
export interface ViewClasses {
  readonly classes: readonly number[];
  readonly ofDay: Int16Array;
  readonly sizes: readonly number[];
  readonly slate: Slate;
}

/** What a scan writes on: arrays of this kind cost more to be made than to be filled. */
interface Slate {
  readonly counting: CountingSlate;
  readonly all: Counted;
  readonly set: Counted;
}

export function classesOf(view: ScanView): ViewClasses {
  const classes: number[] = [];
  const sizes: number[] = [];
  const ofDay = new Int16Array(view.days.length).fill(-1);
  for (const [index, day] of view.days.entries()) {
    if (view.shifts[index] === undefined) continue;
    const bits = classOf(day);
    if (!classes.includes(bits)) classes.push(bits);
    const at = classes.indexOf(bits);
    ofDay[index] = at;
    sizes[at] = (sizes[at] ?? 0) + 1;
  }
  const slate = { counting: newCountingSlate(classes.length), all: newCounted(), set: newCounted() };
  return { classes, ofDay, sizes, slate };
}

/** The window in which something happens on more days than chance gives, the least likely one of all; undefined: there is none. */
export function scan(
  times: readonly (readonly number[])[],
  view: ScanView,
  { classes, ofDay, sizes, slate }: ViewClasses,
): Candidate | undefined {
  const counts = { ...count(times, view.shifts, { ofDay, slate: slate.counting }), sizes };
  let [all, best]: [Counted | undefined, Candidate | undefined] = [undefined, undefined];
  for (const [index, set] of DAY_SETS.entries()) {
    const has = (bits: number) => index === 0 || ((bits >> index) & 1) === 1;
    // Most sets of most series have too little for any window, and are not summed.
    const least = leastHits(sumOf(sizes, classes, has));
    if (sumOf(counts.anyDays, classes, has) < least) continue;
    all ??= sumOver(slate.all, counts, { classes, has: () => true });
    if (all.most < least) continue;
    const days = index === 0 ? all : sumOver(slate.set, counts, { classes, has });
    const found = bestOf(days, all, view.profile, best?.p ?? CANDIDATE_P);
    if (found) best = { set, ...found };
  }
  return best;
}

const leastHits = (days: number): number => Math.max(MIN_DAYS, MIN_SHARE * days);

/** Of the days whose class is meant. */
const sumOf = (byClass: ArrayLike<number>, classes: readonly number[], has: (bits: number) => boolean): number =>
  classes.reduce((sum, bits, at) => (has(bits) ? sum + (byClass[at] ?? 0) : sum), 0);

/** The least likely window of these days whose chance is below `limit`. */
function bestOf(days: Counted, all: Counted, profile: Float64Array, limit: number): Omit<Candidate, "set"> | undefined {
  const { hits, size } = days;
  const least = leastHits(size);
  let best: Omit<Candidate, "set"> | undefined;
  for (const [w, halfWidth] of HALF_WIDTHS.entries()) {
    for (let centre = 0; centre < STEPS; centre++) {
      const here = at0(hits, w * STEPS + centre);
      if (here < least) continue;
      const [before, behind] = [
        at0(hits, w * STEPS + circular(centre - 1)),
        at0(hits, w * STEPS + circular(centre + 1)),
      ];
      if (here < before || here < behind) continue;
      if (wilsonLower(here, size) < MIN_RELIABILITY) continue;
      const below = Math.min(limit, best?.p ?? 1);
      const reach = halfWidth / STEP_MINUTES;
      const byHome = tailBelow(here, size, (all.withAny / all.size) * sumAround(profile, centre, reach), below);
      if (byHome === undefined) continue;
      const byHours = tailBelow(here, size, hourly(all, centre, reach), below * HOURS_CHOICES);
      if (byHours === undefined || tailBelow(here, size, hourly(days, centre, reach), SHARP_P) === undefined) continue;
      best = { centre: centre * STEP_MINUTES, halfWidth, p: Math.max(byHome, byHours / HOURS_CHOICES) };
    }
  }
  return best;
}

/** How often the entity came in a window of a day, if its hours around were even. A lamp of the evening has its hours without having a time. */
const hourly = ({ steps, size }: Counted, centre: number, reach: number): number =>
  ((sumAround(steps, centre, AROUND_STEPS) / size) * reach) / AROUND_STEPS;

function sumAround(values: Uint16Array | Float64Array, centre: number, reach: number): number {
  let sum = 0;
  for (let step = centre - reach; step < centre + reach; step++) sum += at0(values, circular(step));
  return sum;
}

/**
 * P(at least `hits` of `days`) where one is expected to have `mean`; undefined if that is not below `limit`. Most are not, and a lower bound tells so at once
 * (R. Ash, Information Theory, lemma 4.7.2).
 */
function tailBelow(hits: number, days: number, mean: number, limit: number): number | undefined {
  const chance = 1 - Math.exp(-mean);
  const share = hits / days;
  if (share <= chance) return undefined;
  const rest = share < 1 ? (1 - share) * Math.log((1 - share) / (1 - chance)) : 0;
  const atLeast =
    Math.exp(-days * (share * Math.log(share / chance) + rest)) / Math.sqrt(8 * Math.max(1, hits * (1 - share)));
  if (atLeast >= limit) return undefined;
  const p = binomialTail(hits, days, chance);
  return p < limit ? p : undefined;
}
