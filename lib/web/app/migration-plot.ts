import type { WireMigrationMetrics } from "../../api/index.ts";

type Reads = WireMigrationMetrics["reads"][number];

export interface RatioPoint {
  /** Percent of the width. */
  readonly x: number;
  /** Percent of the height, from above. */
  readonly y: number;
  readonly low: number | undefined;
  readonly high: number | undefined;
  readonly says: string;
}

export interface RatioPlot {
  readonly query: string;
  readonly points: readonly RatioPoint[];
  /** Where NEW takes as long as OLD. */
  readonly evenY: number;
  /** Where it is taken back. */
  readonly limitY: number;
}

const LEAST = 0.8;

/** NEW's time over OLD's of one kind of read, span by span, on a scale of ratios: twice as fast is as far from even as twice as slow. */
export function ratioPlots(reads: readonly Reads[], limit: number): RatioPlot[] {
  const known = reads.filter(({ ratio }) => ratio !== null);
  return [...Map.groupBy(known, ({ query }) => query)].map(([query, all]) => {
    const values = all.flatMap(({ ratio, low, high }) => [ratio ?? 1, low ?? 1, high ?? 1]);
    const [least, most] = [Math.log(Math.min(LEAST, ...values)), Math.log(Math.max(limit * 1.1, ...values))];
    const y = (ratio: number) => 100 * (1 - (Math.log(ratio) - least) / (most - least));
    const times = all.map(({ from, to }) => (Date.parse(from) + Date.parse(to)) / 2);
    const [first, last] = [Math.min(...times), Math.max(...times)];
    const points = all.map(({ ratio, low, high, pairs }, index) => ({
      x: last > first ? 2 + (96 * ((times[index] ?? first) - first)) / (last - first) : 50,
      y: y(ratio ?? 1),
      low: low === null ? undefined : y(low),
      high: high === null ? undefined : y(high),
      says: `${(ratio ?? 1).toFixed(2)}${low === null || high === null ? "" : ` (${low.toFixed(2)} to ${high.toFixed(2)})`}, ${pairs} pairs`,
    }));
    return { query, points, evenY: y(1), limitY: y(limit) };
  });
}

/** Above it a migration goes back by itself; of the plan's members, which the page knows as JSON only. */
export function limitOf(plan: Readonly<Record<string, unknown>>): number {
  const { rollback_percent: percent } = (plan.thresholds ?? {}) as { readonly rollback_percent?: unknown };
  return 1 + (typeof percent === "number" && percent > 0 ? percent : 20) / 100;
}
