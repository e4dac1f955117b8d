import type { Random } from "../../base/random.ts";
import { quantileRatio } from "./bootstrap.ts";
import type { Interval } from "./evidence.ts";
import type { Judgement } from "./judge-performance.ts";
import { quantileMs } from "./latencies.ts";
import { type KindSummary, SLOW_SHARE } from "./performance.ts";
import { type PairSample, pairsOf } from "./sample.ts";
import { signedRank } from "./signed-rank.ts";

const two = (value: number): string => value.toFixed(2);
const ms = (value: number | undefined): string => (value === undefined ? "?" : `${value.toPrecision(3)} ms`);

const boundsText = ({ low, high }: Interval): string => {
  if (low === undefined && high === undefined) return "no bounds yet";
  if (low === undefined) return `below ${two(high ?? 0)}`;
  return high === undefined ? `above ${two(low)}` : `between ${two(low)} and ${two(high)}`;
};

/** One sentence: what was judged, over what, and against what. */
export function judgementText(
  figure: string,
  { verdict, isRollback, span, interval, limit, pairs }: Judgement,
): string {
  if (interval.estimate === undefined) return `Nothing is known of ${figure} yet.`;
  const said = `${figure}: NEW takes ${two(interval.estimate)} times OLD's time (${boundsText(interval)}, every look counted) in ${pairs} pairs of ${span === "stage" ? "this stage" : "the migration"}`;
  if (verdict === "pass") return `${said}; shown to be below ${two(limit)}.`;
  if (verdict === "inconclusive") return `${said}; not yet shown to be below ${two(limit)}.`;
  return `${said}; shown to be above ${two(limit)}, ${isRollback ? "and as slow as what is taken back" : "but nearer to that than to what is taken back: a person decides"}.`;
}

/** What stands beside the judged figures and decides nothing: both sides' times, the bootstrap of the p95's ratio, the signed-rank test. */
export function besideText(summary: Pick<KindSummary, "old" | "new">, sample: PairSample, random: Random): string {
  const [p50, p95] = [0.5, SLOW_SHARE].map(
    (share) => `${ms(quantileMs(summary.old, share))} and ${ms(quantileMs(summary.new, share))}`,
  );
  const pairs = pairsOf(sample);
  const ratio = quantileRatio(pairs, { random, share: SLOW_SHARE });
  const { p, count } = signedRank(pairs.map(({ oldMs, newMs }) => newMs - oldMs));
  const drawn = ratio
    ? ` Of ${pairs.length} pairs drawn: p95 ${two(ratio.ratio)} times (bootstrap ${two(ratio.low)} to ${two(ratio.high)}), signed-rank p ${p.toPrecision(2)} of ${count}.`
    : "";
  return `OLD and NEW: median ${p50}, p95 ${p95}.${drawn}`;
}
