import type { Pattern } from "../../analysis/ports.ts";
import { actionOf } from "../actions.ts";
import type { Names } from "../words.ts";
import { actsInWords, capital, happeningInWords, isTrigger, onlyWhen, stateTrigger } from "./parts.ts";
import type { Template } from "./template.ts";

/**
 * Of kind sequence: a person does the first step, Home Assistant the others. Where a later one is for people alone (a door that opens), they do it up to there:
 * nothing is locked before they have gone through.
 */
export function draftSequence(pattern: Pattern, names: Names): Template | undefined {
  const { steps = [] } = pattern;
  const acts = steps.map((step) => actionOf(step, names.deviceClass(step.entityId)));
  const begins = Math.max(0, acts.lastIndexOf(undefined));
  const first = steps[begins];
  if (!first || !isTrigger(first)) return undefined;
  const actions = steps.slice(begins + 1).flatMap((step, index) => {
    const action = acts[begins + 1 + index];
    return action && step.entityId !== first.entityId ? [{ ...action, name: names.entity(step.entityId) }] : [];
  });
  if (actions.length === 0) return undefined;
  const only = onlyWhen(pattern);
  const when = happeningInWords(first, names);
  const rest = actsInWords(actions);
  return {
    title: capital(`when ${when}${only.words}: ${rest}`),
    description: `When ${when}${only.words}, you ${rest}, in this order. Home Assistant can do that.`,
    automation: {
      mode: "single",
      triggers: [stateTrigger(first)],
      conditions: only.conditions,
      actions: actions.map(({ step }) => ({ ...step })),
    },
    saves: actions.length,
  };
}
