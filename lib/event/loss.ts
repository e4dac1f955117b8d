/** A stretch of sequence numbers whose records are gone, both ends included. `count` may differ from its length: see `LossRecord`. */
export interface LostRange {
  readonly first: number;
  readonly last: number;
  readonly count: number;
  readonly reason: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** More separate stretches are not told apart (chosen by us: loss records must not fill the spool that they protect). */
export const LOST_RANGES_MAX = 64;
const REASON_MAX_CHARACTERS = 200;

/** Stretches that touch or overlap become one; ascending. Counts are added, reasons joined. */
export function mergeLostRanges(ranges: readonly LostRange[]): LostRange[] {
  const merged: LostRange[] = [];
  for (const range of ranges.toSorted((a, b) => a.first - b.first)) {
    const before = merged.at(-1);
    if (before && before.last + 1 >= range.first) merged.splice(-1, 1, joined(before, range));
    else merged.push(range);
  }
  while (merged.length > LOST_RANGES_MAX) {
    const [oldest, next] = merged;
    if (oldest && next) merged.splice(0, 2, joined(oldest, next));
  }
  return merged;
}

function joined(a: LostRange, b: LostRange): LostRange {
  const reasons = new Set([...a.reason.split("; "), ...b.reason.split("; ")]);
  return {
    first: Math.min(a.first, b.first),
    last: Math.max(a.last, b.last),
    count: a.count + b.count,
    reason: [...reasons].join("; ").slice(0, REASON_MAX_CHARACTERS),
    fromMs: Math.min(a.fromMs, b.fromMs),
    toMs: Math.max(a.toMs, b.toMs),
  };
}
