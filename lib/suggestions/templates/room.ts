import type { Pattern } from "../../analysis/ports.ts";
import { actionOf } from "../actions.ts";
import type { Names } from "../words.ts";
import { actsInWords, capital, happeningInWords, isTrigger, onlyWhen, stateTrigger } from "./parts.ts";
import type { Template } from "./template.ts";

/** Of kind room: what belongs together is set together, as soon as a person does the one that leads: its target. */
export function draftRoom(pattern: Pattern, names: Names): Template | undefined {
  const { target, steps = [] } = pattern;
  if (!isTrigger(target)) return undefined;
  const others = steps.filter(({ entityId }) => entityId !== target.entityId);
  const actions = others.flatMap((step) => {
    const action = actionOf(step, names.deviceClass(step.entityId));
    return action ? [{ ...action, name: names.entity(step.entityId) }] : [];
  });
  if (actions.length === 0) return undefined;
  const only = onlyWhen(pattern);
  const when = happeningInWords(target, names);
  const rest = actsInWords(actions);
  return {
    title: capital(`when ${when}${only.words}: ${rest}`),
    description: `These belong together${only.words}: when ${when}, you also ${rest}. Home Assistant can set them together.`,
    automation: {
      mode: "single",
      triggers: [stateTrigger(target)],
      conditions: only.conditions,
      actions: actions.map(({ step }) => ({ ...step })),
    },
    saves: actions.length,
  };
}
