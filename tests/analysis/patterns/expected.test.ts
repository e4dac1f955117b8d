import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expectedShareOf } from "../../../lib/analysis/patterns/expected.ts";

const of = (hits: number, opportunities: number, more: Partial<Parameters<typeof expectedShareOf>[0]> = {}) =>
  expectedShareOf({ kind: "time-of-day", hits, opportunities, automated: false, ...more });

describe("what is to be expected", () => {
  it("is less than what was seen where that was often, most of all where little was", () => {
    expect(of(4, 4)).toBeCloseTo(11.4 / 14, 10);
    expect(of(20, 20)).toBeCloseTo(27.4 / 30, 10);
    expect(of(2_000, 2_000)).toBeGreaterThan(0.99);
  });

  it("lies between what was seen and what is usual, rises with hits, and is never certain", () => {
    const counts = fc
      .integer({ min: 1, max: 100_000 })
      .chain((trials) => fc.tuple(fc.nat(trials), fc.constant(trials)));
    fc.assert(
      fc.property(counts, ([hits, trials]) => {
        const [share, expected] = [hits / trials, of(hits, trials) ?? Number.NaN];
        expect(expected).toBeGreaterThanOrEqual(Math.min(share, 0.74) - 1e-9);
        expect(expected).toBeLessThanOrEqual(Math.max(share, 0.74) + 1e-9);
        expect(expected).toBeLessThan(1);
        expect(of(hits + 1, trials + 1)).toBeGreaterThan(expected);
      }),
    );
  });

  it("is unknown of what nothing was held against, of what does not go on, and of what never could have happened", () => {
    expect(of(1, 1, { kind: "anomaly" })).toBeUndefined();
    expect(of(28, 28, { automated: true })).toBeUndefined();
    for (const status of ["fading", "ended"] as const) expect(of(18, 20, { status })).toBeUndefined();
    expect(of(18, 20, { status: "active" })).toBe(of(18, 20));
    expect(of(0, 0)).toBeUndefined();
  });
});
