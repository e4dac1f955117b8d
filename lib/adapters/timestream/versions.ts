import { type HomeEvent, rankOf } from "../../event/index.ts";

/**
 * Timestream keeps, of the records of one key, the one with the highest version. Ours is the event's rank in the high bits and the moment of writing in the low
 * ones: the higher rank stays, of equal ranks the later write. 53 bits in all, so that JSON's numbers and JavaScript's carry it exactly.
 */
const RANK_STEP = 2 ** 50;
/** Ticks of 8 µs since 1970: 50 bits last until the year 2255. */
const TICKS_A_MS = 125;

/** Moments of writing, each higher than the one before, whatever the clock does. Between two writers their clocks decide. */
export function createStamps(nowMs: () => number): () => number {
  let last = 0;
  return () => {
    last = Math.max(last + 1, Math.floor(nowMs() * TICKS_A_MS));
    return last;
  };
}

export const versionOf = (event: HomeEvent, stamp: number): number => rankOf(event) * RANK_STEP + stamp;

export const isOfSameRank = (a: number, b: number): boolean => Math.floor(a / RANK_STEP) === Math.floor(b / RANK_STEP);
