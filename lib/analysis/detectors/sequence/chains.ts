import type { Token } from "../../patterns/types.ts";
import { parseToken, supported } from "../lines/candidates.ts";
import { type LinesDay, minuteAt } from "../lines/days.ts";
import { tokenOf } from "../lines/rows.ts";
import { adjustFalseDiscovery, binomialTail, quantileOf, wilsonLower } from "../statistics.ts";
import { chanceRate, goOn, type Run, startsOf, type Timeline, timelineOf } from "./timeline.ts";

/** A chain of steps, and how often it came to its end. */
export interface Chain {
  readonly steps: readonly Token[];
  readonly starts: readonly Run[];
  readonly complete: readonly Run[];
  readonly reliability: number;
  /** The largest of its links. */
  readonly q: number;
}

interface Open {
  readonly steps: readonly string[];
  readonly starts: readonly Run[];
  readonly runs: readonly Run[];
  readonly p: number;
}

export const LEAST_STEPS = 3;
const MOST_STEPS = 5;
const LEAST_RUNS = 5;
const LEAST_DAYS = 4;
/** Of the runs of a chain, so many go on with the next step. */
const LEAST_SHARE = 0.5;
/** What comes after three steps has to belong to them: else a step that comes and goes makes another chain each night. */
const LEAST_SHARE_OF_MORE = 0.8;
const LEAST_RELIABILITY = 0.4;
const MOST_Q = 0.01;
/** Links that are followed, and chains that are tried. Beyond, the rest is left: the strongest links come first. */
const MOST_LINKS = 1000;
const MOST_CHAINS = 5000;
/** A chain that belongs to a time of day is told for that time: at most so many hours. */
const MOST_BAND_SECONDS = 4 * 3600;
const BAND_MARGIN_SECONDS = 900;

/** Every chain of three to five steps of different entities that ends with a target. Complexity: O(chains tried times runs). */
export function chainsOf(days: readonly LinesDay[]): { readonly chains: Chain[]; readonly timeline: Timeline } {
  const timeline = timelineOf(days);
  const { candidates, family } = supported(days, {
    leastCount: LEAST_RUNS,
    leastDays: LEAST_DAYS,
    leastShare: 0.2,
    mostCandidates: MOST_LINKS,
  });
  const links = new Map<string, string[]>();
  for (const { trigger, target } of candidates) {
    const from = tokenOf(trigger.entityId, trigger.state);
    links.set(from, [...(links.get(from) ?? []), tokenOf(target.entityId, target.state)]);
  }
  const open: Open[] = [...links.keys()].map((token) => {
    const starts = startsOf(timeline, token);
    return { steps: [token], starts, runs: starts, p: 0 };
  });
  const tried: Open[] = [];
  for (let chain = open.shift(); chain && tried.length < MOST_CHAINS; chain = open.shift()) {
    for (const next of links.get(chain.steps.at(-1) ?? "") ?? []) {
      const longer = extended(timeline, chain, next);
      if (!longer) continue;
      tried.push(longer);
      if (longer.steps.length < MOST_STEPS) open.push(longer);
    }
  }
  const long = tried.filter(({ steps }) => steps.length >= LEAST_STEPS);
  const qs = adjustFalseDiscovery(
    long.map(({ p }) => p),
    family * MOST_STEPS,
  );
  return { chains: long.flatMap((chain, index) => chainOf(timeline, chain, qs[index] ?? 1) ?? []), timeline };
}

function extended(timeline: Timeline, chain: Open, next: string): Open | undefined {
  const { entityId } = parseToken(next);
  if (chain.steps.some((step) => parseToken(step).entityId === entityId)) return undefined;
  const first = chain.steps.length === 1;
  const runs = goOn(timeline, chain.runs, next);
  if (runs.length < LEAST_RUNS || new Set(runs.map(({ dayIndex }) => dayIndex)).size < LEAST_DAYS) return undefined;
  const before = first ? withinBand(runs, chain.runs) : chain.runs;
  const least = chain.steps.length < LEAST_STEPS ? LEAST_SHARE : LEAST_SHARE_OF_MORE;
  if (runs.length < least * before.length) return undefined;
  const p = binomialTail(runs.length, before.length, chanceRate(timeline, next)(before));
  return { steps: [...chain.steps, next], starts: chain.starts, runs, p: Math.max(p, chain.p) };
}

/** The starts at the time of day at which the chain comes to its end, where it has one. */
function withinBand(complete: readonly Run[], starts: readonly Run[]): readonly Run[] {
  const times = complete.map(({ startAt }) => startAt).sort((a, b) => a - b);
  const [from, to] = [quantileOf(times, 0.05) - BAND_MARGIN_SECONDS, quantileOf(times, 0.95) + BAND_MARGIN_SECONDS];
  if (to - from > MOST_BAND_SECONDS) return starts;
  return starts.filter(({ startAt }) => startAt >= from && startAt <= to);
}

function chainOf(timeline: Timeline, { steps, starts, runs, p: _ }: Open, q: number): Chain | undefined {
  const isTarget = timeline.moments.get(steps.at(-1) ?? "")[0]?.isTarget ?? false;
  if (!isTarget || q > MOST_Q) return undefined;
  const inBand = withinBand(runs, starts);
  const complete = inBand === starts ? runs : withinBand(runs, runs);
  const reliability = wilsonLower(complete.length, inBand.length);
  if (reliability < LEAST_RELIABILITY) return undefined;
  return { steps: steps.map(parseToken), starts: inBand, complete, reliability, q };
}

export const minuteOfStart = ({ days }: Timeline, { dayIndex, startAt }: Run): number => {
  const day = days[dayIndex];
  return day ? minuteAt(day, startAt) : 0;
};
