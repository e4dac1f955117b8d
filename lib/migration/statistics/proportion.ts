import { thresholdOf } from "./evidence.ts";

/**
 * Bounds of a share that hold at all looks together: the shares that a mixture of binomials does not refute. With `hits` of `count`, B the beta function and p the share asked for,
 *   B(a + hits, b + count - hits) / B(a, b) / (p^hits * (1 - p)^(count - hits))
 * has mean 1 for the true p at every count, so it ever reaches 1/alpha with a chance of at most alpha (Robbins 1970, Statistical methods related to the law of the iterated logarithm; Ville's inequality). The mixture, a = 1/2 and
 * b = a / limit, has its mean at the limit, where it has to be sharp.
 */
export interface ProportionOptions {
  readonly limit: number;
  readonly alpha: number;
}

export interface ProportionBounds {
  readonly low: number;
  readonly high: number;
}

const A = 0.5;

export function proportionBounds(
  { hits, count }: { readonly hits: number; readonly count: number },
  { limit, alpha }: ProportionOptions,
): ProportionBounds {
  if (count === 0) return { low: 0, high: 1 };
  const wanted = thresholdOf(alpha);
  const b = A / limit;
  const mixture = logBeta(A + hits, b + count - hits) - logBeta(A, b);
  const isRefuted = (p: number): boolean =>
    mixture - (hits > 0 ? hits * Math.log(p) : 0) - (hits < count ? (count - hits) * Math.log1p(-p) : 0) >= wanted;
  const share = hits / count;
  const bound = (end: number): number => {
    let [kept, refuted] = [share, end];
    for (let i = 0; i < 50; i++) {
      const middle = (kept + refuted) / 2;
      if (isRefuted(middle)) refuted = middle;
      else kept = middle;
    }
    return refuted;
  };
  return { low: hits === 0 ? 0 : bound(0), high: hits === count ? 1 : bound(1) };
}

/** How many more without a hit until the upper bound is below `below`; at most `max`. */
export function countFor(
  { hits, count }: { readonly hits: number; readonly count: number },
  { below, max, ...options }: ProportionOptions & { readonly below: number; readonly max: number },
): number {
  // As many hits as there were a count so far, if that leads anywhere.
  const share = count > 0 && hits / count < below ? hits / count : 0;
  let [low, high] = [0, max];
  while (low < high) {
    const more = Math.floor((low + high) / 2);
    const then = { hits: Math.round(hits + share * more), count: count + more };
    if (proportionBounds(then, options).high < below) high = more;
    else low = more + 1;
  }
  return low;
}

const logBeta = (a: number, b: number): number => logGamma(a) + logGamma(b) - logGamma(a + b);

/** Of x above 0: Stirling's series from 10 on, where its error is below 1e-12, and the recurrence below. */
function logGamma(x: number): number {
  let shift = 0;
  let at = x;
  while (at < 10) shift += Math.log(at++);
  const square = at * at;
  const series = (1 / 12 - (1 / 360 - (1 / 1_260 - 1 / (1_680 * square)) / square) / square) / at;
  return (at - 0.5) * Math.log(at) - at + Math.log(2 * Math.PI) / 2 + series - shift;
}
