import { hash } from "node:crypto";
import type { Microseconds } from "../base/time.ts";
import type { HomeEvent } from "../event/index.ts";
import { canonicalJson, canonicalText } from "./canonical.ts";

/** The events of one home from `fromUs` for a tile's width: how many, and two sums modulo 2^64 of hashes of their canonical rows. Sums add up: tiles merge in any order. */
export interface Tile {
  readonly fromUs: Microseconds;
  readonly count: number;
  readonly sumA: bigint;
  readonly sumB: bigint;
}

export interface Tiles {
  /** In any order; each natural key once. */
  add(event: HomeEvent): void;
  /** Ascending, none empty. */
  finish(): Tile[];
}

/** Tile k holds the events from k * `widthUs` to (k + 1) * `widthUs`. */
export function createTiles(widthUs: Microseconds): Tiles {
  const tiles = new Map<number, Tile>();
  // Many events share one object of attributes, where a store keeps each set once.
  const texts = new WeakMap<object, string>();
  const attributesText = (event: HomeEvent): string => {
    const known = texts.get(event.attributes);
    if (known !== undefined) return known;
    const text = canonicalJson(event.attributes);
    texts.set(event.attributes, text);
    return text;
  };
  return {
    add: (event) => {
      const digest = hash("sha256", canonicalText(event, attributesText(event)), "buffer");
      const fromUs = Math.floor(event.atUs / widthUs) * widthUs;
      const one = { fromUs, count: 1, sumA: digest.readBigUInt64BE(0), sumB: digest.readBigUInt64BE(8) };
      const there = tiles.get(fromUs);
      tiles.set(fromUs, there ? addTiles(there, one) : one);
    },
    finish: () => [...tiles.values()].sort((a, b) => a.fromUs - b.fromUs),
  };
}

/** The tiles of two sets of events that have no natural key in common, of one width. Both ascend, and so does the result. */
export function mergeTiles(a: readonly Tile[], b: readonly Tile[]): Tile[] {
  const tiles = new Map(a.map((tile) => [tile.fromUs, tile]));
  for (const tile of b) {
    const there = tiles.get(tile.fromUs);
    tiles.set(tile.fromUs, there ? addTiles(there, tile) : tile);
  }
  return [...tiles.values()].sort((left, right) => left.fromUs - right.fromUs);
}

const addTiles = (a: Tile, b: Tile): Tile => ({
  fromUs: a.fromUs,
  count: a.count + b.count,
  sumA: BigInt.asUintN(64, a.sumA + b.sumA),
  sumB: BigInt.asUintN(64, a.sumB + b.sumB),
});
