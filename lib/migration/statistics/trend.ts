import { normalUpper } from "./normal.ts";

/** A figure that was read at a moment. Seconds, so that numbers stay short. */
export type Reading = readonly [atSeconds: number, value: number];

/**
 * A series of bounded length: the smallest reading of each of at most 96 spans of equal length; when there are more, two neighbours become one. The smallest, for a heap that is collected now and then goes up and down like a
 * saw, and its lower edge alone tells whether something stays.
 */
export interface Trend {
  readonly spanSeconds: number;
  readonly readings: readonly Reading[];
  /** Readings so far. */
  readonly count: number;
  /** How often the slope was looked at, and what was found last. */
  readonly looks: number;
  readonly slope?: Slope;
}

export const NO_TREND: Trend = { spanSeconds: 0.001, readings: [], count: 0, looks: 0 };

const SPANS_MAX = 96;
/** How many readings a point rests on, once there are enough: a saw has to touch its lower edge in each. */
const READINGS_PER_POINT = 8;
/** The slope is looked at when there are so many readings, and then whenever they are a quarter more: few looks cost little of alpha. */
const FIRST_LOOK = 12;
const NEXT_LOOK = 1.25;
/** Fewer points show no slope. */
const POINTS_MIN = 6;
/** Readings are grouped as far as so many points are left. */
const POINTS_WANTED = 9;

/** After so many readings the slope is looked at again. */
export const nextLookAt = ({ looks }: Trend): number => Math.ceil(FIRST_LOOK * NEXT_LOOK ** looks);

/** `alpha` is of all looks together. */
export function withReading(trend: Trend, reading: Reading, alpha: number): Trend {
  const { readings, spanSeconds } = trend;
  const last = readings.at(-1);
  const spanOf = ([atSeconds]: Reading): number => Math.floor(atSeconds / spanSeconds);
  const isSame = last !== undefined && spanOf(last) === spanOf(reading);
  const added = isSame ? [...readings.slice(0, -1), last[1] <= reading[1] ? last : reading] : [...readings, reading];
  let next: Trend = { ...trend, readings: added, count: trend.count + 1 };
  while (next.readings.length > SPANS_MAX) next = coarser(next);
  if (next.count < nextLookAt(next)) return next;
  const looks = next.looks + 1;
  const slope = slopeOf(pointsOf(next), (alpha * 6) / (Math.PI * looks) ** 2);
  return { ...next, looks, ...(slope && { slope }) };
}

function coarser(trend: Trend): Trend {
  const wide = trend.spanSeconds * 2;
  const lowest = new Map<number, Reading>();
  for (const reading of trend.readings) {
    const span = Math.floor(reading[0] / wide);
    const known = lowest.get(span);
    if (!known || reading[1] < known[1]) lowest.set(span, reading);
  }
  return { ...trend, spanSeconds: wide, readings: [...lowest.values()].sort((a, b) => a[0] - b[0]) };
}

/** The lowest of groups of neighbours. */
function pointsOf({ readings: all, count }: Trend): readonly Reading[] {
  const merged = count / all.length;
  // A span that has just begun has not seen its lower edge.
  const readings = merged > 1 ? all.slice(0, -1) : all;
  const perGroup = Math.max(
    1,
    Math.min(Math.ceil(READINGS_PER_POINT / merged), Math.floor(readings.length / POINTS_WANTED)),
  );
  const points: Reading[] = [];
  // From the end, so that the newest group is whole.
  for (let to = readings.length; to >= perGroup; to -= perGroup)
    points.unshift(readings.slice(to - perGroup, to).reduce((low, one) => (one[1] < low[1] ? one : low)));
  return points;
}

export interface Slope {
  /** Of the value, an hour. */
  readonly perHour: number;
  /** Absent: so few points say nothing. */
  readonly low?: number | undefined;
  readonly high?: number | undefined;
  /** Middle of the first third of the values: where it started from. */
  readonly level: number;
  /** From the first point to the last. */
  readonly hours: number;
  /** Spans whose lowest readings were compared. */
  readonly points: number;
}

/**
 * How points rise, after Theil (1950) and Sen (1968): the middle of the slopes between all pairs of them; up to 29 % may be anything (a start that is still warming up). The bounds are Sen's, from the
 * distribution of Kendall's tau, two-sided at `alpha`, widened where neighbours hang together; absent where so few points say nothing. undefined: too few.
 */
export function slopeOf(points: readonly Reading[], alpha: number): Slope | undefined {
  const n = points.length;
  if (n < POINTS_MIN) return undefined;
  const slopes: number[] = [];
  for (const [i, [fromSeconds, from]] of points.entries())
    for (const [toSeconds, to] of points.slice(i + 1))
      if (toSeconds > fromSeconds) slopes.push(((to - from) / (toSeconds - fromSeconds)) * 3_600);
  slopes.sort((a, b) => a - b);
  const perHour = middleOf(slopes);
  const inflation = inflationOf(points.map(([atSeconds, value]) => value - (perHour * atSeconds) / 3_600));
  const spread = normalUpper(alpha / 2) * Math.sqrt((inflation * n * (n - 1) * (2 * n + 5)) / 18);
  const off = Math.floor((slopes.length - spread) / 2);
  return {
    perHour,
    ...(off >= 1 && { low: slopes[off - 1], high: slopes[slopes.length - off] }),
    level: middleOf(
      points
        .slice(0, Math.ceil(n / 3))
        .map(([, value]) => value)
        .sort((a, b) => a - b),
    ),
    hours: ((points.at(-1)?.[0] ?? 0) - (points[0]?.[0] ?? 0)) / 3_600,
    points: n,
  };
}

/** Neighbours that lie on the same side of the line are fewer points than they seem (after Hamed and Rao 1998, of the first lag); never below 1. */
function inflationOf(values: readonly number[]): number {
  const middle = middleOf(values.toSorted((a, b) => a - b));
  const off = values.map((value) => value - middle);
  const squares = off.reduce((sum, one) => sum + one * one, 0);
  const lagged = off.slice(1).reduce((sum, one, i) => sum + one * (off[i] ?? 0), 0);
  const r = squares > 0 ? Math.min(0.9, lagged / squares) : 0;
  return r > 0 ? (1 + r) / (1 - r) : 1;
}

function middleOf(sorted: readonly number[]): number {
  const half = sorted.length / 2;
  return ((sorted[Math.ceil(half) - 1] ?? 0) + (sorted[Math.floor(half)] ?? 0)) / 2;
}
