import fc from "fast-check";
import { expect, it } from "vitest";
import { negativeBinomialTails } from "../../../lib/analysis/detectors/negative-binomial.ts";
import { poissonTail } from "../../../lib/analysis/detectors/statistics.ts";

it("has tails that meet, fall and rise, and are a Poisson's where the rate does not vary", () => {
  fc.assert(
    fc.property(
      fc.nat(60),
      fc.double({ min: 0.05, max: 40, noNaN: true }),
      fc.double({ min: 0.3, max: 50, noNaN: true }),
      (count, mean, size) => {
        const at = negativeBinomialTails(count, { mean, size });
        const next = negativeBinomialTails(count + 1, { mean, size });
        expect(at.lower + next.upper).toBeCloseTo(1, 9);
        expect(next.upper).toBeLessThanOrEqual(at.upper + 1e-12);
        expect(next.lower).toBeGreaterThanOrEqual(at.lower - 1e-12);
        const still = negativeBinomialTails(count, { mean, size: 1e7 });
        expect(still.upper).toBeCloseTo(poissonTail(count, mean), 4);
      },
    ),
    { numRuns: 300 },
  );
  expect(negativeBinomialTails(0, { mean: 0, size: 1 })).toEqual({ upper: 1, lower: 1 });
  expect(negativeBinomialTails(3, { mean: 0, size: 1 })).toEqual({ upper: 0, lower: 1 });
  // Far out in a tail: 1 minus a sum would be 0.
  expect(negativeBinomialTails(200, { mean: 5, size: 5 }).upper).toBeGreaterThan(0);
});
