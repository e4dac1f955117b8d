import type { Microseconds } from "../base/time.ts";
import { addDays, zonedDayStartUs } from "../base/zone.ts";
import type { AggregateLayer } from "./ports.ts";

/** How a home counts its days. */
export interface HomeCalendar {
  /** IANA */
  readonly timeZone: string;
  /** Local time at which a day begins: `03:00`. */
  readonly analysisTime: string;
}

export interface Period {
  /** Its first day. */
  readonly date: string;
  /** The day behind its last one. */
  readonly endDate: string;
  readonly fromUs: Microseconds;
  /** Not included. */
  readonly toUs: Microseconds;
}

/** The week (Sunday to Saturday), the month or the day that holds the date. Days of 23 and 25 hours are as long as they are. */
export function periodOf(layer: AggregateLayer, date: string, calendar: HomeCalendar): Period {
  const [first, endDate] = datesOf(layer, date);
  const start = (day: string) => zonedDayStartUs(day, calendar.analysisTime, calendar.timeZone);
  return { date: first, endDate, fromUs: start(first), toUs: start(endDate) };
}

function datesOf(layer: AggregateLayer, date: string): [first: string, end: string] {
  if (layer === "daily") return [date, addDays(date, 1)];
  if (layer === "weekly") {
    const first = addDays(date, -new Date(`${date}T00:00:00Z`).getUTCDay());
    return [first, addDays(first, 7)];
  }
  const first = `${date.slice(0, 7)}-01`;
  return [first, `${addDays(first, 31).slice(0, 7)}-01`];
}

/** Every date from the first to the one before the end. */
export function datesBetween(first: string, end: string): string[] {
  const dates: string[] = [];
  for (let date = first; date < end; date = addDays(date, 1)) dates.push(date);
  return dates;
}
