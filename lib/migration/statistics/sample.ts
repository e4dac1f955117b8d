import type { TimedPair } from "./tail.ts";

/**
 * So many pairs are kept as they came, for figures that need them: those with the smallest marks. A mark is made from the pair alone, so which are kept depends neither on the order nor on how they
 * came together, and the same pair is kept once.
 */
export interface PairSample {
  /** [mark, OLD's ms, NEW's ms], ascending by mark. */
  readonly kept: readonly (readonly [number, number, number])[];
}

export const NO_SAMPLE: PairSample = { kept: [] };

const KEPT_MAX = 300;

/** 32 bits of a text (FNV-1a). */
export function markOf(text: string): number {
  let mark = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) mark = Math.imul(mark ^ text.charCodeAt(i), 0x01000193);
  // Texts that differ in their last letter alone would be neighbours.
  mark = Math.imul(mark ^ (mark >>> 16), 0x85ebca6b);
  return (mark ^ (mark >>> 13)) >>> 0;
}

export interface MarkedPair extends TimedPair {
  readonly mark: number;
}

export function withPairs({ kept }: PairSample, pairs: readonly MarkedPair[]): PairSample {
  const marks = new Map(kept.map((one) => [one[0], one]));
  for (const { mark, oldMs, newMs } of pairs) marks.set(mark, [mark, round(oldMs), round(newMs)]);
  return { kept: [...marks.values()].sort((a, b) => a[0] - b[0]).slice(0, KEPT_MAX) };
}

const round = (ms: number): number => Math.round(ms * 1_000) / 1_000;

export const pairsOf = ({ kept }: PairSample): readonly TimedPair[] =>
  kept.map(([, oldMs, newMs]) => ({ oldMs, newMs }));
