import { linesOf } from "./lines/day-lines.ts";
import { linesDays } from "./lines/days.ts";
import { evidenceOf } from "./lines/evidence.ts";
import { mergeLines } from "./lines/merge.ts";
import type { LinesRow } from "./lines/rows.ts";
import { usualTime } from "./lines/usual-time.ts";
import { byText } from "./order.ts";
import { type Chain, chainsOf, minuteOfStart } from "./sequence/chains.ts";
import { keyOf, maximal } from "./sequence/maximal.ts";
import { GAP_SECONDS, type Timeline } from "./sequence/timeline.ts";
import { quantileOf } from "./statistics.ts";
import type { Detector, Finding, Occurrence } from "./types.ts";

/** Beside what people switch: what they open, and the buttons that they press. Movement between two steps says nothing of them. */
const STEP_CLASSES: ReadonlySet<string> = new Set(["door", "garage_door", "window", "opening", "lock"]);
const STEP_DOMAINS: ReadonlySet<string> = new Set(["event", "button", "input_button"]);

const isStep = ({ role, actor, domain, deviceClass }: Occurrence): boolean =>
  actor === "person" &&
  (role === "target" || STEP_DOMAINS.has(domain) || (deviceClass !== undefined && STEP_CLASSES.has(deviceClass)));

/** Chains of three to five steps, each within two minutes of the one before. */
export const sequence: Detector<LinesRow> = {
  kind: "sequence",
  version: 1,
  nightsToHold: 3,
  aggregate: (facts) =>
    linesOf(facts, { accepts: isStep, follows: () => true, nearSeconds: GAP_SECONDS / 2, farSeconds: GAP_SECONDS }),
  merge: mergeLines,
  find({ days }) {
    const { chains, timeline } = chainsOf(linesDays(days));
    return maximal(chains)
      .map((chain) => findingOf(chain, timeline))
      .sort((a, b) => byText(a.key, b.key));
  },
};

function findingOf(chain: Chain, timeline: Timeline): Finding {
  const { steps, starts, complete, reliability, q } = chain;
  const [trigger, target] = [steps[0], steps.at(-1)];
  if (!trigger || !target) throw new RangeError("A chain was told without steps: it needs at least three.");
  const seconds = complete.map(({ startAt, at }) => at - startAt).sort((a, b) => a - b);
  const isComplete = new Set(complete.map(({ dayIndex, startAt }) => `${dayIndex} ${startAt}`));
  const dateOf = (index: number) => timeline.days[index]?.day.date ?? "";
  const round = (value: number) => Math.round(value * 10) / 10;
  return {
    kind: "sequence",
    key: keyOf(chain),
    target,
    trigger,
    steps,
    delaySeconds: { median: round(quantileOf(seconds, 0.5)), p90: round(quantileOf(seconds, 0.9)) },
    ...usualTime(complete.map((run) => minuteOfStart(timeline, run))),
    hits: complete.length,
    opportunities: starts.length,
    reliability,
    significance: q,
    automated: false,
    days90: evidenceOf(
      starts.map(({ dayIndex, startAt }) => ({
        date: dateOf(dayIndex),
        isHit: isComplete.has(`${dayIndex} ${startAt}`),
      })),
    ),
  };
}
