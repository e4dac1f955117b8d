import { isActive } from "../detectors/active.ts";
import { type PatternFacts, type Token, WEEKDAYS, type Weekday } from "./types.ts";
import { didNot, heldOf, pastOf, verbOf } from "./verbs.ts";

/** What people call what patterns speak of. */
export interface PatternNames {
  entity(entityId: string): string;
  area(areaId: string): string;
  /** Home Assistant's device class; of a door that it opens, and is not triggered. */
  deviceClass?(entityId: string): string | undefined;
}

const DAY_NAMES: Readonly<Record<Weekday, string>> = {
  mon: "Monday",
  tue: "Tuesday",
  wed: "Wednesday",
  thu: "Thursday",
  fri: "Friday",
  sat: "Saturday",
  sun: "Sunday",
};

/** A pattern in plain words. The same facts and names give the same text. */
export function titleOf(facts: PatternFacts, names: PatternNames): string {
  return capitalised(sentenceOf(facts, names));
}

function sentenceOf(facts: PatternFacts, names: PatternNames): string {
  const { kind, target, trigger, steps = [target] } = facts;
  const classOf = (token: Token) => names.deviceClass?.(token.entityId);
  const does = (token: Token) => `${names.entity(token.entityId)} ${verbOf(token, classOf(token))}`;
  switch (kind) {
    case "time-of-day":
      return [does(target), timeOf(facts), daysOf(facts.days)].filter(Boolean).join(" ");
    case "co-occurrence":
      return `when ${does(trigger ?? target)}${conditionOf(facts)}, ${does(target)}${delayOf(facts)}`;
    case "sequence":
      return [...new Set(steps.map(does))].join(", then ");
    case "room":
      return roomSentence(facts, names);
    case "duration":
      return durationSentence(facts, names.entity(target.entityId), classOf(target));
    case "anomaly":
      return anomalySentence(facts, names.entity(target.entityId), classOf(target));
    case "day-type":
      return `${does(target)}${differenceOf(facts)} ${daysOf(facts.days) || "on some days"}`;
    case "seasonal":
      return `${does(target)}${timeOf(facts) ? ` ${timeOf(facts)}` : ""} ${seasonOf(facts)}`;
    case "frequency":
      return `${does(target)} ${rateOf(facts)}${facts.days ? ` ${daysOf(facts.days)}` : ""}`;
  }
}

function roomSentence(facts: PatternFacts, names: PatternNames): string {
  const { areaId, target, steps = [target], at } = facts;
  const where = areaId === undefined ? "" : `in ${names.area(areaId)}, `;
  const isSwitched = steps.every(({ entityId }) => !/^(cover|lock|valve|climate)\./.test(entityId));
  const active = steps.filter(({ state }) => isActive(state)).length;
  const are =
    isSwitched && active === steps.length
      ? "are turned on together"
      : isSwitched && active === 0
        ? "are turned off together"
        : "are used together";
  const what = `${listOf(steps.map(({ entityId }) => names.entity(entityId)))} ${are}`;
  return [`${where}${what}`, at === undefined ? "" : `around ${at}`, daysOf(facts.days)].filter(Boolean).join(" ");
}

const CONDITIONS: Readonly<Record<string, string>> = {
  dark: "while it is dark",
  light: "while it is light outside",
  morning: "in the morning",
  day: "during the day",
  evening: "in the evening",
  night: "at night",
};

function conditionOf({ details = {} }: PatternFacts): string {
  const words = CONDITIONS[String(details.condition)];
  return words === undefined ? "" : ` ${words}`;
}

function timeOf({ at, anchor, offsetMinutes = 0 }: PatternFacts): string {
  if (anchor === undefined || anchor === "clock") return at === undefined ? "" : `around ${at}`;
  const minutes = Math.round(Math.abs(offsetMinutes));
  return minutes < 3 ? `at ${anchor}` : `about ${minutes} minutes ${offsetMinutes < 0 ? "before" : "after"} ${anchor}`;
}

