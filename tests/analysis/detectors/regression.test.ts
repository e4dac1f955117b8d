import { describe, expect, it } from "vitest";
import { mixText, seededShuffle } from "../../../lib/analysis/detectors/permutation.ts";
import { bestBlock, bicOf, leastSquares, residualsOf } from "../../../lib/analysis/detectors/seasonal/regression.ts";

const ones = [1, 1, 1, 1, 1, 1];
const line = [0, 1, 2, 3, 4, 5];

describe("least squares", () => {
  it("finds a line, and what is left of it", () => {
    const values = line.map((x) => 2 + 3 * x + (x % 2 ? 0.1 : -0.1));
    const found = leastSquares(values, [ones, line]);
    expect(found?.coefficients[1]).toBeCloseTo(3, 1);
    expect(found?.squares).toBeLessThan(0.061);
    expect(residualsOf(values, [ones, line], found?.coefficients ?? [])).toHaveLength(6);
  });

  it("has no answer where two columns say the same", () => {
    expect(leastSquares(line, [ones, ones])).toBeUndefined();
  });

  it("finds the block, and one step where that is all", () => {
    const block = bestBlock([0, 0, 0, 5, 5, 5, 0, 0, 0], 2);
    expect(block.block).toMatchObject({ from: 3, to: 6, squares: 0 });
    expect(block.step).toBeGreaterThan(10);
    expect(bestBlock([0, 0, 0, 0, 5, 5, 5, 5], 2).step).toBe(0);
    expect(bestBlock([1, 2, 3], 2).block).toBeUndefined();
  });

  it("weighs parameters against what they explain", () => {
    expect(bicOf(10, 50, 3)).toBeGreaterThan(bicOf(10, 50, 1));
    expect(bicOf(5, 50, 3)).toBeLessThan(bicOf(10, 50, 1));
  });
});

describe("shuffling", () => {
  it("gives the same orders for the same text, others for another, and keeps the values", () => {
    const orders = (text: string) => {
      const shuffle = seededShuffle(mixText(text));
      return [shuffle(line), shuffle(line), shuffle(line)];
    };
    expect(orders("light.a")).toEqual(orders("light.a"));
    expect(orders("light.a")).not.toEqual(orders("light.b"));
    expect(orders("light.a").map((order) => order.sort())).toEqual([line, line, line]);
  });
});
