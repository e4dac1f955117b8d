import type { Microseconds } from "../../base/time.ts";

/**
 * A hash of a comparable row: 128 bits as four 32-bit lanes, mixed with Murmur3's constants (public domain, Austin Appleby). Fast, not secret: it finds faults, not forgers (a SHA costs a hundred
 * times as much). Of rows that differ in one word (a bit, a character, a microsecond) no lane is ever equal before the last mixing, which can be undone: so they never collide.
 */
export interface RowHasher {
  /** The lanes of the row hashed last. */
  readonly lanes: Uint32Array;
  /** Time, text and entity each stand apart: the length of each is part of it. */
  hash(entityId: string, atUs: Microseconds, text: string): void;
}

/** Entities whose lanes are remembered; beyond it they are forgotten and made again. */
const ENTITIES_MAX = 20_000;
const HIGH = 2 ** 32;

export function createRowHasher(): RowHasher {
  const lanes = new Uint32Array(4);
  const entities = new Map<string, Uint32Array>();

  function start(entityId: string): Uint32Array {
    const known = entities.get(entityId);
    if (known) return known;
    if (entities.size >= ENTITIES_MAX) entities.clear();
    const made = Uint32Array.of(0x9747b28c, 0x3c6ef372, 0xdaa66d2b, 0x78dde6e4);
    absorbText(made, entityId);
    entities.set(entityId, made);
    return made;
  }

  return {
    lanes,
    hash: (entityId, atUs, text) => {
      lanes.set(start(entityId));
      const high = Math.floor(atUs / HIGH);
      absorb(lanes, atUs - high * HIGH);
      absorb(lanes, high);
      absorbText(lanes, text);
      finish(lanes);
    },
  };
}

/** Two characters a word, then the length: texts that only differ where they end do not look alike. */
function absorbText(lanes: Uint32Array, text: string): void {
  const { length } = text;
  let at = 0;
  for (; at + 1 < length; at += 2) absorb(lanes, text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16));
  if (at < length) absorb(lanes, text.charCodeAt(at));
  absorb(lanes, length);
}

function absorb(lanes: Uint32Array, word: number): void {
  const x = (lanes[0] as number) ^ Math.imul(word, 0x239b961b);
  const y = (lanes[1] as number) ^ Math.imul(word, 0xab0e9789);
  const z = (lanes[2] as number) ^ Math.imul(word, 0x38b34ae5);
  const w = (lanes[3] as number) ^ Math.imul(word, 0xa1e38b93);
  lanes[0] = Math.imul((x << 15) | (x >>> 17), 0x85ebca6b) + 0x561ccd1b;
  lanes[1] = Math.imul((y << 16) | (y >>> 16), 0xc2b2ae35) + 0x0bcaa747;
  lanes[2] = Math.imul((z << 17) | (z >>> 15), 0xcc9e2d51) + 0x96cd1c35;
  lanes[3] = Math.imul((w << 18) | (w >>> 14), 0x1b873593) + 0x32ac3b17;
}

/** Each lane into each other, so that sums of few rows have no pattern. */
function finish(lanes: Uint32Array): void {
  let b = lanes[1] as number;
  let c = lanes[2] as number;
  let d = lanes[3] as number;
  let a = ((lanes[0] as number) + b + c + d) | 0;
  b = (b + a) | 0;
  c = (c + a) | 0;
  d = (d + a) | 0;
  a = avalanche(a);
  b = avalanche(b);
  c = avalanche(c);
  d = avalanche(d);
  a = (a + b + c + d) | 0;
  lanes[0] = a;
  lanes[1] = (b + a) | 0;
  lanes[2] = (c + a) | 0;
  lanes[3] = (d + a) | 0;
}

function avalanche(lane: number): number {
  let mixed = lane ^ (lane >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
