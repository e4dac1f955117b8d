import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { binomialTail, predictiveTail } from "../../../lib/analysis/detectors/statistics.ts";

/** As fractions of whole numbers: the sum of C(n, k) B(a + k, b + n - k) / B(a, b), with a and b doubled. No logarithm, no rounding until the end. */
function exactTail(hits: number, trials: number, before: { readonly hits: number; readonly trials: number }): number {
  const rising = (doubled: number, steps: number) =>
    Array.from({ length: steps }, (_, step) => BigInt(doubled + 2 * step)).reduce(
      (product, each) => product * each,
      1n,
    );
  const [a, b] = [2 * before.hits + 1, 2 * (before.trials - before.hits) + 1];
  let [sum, choices] = [0n, 1n];
  for (let k = 0; k <= trials; k++) {
    if (k >= hits) sum += choices * rising(a, k) * rising(b, trials - k);
    choices = (choices * BigInt(trials - k)) / BigInt(k + 1);
  }
  return Number((sum * 10n ** 80n) / rising(a + b, trials)) / 1e80;
}

const upTo = (most: number) =>
  fc.nat(most).chain((trials) => fc.record({ trials: fc.constant(trials), hits: fc.nat(trials) }));
const counts = upTo(40);

describe("a tail where the rate is known from before only", () => {
  it("falls from 1, and rises with what was before", () => {
    fc.assert(
      fc.property(counts, counts, ({ hits, trials }, before) => {
        const here = predictiveTail(hits, trials, before);
        expect(predictiveTail(0, trials, before)).toBe(1);
        expect(here).toBeGreaterThan(0);
        expect(predictiveTail(hits + 1, trials, before)).toBeLessThanOrEqual(here);
        const more = { hits: before.hits + 1, trials: before.trials + 1 };
        expect(predictiveTail(hits, trials, more)).toBeGreaterThanOrEqual(here - 1e-9);
      }),
    );
  });

  it("is exact, as far into the tail as 90 days go", () => {
    fc.assert(
      fc.property(upTo(90), upTo(90), ({ hits, trials }, before) => {
        const wanted = exactTail(hits, trials, before);
        expect(Math.abs(predictiveTail(hits, trials, before) / wanted - 1)).toBeLessThan(1e-10);
      }),
    );
    expect(predictiveTail(5, 5, { hits: 0, trials: 0 })).toBeCloseTo(63 / 256, 12);
    expect(predictiveTail(6, 5, { hits: 1, trials: 2 })).toBe(0);
    expect(predictiveTail(0, 0, { hits: 0, trials: 0 })).toBe(1);
  });

  it("is the binomial one where much was before, and no proof where little was", () => {
    expect(predictiveTail(6, 14, { hits: 100_000, trials: 1_000_000 })).toBeCloseTo(binomialTail(6, 14, 0.1), 4);
    expect(predictiveTail(6, 14, { hits: 1, trials: 14 })).toBeGreaterThan(10 * binomialTail(6, 14, 1.5 / 15));
  });
});
