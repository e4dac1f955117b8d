const LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const ULID_CHARACTERS = 26;
export const RANDOM_BYTES = 10;
const TWO_25 = 2 ** 25;
/** 48 bits of time: the first of ten letters of five bits has only three. */
const FIRST_MAX = 7;

const DIGITS = new Uint8Array(128).fill(255);
for (let digit = 0; digit < 32; digit++) DIGITS[LETTERS.charCodeAt(digit)] = digit;
const CODES = Uint8Array.from(LETTERS, (letter) => letter.charCodeAt(0));

/** A ULID's time in milliseconds; its random bytes go to `into` at `at`. -1 when the text is none that `formatUlid` gives back. */
export function parseUlid(text: string, into: Uint8Array, at: number): number {
  if (text.length !== ULID_CHARACTERS) return -1;
  let wrong = 0;
  for (let half = 0; half < 2; half++) {
    const from = 10 + 8 * half;
    let high = 0;
    let low = 0;
    for (let i = 0; i < 4; i++) {
      const digit = DIGITS[text.charCodeAt(from + i)] ?? 255;
      wrong |= digit;
      high = (high << 5) | digit;
      const other = DIGITS[text.charCodeAt(from + 4 + i)] ?? 255;
      wrong |= other;
      low = (low << 5) | other;
    }
    const to = at + 5 * half;
    into[to] = high >>> 12;
    into[to + 1] = high >>> 4;
    into[to + 2] = ((high & 15) << 4) | (low >>> 16);
    into[to + 3] = low >>> 8;
    into[to + 4] = low;
  }
  let high = 0;
  let low = 0;
  for (let i = 0; i < 5; i++) {
    const digit = DIGITS[text.charCodeAt(i)] ?? 255;
    wrong |= digit;
    high = (high << 5) | digit;
    const other = DIGITS[text.charCodeAt(i + 5)] ?? 255;
    wrong |= other;
    low = (low << 5) | other;
  }
  const first = DIGITS[text.charCodeAt(0)] ?? 255;
  return wrong > 31 || first > FIRST_MAX ? -1 : high * TWO_25 + low;
}

const scratch = Buffer.alloc(ULID_CHARACTERS);

export function formatUlid(atMs: number, random: Uint8Array, at: number): string {
  let high = Math.floor(atMs / TWO_25);
  let low = atMs % TWO_25;
  for (let i = 4; i >= 0; i--) {
    scratch[i] = CODES[high & 31] ?? 0;
    scratch[i + 5] = CODES[low & 31] ?? 0;
    high >>>= 5;
    low >>>= 5;
  }
  for (let half = 0; half < 2; half++) {
    const from = at + 5 * half;
    const middle = random[from + 2] ?? 0;
    let first = ((random[from] ?? 0) << 12) | ((random[from + 1] ?? 0) << 4) | (middle >>> 4);
    let second = ((middle & 15) << 16) | ((random[from + 3] ?? 0) << 8) | (random[from + 4] ?? 0);
    const to = 10 + 8 * half;
    for (let i = 3; i >= 0; i--) {
      scratch[to + i] = CODES[first & 31] ?? 0;
      scratch[to + 4 + i] = CODES[second & 31] ?? 0;
      first >>>= 5;
      second >>>= 5;
    }
  }
  return scratch.toString("latin1", 0, ULID_CHARACTERS);
}
