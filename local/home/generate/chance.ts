import type { Random } from "../../../lib/base/random.ts";

/** Chance without a memory: the same arguments give the same number, in whatever order they are asked. 32 bits. */
export function mix(a: number, b: number): number {
  let hash = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul((b + 0x165667b1) >>> 0, 0xc2b2ae35);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d);
  hash ^= hash >>> 12;
  hash = Math.imul(hash, 0x297a2d39);
  hash ^= hash >>> 15;
  return hash >>> 0;
}

/** As `mix`, for a text. */
export function mixText(a: number, text: string): number {
  let hash = a;
  for (let index = 0; index < text.length; index++) hash = mix(hash, text.charCodeAt(index));
  return hash;
}

/** As `mix`, for a whole number beyond 32 bits: both halves count. */
export const mixWide = (a: number, wide: number): number => mix(mix(a, Math.floor(wide / 4_294_967_296)), wide >>> 0);

/** A number in [0, 1) from `mix`. */
export const unit = (hash: number): number => hash / 4_294_967_296;

/** Normally distributed (Box-Muller). */
export const normal = (random: Random, mean: number, deviation: number): number =>
  mean + deviation * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/** Evenly between `from` and `to`. */
export const between = (random: Random, from: number, to: number): number => from + (to - from) * random();

/** How often something happens, of a Poisson distribution; meant for small means. */
export function poisson(random: Random, mean: number): number {
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = random(); product > limit; product *= random()) count++;
  return count;
}

/** Waits between things that happen at random, of this mean. */
export const exponential = (random: Random, mean: number): number => -mean * Math.log(1 - random());

const LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** A ULID: 48 bits of milliseconds and 80 bits that follow from `key`, as Home Assistant's context ids. */
export function ulidAt(ms: number, key: number): string {
  let head = "";
  for (let rest = Math.floor(ms), index = 0; index < 10; index++) {
    head = LETTERS.charAt(rest % 32) + head;
    rest = Math.floor(rest / 32);
  }
  let tail = "";
  for (let part = 0; part < 4; part++) {
    let bits = mix(key, part + 1);
    for (let letter = 0; letter < 4; letter++, bits >>>= 5) tail += LETTERS.charAt(bits & 31);
  }
  return head + tail;
}

/** 32 hexadecimal digits that follow from `key`: an id of a registry. */
export const hexId = (key: number): string =>
  [1, 2, 3, 4].map((part) => mix(key, part).toString(16).padStart(8, "0")).join("");
