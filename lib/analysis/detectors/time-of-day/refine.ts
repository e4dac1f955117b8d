import { behind, middleNear, nearestTo, spreadAround, wrapped } from "../circle.ts";
import { predictiveTail, wilsonLower } from "../statistics.ts";
import { type Anchor, anchorOf, driftOf, type Sighting, shiftOf } from "./anchor.ts";
import type { Candidate } from "./scan.ts";
import type { Series, TimeHistory } from "./series.ts";

/** A routine as it is told. */
export interface Routine {
  readonly series: Series;
  readonly candidate: Candidate;
  readonly anchor: Anchor;
  /** Of the clock, or minutes behind the anchor (-720 to 720). On the last day, where it drifts. */
  readonly at: number;
  readonly spread: number;
  readonly driftPerDay: number;
  /** So near to it a day is a hit. */
  readonly tolerance: number;
  readonly evidence: readonly { readonly day: number; readonly isHit: boolean }[];
  readonly hits: number;
  readonly reliability: number;
  /** How much denser its occurrences lie within the tolerance than in the hour and a half on both sides of it. */
  readonly contrast: number;
}

export interface RefineOptions {
  readonly series: Series;
  /** What of the series is not explained by an earlier routine. */
  readonly times: Series["times"];
  /** What of it is not explained by a routine that stands out. */
  readonly around: Series["times"];
  readonly candidate: Candidate;
  /** By which the candidate was found. */
  readonly anchor: Anchor;
  /** The first day that is looked at. */
  readonly fromDay: number;
  readonly history: TimeHistory;
}

/** Whatever has less contrast is a busy time of the day. */
export const MIN_CONTRAST = 5;
const REACH_MIN = 15;
const REACH_MAX = 90;
const TOLERANCE_MIN = 15;
const TOLERANCE_MAX = 80;
const TOLERANCE_SPREADS = 2.5;
/** What is known of spreads before: a quarter of an hour, worth so many days. Few days' own spread says little. */
const USUAL_SPREAD = 15;
const USUAL_DAYS = 5;
/** What comes so much rarer in the last days than before has ended. */
const ENDED_P = 0.002;
const RECENT_DAYS = 14;
const SHOULDER_MINUTES = 90;

/** undefined: what was found does not hold when looked at closely, or has ended. */
export function refine(options: RefineOptions): Routine | undefined {
  const { candidate, history, times, series } = options;
  const inSet = [...history.days.keys()].filter((day) => {
    const each = history.days[day];
    return day >= options.fromDay && each !== undefined && candidate.set.has(each);
  });
  const shiftsBy = (anchor: Anchor) => history.days.map((day) => shiftOf(anchor, day));
  let place: Place = { shifts: shiftsBy(options.anchor), at: candidate.centre, driftPerDay: 0 };
  let picks = picksOf(times, inSet, place, candidate.halfWidth + REACH_MIN);
  const anchor = anchorOf(picks, history.days);
  place = placeOf(picks, shiftsBy(anchor), 0);
  for (let turn = 0; turn < 2; turn++) {
    picks = picksOf(times, inSet, place, reachOf(picks, place));
    if (picks.length === 0) return undefined;
    place = placeOf(picks, place.shifts, turn === 0 ? driftOf(picks, place.shifts) : place.driftPerDay);
  }
  const spread = spreadIn(picks, place);
  const tolerance = Math.min(
    TOLERANCE_MAX,
    Math.max(TOLERANCE_MIN, TOLERANCE_SPREADS * likelySpread(spread, picks.length)),
  );
  const hitDays = new Set(picksOf(times, inSet, place, tolerance).map(({ day }) => day));
  const evidence = inSet
    .filter((day) => place.shifts[day] !== undefined)
    .map((day) => ({ day, isHit: hitDays.has(day) }))
    .filter(({ day, isHit }) => isHit || !history.isAway(series.entityId, day, expectedOn(place, day)));
  if (hasEnded(evidence)) return undefined;
  const last = history.days.length - 1;
  const at = wrapped(place.at + place.driftPerDay * last);
  return {
    series,
    candidate,
    anchor,
    at: anchor === "clock" ? at : behind(at, 0),
    spread,
    driftPerDay: place.driftPerDay,
    tolerance,
    evidence,
    hits: hitDays.size,
    reliability: wilsonLower(hitDays.size, evidence.length),
    contrast: contrastOf(options.around, inSet, place, tolerance),
  };
}

/** Where in the day it is: `at` on day 0, by the anchor's time. */
interface Place {
  readonly shifts: readonly (number | undefined)[];
  readonly at: number;
  readonly driftPerDay: number;
}

const expectedOn = ({ shifts, at, driftPerDay }: Place, day: number): number =>
  wrapped(at + driftPerDay * day + (shifts[day] ?? 0));

/** The occurrence of each day that is nearest to where it is expected, if one is within reach. */
function picksOf(times: Series["times"], days: readonly number[], place: Place, reach: number): Sighting[] {
  return days.flatMap((day) => {
    if (place.shifts[day] === undefined) return [];
    const expected = expectedOn(place, day);
    const minute = nearestTo(times[day] ?? [], expected);
    return minute !== undefined && Math.abs(behind(minute, expected)) <= reach ? [{ day, minute }] : [];
  });
}

const relative = (picks: readonly Sighting[], { shifts, driftPerDay }: Omit<Place, "at">): number[] =>
  picks.map(({ day, minute }) => wrapped(minute - (shifts[day] ?? 0) - driftPerDay * day));

function placeOf(picks: readonly Sighting[], shifts: Place["shifts"], driftPerDay: number): Place {
  const minutes = relative(picks, { shifts, driftPerDay });
  return { shifts, driftPerDay, at: middleNear(minutes, minutes[0] ?? 0) };
}

const spreadIn = (picks: readonly Sighting[], place: Place): number => spreadAround(relative(picks, place), place.at);

const likelySpread = (spread: number, days: number): number =>
  Math.sqrt((days * spread ** 2 + USUAL_DAYS * USUAL_SPREAD ** 2) / (days + USUAL_DAYS));

const reachOf = (picks: readonly Sighting[], place: Place): number =>
  Math.min(REACH_MAX, Math.max(REACH_MIN, 3 * likelySpread(spreadIn(picks, place), picks.length)));

/** The hump of a busy evening is flat at its top; a routine stands out of it. */
function contrastOf(times: Series["times"], days: readonly number[], place: Place, tolerance: number): number {
  let [inside, beside] = [0, 0];
  for (const day of days) {
    if (place.shifts[day] === undefined) continue;
    for (const minute of times[day] ?? []) {
      const distance = Math.abs(behind(minute, expectedOn(place, day)));
      if (distance <= tolerance) inside++;
      else if (distance <= tolerance + SHOULDER_MINUTES) beside++;
    }
  }
  return inside / tolerance / ((beside + 0.5) / SHOULDER_MINUTES);
}

function hasEnded(evidence: Routine["evidence"]): boolean {
  const last = evidence.at(-1)?.day ?? 0;
  const recent = evidence.filter(({ day }) => day > last - RECENT_DAYS);
  const before = evidence.filter(({ day }) => day <= last - RECENT_DAYS);
  const missesOf = (part: Routine["evidence"]) => part.filter(({ isHit }) => !isHit).length;
  if (before.length === 0 || recent.length === 0) return false;
  const past = { hits: missesOf(before), trials: before.length };
  return predictiveTail(missesOf(recent), recent.length, past) < ENDED_P;
}
