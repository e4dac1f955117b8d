import { describe, expect, it } from "vitest";
import { flushPolicy } from "../../lib/relay/index.ts";

describe("the flush interval", () => {
  it("is the setting where there is no budget, and costs what the model says", () => {
    for (const [flushSeconds, dollars] of [
      [5, 1.8],
      [15, 0.76],
      [60, 0.337],
      [300, 0.225],
    ] as const) {
      const policy = flushPolicy({ flushSeconds });
      expect(policy).toMatchObject({ intervalMs: flushSeconds * 1000, isByBudget: false, isOverBudget: false });
      expect(Math.abs(policy.dollarsAMonth / dollars - 1)).toBeLessThan(0.04);
    }
  });

  it("keeps to 0.34 dollars a month at one flush a minute (F8)", () => {
    expect(flushPolicy({ flushSeconds: 60 }).dollarsAMonth).toBeLessThanOrEqual(0.34);
    expect(flushPolicy({ flushSeconds: 60, dollarsMax: 0.34 })).toMatchObject({
      intervalMs: 60_000,
      isByBudget: false,
    });
  });

  it("is made longer by a budget, never shorter than the setting", () => {
    const policy = flushPolicy({ flushSeconds: 1, dollarsMax: 0.34 });
    expect(policy.isByBudget).toBe(true);
    expect(policy.intervalMs / 1000).toBeCloseTo(59.2, 1);
    expect(policy.dollarsAMonth).toBeCloseTo(0.34, 6);
    expect(flushPolicy({ flushSeconds: 5, dollarsMax: 100 }).intervalMs).toBe(5_000);
  });

  it.each([0.01, 0.2, 0.205])("stops at 900 s, and says that a budget of %d is too small", (dollarsMax) => {
    expect(flushPolicy({ flushSeconds: 60, dollarsMax })).toMatchObject({
      intervalMs: 900_000,
      isByBudget: true,
      isOverBudget: true,
    });
  });
});
