import type { Pattern, Weekday } from "../analysis/ports.ts";

/** How people call what the home calls by ids. */
export interface Names {
  entity(entityId: string): string;
  /** Of a cover whether it is a door. */
  deviceClass(entityId: string): string | undefined;
}

const NAME_MAX_CHARACTERS = 40;

/** Names as they may stand in titles, aliases and notifications: of one line, not endless, and nothing in them that Home Assistant would work out as a template, or YAML refuse. */
export const plainNames = (names: Names): Names => ({
  entity: (entityId) => plainName(names.entity(entityId)) || entityId,
  deviceClass: (entityId) => names.deviceClass(entityId),
});

export function plainName(name: string): string {
  const line = name
    .toWellFormed()
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\uFFFE\uFFFF\u202A-\u202E\u2066-\u2069\s]+/gu, " ")
    .replaceAll(/\{(?=[{%#])/g, "(")
    .trim();
  const characters = [...line];
  if (characters.length <= NAME_MAX_CHARACTERS) return line;
  return `${characters
    .slice(0, NAME_MAX_CHARACTERS - 1)
    .join("")
    .trimEnd()}…`;
}

const DAY_WORDS: Readonly<Record<Weekday, string>> = {
  mon: "Mondays",
  tue: "Tuesdays",
  wed: "Wednesdays",
  thu: "Thursdays",
  fri: "Fridays",
  sat: "Saturdays",
  sun: "Sundays",
};
export const WEEK: readonly Weekday[] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const sameDays = (a: readonly Weekday[], b: readonly Weekday[]): boolean =>
  a.length === b.length && b.every((day) => a.includes(day));

/** `on weekdays`, `at weekends`, `on Tuesdays and Fridays`; every day: `every day`. */
export function daysInWords(days: readonly Weekday[] | undefined): string {
  if (!days || days.length === 0 || days.length === WEEK.length) return "every day";
  if (sameDays(days, WEEK.slice(0, 5))) return "on weekdays";
  if (sameDays(days, WEEK.slice(5))) return "at weekends";
  const words = WEEK.filter((day) => days.includes(day)).map((day) => DAY_WORDS[day]);
  return `on ${listInWords(words)}`;
}

/** `a`, `a and b`, `a, b and c`. */
export const listInWords = (words: readonly string[]): string =>
  words.length < 2 ? (words[0] ?? "") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;

/** `20 seconds`, `3 minutes`, `1 hour 20 minutes`; rounded as people would say it. */
export function durationInWords(seconds: number): string {
  const plural = (count: number, unit: string) => `${count} ${unit}${count === 1 ? "" : "s"}`;
  if (seconds < 90) return plural(Math.max(1, Math.round(seconds)), "second");
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return plural(minutes, "minute");
  const rest = Math.round((minutes % 60) / 5) * 5;
  const hours = Math.floor(minutes / 60) + (rest === 60 ? 1 : 0);
  return rest === 0 || rest === 60 ? plural(hours, "hour") : `${plural(hours, "hour")} ${plural(rest, "minute")}`;
}

/** `15 minutes before sunset`, `at sunrise`. */
export function sunInWords(anchor: "sunrise" | "sunset", offsetMinutes: number): string {
  const minutes = Math.round(Math.abs(offsetMinutes));
  if (minutes === 0) return `at ${anchor}`;
  return `${minutes} ${minutes === 1 ? "minute" : "minutes"} ${offsetMinutes < 0 ? "before" : "after"} ${anchor}`;
}

/** Chance as odds that people can weigh. */
function chanceInWords(significance: number): string {
  if (significance > 0.01) return "";
  const power = Math.min(9, Math.floor(-Math.log10(Math.max(significance, 1e-9))));
  return `; less than 1 in ${(10 ** power).toLocaleString("en")} to be chance`;
}

const OCCASION: Partial<Record<Pattern["kind"], string>> = {
  "time-of-day": "days",
  "day-type": "days",
  seasonal: "weeks",
};

/** One line: how often of how often, how exactly, how sure. */
export function evidenceOf(pattern: Pattern): string {
  const { kind, hits, opportunities, spreadMinutes, delaySeconds, durationSeconds, reliability, significance } =
    pattern;
  const parts = [`${hits} of ${opportunities} ${OCCASION[kind] ?? "times"}`];
  if (spreadMinutes !== undefined) parts.push(`give or take ${Math.max(1, Math.round(spreadMinutes))} minutes`);
  if (delaySeconds) parts.push(`after ${durationInWords(delaySeconds.median)} as a rule`);
  if (durationSeconds) parts.push(`for ${durationInWords(durationSeconds.median)} as a rule`);
  parts.push(`at least ${Math.floor(reliability * 100)} % reliable`);
  return `${parts.join(", ")}${chanceInWords(significance)}; since ${pattern.firstSeen}`;
}
