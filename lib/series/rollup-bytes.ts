import { HearthlineError } from "../base/errors.ts";
import type { ExactSum } from "./exact-sum.ts";
import { createGathered } from "./gathered.ts";
import type { Sample } from "./meaning.ts";
import type { Rollup } from "./rollup.ts";

/*
 * A rollup as bytes: version, a byte of flags, then only what the flags say is there. Whole numbers are LEB128, moments microseconds after `firstUs`,
 * doubles little-endian. An hour of one event takes some 30 bytes, a busy one some 90.
 */

const VERSION = 1;
/** Beyond any sum's number of components (2,098 bits of 53). */
const PARTS_MAX = 64;

const FLAGS = {
  hasFirst: 1,
  hasLast: 2,
  hasNumbers: 4,
  hasSpread: 8,
  hasHeld: 16,
  hasOn: 32,
  isOn: 64,
  holdsNumber: 128,
} as const;
const TYPES = ["none", "number", "false", "true"] as const;

export function encodeRollup(rollup: Rollup): Uint8Array {
  const { count, numbers, min, max, first, last, heldUs, onUs, firstUs, lastUs, hold } = rollup;
  const bytes: number[] = [VERSION];
  let flags = 0;
  if (first) flags |= FLAGS.hasFirst;
  if (last && last.atUs !== first?.atUs) flags |= FLAGS.hasLast;
  if (numbers > 0) flags |= FLAGS.hasNumbers;
  if (numbers > 0 && min !== max) flags |= FLAGS.hasSpread;
  if (heldUs > 0) flags |= FLAGS.hasHeld;
  if (onUs > 0) flags |= FLAGS.hasOn;
  if (hold.isOn) flags |= FLAGS.isOn;
  if (hold.number !== undefined) flags |= FLAGS.holdsNumber;
  bytes.push(flags);
  putDouble(bytes, firstUs);
  putWhole(bytes, lastUs - firstUs);
  putWhole(bytes, count);
  if (first) putSample(bytes, first, firstUs);
  if (flags & FLAGS.hasLast && last) putSample(bytes, last, firstUs);
  if (flags & FLAGS.hasNumbers) {
    putWhole(bytes, numbers);
    putSum(bytes, rollup.sum);
    putDouble(bytes, min);
  }
  if (flags & FLAGS.hasSpread) putDouble(bytes, max);
  if (flags & FLAGS.hasHeld) {
    putWhole(bytes, heldUs);
    putSum(bytes, rollup.integral);
  }
  if (flags & FLAGS.hasOn) putWhole(bytes, onUs);
  if (hold.number !== undefined) putDouble(bytes, hold.number);
  // 0: until the next event.
  putWhole(bytes, Number.isFinite(hold.untilUs) ? hold.untilUs - firstUs : 0);
  return Uint8Array.from(bytes);
}

/** @throws HearthlineError `store_damaged` for bytes that `encodeRollup` of this version did not write */
export function decodeRollup(bytes: Uint8Array): Rollup {
  const from = readerOf(bytes);
  const version = from.byte();
  if (version !== VERSION) throw damaged(`it has version "${version}"`);
  const flags = from.byte();
  const has = (flag: keyof typeof FLAGS): boolean => (flags & FLAGS[flag]) !== 0;
  const firstUs = from.double();
  const lastUs = firstUs + from.whole();
  const own = { ...createGathered(), count: from.whole() };
  if (has("hasFirst")) own.first = own.last = from.sample(firstUs);
  if (has("hasLast")) own.last = from.sample(firstUs);
  if (has("hasNumbers")) {
    own.numbers = from.whole();
    own.sum = from.sum();
    own.min = own.max = from.double();
  }
  if (has("hasSpread")) own.max = from.double();
  if (has("hasHeld")) {
    own.heldUs = from.whole();
    own.integral = from.sum();
  }
  if (has("hasOn")) own.onUs = from.whole();
  const number = has("holdsNumber") ? { number: from.double() } : {};
  const limit = from.whole();
  const hold = { isOn: has("isOn"), untilUs: limit === 0 ? Number.POSITIVE_INFINITY : firstUs + limit, ...number };
  from.end();
  return { ...own, firstUs, lastUs, hold };
}

const eight = new DataView(new ArrayBuffer(8));
const eightBytes = new Uint8Array(eight.buffer);

function putDouble(bytes: number[], value: number): void {
  eight.setFloat64(0, value, true);
  for (const byte of eightBytes) bytes.push(byte);
}

function putWhole(bytes: number[], whole: number): void {
  let rest = whole;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push(128 + (rest % 128));
  bytes.push(rest);
}

function putSum(bytes: number[], { small, large }: ExactSum): void {
  for (const parts of [small, large]) {
    putWhole(bytes, parts.length);
    for (const part of parts) putDouble(bytes, part);
  }
}

function putSample(bytes: number[], { atUs, state, value }: Sample, firstUs: number): void {
  putWhole(bytes, atUs - firstUs);
  if (!putAscii(bytes, state)) {
    // UTF-8 would lose a lone surrogate.
    const isUtf8 = state.isWellFormed();
    const text = Buffer.from(state, isUtf8 ? "utf8" : "utf16le");
    putWhole(bytes, 2 * text.length + Number(!isUtf8));
    for (const byte of text) bytes.push(byte);
  }
  bytes.push(TYPES.indexOf(value === undefined ? "none" : typeof value === "number" ? "number" : `${value}`));
  if (typeof value === "number") putDouble(bytes, value);
}

/** Most states are numbers and words: no buffer is made for them. False, and nothing written, where there is another character. */
function putAscii(bytes: number[], text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 127) return false;
  putWhole(bytes, 2 * text.length);
  for (let at = 0; at < text.length; at++) bytes.push(text.charCodeAt(at));
  return true;
}

function readerOf(bytes: Uint8Array) {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const take = (count: number): number => {
    if (count > buffer.length - at) throw damaged("it ends too early");
    at += count;
    return at - count;
  };
  const byte = (): number => buffer.readUInt8(take(1));
  const double = (): number => buffer.readDoubleLE(take(8));
  function whole(): number {
    let value = 0;
    for (let unit = 1; ; unit *= 128) {
      const next = byte();
      value += (next % 128) * unit;
      if (!Number.isSafeInteger(value)) throw damaged("it has a number beyond 2^53");
      if (next < 128) return value;
    }
  }
  function parts(): number[] {
    const count = whole();
    if (count > PARTS_MAX) throw damaged(`it has a sum of ${count} parts`);
    return Array.from({ length: count }, double);
  }
  function sample(firstUs: number): Sample {
    const atUs = firstUs + whole();
    const length = whole();
    const start = take(Math.floor(length / 2));
    const state = buffer.toString(length % 2 === 1 ? "utf16le" : "utf8", start, at);
    const type = TYPES[byte()];
    if (type === undefined) throw damaged("it has a value of no known type");
    if (type === "none") return { atUs, state };
    return { atUs, state, value: type === "number" ? double() : type === "true" };
  }
  const end = (): void => {
    if (at !== buffer.length) throw damaged(`it goes on for ${buffer.length - at} bytes`);
  };
  return { byte, double, whole, sample, end, sum: () => ({ small: parts(), large: parts() }) };
}

const damaged = (state: string): HearthlineError =>
  new HearthlineError(
    "store_damaged",
    `A rollup cannot be read: ${state}; wanted is to make it from its events again.`,
  );
