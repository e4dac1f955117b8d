import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addProduct, addSum, addTo, createSum, quotientOf } from "../../lib/series/exact-sum.ts";

/** A double as a fraction, from its shortest exact text: independent of how the sums take doubles apart. */
function unitsOf(value: number): bigint {
  // Doubling and halving are exact until the value is a whole number of 2^-1074.
  const isNegative = value < 0;
  let rest = Math.abs(value);
  let units = 0n;
  for (let exponent = 1023; exponent >= -1074 && rest > 0; exponent--) {
    const bit = exponent < -1022 ? 2 ** -1022 / 2 ** (-1022 - exponent) : 2 ** exponent;
    if (rest < bit) continue;
    units += 1n << BigInt(exponent + 1074);
    rest -= bit;
  }
  return isNegative ? -units : units;
}

/** The double nearest to units / divisor, found by bisection over all doubles. */
function nearest(units: bigint, divisor: bigint): number {
  const size = units < 0n ? -units : units;
  const view = new DataView(new ArrayBuffer(8));
  const doubleOf = (index: bigint): number => {
    view.setBigUint64(0, index);
    return view.getFloat64(0);
  };
  let low = 0n;
  let high = 0x7ff0_0000_0000_0000n;
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (unitsOf(doubleOf(middle)) * divisor <= size) low = middle;
    else high = middle;
  }
  const below = unitsOf(doubleOf(low)) * divisor;
  const beyond = high === 0x7ff0_0000_0000_0000n ? 1n << 2098n : unitsOf(doubleOf(high));
  const gap = beyond * divisor - size - (size - below);
  const index = gap < 0n || (gap === 0n && low % 2n === 1n) ? high : low;
  const value = doubleOf(index);
  return units < 0n ? 0 - value : value;
}

const double = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer({ min: -1000, max: 1000 }).map((tenths) => tenths / 10),
  fc.constantFrom(0, -0, 5e-324, -5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, -1.7976931348623157e308),
  fc.constantFrom(2 ** 900, 2 ** 900 - 2 ** 847, 2 ** 53 + 2, 0.1, 1e16, 1, -1e16),
);
const weight = fc.oneof(fc.nat(3_600_000_000), fc.constantFrom(0, 1, 2 ** 53, 2 ** 53 - 1, 86_400_000_000));

const run = { numRuns: 300 };

describe("exact sums", () => {
  it("round the true sum once, divided or not", () =>
    fc.assert(
      fc.property(fc.array(double, { maxLength: 40 }), fc.integer({ min: 1, max: 2 ** 53 - 1 }), (values, divisor) => {
        const sum = createSum();
        for (const value of values) addTo(sum, value);
        const units = values.reduce((all, value) => all + unitsOf(value), 0n);
        expect(quotientOf(sum)).toBe(nearest(units, 1n));
        expect(quotientOf(sum, divisor)).toBe(nearest(units, BigInt(divisor)));
        expect(quotientOf(sum, 3)).toBe(nearest(units, 3n));
      }),
      run,
    ));

  it("take products whole", () =>
    fc.assert(
      fc.property(fc.array(fc.tuple(double, weight), { maxLength: 20 }), weight, (pairs, divisor) => {
        const sum = createSum();
        for (const [value, times] of pairs) addProduct(sum, value, times);
        const units = pairs.reduce((all, [value, times]) => all + unitsOf(value) * BigInt(times), 0n);
        const whole = Math.max(1, divisor);
        expect(quotientOf(sum, whole)).toBe(nearest(units, BigInt(whole)));
      }),
      run,
    ));

  it("do not know in which order or in which parts they were made", () =>
    fc.assert(
      fc.property(fc.array(fc.array(fc.tuple(double, weight))), fc.array(fc.nat()), (parts, order) => {
        const forward = createSum();
        for (const [value, times] of parts.flat()) addProduct(forward, value, times);
        const merged = createSum();
        const shuffled = parts.map((part, index) => ({ part, at: order[index] ?? 0 })).sort((a, b) => a.at - b.at);
        for (const { part } of shuffled) {
          const own = createSum();
          for (const [value, times] of part.toReversed()) addProduct(own, value, times);
          addSum(merged, own);
        }
        expect(quotientOf(merged, 7)).toBe(quotientOf(forward, 7));
      }),
      run,
    ));

  it("keep few parts, however many terms there are", () => {
    const sum = createSum();
    for (let step = 0; step < 100_000; step++) addProduct(sum, ((step * 7919) % 1000) / 10, 1_000_003 * (step % 977));
    expect(sum.small.length + sum.large.length).toBeLessThan(6);
  });

  it("give 0 for nothing and for zeros, an infinity only beyond the doubles, and refuse what is not finite", () => {
    const sum = createSum();
    expect(quotientOf(sum)).toBe(0);
    addTo(sum, -0);
    expect(quotientOf(sum)).toBe(0);
    for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => addTo(sum, wrong)).toThrow(RangeError);
      expect(() => addProduct(sum, wrong, 1)).toThrow(RangeError);
    }
    for (let step = 0; step < 3; step++) addTo(sum, Number.MAX_VALUE);
    expect(quotientOf(sum)).toBe(Number.POSITIVE_INFINITY);
    expect(quotientOf(sum, 3)).toBe(Number.MAX_VALUE);
  });
});
