/**
 * Sets of whole numbers as ranges: ascending, disjoint, not touching; both ends included. The same set always has the same ranges,
 * so merging is free of order and merging again changes nothing.
 */

/** Sequence numbers, both ends included. */
export type SequenceRange = readonly [first: number, last: number];

/** The union. O(a + b): both lists are in order. */
export function mergeRanges(a: readonly SequenceRange[], b: readonly SequenceRange[]): SequenceRange[] {
  const merged: [number, number][] = [];
  let atA = 0;
  let atB = 0;
  while (atA < a.length || atB < b.length) {
    const nextA = a[atA];
    const nextB = b[atB];
    const takesA = nextB === undefined || (nextA !== undefined && nextA[0] <= nextB[0]);
    const next = takesA ? nextA : nextB;
    if (takesA) atA++;
    else atB++;
    if (next === undefined) break;
    const last = merged.at(-1);
    if (last && next[0] <= last[1] + 1) last[1] = Math.max(last[1], next[1]);
    else merged.push([next[0], next[1]]);
  }
  return merged;
}

/** Any ranges, in any order, overlapping or not, as a set. */
export function normalRanges(ranges: readonly SequenceRange[]): SequenceRange[] {
  return mergeRanges(
    [...ranges].sort((a, b) => a[0] - b[0]),
    [],
  );
}

/** Is every number of `range` in the set? O(log n). */
export function coversRange(ranges: readonly SequenceRange[], range: SequenceRange): boolean {
  let low = 0;
  let high = ranges.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const [first, last] = ranges[middle] ?? [0, 0];
    if (range[0] < first) high = middle - 1;
    else if (range[0] > last) low = middle + 1;
    else return range[1] <= last;
  }
  return false;
}

/** The parts of `range` that are in the set, and those that are not; both in order. */
export function splitRange(
  [first, last]: SequenceRange,
  ranges: readonly SequenceRange[],
): { readonly inside: SequenceRange[]; readonly outside: SequenceRange[] } {
  const inside: SequenceRange[] = [];
  const outside: SequenceRange[] = [];
  let next = first;
  for (const [from, to] of ranges) {
    if (to < next) continue;
    if (from > last) break;
    if (from > next) outside.push([next, from - 1]);
    inside.push([Math.max(from, next), Math.min(to, last)]);
    next = to + 1;
  }
  if (next <= last) outside.push([next, last]);
  return { inside, outside };
}

/** How many numbers the set has. */
export const countOfRanges = (ranges: readonly SequenceRange[]): number =>
  ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);

/** The numbers from 1 to the highest of the set that are not in it, as ranges. */
export function gapsOf(ranges: readonly SequenceRange[]): SequenceRange[] {
  const gaps: SequenceRange[] = [];
  let next = 1;
  for (const [first, last] of ranges) {
    if (first > next) gaps.push([next, first - 1]);
    next = last + 1;
  }
  return gaps;
}

/** N of "complete up to N": 0 when 1 itself is missing. */
export const completeUpTo = (ranges: readonly SequenceRange[]): number => (ranges[0]?.[0] === 1 ? ranges[0][1] : 0);
