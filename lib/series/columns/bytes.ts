import { damaged } from "./damaged.ts";

const TWO_32 = 2 ** 32;
/** In the place of the number of bytes (0 to 7): the column is made of doubles. */
const DOUBLES = 8;

/** Grows as it is written to; little-endian. */
export class ByteWriter {
  #bytes: Buffer;
  #length = 0;

  constructor(capacity: number) {
    this.#bytes = Buffer.allocUnsafe(Math.max(64, capacity));
  }

  /** Where the next `count` bytes go; they count as written. */
  #room(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(2 * this.#length);
      this.#bytes.copy(grown, 0, 0, at);
      this.#bytes = grown;
    }
    return at;
  }

  u8(value: number): void {
    const at = this.#room(1);
    this.#bytes[at] = value;
  }

  u32(value: number): void {
    // The room first: it may put another buffer in the place of this one.
    const at = this.#room(4);
    this.#bytes.writeUInt32LE(value, at);
  }

  f64(value: number): void {
    const at = this.#room(8);
    this.#bytes.writeDoubleLE(value, at);
  }

  raw(bytes: Uint8Array): void {
    const at = this.#room(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** UTF-8, or, where that would lose a lone surrogate, UTF-16. */
  text(text: string): void {
    const encoding = text.isWellFormed() ? "utf8" : "utf16le";
    this.u8(encoding === "utf8" ? 0 : 1);
    const length = Buffer.byteLength(text, encoding);
    this.u32(length);
    const at = this.#room(length);
    this.#bytes.write(text, at, encoding);
  }

  /**
   * Whole numbers, each byte place together (all lowest bytes, then all second ones...): what hardly varies compresses to nothing, and reading is a loop
   * without branches. Numbers that 53 bits with their sign folded in cannot hold make it a column of doubles.
   */
  ints(column: IntColumn): void {
    const { values, length: count } = column;
    let max = 0;
    for (let i = 0; i < count; i++) {
      const value = values[i] ?? 0;
      const folded = value < 0 ? -2 * value - 1 : 2 * value;
      if (folded > max) max = folded;
    }
    this.u32(count);
    if (max > Number.MAX_SAFE_INTEGER) {
      this.u8(DOUBLES);
      for (let i = 0; i < count; i++) this.f64(values[i] ?? 0);
      return;
    }
    const planes = max === 0 ? 0 : Math.floor(Math.log2(max) / 8) + 1;
    this.u8(planes);
    const at = this.#room(planes * count);
    const bytes = this.#bytes;
    for (let i = 0; i < count; i++) {
      const value = values[i] ?? 0;
      const folded = value < 0 ? -2 * value - 1 : 2 * value;
      const low = folded >>> 0;
      for (let plane = 0; plane < planes && plane < 4; plane++) bytes[at + plane * count + i] = low >>> (8 * plane);
      if (planes > 4) {
        const high = Math.floor(folded / TWO_32);
        for (let plane = 4; plane < planes; plane++) bytes[at + plane * count + i] = high >>> (8 * (plane - 4));
      }
    }
  }

  doubles(values: readonly number[]): void {
    this.u32(values.length);
    for (const value of values) this.f64(value);
  }

  get length(): number {
    return this.#length;
  }

  /** A view, valid until the next write. */
  written(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  patchU32(at: number, value: number): void {
    this.#bytes.writeUInt32LE(value, at);
  }
}

/** Whole numbers that are gathered one by one; room for a known number of them. */
export class IntColumn {
  readonly values: Float64Array;
  length = 0;

  constructor(capacity: number) {
    this.values = new Float64Array(capacity);
  }

  push(value: number): void {
    this.values[this.length++] = value;
  }
}

/** Reads what ByteWriter wrote. Lengths that lead outside throw `store_damaged`. */
export class ByteReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  #take(count: number): number {
    const at = this.#at;
    if (count > this.#bytes.length - at) throw damaged("it ends too early");
    this.#at = at + count;
    return at;
  }

  u8(): number {
    return this.#bytes.readUInt8(this.#take(1));
  }

  u32(): number {
    return this.#bytes.readUInt32LE(this.#take(4));
  }

  f64(): number {
    return this.#bytes.readDoubleLE(this.#take(8));
  }

  raw(count: number): Buffer {
    const at = this.#take(count);
    return this.#bytes.subarray(at, at + count);
  }

  text(): string {
    const isUtf16 = this.u8() === 1;
    const length = this.u32();
    const at = this.#take(length);
    return this.#bytes.toString(isUtf16 ? "utf16le" : "utf8", at, at + length);
  }

  ints(): Float64Array {
    const count = this.u32();
    const planes = this.u8();
    if (planes > DOUBLES) throw damaged(`it has a column of ${planes} bytes a number`);
    // Room for the bytes is checked before room for the numbers is made.
    const at = this.#take(planes * count);
    if (planes === 0 && count > MAX_ROWS) throw damaged(`it has a column of ${count} numbers`);
    const values = new Float64Array(count);
    const bytes = this.#bytes;
    if (planes === DOUBLES) {
      for (let i = 0; i < count; i++) values[i] = bytes.readDoubleLE(at + 8 * i);
      return values;
    }
    for (let plane = planes - 1; plane >= 0; plane--) {
      const from = at + plane * count;
      for (let i = 0; i < count; i++) values[i] = (values[i] ?? 0) * 256 + (bytes[from + i] ?? 0);
    }
    for (let i = 0; i < count; i++) {
      const folded = values[i] ?? 0;
      const half = Math.floor(folded / 2);
      values[i] = folded % 2 === 1 ? -half - 1 : half;
    }
    return values;
  }

  doubles(): Float64Array {
    const count = this.u32();
    const at = this.#take(8 * count);
    const values = new Float64Array(count);
    for (let i = 0; i < count; i++) values[i] = this.#bytes.readDoubleLE(at + 8 * i);
    return values;
  }
}

/** No block is as large; a wrong length would otherwise ask for all memory there is. */
export const MAX_ROWS = 16_777_216;