/** Empty: every day. */
function daysOf(days: readonly Weekday[] | undefined): string {
  if (!days || days.length === 0 || days.length === WEEKDAYS.length) return "";
  const ordered = WEEKDAYS.filter((day) => days.includes(day));
  if (ordered.join() === "mon,tue,wed,thu,fri") return "on weekdays";
  if (ordered.join() === "sat,sun") return "at weekends";
  return `on ${listOf(ordered.map((day) => `${DAY_NAMES[day]}s`))}`;
}

const listOf = (words: readonly string[]): string =>
  words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;

function delayOf({ delaySeconds }: PatternFacts): string {
  if (!delaySeconds) return "";
  return delaySeconds.median < 1 ? " at once" : ` about ${lengthOf(delaySeconds.median)} later`;
}

/** Seconds in the unit in which people would say it. */
export function lengthOf(seconds: number): string {
  const [value, unit] =
    seconds < 90
      ? [seconds, "second"]
      : seconds < 5_400
        ? [seconds / 60, "minute"]
        : seconds < 129_600
          ? [seconds / 3_600, "hour"]
          : [seconds / 86_400, "day"];
  const shown = unit === "hour" && value < 10 ? Math.round(value * 2) / 2 : Math.round(value);
  return `${shown} ${unit}${shown === 1 ? "" : "s"}`;
}

function durationSentence(
  { durationSeconds, details = {}, target, trigger = target }: PatternFacts,
  name: string,
  deviceClass: string | undefined,
): string {
  const stays = `${name} stays ${heldOf(trigger, deviceClass)} for about ${lengthOf(durationSeconds?.median ?? 0)}`;
  return details.finding === "forgotten" ? `${stays}, but is sometimes forgotten` : stays;
}

function anomalySentence(
  { details = {}, target }: PatternFacts,
  name: string,
  deviceClass: string | undefined,
): string {
  const { finding, date, observed, expected, seconds, usualSeconds, at } = details;
  const on = date === undefined ? "" : ` on ${date}`;
  const verb = verbOf(target, deviceClass);
  if (finding === "held" && typeof seconds === "number" && typeof usualSeconds === "number")
    return `${name} stayed ${heldOf(target, deviceClass)} for ${lengthOf(seconds)} from ${at}${on}, where ${lengthOf(usualSeconds)} is usual`;
  if (finding === "absent")
    return `${name} ${didNot(verb)}${on}, as it always ${verb.startsWith("is ") ? "is" : "does"}`;
  if (typeof observed !== "number" || typeof expected !== "number") return `${name} was out of the ordinary${on}`;
  const usual = `where ${numberOf(expected)} ${expected === 1 ? "time" : "times"} would be usual`;
  if (observed === 0) return `${name} ${didNot(verb)}${on}, ${usual}`;
  const only = finding === "too-few" ? "only " : "";
  const hour = at === undefined ? "" : ` in the hour from ${at}`;
  return `${name} ${pastOf(verb)} ${only}${timesOf(observed)}${hour}${on}, ${usual}`;
}

/** `once`, `4.5 times`. */
const timesOf = (count: number): string => (count === 1 ? "once" : `${numberOf(count)} times`);

function differenceOf({ details = {}, at }: PatternFacts): string {
  const { ratio } = details;
  if (typeof ratio === "number") return ratio > 1 ? " more often" : " less often";
  return at === undefined ? "" : ` around ${at}`;
}

const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];

function seasonOf({ details = {} }: PatternFacts): string {
  const [from, to] = [details.fromMonth, details.toMonth].map((month) => MONTHS[Number(month) - 1]);
  if (from !== undefined && to !== undefined) return `from ${from} to ${to}`;
  return from !== undefined ? `from ${from} on` : to !== undefined ? `until ${to}` : "with the season";
}

function rateOf({ details = {}, at }: PatternFacts): string {
  const { finding, before, after, perDay } = details;
  if (finding === "change" && typeof before === "number" && typeof after === "number") {
    const direction = after > before ? "more" : "less";
    return `${direction} often than before: ${timesOf(after)} a day, ${numberOf(before)} before`;
  }
  if (typeof perDay !== "number") return "regularly";
  return `${timesOf(perDay)} a day${at === undefined ? "" : `, around ${at}`}`;
}

/** With at most one decimal. */
const numberOf = (value: number): string => String(Math.round(value * 10) / 10);

const capitalised = (text: string): string => text.replace(/^./u, (first) => first.toUpperCase());
