import type { Pattern, Token } from "../../analysis/ports.ts";
import { domainOf } from "../../event/index.ts";
import { actionOf } from "../actions.ts";
import { durationInWords, type Names } from "../words.ts";
import { capital, happeningInWords, heldInWords, isTrigger, onlyWhen, stateTrigger, withObject } from "./parts.ts";
import type { Template } from "./template.ts";

/** Whoever sits still is not seen: so long nothing has to move before anything ends. */
const STILL_SECONDS = 120;
const SEES_PEOPLE: ReadonlySet<string> = new Set(["motion", "occupancy", "presence", "moving"]);
const ENDING: ReadonlySet<string> = new Set(["off", "closed", "locked", "paused", "docked"]);
/** States that last: what ends after one of them may wait as long as people do. */
const LASTING: ReadonlySet<string> = new Set(["off", "closed", "not_home", "paused", "idle", "standby", "locked"]);
/** People who wait for less did it at once. */
const WAIT_SECONDS_MIN = 10;

/** Of kind co-occurrence: when one thing happens, do the other. */
export function draftByTrigger(pattern: Pattern, names: Names): Template | undefined {
  const { target, trigger, delaySeconds } = pattern;
  const action = actionOf(target, names.deviceClass(target.entityId));
  if (!action || !trigger || trigger.entityId === target.entityId || !isTrigger(trigger)) return undefined;
  const act = withObject(action.words, names.entity(target.entityId));
  const only = onlyWhen(pattern);
  const wait = waitSeconds(pattern, trigger, names);
  const happens = happeningInWords(trigger, names);
  const when = wait === undefined ? happens : heldInWords(trigger, wait, names);
  const soon = delaySeconds ? `, within ${durationInWords(Math.max(1, delaySeconds.p90))} as a rule` : "";
  return {
    title: capital(`${act} when ${when}${only.words}`),
    description: `When ${happens}${only.words}, you ${act}${soon}. Home Assistant can do it${wait === undefined ? " at once" : ` when ${when}`}.`,
    automation: {
      mode: "single",
      triggers: [stateTrigger(trigger, wait)],
      conditions: only.conditions,
      actions: [{ ...action.step }],
    },
    saves: 1,
  };
}

function waitSeconds({ target, delaySeconds }: Pattern, trigger: Token, names: Names): number | undefined {
  if (!ENDING.has(target.state) || !LASTING.has(trigger.state)) return undefined;
  const usual = Math.round(delaySeconds?.median ?? 0);
  const seesPeople =
    domainOf(trigger.entityId) === "binary_sensor" && SEES_PEOPLE.has(names.deviceClass(trigger.entityId) ?? "motion");
  if (seesPeople) return Math.max(STILL_SECONDS, usual);
  return usual >= WAIT_SECONDS_MIN ? usual : undefined;
}
