import type { Random } from "../../base/random.ts";
import type { TimedPair } from "./tail.ts";

export interface BootstrapOptions {
  readonly random: Random;
  /** Which quantile of each side: 0.95. */
  readonly share: number;
  readonly rounds?: number;
}

/**
 * The ratio of NEW's to OLD's quantile with a 95 % percentile interval (Efron and Tibshirani 1993, chapter 13): pairs are drawn with their pair, so what binds the two stays. For one look: looked at
 * again and again it is no proof. undefined: fewer than 20 pairs.
 */
export function quantileRatio(
  pairs: readonly TimedPair[],
  { random, share, rounds = 200 }: BootstrapOptions,
): { readonly ratio: number; readonly low: number; readonly high: number } | undefined {
  const n = pairs.length;
  if (n < 20) return undefined;
  const at = Math.min(n - 1, Math.floor(share * n));
  const [olds, news] = [new Float64Array(n), new Float64Array(n)];
  const ratio = (): number => (news.sort()[at] ?? 0) / (olds.sort()[at] ?? 1);
  const fill = (pick: (i: number) => number): void => {
    for (let i = 0; i < n; i++) {
      const pair = pairs[pick(i)];
      olds[i] = pair?.oldMs ?? 0;
      news[i] = pair?.newMs ?? 0;
    }
  };
  fill((i) => i);
  const found = ratio();
  const drawn = Array.from({ length: rounds }, () => {
    fill(() => Math.floor(random() * n));
    return ratio();
  }).sort((a, b) => a - b);
  return {
    ratio: found,
    low: drawn[Math.floor(rounds * 0.025)] ?? found,
    high: drawn[Math.ceil(rounds * 0.975) - 1] ?? found,
  };
}
