/** Times of day, added up: a multiset of tenths of a minute (0 to 14399), exact while there are few, else counted in bins of five minutes. */
export type Minutes = readonly number[] | { readonly bins: Readonly<Record<string, number>> };

const TENTHS = 10;
const DAY_TENTHS = 14_400;
const LIST_MAX = 96;
const BIN_TENTHS = 50;

export const tenthsOf = (minute: number): number => Math.round(minute * TENTHS) % DAY_TENTHS;

/** What it is depends on the multiset alone: adding is exact, in any order. */
export function minutesOf(tenths: readonly number[]): Minutes {
  if (tenths.length <= LIST_MAX) return [...tenths].sort((a, b) => a - b);
  return { bins: sorted(binned(tenths)) };
}

export function addMinutes(parts: readonly Minutes[]): Minutes {
  const lists = parts.filter((part): part is readonly number[] => "length" in part);
  const total = parts.reduce((sum, part) => sum + countOf(part), 0);
  if (lists.length === parts.length && total <= LIST_MAX) return minutesOf(lists.flat());
  const sums = binned(lists.flat());
  for (const part of parts) {
    if ("length" in part) continue;
    for (const [bin, count] of Object.entries(part.bins)) sums.set(Number(bin), (sums.get(Number(bin)) ?? 0) + count);
  }
  return { bins: sorted(sums) };
}

export const countOf = (minutes: Minutes): number =>
  "length" in minutes ? minutes.length : Object.values(minutes.bins).reduce((sum, count) => sum + count, 0);

/** Minutes of the day, ascending; of a bin its middle, once however many there are: a day counts an hour's events once. */
export function timesOf(minutes: Minutes): number[] {
  if ("length" in minutes) return minutes.map((tenths) => tenths / TENTHS);
  return Object.keys(minutes.bins).map((bin) => ((Number(bin) + 0.5) * BIN_TENTHS) / TENTHS);
}

function binned(tenths: readonly number[]): Map<number, number> {
  const bins = new Map<number, number>();
  for (const each of tenths) {
    const bin = Math.floor(each / BIN_TENTHS);
    bins.set(bin, (bins.get(bin) ?? 0) + 1);
  }
  return bins;
}

const sorted = (bins: ReadonlyMap<number, number>): Record<string, number> =>
  Object.fromEntries([...bins].sort((a, b) => a[0] - b[0]));
