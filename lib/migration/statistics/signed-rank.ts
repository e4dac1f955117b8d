import { normalCdf } from "./normal.ts";

export interface SignedRank {
  /** Pairs that differ. */
  readonly count: number;
  /** Sum of the ranks of those above zero. */
  readonly above: number;
  /** Two-sided: the chance of a sum so far off if differences were symmetric about zero. For one look: looked at again and again it is no proof. */
  readonly p: number;
}

/**
 * Wilcoxon's signed-rank test (1945): zeros left out, ties share their rank, the normal approximation with correction for ties and continuity; exact by enumeration up to 12 differences without ties.
 */
export function signedRank(differences: readonly number[]): SignedRank {
  const sorted = differences.filter((one) => one !== 0).sort((a, b) => Math.abs(a) - Math.abs(b));
  const n = sorted.length;
  let above = 0;
  let ties = 0;
  for (let from = 0; from < n; ) {
    let to = from + 1;
    while (to < n && Math.abs(sorted[to] ?? 0) === Math.abs(sorted[from] ?? 0)) to++;
    const rank = (from + 1 + to) / 2;
    for (let i = from; i < to; i++) if ((sorted[i] ?? 0) > 0) above += rank;
    const size = to - from;
    ties += size ** 3 - size;
    from = to;
  }
  if (n === 0) return { count: 0, above: 0, p: 1 };
  if (n <= 12 && ties === 0) return { count: n, above, p: exact(n, above) };
  const off = Math.max(0, Math.abs(above - (n * (n + 1)) / 4) - 0.5);
  const variance = (n * (n + 1) * (2 * n + 1)) / 24 - ties / 48;
  return { count: n, above, p: Math.min(1, 2 * normalCdf(-off / Math.sqrt(variance))) };
}

/** Of all 2^n ways to sign the ranks, the share whose sum is at least as far from the middle. */
function exact(n: number, above: number): number {
  const total = (n * (n + 1)) / 2;
  let ways = [1];
  for (let rank = 1; rank <= n; rank++) {
    const next = Array.from({ length: ways.length + rank }, (_, sum) => (ways[sum] ?? 0) + (ways[sum - rank] ?? 0));
    ways = next;
  }
  const off = Math.abs(above - total / 2);
  const far = ways.reduce((sum, count, i) => sum + (Math.abs(i - total / 2) >= off ? count : 0), 0);
  return far / 2 ** n;
}
