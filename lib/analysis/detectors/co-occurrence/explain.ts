import { tokenOf } from "../lines/rows.ts";
import { byText } from "../order.ts";
import { medianOf, wilsonLower } from "../statistics.ts";
import { firingsOf } from "./chance.ts";
import { LEAST_RELIABILITY, type Pair } from "./pairs.ts";
import type { Trial } from "./trials.ts";

/** Occasions without the other trigger that are needed to say anything about them. */
const LEAST_ALONE = 5;

/**
 * Of the triggers of one target, those that tell something the better ones do not: a hall's motion goes before every room's light, and where it fires without the
 * room's own sensor, no light follows. Greedy, the best first. Pairs in the order of their targets' first ones.
 */
export function withoutExplained(pairs: readonly Pair[]): Pair[] {
  const byTarget = new Map<string, Pair[]>();
  for (const pair of pairs) {
    const key = tokenOf(pair.target.entityId, pair.target.state);
    const list = byTarget.get(key);
    if (list) list.push(pair);
    else byTarget.set(key, [pair]);
  }
  return [...byTarget.values()].flatMap((list) => {
    const kept: Pair[] = [];
    for (const { pair } of list.map(rankedOf).sort(byWorth))
      if (!kept.some((better) => isExplainedBy(pair, better))) kept.push(pair);
    return kept;
  });
}

/** Harmonic mean of what it foretells and what it accounts for. */
const worthOf = ({ conditioned: { reliability }, coverage }: Pair) =>
  (2 * reliability * coverage) / (reliability + coverage || 1);

const nameOf = ({ trigger }: Pair) => tokenOf(trigger.entityId, trigger.state);

/** Of two as good as each other, what comes last before the target is its cause. */
const WORTH_STEP = 0.05;

interface Ranked {
  readonly pair: Pair;
  readonly worth: number;
  readonly delaySeconds: number;
}

const rankedOf = (pair: Pair): Ranked => ({
  pair,
  worth: Math.round(worthOf(pair) / WORTH_STEP),
  delaySeconds: medianOf(
    pair.conditioned.trials.flatMap(({ outcome, delaySeconds }) => (outcome === "miss" ? [] : [delaySeconds])),
  ),
});

const byWorth = (a: Ranked, b: Ranked) =>
  b.worth - a.worth || a.delaySeconds - b.delaySeconds || byText(nameOf(a.pair), nameOf(b.pair));

function isExplainedBy(pair: Pair, better: Pair): boolean {
  const alone = pair.conditioned.trials.filter((trial) => !firesAround(better, trial, pair.windowSeconds));
  if (alone.length < LEAST_ALONE) return true;
  const hits = alone.filter(({ outcome }) => outcome === "person" || (pair.automated && outcome === "automation"));
  return wilsonLower(hits.length, alone.length) < LEAST_RELIABILITY / 2;
}

/** Whether the trigger fires within the window before or after a trial of another. */
function firesAround({ trigger }: Pair, { day, at }: Trial, windowSeconds: number): boolean {
  const line = day.entities.get(trigger.entityId);
  return firingsOf(line, trigger.state).some((place) => Math.abs((line?.at[place] ?? 0) - at) <= windowSeconds);
}
