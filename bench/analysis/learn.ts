import { DETECTORS } from "../../lib/analysis/detectors/all.ts";
import { createDayFacts } from "../../lib/analysis/detectors/facts.ts";
import { homeDayOf } from "../../lib/analysis/detectors/home-day.ts";
import type { DayFacts, HomeDay } from "../../lib/analysis/detectors/types.ts";
import { DAY, packDays, packLearned, versionsOf } from "../../lib/analysis/patterns/learned.ts";
import type { Aggregate } from "../../lib/analysis/ports.ts";
import { addDays } from "../../lib/base/zone.ts";
import type { HomeEvent } from "../../lib/event/index.ts";
import { type BenchDay, HOME } from "./homes.ts";

export type DayInfo = Omit<BenchDay, "events">;

export function factsOf(day: DayInfo, events: Iterable<HomeEvent>): DayFacts {
  const builder = createDayFacts(day);
  for (const event of events) builder.add(event);
  return builder.finish();
}

/** What the patterns' phase keeps of a day. */
export function aggregatesOf(day: DayInfo, facts: DayFacts, events: number): Aggregate[] {
  const { date, fromUs, toUs } = day;
  const at = { homeId: HOME, layer: "daily" as const, date, fromUs, toUs };
  const own = DETECTORS.map((detector): Aggregate => {
    const rows = packLearned({ version: detector.version, dates: [date], rows: detector.aggregate(facts) });
    return { ...at, kind: detector.kind, rows };
  });
  const home: HomeDay = homeDayOf(facts);
  return [
    ...own,
    { ...at, kind: DAY, rows: packDays({ versions: versionsOf(DETECTORS), dates: [date], events, day: home }) },
  ];
}

/** The weeks of those days that are whole, as the sums of their days: of detectors that look at weeks. */
export function weeksOf(days: readonly Aggregate[]): Aggregate[] {
  return DETECTORS.filter(({ needsWeeks }) => needsWeeks).flatMap((detector) => {
    const own = days.filter(({ kind }) => kind === detector.kind);
    const mondays = own.filter(({ date }) => new Date(`${date}T00:00:00Z`).getUTCDay() === 1);
    return mondays.flatMap((monday): Aggregate[] => {
      const week = own.filter(({ date }) => date >= monday.date && date < addDays(monday.date, 7));
      if (week.length < 7) return [];
      const rows = detector.merge(week.map(({ rows: [, ...rows] }) => rows));
      const dates = week.map(({ date }) => date);
      const toUs = week.at(-1)?.toUs ?? monday.toUs;
      return [{ ...monday, layer: "weekly", toUs, rows: packLearned({ version: detector.version, dates, rows }) }];
    });
  });
}
