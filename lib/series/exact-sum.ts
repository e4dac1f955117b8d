/**
 * Sums of doubles without any rounding (Shewchuk 1997, as Python's `fsum`): the sum is kept as a few doubles whose exact sum it is, so that neither the
 * order of the additions nor how they were split over parts changes one bit of the result. It is rounded once, when it is asked for.
 *
 * Doubles from 2^900 up are kept apart, scaled by 2^-200: so no sum of fewer than 2^50 terms and no product with a weight leaves the range. What is not
 * finite is refused. A sum of nothing but zeros is 0, never -0.
 */
export interface ExactSum {
  /** Components that do not overlap, ascending in size; empty: zero. */
  readonly small: number[];
  /** The same of the terms of at least 2^900, each times 2^-200. */
  readonly large: number[];
}

const LARGE = 2 ** 900;
const DOWN = 2 ** -200;
const LARGE_EXPONENT = 200;
/** Veltkamp: cuts a double into two halves of at most 26 bits. */
const SPLITTER = 2 ** 27 + 1;
const COMPONENT_BYTES = 8;

export const createSum = (): ExactSum => ({ small: [], large: [] });

/** @throws RangeError for what is not finite */
export function addTo(sum: ExactSum, value: number): void {
  if (Math.abs(value) < LARGE) grow(sum.small, value);
  else grow(sum.large, finite(value) * DOWN);
}

/**
 * Adds `value * weight`, both bits of it exact. `weight`: a whole number from 0 to 2^53.
 * (Two doubles with fractions might have a product below the smallest double; a whole number never makes a double's last bit smaller.)
 * @throws RangeError for what is not finite
 */
export function addProduct(sum: ExactSum, value: number, weight: number): void {
  if (Math.abs(value) < LARGE) growByProduct(sum.small, value, weight);
  else growByProduct(sum.large, finite(value) * DOWN, weight);
}

/** Adds all of `other`. */
export function addSum(sum: ExactSum, other: ExactSum): void {
  for (const part of other.small) grow(sum.small, part);
  for (const part of other.large) grow(sum.large, part);
}

/** The double nearest to the sum divided by a whole number from 1 to 2^53 (half to even); beyond the largest double: an infinity. */
export function quotientOf(sum: ExactSum, divisor = 1): number {
  const { small, large } = sum;
  if (large.length === 0 && small.length <= 1) return (small[0] ?? 0) / divisor + 0;
  // In units of 2^-1074 every double is whole.
  let units = 0n;
  for (const part of small) units += unitsOf(part);
  for (const part of large) units += unitsOf(part) << BigInt(LARGE_EXPONENT);
  return roundUnits(units, BigInt(divisor));
}

function finite(value: number): number {
  if (!Number.isFinite(value)) throw new RangeError(`${value} cannot be summed exactly; wanted is a finite number`);
  return value;
}

/** Adds one double: each step keeps what the addition rounded off. */
function grow(parts: number[], value: number): void {
  let high = value;
  let kept = 0;
  for (let at = 0; at < parts.length; at++) {
    const part = parts[at] ?? 0;
    const sum = high + part;
    const partly = sum - high;
    const low = high - (sum - partly) + (part - partly);
    if (low !== 0) parts[kept++] = low;
    high = sum;
  }
  if (high !== 0) parts[kept++] = high;
  parts.length = kept;
}

function growByProduct(parts: number[], value: number, weight: number): void {
  const product = value * weight;
  const valueHigh = highHalf(value);
  const weightHigh = highHalf(weight);
  const valueLow = value - valueHigh;
  const weightLow = weight - weightHigh;
  const low = valueLow * weightLow - (product - valueHigh * weightHigh - valueLow * weightHigh - valueHigh * weightLow);
  if (low !== 0) grow(parts, low);
  grow(parts, product);
}

function highHalf(value: number): number {
  const wide = SPLITTER * value;
  return wide - (wide - value);
}

const bits = new DataView(new ArrayBuffer(COMPONENT_BYTES));

/** A finite double in units of 2^-1074. */
function unitsOf(value: number): bigint {
  bits.setFloat64(0, value);
  const word = bits.getBigUint64(0);
  const exponent = Number((word >> 52n) & 0x7ffn);
  const fraction = word & 0xf_ffff_ffff_ffffn;
  const units = exponent === 0 ? fraction : (fraction | (1n << 52n)) << BigInt(exponent - 1);
  return value < 0 ? -units : units;
}

/** More than a double's 53 bits, the one that decides and the one that says whether anything follows. */
const ROUNDED_BITS = 64;
const QUARTER_UNIT_EXPONENT = 1076;

/** The double nearest to `units / divisor` units. */
function roundUnits(units: bigint, divisor: bigint): number {
  const size = units < 0n ? -units : units;
  // Two bits below the unit: the half, and whether anything follows.
  const quarters = (size << 2n) / divisor;
  const exact = quarters * divisor === size << 2n ? quarters : quarters | 1n;
  const value = quarters < 1n << 55n ? nearestUnit(exact) : nearestDouble(exact);
  return units < 0n && value !== 0 ? -value : value;
}

/** Below 2^53 units two doubles are one unit apart. */
function nearestUnit(quarters: bigint): number {
  const rest = quarters & 3n;
  const head = quarters >> 2n;
  const isUp = rest === 3n || (rest === 2n && (head & 1n) === 1n);
  return Number(isUp ? head + 1n : head) * Number.MIN_VALUE;
}

function nearestDouble(quarters: bigint): number {
  const cut = Math.max(0, bitsOf(quarters) - ROUNDED_BITS);
  const head = quarters >> BigInt(cut);
  // Number() rounds half to even.
  const rounded = Number(head << BigInt(cut) === quarters ? head : head | 1n);
  const exponent = cut - QUARTER_UNIT_EXPONENT;
  // 2^-1076 is no double: in two steps then. Neither rounds, because the result is at least 2^53 units and so a normal double.
  return exponent < -1000 ? rounded * 2 ** (exponent + 100) * 2 ** -100 : rounded * 2 ** exponent;
}

const bitsOf = (whole: bigint): number => {
  const text = whole.toString(16);
  return 4 * (text.length - 1) + (32 - Math.clz32(Number.parseInt(text[0] ?? "0", 16)));
};
