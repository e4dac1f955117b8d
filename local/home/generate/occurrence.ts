import type { Random } from "../../../lib/base/random.ts";
import type { Calendar } from "../people/calendar.ts";
import type { SunTimes } from "../people/sun.ts";
import { type PlantedRoutine, WEEKDAYS } from "../routines.ts";
import { normal } from "./chance.ts";

const WEEK = 7;
const DRIFT_WEEKS = 12;

/** Minutes since midnight of `07:02`. */
export const minutesOf = (text: string): number => Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5));

/** The weekday that counts: a public holiday is a Sunday to habits. */
const weekdayFor = (calendar: Calendar) => WEEKDAYS[calendar.isHoliday ? 6 : calendar.weekday];

/** Whether the routine can happen on this day at all: an opportunity. */
export function isOpportunity(routine: PlantedRoutine, calendar: Calendar): boolean {
  if (!routine.automated && calendar.vacation !== "home") return false;
  if (routine.seasonal && !calendar.isHeatingSeason) return false;
  if (calendar.day < (routine.first_day ?? calendar.day) || calendar.day > (routine.last_day ?? calendar.day))
    return false;
  if (routine.block_days !== undefined && Math.floor(calendar.day / routine.block_days) % 2 !== 0) return false;
  // An automation knows Monday to Friday, not public holidays.
  const weekday = routine.automated ? WEEKDAYS[calendar.weekday] : weekdayFor(calendar);
  return routine.days === undefined || (weekday !== undefined && routine.days.includes(weekday));
}

/** The minute of the day around which the routine happens on this day. */
export function plannedMinute(routine: PlantedRoutine, day: number, sunMinutes: SunTimes): number | undefined {
  const drift = (routine.drift_minutes_per_week ?? 0) * (Math.floor(day / WEEK) % DRIFT_WEEKS);
  if (routine.anchor === "sunset") return sunMinutes.setting + (routine.offset_minutes ?? 0) + drift;
  if (routine.anchor === "sunrise") return sunMinutes.rising + (routine.offset_minutes ?? 0) + drift;
  return routine.at === undefined ? undefined : minutesOf(routine.at) + drift;
}

/** When the routine happens on this day, in minutes; undefined when it does not. Asks for the same amount of chance either way. */
export function happensAt(
  routine: PlantedRoutine,
  calendar: Calendar,
  { random, sunMinutes }: { readonly random: Random; readonly sunMinutes: SunTimes },
): number | undefined {
  const isHit = random() < routine.probability;
  const deviation = normal(random, 0, routine.spread_minutes ?? 0);
  const planned = plannedMinute(routine, calendar.day, sunMinutes);
  if (!isHit || planned === undefined || !isOpportunity(routine, calendar)) return undefined;
  return planned + deviation;
}
