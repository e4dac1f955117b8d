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
  WINDOWS,
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
}

/** How a series is scanned. */
export interface ScanOptions {
  /** How much of the home's activity of a day lies in each ten minutes, sum 1, by this view's time. Asked for where something may be found. */
  readonly profile: () => Float64Array;
  /** The times are those of the last scan with these classes without some. */
  readonly isGoingOn: boolean;
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
  /** Windows with something in them on enough days for a set of days, the smallest one. */
  readonly cells: Uint16Array;
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
  const slate = {
    counting: newCountingSlate(classes.length),
    all: newCounted(),
    set: newCounted(),
    cells: new Uint16Array(WINDOWS),
  };
  return { classes, ofDay, sizes, slate };
}

/** The window in which something happens on more days than chance gives, the least likely one of all; undefined: there is none. */
export function scan(
  times: readonly (readonly number[])[],
  { shifts }: Pick<ScanView, "shifts">,
  { view: { classes, ofDay, sizes, slate }, profile, isGoingOn }: ScanOptions & { readonly view: ViewClasses },
): Candidate | undefined {
  const counts = count(times, shifts, { ofDay, slate: slate.counting, isGoingOn });
  let [all, best, cells]: [Counted | undefined, Candidate | undefined, Uint16Array] = [undefined, undefined, NO_CELLS];
  for (const [index, set] of DAY_SETS.entries()) {
    const has = (bits: number) => index === 0 || ((bits >> index) & 1) === 1;
    // Most sets of most series have too little for any window, and are not summed.
    const least = leastHits(sumOf(sizes, classes, has));
    if (sumOf(counts.anyDays, classes, has) < least) continue;
    if (!all) {
      all = sumOver(slate.all, counts, { classes, sizes, has: () => true });
      cells = cellsOf(all, MIN_DAYS, slate.cells);
    }
    if (all.most < least) continue;
    const days = index === 0 ? all : sumOver(slate.set, counts, { classes, sizes, has, cells });
    const found = bestOf({ days, all, cells }, profile, best?.p ?? CANDIDATE_P);
    if (found) best = { set, ...found };
  }
  return best;
}

const NO_CELLS = new Uint16Array();

/** Windows with so many hits or more, ascending, on the slate. */
function cellsOf({ hits }: Counted, least: number, slate: Uint16Array): Uint16Array {
  let count = 0;
  for (let cell = 0; cell < hits.length; cell++) if (at0(hits, cell) >= least) slate[count++] = cell;
  return slate.subarray(0, count);
}

const leasts: number[] = [];

/** Of so many days: fewer hits are no candidate. Infinity: no number of hits is. */
function leastHits(days: number): number {
  const known = leasts[days];
  if (known !== undefined) return known;
  let hits = Math.max(MIN_DAYS, Math.ceil(MIN_SHARE * days));
  while (hits <= days && wilsonLower(hits, days) < MIN_RELIABILITY) hits++;
  const least = hits <= days ? hits : Number.POSITIVE_INFINITY;
  leasts[days] = least;
  return least;
}

/** Of the days whose class is meant. */
const sumOf = (byClass: ArrayLike<number>, classes: readonly number[], has: (bits: number) => boolean): number =>
  classes.reduce((sum, bits, at) => (has(bits) ? sum + (byClass[at] ?? 0) : sum), 0);

interface Among {
  readonly days: Counted;
  readonly all: Counted;
  /** Ascending: by half-width and centre. In no other window there is enough. */
  readonly cells: Uint16Array;
}

/** The least likely window of these days whose chance is below `limit`. */
function bestOf(
  { days, all, cells }: Among,
  profile: () => Float64Array,
  limit: number,
): Omit<Candidate, "set"> | undefined {
  const { hits, size } = days;
  const least = leastHits(size);
  let best: Omit<Candidate, "set"> | undefined;
  for (let index = 0; index < cells.length; index++) {
    const cell = at0(cells, index);
    const here = at0(hits, cell);
    if (here < least) continue;
    const centre = cell % STEPS;
    const first = cell - centre;
    if (here < at0(hits, first + circular(centre - 1)) || here < at0(hits, first + circular(centre + 1))) continue;
    const below = Math.min(limit, best?.p ?? 1);
    const halfWidth = HALF_WIDTHS[first / STEPS] ?? 0;
    const reach = halfWidth / STEP_MINUTES;
    const byHome = tailBelow(here, size, (all.withAny / all.size) * sumAround(profile(), centre, reach), below);
    if (byHome === undefined) continue;
    const byHours = tailBelow(here, size, hourly(all, centre, reach), below * HOURS_CHOICES);
    if (byHours === undefined || tailBelow(here, size, hourly(days, centre, reach), SHARP_P) === undefined) continue;
    best = { centre: centre * STEP_MINUTES, halfWidth, p: Math.max(byHome, byHours / HOURS_CHOICES) };
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
