import { logAdd, logGamma } from "./statistics.ts";

/** Terms that add nothing any more to a tail end it. */
const NEGLIGIBLE = -40;
/** Beyond so many terms of a tail the normal would do, and nobody asks. */
const TERMS_MAX = 200_000;

/**
 * Both tails of counts with this mean and variance mean + mean² / size (a Poisson whose rate varies from day to day: Gamma with that shape): P(X >= count) and
 * P(X <= count). In logarithms. Complexity: O(count), of the upper tail far less.
 */
export function negativeBinomialTails(
  count: number,
  { mean, size }: { readonly mean: number; readonly size: number },
): { readonly upper: number; readonly lower: number } {
  if (mean <= 0) return { upper: count > 0 ? 0 : 1, lower: 1 };
  const logShare = Math.log(mean / (size + mean));
  const logRest = size * Math.log(size / (size + mean));
  const log = (k: number) => logGamma(k + size) - logGamma(size) - logGamma(k + 1) + k * logShare + logRest;
  let lower = Number.NEGATIVE_INFINITY;
  for (let k = Math.min(count, TERMS_MAX); k >= 0; k--) {
    const term = log(k);
    lower = logAdd(lower, term);
    if (k < mean && term < lower + NEGLIGIBLE) break;
  }
  if (count === 0) return { upper: 1, lower: Math.exp(lower) };
  let upper = Number.NEGATIVE_INFINITY;
  for (let k = count; k < count + TERMS_MAX; k++) {
    const term = log(k);
    upper = logAdd(upper, term);
    if (k > mean && term < upper + NEGLIGIBLE) break;
  }
  return { upper: Math.min(1, Math.exp(upper)), lower: Math.min(1, Math.exp(lower)) };
}
