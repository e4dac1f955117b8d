import { addDays } from "../../base/zone.ts";
import { eligible } from "../detectors/home-day.ts";
import type { Detector, DetectorDay, DetectorHistory, DetectorPeriod, HomeDay } from "../detectors/types.ts";
import type { AggregateStore } from "../ports.ts";
import { DAY, unpackDays, unpackLearned } from "./learned.ts";
import type { EntityNames } from "./renames.ts";

/** So far detectors look back. */
export const HISTORY_DAYS = 90;
const HISTORY_WEEKS = 52;

export interface HistoryOptions {
  readonly aggregates: Pick<AggregateStore, "range">;
  readonly homeId: string;
  /** The last day that is looked at. */
  readonly date: string;
  readonly names: EntityNames;
}

/** The days before and with `date` of which there is something, ascending; vacations are not eligible. */
export async function readHomeDays({ aggregates, homeId, date }: HistoryOptions): Promise<HomeDay[]> {
  const fromDate = addDays(date, 1 - HISTORY_DAYS);
  const days: HomeDay[] = [];
  const query = { homeId, layer: "daily" as const, kind: DAY, fromDate, toDate: addDays(date, 1) };
  for await (const found of aggregates.range(query)) {
    const { day } = unpackDays(found);
    if (day) days.push(day);
  }
  return eligible(days);
}

/**
 * What one detector has learned from these days. Rows that another version has made are left out: their raw events have gone.
 * Entities that were renamed since have the ids that they have now.
 */
export async function readHistory(
  detector: Detector,
  days: readonly HomeDay[],
  options: HistoryOptions,
): Promise<{ readonly history: DetectorHistory<unknown>; readonly leftOut: number }> {
  const { aggregates, homeId, date, names } = options;
  const homeDays = new Map(days.map((day) => [day.date, day]));
  const asNow = (rows: readonly unknown[], atUs: number): readonly unknown[] => {
    const named = names.asNow(rows, atUs);
    return named === rows ? rows : detector.merge([named]);
  };
  const query = { homeId, kind: detector.kind, toDate: addDays(date, 1) };
  const found: DetectorDay<unknown>[] = [];
  let leftOut = 0;
  const daily = { ...query, layer: "daily" as const, fromDate: addDays(date, 1 - HISTORY_DAYS) };
  for await (const aggregate of aggregates.range(daily)) {
    const { version, rows } = unpackLearned(aggregate);
    const day = homeDays.get(aggregate.date);
    if (version !== detector.version) leftOut++;
    else if (day) found.push({ day, rows: asNow(rows, aggregate.fromUs) });
  }
  const weeks: DetectorPeriod<unknown>[] = [];
  const weekly = { ...query, layer: "weekly" as const, fromDate: addDays(date, -7 * HISTORY_WEEKS) };
  if (detector.needsWeeks)
    for await (const aggregate of aggregates.range(weekly)) {
      const { version, dates, rows } = unpackLearned(aggregate);
      // A week in which the last day is not over yet is no week.
      const isOver = addDays(aggregate.date, 7) <= addDays(date, 1);
      if (version !== detector.version) leftOut++;
      else if (isOver)
        weeks.push({ layer: "weekly", date: aggregate.date, dates, rows: asNow(rows, aggregate.fromUs) });
    }
  return { history: { homeId, date, days: found, weeks: weeks.slice(-HISTORY_WEEKS) }, leftOut };
}
