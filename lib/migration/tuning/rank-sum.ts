/**
 * Exact one-sided rank-sum test, ties included: the chance that, of all ways to deal these values into two groups of these sizes, `fresh` is as low as it is or lower. Small: `fresh` is lower than
 * `before`, and that is no noise. For groups of some dozens; 1 where one is empty.
 */
export function chanceOfLower(before: readonly number[], fresh: readonly number[]): number {
  if (before.length === 0 || fresh.length === 0) return 1;
  const all = [...before, ...fresh];
  const ranks = doubledRanks(all);
  const observed = ranks.slice(before.length).reduce((sum, rank) => sum + rank, 0);
  // ways[k][s]: how many choices of k values have doubled ranks that sum to s.
  const total = ranks.reduce((sum, rank) => sum + rank, 0);
  const ways = Array.from({ length: fresh.length + 1 }, () => new Float64Array(total + 1));
  const [none] = ways;
  if (none) none[0] = 1;
  for (const rank of ranks)
    for (let k = fresh.length; k > 0; k--) {
      const [into, from] = [ways[k], ways[k - 1]];
      if (!into || !from) continue;
      for (let sum = total; sum >= rank; sum--) into[sum] = (into[sum] ?? 0) + (from[sum - rank] ?? 0);
    }
  const chosen = ways[fresh.length] ?? new Float64Array(0);
  const sumOf = (counts: Float64Array) => counts.reduce((sum, count) => sum + count, 0);
  return sumOf(chosen.slice(0, observed + 1)) / sumOf(chosen);
}

/** Twice the rank of each, so that the mean rank of two equal ones is whole. */
function doubledRanks(values: readonly number[]): number[] {
  const sorted = values.toSorted((a, b) => a - b);
  const first = new Map<number, number>();
  const count = new Map<number, number>();
  for (const [i, value] of sorted.entries()) {
    if (!first.has(value)) first.set(value, i + 1);
    count.set(value, (count.get(value) ?? 0) + 1);
  }
  return values.map((value) => 2 * (first.get(value) ?? 0) + (count.get(value) ?? 1) - 1);
}
