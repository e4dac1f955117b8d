import { WEEKDAYS, type Weekday } from "../../patterns/types.ts";
import { isDayOff } from "../home-day.ts";
import { timesOf } from "../minutes.ts";
import type { DetectorHistory, HomeDay } from "../types.ts";
import { EVERYTHING, type TimeRow } from "./rows.ts";

/** A set of days on which something may be a habit. `days` absent: all. */
export interface DaySet {
  readonly name: string;
  readonly days?: readonly Weekday[];
  has(day: HomeDay): boolean;
}

const WORKDAYS = WEEKDAYS.slice(0, 5);
const DAYS_OFF = WEEKDAYS.slice(5);

/** A holiday is a day off, and no Tuesday. */
export const DAY_SETS: readonly DaySet[] = [
  { name: "all", has: () => true },
  { name: "workdays", days: WORKDAYS, has: (day) => !isDayOff(day) },
  { name: "days-off", days: DAYS_OFF, has: isDayOff },
  ...WEEKDAYS.map((weekday) => ({
    name: weekday,
    days: [weekday],
    has: (day: HomeDay) => day.weekday === weekday && isDayOff(day) === DAYS_OFF.includes(weekday),
  })),
];

export type SunAnchor = "sunrise" | "sunset";
export const sunMinuteOf = (day: HomeDay, anchor: SunAnchor): number | undefined =>
  anchor === "sunrise" ? day.sunriseMinute : day.sunsetMinute;

/** When a token came about on each of the days; minutes ascend. */
export interface Series {
  readonly entityId: string;
  readonly state: string;
  readonly who: "person" | "automation";
  readonly times: readonly (readonly number[])[];
}

/** The eligible days of a history, and what happened on them. */
export interface TimeHistory {
  readonly days: readonly HomeDay[];
  readonly series: readonly Series[];
  /** Could the entity be asked at that minute of that day (by its index)? */
  isAway(entityId: string, day: number, minute: number): boolean;
}

const NEAR_MINUTES = 5.01;
const NONE: readonly number[] = [];

export function timeHistoryOf(history: DetectorHistory<TimeRow>): TimeHistory {
  const lived = history.days.filter(({ day }) => day.isEligible);
  const found = new Map<
    string,
    { entityId: string; state: string; who: Series["who"]; times: (readonly number[])[] }
  >();
  const away = new Map<string, readonly number[]>();
  for (const [index, { rows }] of lived.entries()) {
    for (const [entityId, state, who, minutes] of rows) {
      if (who === "away") {
        away.set(`${index} ${entityId}`, timesOf(minutes));
        continue;
      }
      const name = `${entityId}\n${state}\n${who}`;
      const there = found.get(name) ?? {
        entityId,
        state,
        who,
        times: new Array<readonly number[]>(lived.length).fill(NONE),
      };
      found.set(name, there);
      there.times[index] = timesOf(minutes);
    }
  }
  const isIn = (name: string, minute: number) =>
    away.get(name)?.some((middle) => Math.abs(middle - minute) <= NEAR_MINUTES) ?? false;
  return {
    days: lived.map(({ day }) => day),
    series: [...found.values()],
    isAway: (entityId, day, minute) => isIn(`${day} ${entityId}`, minute) || isIn(`${day} ${EVERYTHING}`, minute),
  };
}
