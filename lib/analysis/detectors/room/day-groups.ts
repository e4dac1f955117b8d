import { WEEKDAYS, type Weekday } from "../../patterns/types.ts";
import { isDayOff } from "../home-day.ts";
import { wilsonLower } from "../statistics.ts";
import type { HomeDay } from "../types.ts";

/** The days of the week to which something belongs. */
export interface DayGroup {
  readonly holds: (day: HomeDay) => boolean;
  /** Absent: all. */
  readonly days?: readonly Weekday[];
}

const ALL: DayGroup = { holds: () => true };

/** With a workday sensor, a holiday is a day off. */
const GROUPS: readonly DayGroup[] = [
  { holds: (day) => !isDayOff(day), days: WEEKDAYS.slice(0, 5) },
  { holds: isDayOff, days: WEEKDAYS.slice(5) },
  ...WEEKDAYS.map((weekday): DayGroup => ({ holds: (day) => day.weekday === weekday, days: [weekday] })),
];

/** A group has to tell much more than all days, and to leave hardly a hit out. */
const LEAST_GAIN = 0.1;
const LEAST_KEPT = 0.85;

/** The group of days on which it is most reliable, if that is worth telling; else all. */
export function bestDays(opportunities: readonly HomeDay[], hits: ReadonlySet<string>): DayGroup {
  const reliabilityIn = (group: DayGroup) => {
    const days = opportunities.filter(group.holds);
    const count = days.filter(({ date }) => hits.has(date)).length;
    return count < LEAST_KEPT * hits.size ? 0 : wilsonLower(count, days.length);
  };
  let [best, least]: [DayGroup, number] = [ALL, reliabilityIn(ALL) + LEAST_GAIN];
  for (const group of GROUPS) {
    const reliability = reliabilityIn(group);
    if (reliability > least) [best, least] = [group, reliability];
  }
  return best;
}
