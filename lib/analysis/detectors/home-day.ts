import { localMinuteOf } from "./local-time.ts";
import { medianOf } from "./statistics.ts";
import type { DayFacts, HomeDay } from "./types.ts";

const HOUR_US = 3_600e6;
const DAY_HOURS = 24;
const STEP_MINUTES = 10;
/** Of the median of all days. Below it somebody only looked after the flowers. */
const LIVED_IN_SHARE = 0.2;
/** As long as an ordinary day: with the largest clock changes that there are. Others are those on which the home moved, or its zone left out a date. */
const HOURS_MIN = 22;
const HOURS_MAX = 26;
/** 03:00 */
export const USUAL_BEGIN_MINUTE = 180;

/** What is remembered of a day for looking back at it. `isEligible` is of the day alone; see `eligible`. */
export function homeDayOf(facts: DayFacts): HomeDay {
  const activityByHour = new Array<number>(DAY_HOURS).fill(0);
  const seen = new Map<string, number>();
  for (const { entityId, atUs, minute, actor } of facts.occurrences) {
    if (actor !== "person") continue;
    const step = Math.floor(atUs / (STEP_MINUTES * 60e6));
    if (seen.get(entityId) === step) continue;
    seen.set(entityId, step);
    const hour = Math.floor(minute / 60);
    activityByHour[hour] = (activityByHour[hour] ?? 0) + 1;
  }
  const hours = Math.round((facts.toUs - facts.fromUs) / HOUR_US);
  const beginMinute = Math.round(localMinuteOf(facts.fromUs, facts.timeZone));
  const silentUs = facts.silent.reduce((sum, [from, to]) => sum + to - from, 0);
  return {
    date: facts.date,
    weekday: facts.weekday,
    hours,
    ...(beginMinute !== USUAL_BEGIN_MINUTE && { beginMinute }),
    activityByHour,
    ...(facts.sunriseMinute !== undefined && { sunriseMinute: facts.sunriseMinute }),
    ...(facts.sunsetMinute !== undefined && { sunsetMinute: facts.sunsetMinute }),
    ...(facts.isWorkday !== undefined && { isWorkday: facts.isWorkday }),
    ...(facts.isWorkdayNext !== undefined && { isWorkdayNext: facts.isWorkdayNext }),
    hasContexts: facts.hasContexts,
    silentSeconds: Math.round(silentUs / 1e6),
    isEligible: seen.size > 0 && silentUs < (facts.toUs - facts.fromUs) / 2 && hours >= HOURS_MIN && hours <= HOURS_MAX,
  };
}

const activityOf = (day: HomeDay): number => day.activityByHour.reduce((sum, count) => sum + count, 0);

/** The same days, of which those on which nobody was at home are not eligible. Give all that are looked back at: the median is theirs. Complexity: O(n log n). */
export function eligible(days: readonly HomeDay[]): HomeDay[] {
  const heard = days.filter(({ isEligible }) => isEligible);
  const least = LIVED_IN_SHARE * (heard.length > 0 ? medianOf(heard.map(activityOf)) : 0);
  return days.map((day) => ({ ...day, isEligible: day.isEligible && activityOf(day) > least }));
}

/** A holiday on a weekday is a day off, where the home has a workday sensor. */
export const isDayOff = ({ weekday, isWorkday }: Pick<HomeDay, "weekday" | "isWorkday">): boolean =>
  isWorkday === undefined ? weekday === "sat" || weekday === "sun" : !isWorkday;
