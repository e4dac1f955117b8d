import { describe, expect, it } from "vitest";
import { flushPolicy } from "../../lib/relay/index.ts";

describe("the flush interval", () => {
  it("is the setting where there is no budget, and costs what was measured or a little more", () => {
    for (const [flushSeconds, dollars, above] of [
      [5, 4.438, 0.17],
      [15, 1.588, 0.1],
      [60, 0.4751, 0.01],
      [300, 0.1385, 0.01],
    ] as const) {
      const policy = flushPolicy({ flushSeconds });
      expect(policy).toMatchObject({ intervalMs: flushSeconds * 1000, isByBudget: false, isOverBudget: false });
      expect(policy.dollarsAMonth / dollars).toBeGreaterThan(0.99);
      expect(policy.dollarsAMonth / dollars).toBeLessThan(1 + above);
    }
  });

  it("is made longer by a budget, never shorter than the setting", () => {
    const policy = flushPolicy({ flushSeconds: 1, dollarsMax: 0.34 });
    expect(policy.isByBudget).toBe(true);
    expect(policy.intervalMs / 1000).toBeCloseTo(88.4, 1);
    expect(policy.dollarsAMonth).toBeCloseTo(0.34, 6);
    expect(flushPolicy({ flushSeconds: 5, dollarsMax: 100 }).intervalMs).toBe(5_000);
  });

  it.each([0.01, 0.0543, 0.08])("stops at 900 s, and says that a budget of %d is too small", (dollarsMax) => {
    expect(flushPolicy({ flushSeconds: 60, dollarsMax })).toMatchObject({
      intervalMs: 900_000,
      isByBudget: true,
      isOverBudget: true,
    });
  });
});
