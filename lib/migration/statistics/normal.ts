/**
 * The normal distribution: the chance of a value below `z`. Relative error at most 1.2e-7 in both tails: a rational fit of erfc (W. H. Press and others, Numerical Recipes in C, 2nd edition, section 6.2).
 */
export function normalCdf(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + x / 2);
  let fit = 0;
  for (const coefficient of ERFC) fit = fit * t + coefficient;
  const tail = (t * Math.exp(-x * x + fit)) / 2;
  return z < 0 ? tail : 1 - tail;
}

/** Of powers of t, the highest first. */
const ERFC = [
  0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196, 1.00002368,
  -1.26551223,
];

/** The value that is exceeded with the chance `tail`, above 0 and at most one half. */
export function normalUpper(tail: number): number {
  let [low, high] = [0, 38];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (normalCdf(-middle) > tail) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
