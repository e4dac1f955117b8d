import type { HomeEvent } from "../event/index.ts";
import { addProduct, addSum, addTo, createSum, type ExactSum } from "./exact-sum.ts";
import { type Hold, isSample, numberOf, type Sample, sampleOf } from "./meaning.ts";

/** What is gathered of one entity's events in a window, or in an hour. */
export interface Gathered {
  /** Events but for removals; the first and the last of them. */
  count: number;
  first: Sample | undefined;
  last: Sample | undefined;
  /** How many of them are numbers, and these. Without any: infinities, the upper one in `min`. */
  numbers: number;
  readonly sum: ExactSum;
  min: number;
  max: number;
  /** For how many microseconds there was a number, and its integral over them. */
  heldUs: number;
  readonly integral: ExactSum;
  /** For how many microseconds the value was true. */
  onUs: number;
}

export const createGathered = (): Gathered => ({
  count: 0,
  numbers: 0,
  sum: createSum(),
  min: Number.POSITIVE_INFINITY,
  max: Number.NEGATIVE_INFINITY,
  first: undefined,
  last: undefined,
  heldUs: 0,
  integral: createSum(),
  onUs: 0,
});

/** Something is held for a while. */
export function holdFor(into: Pick<Gathered, "heldUs" | "integral" | "onUs">, held: Hold, forUs: number): void {
  if (held.isOn) into.onUs += forUs;
  if (held.number === undefined) return;
  into.heldUs += forUs;
  addProduct(into.integral, held.number, forUs);
}

/** All that has no duration. */
type Counted = Omit<Gathered, "heldUs" | "integral" | "onUs">;

/** Counts one event. */
export function gather(into: Counted, event: HomeEvent): void {
  if (!isSample(event)) return;
  into.count++;
  into.last = sampleOf(event);
  into.first ??= into.last;
  const number = numberOf(event);
  if (number === undefined) return;
  into.numbers++;
  into.min = Math.min(into.min, number);
  into.max = Math.max(into.max, number);
  addTo(into.sum, number);
}

/** Counts the events of a part that comes after all that was counted. */
export function gatherPart(into: Gathered, part: Readonly<Gathered>): void {
  into.count += part.count;
  into.numbers += part.numbers;
  into.min = Math.min(into.min, part.min);
  into.max = Math.max(into.max, part.max);
  into.first ??= part.first;
  into.last = part.last ?? into.last;
  into.heldUs += part.heldUs;
  into.onUs += part.onUs;
  addSum(into.sum, part.sum);
  addSum(into.integral, part.integral);
}
