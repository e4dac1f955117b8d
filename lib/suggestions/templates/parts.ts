import type { Pattern, Token, Weekday } from "../../analysis/ports.ts";
import { domainOf } from "../../event/index.ts";
import { daysInWords, durationInWords, listInWords, type Names, WEEK } from "../words.ts";

/** A restart or a lost radio is no occasion: from these states nothing is triggered. */
const NOT_FROM = ["unavailable", "unknown"];

export const stateTrigger = ({ entityId, state }: Token, forSeconds?: number) => ({
  trigger: "state",
  entity_id: entityId,
  to: state,
  not_from: NOT_FROM,
  ...(forSeconds !== undefined && { for: { seconds: Math.max(1, Math.round(forSeconds)) } }),
});

/** In Home Assistant the state of these is the time of the last press: waiting for a state of ours would wait for ever. */
const MOMENTS: ReadonlySet<string> = new Set(["event", "button", "input_button", "scene"]);
export const isTrigger = ({ entityId }: Token): boolean => !MOMENTS.has(domainOf(entityId));

/** A home's day ends at 03:00: until then the calendar has the next weekday already, and Home Assistant goes by the calendar. */
const HOME_DAY_BEGINS = "03:00";
export function calendarDays({ days, at }: Pick<Pattern, "days" | "at">): readonly Weekday[] | undefined {
  if (!days || at === undefined || at >= HOME_DAY_BEGINS) return days;
  return WEEK.filter((_, index) => days.includes(WEEK[(index + WEEK.length - 1) % WEEK.length] ?? "sun"));
}

export const weekdayCondition = (days: readonly Weekday[] | undefined) =>
  days && days.length > 0 && days.length < 7 ? [{ condition: "time", weekday: [...days] }] : [];

interface Only {
  readonly conditions: readonly Readonly<Record<string, unknown>>[];
  /** ` in the dark`; empty: always. */
  readonly words: string;
}

const sun = (state: string) => [{ condition: "state", entity_id: "sun.sun", state }];
const between = (after: string, before: string) => [
  { condition: "time", after: `${after}:00`, before: `${before}:00` },
];
/** The conditions that co-occurrence finds, as Home Assistant says them. `before` earlier than `after`: past midnight. */
const CONDITIONS: Readonly<Record<string, Only>> = {
  dark: { conditions: sun("below_horizon"), words: " in the dark" },
  light: { conditions: sun("above_horizon"), words: " in daylight" },
  morning: { conditions: between("05:00", "11:00"), words: " in the morning" },
  day: { conditions: between("11:00", "17:00"), words: " during the day" },
  evening: { conditions: between("17:00", "23:00"), words: " in the evening" },
  night: { conditions: between("23:00", "05:00"), words: " at night" },
};

const BAND_MINUTES_MIN = 45;
const BAND_MINUTES_MAX = 120;
const QUARTER = 15;

/** What was found around a time of day is done then only: twice its spread to both sides, in quarters of an hour. */
function bandOf({ at, spreadMinutes }: Pick<Pattern, "at" | "spreadMinutes">): Only | undefined {
  if (at === undefined || spreadMinutes === undefined) return undefined;
  const [hours = 0, minutes = 0] = at.split(":").map(Number);
  const aside = Math.min(BAND_MINUTES_MAX, Math.max(BAND_MINUTES_MIN, 2 * spreadMinutes + QUARTER));
  const clock = (minute: number) => {
    const whole = (minute + 1_440) % 1_440;
    return [Math.floor(whole / 60), whole % 60].map((part) => String(part).padStart(2, "0")).join(":");
  };
  const middle = hours * 60 + minutes;
  const after = clock(Math.floor((middle - aside) / QUARTER) * QUARTER);
  const before = clock(Math.ceil((middle + aside) / QUARTER) * QUARTER);
  return { conditions: between(after, before), words: ` between ${after} and ${before}` };
}

