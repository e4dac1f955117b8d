/** A decimal as Home Assistant writes states of sensors, taken apart: `-21.50` is -2150 with 2 decimals. Reused, so that reading a state makes no garbage. */
export interface Decimal {
  mantissa: number;
  decimals: number;
}

/** 10^15 is below 2^53, and so is the difference of two such numbers with its sign folded in. */
const MAX_DIGITS = 15;
const POWERS = Array.from({ length: MAX_DIGITS + 1 }, (_, exponent) => 10 ** exponent);
const MINUS = 45;
const POINT = 46;
const ZERO = 48;

/** False when the text is no plain decimal that `formatDecimal` gives back letter for letter. */
export function parseDecimal(text: string, into: Decimal): boolean {
  const { length } = text;
  if (length === 0 || length > MAX_DIGITS + 2) return false;
  const isNegative = text.charCodeAt(0) === MINUS;
  const start = isNegative ? 1 : 0;
  let mantissa = 0;
  let point = -1;
  for (let at = start; at < length; at++) {
    const code = text.charCodeAt(at);
    if (code === POINT && point < 0) point = at;
    else if (code < ZERO || code > ZERO + 9) return false;
    else mantissa = mantissa * 10 + (code - ZERO);
  }
  const whole = (point < 0 ? length : point) - start;
  const digits = length - start - (point < 0 ? 0 : 1);
  if (whole === 0 || point === length - 1 || digits > MAX_DIGITS) return false;
  if (whole > 1 && text.charCodeAt(start) === ZERO) return false;
  if (isNegative && mantissa === 0) return false;
  into.mantissa = isNegative ? -mantissa : mantissa;
  into.decimals = point < 0 ? 0 : length - 1 - point;
  return true;
}

export function formatDecimal(mantissa: number, decimals: number): string {
  if (decimals === 0) return String(mantissa);
  const digits = String(Math.abs(mantissa)).padStart(decimals + 1, "0");
  const point = digits.length - decimals;
  return `${mantissa < 0 ? "-" : ""}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** What `Number(text)` is: both are exact, so that the one rounding of the division is the right one. */
export const decimalValue = (mantissa: number, decimals: number): number => mantissa / (POWERS[decimals] ?? 1);
