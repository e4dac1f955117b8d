import { behind, medianNear, spreadAround, wrapped } from "../circle.ts";
import { medianOf, quantileOf } from "../statistics.ts";
import type { HomeDay } from "../types.ts";
import { type SunAnchor, sunMinuteOf } from "./series.ts";

export type Anchor = "clock" | SunAnchor;
export const SUN_ANCHORS: readonly SunAnchor[] = ["sunrise", "sunset"];

/** One occurrence that belongs to the routine: the day's index, and the minute of the clock. */
export interface Sighting {
  readonly day: number;
  readonly minute: number;
}

/** Log of how much likelier a routine follows the sun, before it is said to: about 1 to 100. */
const SUN_EVIDENCE = 4.5;
/** Less than this of the sun's way cannot tell it from the clock. */
export const SUN_MOVED_MINUTES = 20;
/** Further from it nothing is done because of the sun. */
export const SUN_REACH_MINUTES = 180;
/** Of residuals, in robust standard deviations: one odd day decides nothing. */
const CLIP = 3;
const MIN_SPREAD = 2;

const DRIFT_MIN_PICKS = 12;
const DRIFT_MIN_DAYS = 20;
/** z of Mann and Kendall's test for a trend. */
const DRIFT_Z = 3.3;
const DRIFT_MIN_PER_WEEK = 0.75;

/** Minutes that a day's time is behind the clock's own by this anchor. */
export const shiftOf = (anchor: Anchor, day: HomeDay): number | undefined =>
  anchor === "clock" ? 0 : sunMinuteOf(day, anchor);

const shiftOn = (anchor: Anchor, day: HomeDay | undefined): number | undefined => day && shiftOf(anchor, day);

/** How far apart the earliest and the latest are. */
export function sunMoved(days: readonly HomeDay[], anchor: SunAnchor): number {
  const minutes = days.map((day) => sunMinuteOf(day, anchor)).filter((minute) => minute !== undefined);
  return minutes.length === 0 ? 0 : Math.max(...minutes) - Math.min(...minutes);
}

/** What the occurrences keep to: the clock unless the sun explains them clearly better, better also than a clock that drifts. */
export function anchorOf(picks: readonly Sighting[], days: readonly HomeDay[]): Anchor {
  const clock = residuals(picks, () => 0);
  const spread = spreadOf(clock);
  const byClock = sumOfSquares(clock, spread);
  // Only what would be the sun's is compared with it: the slopes of all pairs are the dear part.
  let byDrift: number | undefined;
  const squaresByDrift = () => {
    const drift = slopeOf(picks, clock);
    return sumOfSquares(
      residuals(picks, ({ day }) => drift * day),
      spread,
    );
  };
  let best: { anchor: Anchor; squares: number } = { anchor: "clock", squares: byClock };
  for (const anchor of SUN_ANCHORS) {
    const sun = picks.map(({ day }) => shiftOn(anchor, days[day]));
    const known = sun.filter((minute) => minute !== undefined);
    if (known.length < picks.length || Math.max(...known) - Math.min(...known) < SUN_MOVED_MINUTES) continue;
    const bySun = residuals(picks, (_, index) => sun[index] ?? 0);
    const squares = sumOfSquares(bySun, spread);
    const offset = medianNear(sunRelative(picks, sun), 0);
    if (Math.abs(behind(offset, 0)) > SUN_REACH_MINUTES) continue;
    const evidence = (picks.length / 2) * Math.log(byClock / squares);
    if (!(evidence > SUN_EVIDENCE && squares < best.squares)) continue;
    byDrift ??= squaresByDrift();
    if (squares <= 1.2 * byDrift) best = { anchor, squares };
  }
  return best.anchor;
}

const sunRelative = (picks: readonly Sighting[], sun: readonly (number | undefined)[]): number[] =>
  picks.map(({ minute }, index) => wrapped(minute - (sun[index] ?? 0)));

function residuals(picks: readonly Sighting[], shift: (pick: Sighting, index: number) => number): number[] {
  const [first] = picks;
  if (!first) return [];
  const start = wrapped(first.minute - shift(first, 0));
  const shifted = picks.map((pick, index) => behind(wrapped(pick.minute - shift(pick, index)), start));
  const median = medianOf(shifted);
  return shifted.map((each) => each - median);
}

const spreadOf = (values: readonly number[]): number => Math.max(MIN_SPREAD, spreadAround(values, 0));

const sumOfSquares = (values: readonly number[], spread: number): number =>
  values.reduce((sum, each) => sum + Math.min(Math.abs(each), CLIP * spread) ** 2, MIN_SPREAD ** 2 * values.length);

/** The median of the slopes of all pairs (Theil and Sen). Minutes a day. Complexity: O(n²), n <= 90. */
function slopeOf(picks: readonly Sighting[], values: readonly number[]): number {
  const slopes = new Float64Array((picks.length * (picks.length - 1)) / 2);
  let count = 0;
  for (let i = 0; i < picks.length; i++) {
    for (let j = 0; j < picks.length; j++) {
      const days = (picks[j]?.day ?? 0) - (picks[i]?.day ?? 0);
      if (days > 0) slopes[count++] = ((values[j] ?? 0) - (values[i] ?? 0)) / days;
    }
  }
  return count === 0 ? 0 : quantileOf(slopes.subarray(0, count).sort(), 0.5);
}

/** Minutes a day by which a routine moves; 0 where that is no more than chance. `shifts`: of the anchor, by day. */
export function driftOf(picks: readonly Sighting[], shifts: readonly (number | undefined)[]): number {
  const values = residuals(picks, ({ day }) => shifts[day] ?? 0);
  const span = (picks.at(-1)?.day ?? 0) - (picks[0]?.day ?? 0);
  if (picks.length < DRIFT_MIN_PICKS || span < DRIFT_MIN_DAYS) return 0;
  let rises = 0;
  for (let i = 0; i < values.length; i++)
    for (let j = i + 1; j < values.length; j++) rises += Math.sign((values[j] ?? 0) - (values[i] ?? 0));
  const n = picks.length;
  const z = rises / Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18);
  if (Math.abs(z) < DRIFT_Z) return 0;
  const slope = slopeOf(picks, values);
  return Math.abs(slope) * 7 >= DRIFT_MIN_PER_WEEK ? slope : 0;
}
