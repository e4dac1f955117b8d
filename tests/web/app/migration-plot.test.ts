import { expect, it } from "vitest";
import { limitOf, ratioPlots } from "../../../lib/web/app/migration-plot.ts";

const span = (minute: number, ratio: number | null, bounds: { low: number; high: number } | null = null) => ({
  query: "range",
  from: `2026-11-22T06:${minute}:00.000Z`,
  to: `2026-11-22T06:${minute + 1}:00.000Z`,
  pairs: 50,
  ratio,
  low: bounds?.low ?? null,
  high: bounds?.high ?? null,
  old_p95_ms: 10,
  new_p95_ms: 10,
  old_errors: 0,
  new_errors: 0,
  unequal: 0,
});

it("puts ratios on a scale on which faster and slower are alike, with the limit inside", () => {
  const [plot, ...others] = ratioPlots(
    [
      span(10, 1, { low: 0.9, high: 1.1 }),
      span(20, 0.5),
      span(30, 2),
      { ...span(10, 1.5), query: "latest" },
      span(40, null),
    ],
    1.2,
  );
  expect(others.map(({ query }) => query)).toEqual(["latest"]);
  expect(plot?.points.map(({ x }) => x)).toEqual([2, 50, 98]);
  const [even, fast, slow] = plot?.points.map(({ y }) => y) ?? [];
  expect(even).toBe(plot?.evenY);
  expect((fast ?? 0) - (even ?? 0)).toBeCloseTo((even ?? 0) - (slow ?? 0), 6);
  expect([fast, slow]).toEqual([100, 0]);
  expect(plot?.limitY).toBeLessThan(plot?.evenY ?? 0);
  expect(plot?.points[0]?.says).toBe("1.00 (0.90 to 1.10), 50 pairs");
  expect(plot?.points[1]).toMatchObject({ low: undefined, high: undefined, says: "0.50, 50 pairs" });
  expect(ratioPlots([span(10, null)], 1.2)).toEqual([]);
});

it("takes the limit of the plan, or the usual one of a plan that says none", () => {
  expect(limitOf({ thresholds: { rollback_percent: 50 } })).toBe(1.5);
  for (const plan of [{}, { thresholds: {} }, { thresholds: { rollback_percent: "x" } }, { thresholds: null }])
    expect(limitOf(plan as Record<string, unknown>)).toBe(1.2);
});
