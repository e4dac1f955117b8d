import { type Interval, logEvidence, type Sides, thresholdOf } from "./evidence.ts";

/**
 * By how much NEW is slower in a usual pair: the mean of log(new/old), as a ratio. What is summed is a block of pairs, not a pair: pairs that are made together share their luck, and the bounds hold
 * whatever binds the pairs inside of a block. Additive, so two of these are merged by adding.
 */
export interface CentreSums {
  readonly pairs: number;
  readonly blocks: number;
  /** Of w*d, (w*d)^2, w*m, (w*m)^2 and w*d*w*m, where d is a block's sum of log-ratios, m its pairs and w its weight. */
  readonly wd: number;
  readonly wdwd: number;
  readonly wm: number;
  readonly wmwm: number;
  readonly wdwm: number;
  /** Of neighbouring blocks: the sums of wd*wd', wm*wm', and of wd*wm' + wm*wd'; and the last block's own two. */
  readonly lag: readonly [dd: number, mm: number, dm: number];
  readonly last: readonly [wd: number, wm: number];
}

export const NO_CENTRE: CentreSums = {
  pairs: 0,
  blocks: 0,
  wd: 0,
  wdwd: 0,
  wm: 0,
  wmwm: 0,
  wdwm: 0,
  lag: [0, 0, 0],
  last: [0, 0],
};

/** One pair counts as at most ten times slower or faster: one time-out is no average. */
const CLIP = Math.log(10);
/** Sharpest at about forty blocks. */
const RHO = 5;
/** A spread below this is the clock's, not the system's. */
const SPREAD_MIN = 0.05;
/** Before anything is measured: as if so many blocks of this spread had been seen. */
const PRIOR = { blocks: 4, spread: 0.5 };

export const logRatio = (oldMs: number, newMs: number): number =>
  Math.min(CLIP, Math.max(-CLIP, Math.log(newMs / oldMs)));

/** How far blocks scatter, so that a later block is weighed by what was known before it. */
export interface Spread {
  readonly blocks: number;
  readonly squares: number;
}

export const NO_SPREAD: Spread = { blocks: 0, squares: 0 };

const deviationOf = ({ blocks, squares }: Spread): number =>
  Math.max(SPREAD_MIN, Math.sqrt((PRIOR.blocks * PRIOR.spread ** 2 + squares) / (PRIOR.blocks + blocks)));

/** With a block of log-ratios; `spread` is that of earlier blocks alone. */
export function withCentreBlock(sums: CentreSums, ratios: readonly number[], spread: Spread): CentreSums {
  const m = ratios.length;
  const weight = 1 / (Math.sqrt(m) * deviationOf(spread));
  const wd = weight * ratios.reduce((sum, one) => sum + one, 0);
  const wm = weight * m;
  const [lastWd, lastWm] = sums.last;
  return mergeCentres(sums, {
    pairs: m,
    blocks: 1,
    wd,
    wdwd: wd * wd,
    wm,
    wmwm: wm * wm,
    wdwm: wd * wm,
    lag: [wd * lastWd, wm * lastWm, wd * lastWm + wm * lastWd],
    last: [wd, wm],
  });
}

export function withSpread(spread: Spread, ratios: readonly number[], centre: number): Spread {
  const off = ratios.reduce((sum, one) => sum + one - centre, 0);
  return { blocks: spread.blocks + 1, squares: spread.squares + (off * off) / ratios.length };
}

export const mergeCentres = (a: CentreSums, b: CentreSums): CentreSums => ({
  pairs: a.pairs + b.pairs,
  blocks: a.blocks + b.blocks,
  wd: a.wd + b.wd,
  wdwd: a.wdwd + b.wdwd,
  wm: a.wm + b.wm,
  wmwm: a.wmwm + b.wmwm,
  wdwm: a.wdwm + b.wdwm,
  lag: [a.lag[0] + b.lag[0], a.lag[1] + b.lag[1], a.lag[2] + b.lag[2]],
  last: b.blocks > 0 ? b.last : a.last,
});

/** The mean log-ratio; 0 before there is any. */
export const centreOf = ({ wd, wm }: CentreSums): number => (wm === 0 ? 0 : wd / wm);

/** The sum of the steps and of their squares if `c` were the true log-ratio. */
const about = (x: CentreSums, c: number): readonly [s: number, v: number] => [
  x.wd - c * x.wm,
  Math.max(0, x.wdwd - 2 * c * x.wdwm + c * c * x.wmwm),
];

/**
 * Neighbouring blocks that lean the same way are fewer observations than they seem. By how much: (1 + r) / (1 - r) for a series whose neighbours correlate by r (Bartlett 1946), r less one standard error, and never
 * below 1: where blocks are independent the bounds hold as they are, and this only widens them.
 */
export function inflationOf(sums: CentreSums): number {
  if (sums.blocks < 3) return 1;
  const c = centreOf(sums);
  const [, v] = about(sums, c);
  const [dd, mm, dm] = sums.lag;
  if (v <= 0) return 1;
  const r = Math.min(0.9, (dd - c * dm + c * c * mm) / v - 1 / Math.sqrt(sums.blocks));
  return r > 0 ? (1 + r) / (1 - r) : 1;
}

/** Evidence that the true log-ratio is above (`sign` 1) or below (-1) `c`. */
function evidence(sums: CentreSums, c: number, { sign, inflation }: { sign: 1 | -1; inflation: number }): number {
  const [s, v] = about(sums, c);
  const root = Math.sqrt(inflation);
  return logEvidence((sign * s) / root, v, RHO);
}

/**
 * The confidence sequence, as ratios. It is all that is not refuted, up to the clip: a bound is absent until even the clip is.
 */
export function centreInterval(sums: CentreSums, { inflation, ...alphas }: Sides): Interval {
  if (sums.blocks === 0) return {};
  const centre = centreOf(sums);
  const bound = (sign: 1 | -1, alpha: number): number | undefined => {
    const wanted = thresholdOf(alpha);
    // Above the estimate the evidence is that the truth is below, and the reverse.
    const far = -sign * CLIP;
    if (evidence(sums, far, { sign, inflation }) < wanted) return undefined;
    let [kept, refuted] = [centre, far];
    for (let i = 0; i < 30; i++) {
      const middle = (kept + refuted) / 2;
      if (evidence(sums, middle, { sign, inflation }) >= wanted) refuted = middle;
      else kept = middle;
    }
    return Math.exp(refuted);
  };
  const [low, high] = [bound(1, alphas.low), bound(-1, alphas.high)];
  return { estimate: Math.exp(centre), ...(low !== undefined && { low }), ...(high !== undefined && { high }) };
}

/** About how many pairs are needed, all in all, until `line` is refuted if the estimate is the truth; undefined: the estimate lies on the line, or nothing is known. */
export function pairsFor(sums: CentreSums, line: number, alpha: number): number | undefined {
  const c = Math.log(line);
  const [s, v] = about(sums, c);
  if (sums.blocks < 2 || s === 0) return undefined;
  const drift = s / sums.blocks;
  const perBlock = v / sums.blocks;
  let blocks = 10;
  // What is needed grows with the logarithm of the blocks, so three rounds settle it.
  for (let i = 0; i < 3; i++)
    blocks =
      (2 * perBlock * inflationOf(sums) * (thresholdOf(alpha) + Math.log((blocks * perBlock + RHO) / RHO) / 2) + RHO) /
      (drift * drift);
  return Math.ceil((blocks * sums.pairs) / sums.blocks);
}
