import { eligible, homeDayOf } from "../../lib/analysis/detectors/home-day.ts";
import { localMinuteOf, weekdayOf } from "../../lib/analysis/detectors/local-time.ts";
import type { DayFacts, Detector, DetectorHistory, Occurrence } from "../../lib/analysis/detectors/types.ts";
import { addDays, zonedDayStartUs } from "../../lib/base/zone.ts";

export const ZONE = "Europe/Amsterdam";
export const DAY_BEGINS = "03:00";

/** What happened: at the local minute of the home's day (180 to 1620; beyond 1440 behind midnight). */
export interface Happening extends Partial<Omit<Occurrence, "atUs" | "minute">> {
  readonly entityId: string;
  readonly minute: number;
}

/** A day's facts of what happened on it, by a 24-hour clock from its begin; what is given in `more` replaces what is worked out. */
export function buildFacts(
  date: string,
  happenings: readonly Happening[] = [],
  more: Partial<DayFacts> = {},
): DayFacts {
  const timeZone = more.timeZone ?? ZONE;
  const fromUs = zonedDayStartUs(date, DAY_BEGINS, timeZone);
  const toUs = zonedDayStartUs(addDays(date, 1), DAY_BEGINS, timeZone);
  const occurrences = [...happenings]
    .sort((a, b) => a.minute - b.minute)
    .map((happening, index): Occurrence => {
      const atUs = Math.min(toUs - 1, Math.round(fromUs + (happening.minute - 180) * 60e6));
      const domain = happening.entityId.split(".")[0] ?? "";
      return {
        state: "on",
        actor: "person",
        act: index,
        role: domain.includes("sensor") ? "sensor" : "target",
        domain,
        ...happening,
        atUs,
        minute: localMinuteOf(atUs, timeZone),
      };
    });
  return {
    homeId: "home",
    date,
    weekday: weekdayOf(date),
    fromUs,
    toUs,
    timeZone,
    occurrences,
    unavailable: [],
    muted: [],
    hasContexts: true,
    silent: [],
    ...more,
  };
}

/** Those dates in a row. */
export const datesFrom = (first: string, days: number): string[] =>
  Array.from({ length: days }, (_, index) => addDays(first, index));

/** The detector's history of those days, as a night has it. */
export function historyOf<Row>(detector: Detector<Row>, facts: readonly DayFacts[]): DetectorHistory<Row> {
  const days = eligible(facts.map(homeDayOf));
  return {
    homeId: "home",
    date: facts.at(-1)?.date ?? "2026-01-01",
    days: days.flatMap((day, index) => {
      const each = facts[index];
      return each ? [{ day, rows: detector.aggregate(each) }] : [];
    }),
    weeks: [],
  };
}
