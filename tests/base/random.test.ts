import { describe, expect, it } from "vitest";
import { seededRandom, systemRandom } from "../../lib/base/random.ts";

const take = (count: number, seed: number): number[] => {
  const random = seededRandom(seed);
  return Array.from({ length: count }, random);
};

describe("seeded chance", () => {
  it("is the same for the same seed, and another for another", () => {
    expect(take(50, 1)).toEqual(take(50, 1));
    expect(take(50, 1)).not.toEqual(take(50, 2));
    expect(new Set(Array.from({ length: 1_000 }, (_, seed) => take(1, seed)[0])).size).toBe(1_000);
  });

  it("stays the same from release to release: simulated homes depend on it", () => {
    expect(take(3, 1).map((number) => number.toFixed(9))).toMatchInlineSnapshot(`
      [
        "0.627073941",
        "0.002735721",
        "0.527447040",
      ]
    `);
  });

  it("is even over [0, 1)", () => {
    const bins = new Array<number>(20).fill(0);
    for (const number of take(100_000, 42)) {
      expect(number >= 0 && number < 1).toBe(true);
      const bin = Math.floor(number * 20);
      bins[bin] = (bins[bin] ?? 0) + 1;
    }
    // Chi-square with 19 degrees of freedom: 43.8 is passed by chance once in a thousand; the seed is fixed.
    const chiSquare = bins.reduce((sum, seen) => sum + (seen - 5_000) ** 2 / 5_000, 0);
    expect(chiSquare).toBeLessThan(43.8);
  });
});

describe("the system's chance", () => {
  it("is in [0, 1) and changes", () => {
    const numbers = Array.from({ length: 100 }, systemRandom);
    expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
    expect(new Set(numbers).size).toBeGreaterThan(90);
  });
});
