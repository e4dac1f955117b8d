import type { Pattern, Token } from "../../analysis/ports.ts";
import { domainOf } from "../../event/index.ts";
import { actionOf } from "../actions.ts";
import { durationInWords, type Names } from "../words.ts";
import { capital, isOpening, stateInWords, stateTrigger } from "./parts.ts";
import type { Template } from "./template.ts";

/** A little more than is usual: whoever wants it longer is not interrupted. */
const BEYOND_USUAL = 1.25;
/** What lasts for longer ends at a time of day, or was never meant to end. */
const SECONDS_MAX = 6 * 3_600;
const SECONDS_MIN = 60;
/** Whoever sits under a lamp for five minutes does not want to wave his arms. */
const LIGHT_SECONDS_MIN = 300;
/** A forgotten one that is ended, or told of, is worth some presses of a switch (chosen by us). */
const FORGOTTEN_WORTH = 3;

/** What uses energy while it goes on. */
const CONSUMES: ReadonlySet<string> = new Set(["light", "switch", "fan", "climate", "humidifier", "media_player"]);

/**
 * Of kind duration. What runs for the same time each time is ended a little after it; what is forgotten at times is ended a good while after its usual end.
 * Of doors that are forgotten people are told; nothing else that lasts is anything to be done about.
 */
export function draftDuration(pattern: Pattern, names: Names): Template | undefined {
  const { trigger, target, durationSeconds, details } = pattern;
  const held = trigger ?? { entityId: target.entityId, state: "on" };
  if (!durationSeconds) return undefined;
  const { median, p90 } = durationSeconds;
  const isForgotten = details?.finding === "forgotten";
  const seconds = rounded(isForgotten ? p90 * BEYOND_USUAL : Math.min(Math.max(p90, median), median * BEYOND_USUAL));
  const least = domainOf(held.entityId) === "light" ? LIGHT_SECONDS_MIN : SECONDS_MIN;
  if (seconds < least || seconds > SECONDS_MAX) return undefined;
  const forgotten = isForgotten && typeof details?.forgotten === "number" ? details.forgotten : 0;
  const said = { held, seconds, usual: durationInWords(median), forgotten };
  if (isForgotten && isLeftOpen(held, names)) return { ...telling(said, names), saves: worthOf(pattern, forgotten) };
  const ending = endingOf(said, names);
  return ending && { ...ending, saves: isForgotten ? worthOf(pattern, forgotten) : 1 };
}

interface Said {
  readonly held: Token;
  readonly seconds: number;
  readonly usual: string;
  readonly forgotten: number;
}

function endingOf({ held, seconds, usual, forgotten }: Said, names: Names): Omit<Template, "saves"> | undefined {
  if (!CONSUMES.has(domainOf(held.entityId))) return undefined;
  const action = actionOf({ entityId: held.entityId, state: "off" }, names.deviceClass(held.entityId));
  if (!action || held.state === "off") return undefined;
  const name = names.entity(held.entityId);
  const long = durationInWords(seconds);
  const lasts = `${name} is ${stateInWords(held, names)} for ${usual} as a rule`;
  return {
    title: capital(`${action.words} ${name} after ${long}`),
    description: `${lasts}${forgotten > 0 ? `, and was forgotten ${timesInWords(forgotten)}` : ""}. Home Assistant can turn it off after ${long}.`,
    automation: {
      mode: "single",
      triggers: [stateTrigger(held, seconds)],
      conditions: [],
      actions: [{ ...action.step }],
    },
  };
}

function telling({ held, seconds, usual, forgotten }: Said, names: Names): Omit<Template, "saves"> {
  const name = names.entity(held.entityId);
  const long = durationInWords(seconds);
  const how = stateInWords(held, names);
  return {
    title: capital(`tell me when ${name} has been ${how} for ${long}`),
    description: `${name} is ${how} for ${usual} as a rule, and was forgotten ${timesInWords(forgotten)}. Home Assistant can tell you.`,
    automation: {
      mode: "single",
      triggers: [stateTrigger(held, seconds)],
      conditions: [],
      actions: [
        {
          action: "persistent_notification.create",
          data: { title: name, message: `${name} has been ${how} for ${long}.` },
        },
      ],
    },
  };
}

const timesInWords = (times: number): string => (times > 1 ? `${times} times` : "at times");
const worthOf = ({ hits }: Pattern, forgotten: number): number => (FORGOTTEN_WORTH * forgotten) / Math.max(1, hits);

/** Covers that are doors, and locks: to be told of; nothing closes a door or locks somebody out by itself because it took long. */
function isLeftOpen(held: Token, names: Names): boolean {
  if (isOpening(held, names)) return held.state === "on";
  const domain = domainOf(held.entityId);
  if (domain === "lock") return held.state === "unlocked";
  return domain === "cover" && held.state === "open" && DOORS.has(names.deviceClass(held.entityId) ?? "");
}
const DOORS: ReadonlySet<string> = new Set(["garage", "door", "gate", "window"]);

/** Up to what people would say: whole minutes, five of them, quarters of an hour. */
function rounded(seconds: number): number {
  const step = seconds <= 1_200 ? 60 : seconds <= 7_200 ? 300 : 900;
  return seconds < SECONDS_MIN ? seconds : Math.ceil(seconds / step) * step;
}
