// What float() takes: signs, underscores between digits, an exponent, infinity and nan in any case. Digits of every script.
const NUMBER =
  /^[+-]?(?:(?:\p{Nd}(?:_?\p{Nd})*)(?:\.(?:\p{Nd}(?:_?\p{Nd})*)?)?|\.\p{Nd}(?:_?\p{Nd})*)(?:e[+-]?\p{Nd}(?:_?\p{Nd})*)?$/iu;
const SPECIAL = /^[+-]?(?:inf(?:inity)?|nan)$/i;
const DIGIT = /\p{Nd}/gu;

/** float(value): undefined where Python raises an error. Infinite and not-a-number come as such. */
export function pythonFloat(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return value ? 1 : 0;
  if (typeof value !== "string") return undefined;
  const text = value.trim();
  if (SPECIAL.test(text)) return /nan/i.test(text) ? Number.NaN : Number.POSITIVE_INFINITY * (text[0] === "-" ? -1 : 1);
  if (!NUMBER.test(text)) return undefined;
  return Number(text.replaceAll("_", "").replace(DIGIT, asciiDigit));
}

/** Digits of a script stand together, from its zero up. */
function asciiDigit(digit: string): string {
  const code = digit.codePointAt(0) ?? 0;
  if (code < 128) return digit;
  let zero = code;
  while (code - zero < 9 && /\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero -= 1;
  // Mathematical digits stand in five rows of ten without a space between.
  return code >= 0x1d7ce && code <= 0x1d7ff ? String((code - 0x1d7ce) % 10) : String(code - zero);
}