/** When a pattern holds: in the dark or at its part of the day, around its time, on its days. */
export function onlyWhen({ details, days, ...time }: Pick<Pattern, "details" | "days" | "at" | "spreadMinutes">): Only {
  const name = String(details?.condition);
  const part = (Object.hasOwn(CONDITIONS, name) ? CONDITIONS[name] : undefined) ?? bandOf(time);
  const onDays = calendarDays({ ...time, ...(days && { days }) });
  const weekdays = weekdayCondition(onDays);
  return {
    conditions: [...(part?.conditions ?? []), ...weekdays],
    words: `${part?.words ?? ""}${weekdays.length > 0 ? ` ${daysInWords(onDays)}` : ""}`,
  };
}

const OPENINGS: ReadonlySet<string> = new Set(["door", "garage_door", "window", "opening"]);
/** Whether it is a door, a window or the like: what people want to know of when it is left open. */
export const isOpening = ({ entityId }: Pick<Token, "entityId">, names: Names): boolean =>
  domainOf(entityId) === "binary_sensor" && OPENINGS.has(names.deviceClass(entityId) ?? "");

type Phrases = Readonly<Record<string, string>>;
const AWAY: Phrases = { home: "comes home", not_home: "leaves" };
const HAPPENS: Readonly<Record<string, Phrases>> = {
  binary_sensor: { on: "is triggered", off: "is clear" },
  cover: { open: "opens", closed: "closes" },
  valve: { open: "opens", closed: "closes" },
  media_player: { playing: "starts to play" },
  vacuum: { cleaning: "starts to clean" },
  person: AWAY,
  device_tracker: AWAY,
};

/** What happens, as a person would say it: `Hall motion is triggered`. */
export function happeningInWords({ entityId, state }: Token, names: Names): string {
  const domain = domainOf(entityId);
  const name = names.entity(entityId);
  if (isOpening({ entityId }, names)) return `${name} is ${state === "on" ? "opened" : "closed"}`;
  const own = Object.hasOwn(HAPPENS, domain) ? HAPPENS[domain] : undefined;
  const phrase = own && Object.hasOwn(own, state) ? own[state] : undefined;
  if (phrase !== undefined) return `${name} ${phrase}`;
  if (state === "on" || state === "off") return `${name} is turned ${state}`;
  return `${name} is ${state.replaceAll("_", " ")}`;
}

/** How it is while that lasts: `clear`, `open`, `away`. */
export function stateInWords({ entityId, state }: Token, names: Names): string {
  const domain = domainOf(entityId);
  if (isOpening({ entityId }, names)) return state === "on" ? "open" : "closed";
  if (domain === "binary_sensor" && state === "off") return "clear";
  return state === "not_home" ? "away" : state.replaceAll("_", " ");
}

/** `has been clear for 2 minutes` */
export const heldInWords = (token: Token, seconds: number, names: Names): string =>
  `${names.entity(token.entityId)} has been ${stateInWords(token, names)} for ${durationInWords(seconds)}`;

/** `turn off A and B, lock C`: each verb once for those that follow one another. */
export function actsInWords(acts: readonly { readonly words: string; readonly name: string }[]): string {
  const groups: { words: string; names: string[] }[] = [];
  for (const { words, name } of acts) {
    const last = groups.at(-1);
    if (last?.words === words) last.names.push(name);
    else groups.push({ words, names: [name] });
  }
  return listInWords(groups.map(({ words, names }) => withObject(words, listInWords(names))));
}

/** `send the robot home`, `set heating to heat`, `turn on the lamp`: the object where English wants it. */
export function withObject(words: string, name: string): string {
  const parted = /^(send|set) (.+)$/.exec(words);
  return parted ? `${parted[1]} ${name} ${parted[2]}` : `${words} ${name}`;
}

export const capital = (text: string): string => text.replace(/^./u, (first) => first.toUpperCase());
