/**
 * Times in buckets whose width is 2 % of them: bounded whatever comes, and merged by adding. `counts` by bucket number, a bucket's upper end being exp(number * WIDTH) milliseconds, which belongs to it.
 */
export interface Latencies {
  readonly count: number;
  readonly counts: Readonly<Record<string, number>>;
}

export const NO_LATENCIES: Latencies = { count: 0, counts: {} };

const WIDTH = 0.02;
/** 10 microseconds to 11 hours. */
const [FIRST, LAST] = [-576, 873];

const bucketOf = (ms: number): number => Math.min(LAST, Math.max(FIRST, Math.ceil(Math.log(ms) / WIDTH)));

export function withLatencies(old: Latencies, timesMs: readonly number[]): Latencies {
  const counts: Record<string, number> = { ...old.counts };
  for (const ms of timesMs) {
    const bucket = bucketOf(ms);
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  }
  return { count: old.count + timesMs.length, counts };
}

/** Milliseconds, the lower end of its bucket: at most 2 % too low, and reached by what lies in it; undefined of none. */
export function quantileMs({ count, counts }: Latencies, share: number): number | undefined {
  if (count === 0) return undefined;
  const wanted = Math.max(1, Math.ceil(share * count));
  let seen = 0;
  for (const bucket of Object.keys(counts)
    .map(Number)
    .sort((a, b) => a - b)) {
    seen += counts[bucket] ?? 0;
    if (seen >= wanted) return Math.exp((bucket - 1) * WIDTH);
  }
  return undefined;
}
