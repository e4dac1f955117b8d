import { type Interval, logEvidence, type Sides, thresholdOf } from "./evidence.ts";

/**
 * The slow end: the ratio of NEW's to OLD's p95. A pair is asked: did OLD take at least t, did NEW take at least r*t? where t is OLD's p95 as known before the pair. If NEW is OLD times r, the two answers
 * are exchangeable (McNemar 1947), so their difference, summed over a block, is symmetric. It is counted for each r of a grid, and the r that are not refuted are the bounds.
 * Counts alone, so two of these are merged by adding.
 */
export interface TailSums {
  readonly pairs: number;
  /** By r: the sum over blocks of (NEW's answers - OLD's answers), and of its square. */
  readonly s: readonly number[];
  readonly v: readonly number[];
}

/** r from 0.5 to 4 in steps of 1 %. */
const STEP = 0.01;
const FIRST = Math.ceil(Math.log(0.5) / STEP);
const SIZE = Math.floor(Math.log(4) / STEP) - FIRST + 1;
/** Sharpest at about eighty pairs that disagree. */
const RHO = 10;
const zeros: readonly number[] = Array.from({ length: SIZE }, () => 0);

export const NO_TAIL: TailSums = { pairs: 0, s: zeros, v: zeros };

export const isTailSums = ({ s, v }: TailSums): boolean => s.length === SIZE && v.length === SIZE;

const ratioAt = (index: number): number => Math.exp((FIRST + index) * STEP);

export interface TimedPair {
  readonly oldMs: number;
  readonly newMs: number;
}

/** With a block of pairs; `slowMs` is OLD's p95 of earlier blocks alone. */
export function withTailBlock(sums: TailSums, pairs: readonly TimedPair[], slowMs: number): TailSums {
  const slowOld = pairs.filter(({ oldMs }) => oldMs >= slowMs).length;
  // How many of NEW reach the r of the grid: all of those whose own ratio is not below it.
  const reach = pairs
    .map(({ newMs }) => Math.floor(Math.log(newMs / slowMs) / STEP + 1e-9) - FIRST)
    .filter((index) => index >= 0)
    .sort((a, b) => a - b);
  if (slowOld === 0 && reach.length === 0) return { ...sums, pairs: sums.pairs + pairs.length };
  const [s, v] = [sums.s.slice(), sums.v.slice()];
  let below = 0;
  for (let i = 0; i < SIZE; i++) {
    while (below < reach.length && (reach[below] ?? SIZE) < i) below++;
    const x = reach.length - below - slowOld;
    s[i] = (s[i] ?? 0) + x;
    v[i] = (v[i] ?? 0) + x * x;
  }
  return { pairs: sums.pairs + pairs.length, s, v };
}

export const mergeTails = (a: TailSums, b: TailSums): TailSums => ({
  pairs: a.pairs + b.pairs,
  s: a.s.map((one, i) => one + (b.s[i] ?? 0)),
  v: a.v.map((one, i) => one + (b.v[i] ?? 0)),
});

/** The confidence sequence. A bound is absent until even the end of the grid is refuted. */
export function tailInterval({ s, v, pairs }: TailSums, { low, high, inflation }: Sides): Interval {
  if (pairs === 0) return {};
  const root = Math.sqrt(inflation);
  const isRefuted = (i: number, sign: 1 | -1, alpha: number): boolean =>
    logEvidence((sign * (s[i] ?? 0)) / root, v[i] ?? 0, RHO) >= thresholdOf(alpha);
  let first = 0;
  while (first < SIZE && isRefuted(first, 1, low)) first++;
  let last = SIZE - 1;
  while (last >= 0 && isRefuted(last, -1, high)) last--;
  // s falls as r rises; where it passes zero, as many of NEW are slow as of OLD.
  const [above, below] = [s.filter((one) => one > 0).length, s.filter((one) => one >= 0).length];
  return {
    estimate: ratioAt((above + below - 1) / 2),
    ...(first > 0 && { low: ratioAt(first - 1) }),
    ...(last < SIZE - 1 && { high: ratioAt(last + 1) }),
  };
}

/** About how many pairs are needed, all in all, until `line` is refuted if it goes on like this; undefined: nothing points away from it. */
export function tailPairsFor({ s, v, pairs }: TailSums, line: number, alpha: number): number | undefined {
  const i = Math.min(SIZE - 1, Math.max(0, Math.round(Math.log(line) / STEP) - FIRST));
  const [sum, squares] = [s[i] ?? 0, v[i] ?? 0];
  if (sum === 0) return undefined;
  const wanted = thresholdOf(alpha) + Math.log((squares + RHO) / RHO) / 2;
  return Math.ceil((pairs * 2 * wanted * (squares + RHO)) / (sum * sum));
}
