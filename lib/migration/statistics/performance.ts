import type { Microseconds } from "../../base/time.ts";
import {
  type CentreSums,
  centreOf,
  logRatio,
  mergeCentres,
  NO_CENTRE,
  NO_SPREAD,
  type Spread,
  withCentreBlock,
  withSpread,
} from "./centre.ts";
import { type Latencies, NO_LATENCIES, quantileMs, withLatencies } from "./latencies.ts";
import { isTailSums, mergeTails, NO_TAIL, type TailSums, withTailBlock } from "./tail.ts";

/** Both figures of one span of time. */
export interface Evidence {
  readonly centre: CentreSums;
  readonly tail: TailSums;
}

/** What is kept of one kind of query: bounded, JSON. */
export interface KindSummary {
  /** Of stages that are over, and of this one: together the whole. */
  readonly past: Evidence;
  readonly stage: Evidence;
  readonly spread: Spread;
  readonly old: Latencies;
  readonly new: Latencies;
}

export interface MeasuredPair {
  readonly atUs: Microseconds;
  readonly oldMs: number;
  readonly newMs: number;
}

const NOTHING: Evidence = { centre: NO_CENTRE, tail: NO_TAIL };

export const NO_KIND: KindSummary = {
  past: NOTHING,
  stage: NOTHING,
  spread: NO_SPREAD,
  old: NO_LATENCIES,
  new: NO_LATENCIES,
};

/** Pairs that are made together share their luck: so many at most, of so long, are one block, which counts as one observation. */
const BLOCK_PAIRS = 5;
const BLOCK_US = 60_000_000;
/** The tail is judged when OLD's p95 rests on so many times. */
const TAIL_FROM = 40;
export const SLOW_SHARE = 0.95;
/** After so many pairs it is looked up anew. */
const CHUNK = 50;
const CLOCK_MS = 0.01;

export const merge = (a: Evidence, b: Evidence): Evidence => ({
  centre: mergeCentres(a.centre, b.centre),
  tail: mergeTails(a.tail, b.tail),
});

/** Another stage begins: what is known stays, and the new one starts with nothing. */
export const withNewStage = (summary: KindSummary): KindSummary => ({
  ...summary,
  past: merge(summary.past, summary.stage),
  stage: NOTHING,
});

/** What must hold of a summary that was kept, else it is of another version. */
export const isKindSummary = ({ past, stage }: KindSummary): boolean =>
  isTailSums(past.tail) && isTailSums(stage.tail) && past.centre.pairs >= 0 && stage.centre.pairs >= 0;

/** With pairs ascending by time; those from before `sinceUs` belong to the past. Times below `floorMs` count as `floorMs`. */
export function withMeasured(
  summary: KindSummary,
  pairs: readonly MeasuredPair[],
  span: { readonly sinceUs: Microseconds; readonly floorMs: number },
): KindSummary {
  let next = summary;
  for (let i = 0; i < pairs.length; i += CHUNK) next = withChunk(next, pairs.slice(i, i + CHUNK), span);
  return next;
}

function withChunk(
  summary: KindSummary,
  chunk: readonly MeasuredPair[],
  { sinceUs, floorMs }: { readonly sinceUs: Microseconds; readonly floorMs: number },
): KindSummary {
  // Nothing takes no time; a clock of coarse steps may say so.
  const lift = (ms: number): number => Math.max(CLOCK_MS, floorMs, ms);
  const lifted = chunk.map(({ atUs, oldMs, newMs }) => ({ atUs, oldMs: lift(oldMs), newMs: lift(newMs) }));
  const slowMs = summary.old.count < TAIL_FROM ? undefined : lift(quantileMs(summary.old, SLOW_SHARE) ?? 0);
  let next = summary;
  for (const block of blocksOf(lifted, sinceUs)) {
    const name = (block[0]?.atUs ?? 0) < sinceUs ? "past" : "stage";
    const { centre, tail } = next[name];
    const ratios = block.map(({ oldMs, newMs }) => logRatio(oldMs, newMs));
    const usual = centreOf(mergeCentres(next.past.centre, next.stage.centre));
    next = {
      ...next,
      [name]: {
        centre: withCentreBlock(centre, ratios, next.spread),
        tail: slowMs === undefined ? tail : withTailBlock(tail, block, slowMs),
      },
      spread: withSpread(next.spread, ratios, usual),
    };
  }
  const times = (of: "oldMs" | "newMs") => chunk.map((pair) => Math.max(CLOCK_MS, pair[of]));
  return { ...next, old: withLatencies(summary.old, times("oldMs")), new: withLatencies(summary.new, times("newMs")) };
}

/** Neighbours of one stage; a block never crosses into the next. */
function blocksOf(pairs: readonly MeasuredPair[], sinceUs: Microseconds): readonly (readonly MeasuredPair[])[] {
  const blocks: MeasuredPair[][] = [];
  let open: MeasuredPair[] = [];
  for (const pair of pairs) {
    const first = open[0];
    const isNext =
      first === undefined ||
      open.length >= BLOCK_PAIRS ||
      pair.atUs - first.atUs > BLOCK_US ||
      first.atUs < sinceUs !== pair.atUs < sinceUs;
    if (isNext) {
      open = [];
      blocks.push(open);
    }
    open.push(pair);
  }
  return blocks;
}
