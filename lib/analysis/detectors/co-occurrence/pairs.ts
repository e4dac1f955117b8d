import type { Token } from "../../patterns/types.ts";
import { type Candidate, supported } from "../lines/candidates.ts";
import { tokenOf } from "../lines/rows.ts";
import { adjustFalseDiscovery, poissonTail } from "../statistics.ts";
import type { Chance } from "./chance.ts";
import { bestCondition, type Conditioned, HYPOTHESES_OF_PAIR } from "./conditions.ts";
import { recentOf } from "./recent.ts";
import type { Trial } from "./trials.ts";
import type { WorkedOut } from "./worked-out.ts";

/** Windows after a trigger within which a target counts as its follower. */
export const NEAR_SECONDS = 60;
export const FAR_SECONDS = 300;

const WINDOWS = [NEAR_SECONDS, FAR_SECONDS] as const;

/** A pair that chance does not explain. */
export interface Pair {
  readonly trigger: Token;
  readonly target: Token;
  readonly windowSeconds: number;
  readonly automated: boolean;
  readonly chance: Chance;
  readonly q: number;
  readonly conditioned: Conditioned;
  /** Part of the target's changes that it accounts for. */
  readonly coverage: number;
}

const LEAST = { count: 5, days: 4, share: 0.2 };
const MOST_CANDIDATES = 2000;
/** At most so likely by chance. */
const MOST_Q = 0.01;
/** How much more often than by chance; in the wide window, in which a walk through the house brings everything, more. */
const LEAST_LIFT = 3;
const LEAST_FAR_LIFT = 5;
/** Of both directions together. */
const LEAST_DIRECTION = 0.65;
export const LEAST_RELIABILITY = 0.45;
const LEAST_HITS = 5;
const LEAST_HIT_DAYS = 4;
/** A wider window has to tell more than the narrow one. */
const FAR_GAIN = 0.1;

interface Tested {
  readonly trigger: Token;
  readonly target: Token;
  readonly windowSeconds: number;
  readonly automated: boolean;
  readonly chance: Chance;
  readonly p: number;
}

/** Every pair that is significant, directed and reliable. Complexity: O(candidates times changes of their two entities). */
export function pairsOf(worked: WorkedOut): Pair[] {
  const { days } = worked;
  const { candidates, family } = supported(days, {
    leastCount: LEAST.count,
    leastDays: LEAST.days,
    leastShare: LEAST.share,
    mostCandidates: MOST_CANDIDATES,
  });
  const tested = testAll(worked, candidates);
  const qs = adjustFalseDiscovery(
    tested.map(({ p }) => p),
    family * WINDOWS.length * HYPOTHESES_OF_PAIR,
  );
  const byPair = new Map<string, Pair>();
  for (const [index, test] of tested.entries()) {
    const pair = reliable(worked, test, qs[index] ?? 1);
    if (!pair) continue;
    const key = `${tokenOf(pair.trigger.entityId, pair.trigger.state)} ${tokenOf(pair.target.entityId, pair.target.state)}`;
    const there = byPair.get(key);
    if (!there || isBetter(pair, there)) byPair.set(key, pair);
  }
  return [...byPair.values()];
}

/** The narrow window comes first; what automations do alone says nothing new beside what persons do. */
const isBetter = (pair: Pair, there: Pair) =>
  pair.automated === there.automated
    ? pair.conditioned.reliability > there.conditioned.reliability + FAR_GAIN
    : pair.automated && pair.conditioned.hits > there.conditioned.hits;

function testAll(worked: WorkedOut, candidates: readonly Candidate[]): Tested[] {
  const tested: Tested[] = [];
  for (const { trigger, target, near, far, automated: byAutomation } of candidates)
    for (const windowSeconds of WINDOWS)
      for (const automated of [false, true]) {
        const most = (windowSeconds === NEAR_SECONDS ? near : far) - (automated ? 0 : byAutomation);
        if (most < LEAST.count || (automated && byAutomation < LEAST.count)) continue;
        const chance = worked.chance({ trigger, target, windowSeconds, withAutomations: automated });
        const lift = windowSeconds === NEAR_SECONDS ? LEAST_LIFT : LEAST_FAR_LIFT;
        if (chance.count < LEAST.count || chance.days < LEAST.days || chance.count < lift * chance.expected) continue;
        if (chance.count < LEAST_DIRECTION * (chance.count + chance.reverse)) continue;
        const p = poissonTail(chance.count, chance.expected);
        if (p <= MOST_Q) tested.push({ trigger, target, windowSeconds, automated, chance, p });
      }
  return tested;
}

function reliable(worked: WorkedOut, test: Tested, q: number): Pair | undefined {
  if (q > MOST_Q) return undefined;
  const { trigger, target, windowSeconds, automated, chance } = test;
  const all = worked.trials({ trigger, target, windowSeconds });
  // Where an automation was first, nobody had anything to do any more.
  const trials = automated ? all : all.filter(({ outcome }) => outcome !== "automation");
  const isHit = ({ outcome }: Trial) => outcome === "person" || (automated && outcome === "automation");
  const conditioned = bestCondition(recentOf(worked.days, trials, isHit), isHit);
  if (conditioned.reliability < LEAST_RELIABILITY || conditioned.hits < LEAST_HITS) return undefined;
  const hits = conditioned.trials.filter(isHit);
  if (new Set(hits.map(({ day }) => day.day.date)).size < LEAST_HIT_DAYS) return undefined;
  const byAutomation = hits.filter(({ outcome }) => outcome === "automation").length;
  if (automated && byAutomation < hits.length / 2) return undefined;
  const coverage = Math.min(1, chance.count / Math.max(1, chance.ofTarget));
  return { trigger, target, windowSeconds, automated, chance, q, conditioned, coverage };
}
