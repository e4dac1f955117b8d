import type { Histogram } from "../patterns/types.ts";
import { withoutExplained } from "./co-occurrence/explain.ts";
import { FAR_SECONDS, NEAR_SECONDS, type Pair, pairsOf } from "./co-occurrence/pairs.ts";
import { workedOutOf } from "./co-occurrence/worked-out.ts";
import { linesOf } from "./lines/day-lines.ts";
import { evidenceOf } from "./lines/evidence.ts";
import { mergeLines } from "./lines/merge.ts";
import { type LinesRow, tokenOf } from "./lines/rows.ts";
import { byText } from "./order.ts";
import { quantileOf } from "./statistics.ts";
import type { Detector, Finding } from "./types.ts";

/** Seconds, about half as long again each. */
const DELAY_EDGES = [0, 1, 2, 3, 5, 8, 12, 18, 27, 40, 60, 90, 135, 200, 300.1];

/** Directed pairs: something happens, and soon after somebody switches something. Finds read the daily rows alone. */
export const coOccurrence: Detector<LinesRow> = {
  kind: "co-occurrence",
  version: 1,
  nightsToHold: 3,
  aggregate: (facts) =>
    linesOf(facts, {
      accepts: () => true,
      follows: ({ role }) => role === "target",
      nearSeconds: NEAR_SECONDS,
      farSeconds: FAR_SECONDS,
    }),
  merge: mergeLines,
  find: (history) =>
    withoutExplained(pairsOf(workedOutOf(history)))
      .map(findingOf)
      .sort(byKey),
};

const byKey = (a: Finding, b: Finding) => byText(a.key, b.key);

function findingOf(pair: Pair): Finding {
  const { trigger, target, conditioned, chance, automated } = pair;
  const isHit = ({ outcome }: { readonly outcome: string }) => outcome !== "miss";
  const delays = conditioned.trials.filter(isHit).map(({ delaySeconds }) => delaySeconds);
  delays.sort((a, b) => a - b);
  const [areaId] = conditioned.trials.flatMap(({ day }) => day.entities.get(target.entityId)?.areaId ?? []);
  const round = (value: number) => Math.round(value * 1000) / 1000;
  return {
    kind: "co-occurrence",
    key: `${tokenOf(trigger.entityId, trigger.state)} > ${tokenOf(target.entityId, target.state)}`,
    target,
    trigger,
    delaySeconds: { median: round(quantileOf(delays, 0.5)), p90: round(quantileOf(delays, 0.9)) },
    ...(areaId !== undefined && { areaId }),
    hits: conditioned.hits,
    opportunities: conditioned.opportunities,
    reliability: conditioned.reliability,
    significance: pair.q,
    automated,
    days90: evidenceOf(conditioned.trials.map((trial) => ({ date: trial.day.day.date, isHit: isHit(trial) }))),
    histogram: histogramOf(delays),
    details: {
      ...(conditioned.condition !== "always" && { condition: conditioned.condition }),
      windowSeconds: pair.windowSeconds,
      lift: round(chance.count / Math.max(chance.expected, 1e-3)),
      direction: round(chance.count / (chance.count + chance.reverse)),
      coverage: round(pair.coverage),
    },
  };
}

function histogramOf(delays: readonly number[]): Histogram {
  const counts = DELAY_EDGES.slice(1).map(() => 0);
  for (const delay of delays) {
    const bin = DELAY_EDGES.findIndex((from, index) => delay >= from && delay < (DELAY_EDGES[index + 1] ?? from));
    if (bin >= 0) counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return { unit: "seconds", edges: DELAY_EDGES, counts };
}
