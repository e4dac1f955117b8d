import { normalCdf } from "./normal.ts";

/**
 * The engine of all judged latency figures: anytime-valid evidence from a sum of symmetric steps.
 *
 * If x1, x2, ... are symmetric about 0, each given those before it, then exp(l*S - l*l*V/2) with S = sum of x and V = sum of x*x never grows on average, for every l (de la Pena 1999, A general class of
 * exponential inequalities for martingales and ratios, lemma 6.1), whatever the size or spread of the steps. Mixed over l > 0 with half of a normal density of precision `rho`
 * (Howard, Ramdas, McAuliffe, Sekhon 2021, Time-uniform, nonparametric, nonasymptotic confidence sequences, proposition 5) it is this function's exponential; by Ville's inequality it ever reaches 1/alpha with a
 * chance of at most alpha, however often somebody looks. `rho` says where it is sharpest (at V of about eight times rho), not whether it is right.
 *
 * @returns the logarithm of the evidence that the steps lean upwards; compare with log(1/alpha)
 */
export function logEvidence(s: number, v: number, rho: number): number {
  const precision = v + rho;
  const z = s / Math.sqrt(precision);
  // Far below, the tail of the normal distribution is no longer a number; there it is no evidence anyway.
  const side = z > -6 ? Math.log(normalCdf(z)) : -20 - (z * z) / 2;
  return Math.LN2 + (Math.log(rho / precision) + z * z) / 2 + side;
}

/** How often evidence has to double itself and more: what `logEvidence` is compared with. */
export const thresholdOf = (alpha: number): number => Math.log(1 / alpha);

/** Where a figure lies: its estimate, and bounds that hold at all looks together. An absent bound: nothing is known there yet. */
export interface Interval {
  readonly estimate?: number;
  readonly low?: number;
  readonly high?: number;
}

/** With which chance each bound of an interval may ever be wrong. */
export interface Sides {
  readonly low: number;
  readonly high: number;
  /** By how much neighbours that hang together make fewer of the observations: 1 or more (`inflationOf`). */
  readonly inflation: number;
}
