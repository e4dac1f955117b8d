import { addDays, homeDayOf } from "../../base/zone.ts";
import type { EventStore } from "../../store/ports.ts";
import { datesBetween, type HomeCalendar, type Period, periodOf } from "../periods.ts";
import type { Aggregate, AggregateLayer } from "../ports.ts";
import { dailyKeptFrom, isForgotten, pruneBeforeDate, type Retention } from "../retention-rules.ts";
import type { KeptLayers } from "./kept.ts";
import { unpackRows } from "./rows.ts";

/** `sums`: its week or month is missing. `undone`: its events are not in its own aggregate. `silent`: it has no events and no aggregate, but hands on what is held. `check`: whether all behind it have what it leaves. */
export type DayState = "undone" | "sums" | "silent" | "check" | "done";
/** Beyond so many days without any event or job nothing is handed on any more. */
const SILENT_DAYS_MAX = 60;

/** Whose night it is. */
export interface Night {
  readonly homeId: string;
  /** The day that has ended. */
  readonly date: string;
  readonly calendar: HomeCalendar;
}

/** How far the layers are with a home's raw events. */
export interface Progress {
  /** Days with raw events before a date, one after the other, from the store's oldest on. */
  daysWithEvents(night: Night, beforeDate: string): AsyncGenerator<string>;
  stateOf(night: Night, date: string): Promise<DayState>;
  /**
   * The days with those near them, between two that are there, of which there is no aggregate; ascending. Without these nobody would know what was held on the next
   * day. Not only those beside the days: whoever was to make them may have ended in the middle.
   */
  withSilent(night: Night, days: ReadonlyMap<string, DayState>): Promise<Map<string, DayState>>;
  /**
   * The day as it is kept; one that is not kept yet begins where the day before it ends, and ends where the day after it begins: where a home has moved to another time
   * zone, no event is in two days or in none.
   */
  spanOf(night: Night, date: string): Promise<Period>;
}

export const LONGER = ["weekly", "monthly"] as const;

/** Whether the week or month that begins at `first` has ended by the end of the night's day. */
export const hasEnded = (layer: AggregateLayer, first: string, { date, calendar }: Night): boolean =>
  periodOf(layer, first, calendar).endDate <= addDays(date, 1);

export const hasEvents = (day: Aggregate | undefined): boolean =>
  day !== undefined && unpackRows(day).some(({ rollup }) => rollup !== undefined);

interface Span {
  readonly fromUs: number;
  readonly toUs: number;
}

async function firstIn(
  store: Pick<EventStore, "range">,
  homeId: string,
  { fromUs, toUs }: Span,
): Promise<number | undefined> {
  if (fromUs >= toUs) return undefined;
  return (await store.range({ homeId, fromUs, toUs, order: "asc", limit: 1 })).events[0]?.atUs;
}

/** Days with raw events before a date, one after the other, from the store's oldest on. */
export async function* daysWithEvents(
  store: Pick<EventStore, "range" | "retention">,
  { homeId, calendar }: Night,
  beforeDate: string,
): AsyncGenerator<string> {
  let fromUs = (await store.retention(homeId)).oldestUs;
  const { fromUs: endUs } = periodOf("daily", beforeDate, calendar);
  while (fromUs !== undefined && fromUs < endUs) {
    const date = homeDayOf(fromUs, calendar.analysisTime, calendar.timeZone);
    yield date;
    fromUs = await firstIn(store, homeId, { fromUs: periodOf("daily", date, calendar).toUs, toUs: endUs });
  }
}

export function createProgress(options: {
  readonly store: Pick<EventStore, "range" | "retention">;
  readonly kept: Pick<KeptLayers, "read" | "dates">;
  readonly retention: Retention;
}): Progress {
  const { store, kept, retention } = options;

  async function spanOf({ homeId, calendar }: Night, date: string): Promise<Period> {
    const period = periodOf("daily", date, calendar);
    const own = await kept.read(homeId, "daily", date);
    if (own) return { ...period, fromUs: own.fromUs, toUs: own.toUs };
    const fromUs = (await kept.read(homeId, "daily", addDays(date, -1)))?.toUs ?? period.fromUs;
    const toUs = (await kept.read(homeId, "daily", addDays(date, 1)))?.fromUs ?? period.toUs;
    return { ...period, fromUs, toUs: Math.max(fromUs, toUs) };
  }

  /** Whether all sums that keep the day and have ended are there. */
  async function hasSums(night: Night, date: string): Promise<boolean> {
    for (const layer of LONGER) {
      const first = periodOf(layer, date, night.calendar).date;
      const isKept = first >= pruneBeforeDate(layer, night.date, retention);
      if (isKept && hasEnded(layer, first, night) && !(await kept.read(night.homeId, layer, first))) return false;
    }
    return true;
  }

  return {
    daysWithEvents: (night, beforeDate) => daysWithEvents(store, night, beforeDate),
    spanOf,

    async withSilent({ homeId }, days) {
      const [first, last] = [[...days.keys()].sort()[0], [...days.keys()].sort().at(-1)];
      const all = new Map(days);
      if (first === undefined || last === undefined) return all;
      const there = await kept.dates(homeId, addDays(first, -SILENT_DAYS_MAX), addDays(last, SILENT_DAYS_MAX));
      const known = [...new Set([...there, ...days.keys()])].sort();
      for (const [at, date] of known.entries()) {
        const next = known[at + 1];
        if (next === undefined) continue;
        const between = datesBetween(addDays(date, 1), next);
        if (between.length <= SILENT_DAYS_MAX) for (const silent of between) all.set(silent, "silent");
      }
      return new Map([...all].sort());
    },

    async stateOf(night, date) {
      if (isForgotten(date, night.date, retention)) return "done";
      if (hasEvents(await kept.read(night.homeId, "daily", date)))
        return (await hasSums(night, date)) ? "done" : "sums";
      // Its own aggregate has gone after it was summed.
      if (date < dailyKeptFrom(night.date, retention) && (await hasSums(night, date))) return "done";
      // A day may hold nothing but what older ones left behind, and its events may still come, by an import.
      return (await firstIn(store, night.homeId, await spanOf(night, date))) === undefined ? "done" : "undone";
    },
  };
}
