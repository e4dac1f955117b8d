import type { WireMigrationReport } from "../api/ports.ts";
import { formatIsoUs, type Microseconds } from "../base/time.ts";
import type { ReadPair } from "./types.ts";

/**
 * What reads that both sides were asked say over time, for people to look at. Verdicts rest on bounds that hold at every look (statistics/);
 * the intervals here are each of its own span alone.
 */

type Reads = WireMigrationReport["reads"][number];

export interface Spans {
  readonly fromUs: Microseconds;
  readonly toUs: Microseconds;
  /** At most so many, of equal length; fewer where each would hold too few pairs to have bounds worth looking at. */
  readonly spans: number;
}

const SPANS_MIN = 6;
const PAIRS_IN_SPAN = 20;

/** By query, then time; spans without a pair are left out. */
export function readsOver(pairs: readonly ReadPair[], { fromUs, toUs, spans }: Spans): Reads[] {
  const within = pairs.filter(({ atUs }) => atUs >= fromUs && atUs <= toUs);
  const byQuery = Map.groupBy(within, ({ query }) => query);
  return [...byQuery].toSorted(byName).flatMap(([query, ofQuery]) => {
    const wanted = Math.min(spans, Math.max(SPANS_MIN, Math.floor(ofQuery.length / PAIRS_IN_SPAN)));
    const widthUs = Math.max(1, Math.ceil((toUs - fromUs + 1) / wanted));
    const bySpan = Map.groupBy(ofQuery, ({ atUs }) => Math.floor((atUs - fromUs) / widthUs));
    return [...bySpan]
      .toSorted(([a], [b]) => a - b)
      .map(([span, ofSpan]) => ({
        query,
        from: formatIsoUs(fromUs + span * widthUs),
        to: formatIsoUs(Math.min(toUs, fromUs + (span + 1) * widthUs)),
        ...figuresOf(ofSpan),
      }));
  });
}

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1);

function figuresOf(pairs: readonly ReadPair[]): Omit<Reads, "query" | "from" | "to"> {
  const olds = pairs.flatMap(({ oldMs }) => oldMs ?? []);
  const news = pairs.flatMap(({ newMs }) => newMs ?? []);
  const logs = pairs.flatMap(({ oldMs, newMs }) =>
    oldMs === undefined || newMs === undefined ? [] : Math.log(timed(newMs) / timed(oldMs)),
  );
  return {
    pairs: pairs.length,
    ...ratioOf(logs),
    old_p95_ms: p95(olds),
    new_p95_ms: p95(news),
    old_errors: pairs.filter(({ oldError }) => oldError !== undefined).length,
    new_errors: pairs.filter(({ newError }) => newError !== undefined).length,
    unequal: pairs.filter(({ isEqual }) => isEqual === false).length,
  };
}

/** Clocks tick: what took no time at all took less than this. */
const TICK_MS = 0.001;
const timed = (ms: number): number => Math.max(TICK_MS, ms);

const PAIRS_FOR_BOUNDS = 5;

function ratioOf(logs: readonly number[]): Pick<Reads, "ratio" | "low" | "high"> {
  const count = logs.length;
  if (count === 0) return { ratio: null, low: null, high: null };
  const mean = logs.reduce((sum, log) => sum + log, 0) / count;
  if (count < PAIRS_FOR_BOUNDS) return { ratio: Math.exp(mean), low: null, high: null };
  const variance = logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / (count - 1);
  const half = student975(count - 1) * Math.sqrt(variance / count);
  return { ratio: Math.exp(mean), low: Math.exp(mean - half), high: Math.exp(mean + half) };
}

/** The 97.5 % quantile of Student's t, by the first terms of its Cornish-Fisher expansion (Abramowitz and Stegun 26.7.5): 2 % too small at 4 degrees, 0.02 % at 20. */
const student975 = (degrees: number): number => 1.959964 + 2.372253 / degrees + 2.822527 / degrees ** 2;

function p95(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(0.95 * sorted.length) - 1)] ?? null;
}

/** Seconds in which a read got an answer of neither side: from each such read to the next that got one. */
export function downtimeSeconds(pairs: readonly ReadPair[]): number {
  const sorted = pairs.toSorted((a, b) => a.atUs - b.atUs);
  let downUs = 0;
  let sinceUs: Microseconds | undefined;
  for (const { atUs, oldError, newError } of sorted) {
    if (oldError !== undefined && newError !== undefined) sinceUs ??= atUs;
    else if (sinceUs !== undefined) {
      downUs += atUs - sinceUs;
      sinceUs = undefined;
    }
  }
  if (sinceUs !== undefined) downUs += (sorted.at(-1)?.atUs ?? sinceUs) - sinceUs;
  return downUs / 1e6;
}
