/** Statistics that detectors share. Tails are taken in logarithms: 1 minus a cumulative sum loses what is below 1e-16. */

/** z of a 90 % two-sided interval. */
const Z_90 = 1.6448536269514722;

/** Lower bound of a proportion, Wilson's score interval (Wilson 1927), 90 % two-sided unless another z is given. 0 without trials. */
export function wilsonLower(hits: number, trials: number, z = Z_90): number {
  if (trials <= 0) return 0;
  const share = hits / trials;
  const z2 = z * z;
  const centre = share + z2 / (2 * trials);
  const margin = z * Math.sqrt((share * (1 - share)) / trials + z2 / (4 * trials * trials));
  return Math.max(0, (centre - margin) / (1 + z2 / trials));
}

const LANCZOS = [
  676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905,
  -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

/** ln Γ(x) for x > 0 (Lanczos, g = 7, n = 9): relative error below 1e-14. */
export function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  const shifted = x - 1;
  let sum = 0.99999999999980993;
  for (let index = 0; index < LANCZOS.length; index++) sum += (LANCZOS[index] ?? 0) / (shifted + index + 1);
  const base = shifted + LANCZOS.length - 0.5;
  return 0.5 * Math.log(2 * Math.PI) + (shifted + 0.5) * Math.log(base) - base + Math.log(sum);
}

/** ln n! of the whole numbers that tails are made of, each worked out once. */
const factorials = new Float64Array(8_192);

function logFactorial(n: number): number {
  const known = factorials[n];
  if (known === undefined) return logGamma(n + 1);
  if (known !== 0) return known;
  const found = logGamma(n + 1);
  factorials[n] = found;
  return found;
}

/** ln(exp(a) + exp(b)) without overflow. */
export function logAdd(a: number, b: number): number {
  if (a === Number.NEGATIVE_INFINITY) return b;
  if (b === Number.NEGATIVE_INFINITY) return a;
  return Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)));
}

/** Terms that add nothing any more to a tail end it. */
const NEGLIGIBLE = -40;

/** P(X >= hits) of a binomial distribution. Complexity: O(trials - hits), far less in a tail. */
export function binomialTail(hits: number, trials: number, p: number): number {
  if (hits <= 0) return 1;
  if (hits > trials || p <= 0) return 0;
  if (p >= 1) return 1;
  const logs = [Math.log(p), Math.log1p(-p)] as const;
  const all = logFactorial(trials);
  let tail = Number.NEGATIVE_INFINITY;
  for (let k = hits; k <= trials; k++) {
    const term = all - logFactorial(k) - logFactorial(trials - k) + k * logs[0] + (trials - k) * logs[1];
    tail = logAdd(tail, term);
    if (k > trials * p && term < tail + NEGLIGIBLE) break;
  }
  return Math.min(1, Math.exp(tail));
}

/**
 * P(X >= hits) where the rate is known only from trials before (beta-binomial distribution, Jeffreys' prior): one miss in fourteen may well be a habit of one in five.
 * Complexity: O(trials - hits).
 */
export function predictiveTail(
  hits: number,
  trials: number,
  before: { readonly hits: number; readonly trials: number },
): number {
  if (hits <= 0) return 1;
  const [a, b] = [before.hits + 0.5, before.trials - before.hits + 0.5];
  const logBeta = (x: number, y: number) => logGamma(x) + logGamma(y) - logGamma(x + y);
  const all = logGamma(trials + 1) - logBeta(a, b);
  let tail = 0;
  for (let k = hits; k <= trials; k++)
    tail += Math.exp(all - logGamma(k + 1) - logGamma(trials - k + 1) + logBeta(a + k, b + trials - k));
  return Math.min(1, tail);
}

/** P(X >= hits) of a Poisson distribution. */
export function poissonTail(hits: number, mean: number): number {
  if (hits <= 0) return 1;
  if (mean <= 0) return 0;
  let tail = Number.NEGATIVE_INFINITY;
  const log = Math.log(mean);
  for (let k = hits; ; k++) {
    const term = k * log - mean - logFactorial(k);
    tail = logAdd(tail, term);
    if (k > mean && term < tail + NEGLIGIBLE) return Math.min(1, Math.exp(tail));
  }
}

/** P(Z >= z) of a normal distribution (Abramowitz and Stegun 26.2.17): error below 1e-7. */
export function normalTail(z: number): number {
  if (z < 0) return 1 - normalTail(-z);
  const t = 1 / (1 + 0.2316419 * z);
  const sum = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * sum;
}

/**
 * Benjamini and Hochberg's adjustment (1995): q-values in the order of `pValues`. `family`: how many hypotheses could have been reported, those that were never
 * written down included (they count as p = 1); at least the number of p-values. Complexity: O(n log n).
 */
export function adjustFalseDiscovery(pValues: readonly number[], family = pValues.length): number[] {
  const size = Math.max(family, pValues.length);
  const order = pValues.map((_, index) => index).sort((a, b) => (pValues[b] ?? 1) - (pValues[a] ?? 1));
  const adjusted = new Array<number>(pValues.length).fill(1);
  let least = 1;
  for (const [position, index] of order.entries()) {
    const rank = pValues.length - position;
    least = Math.min(least, ((pValues[index] ?? 1) * size) / rank);
    adjusted[index] = least;
  }
  return adjusted;
}

/** Linear between the neighbours (type 7 of Hyndman and Fan 1996). NaN of nothing. `sorted` ascends. */
export function quantileOf(sorted: ArrayLike<number>, share: number): number {
  const at = (sorted.length - 1) * share;
  const [low, high] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return low === undefined || high === undefined ? Number.NaN : low + (high - low) * (at - Math.floor(at));
}

export const medianOf = (values: readonly number[]): number => quantileOf(Float64Array.from(values).sort(), 0.5);
