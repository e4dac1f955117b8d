import type { Clock } from "../../base/clock.ts";
import { addDays, homeDayOf } from "../../base/zone.ts";
import type { EventStore, LateDay, LateDays } from "../../store/ports.ts";
import { datesBetween, periodOf } from "../periods.ts";
import type { AggregateLayer, AggregateStore, Job } from "../ports.ts";
import { dailyKeptFrom, endedDate, firstKeptDate, isForgotten, type Retention } from "../retention-rules.ts";
import { aggregateDay } from "./day.ts";
import { createKeptLayers } from "./kept.ts";
import { rebase } from "./merge.ts";
import { createProgress, type DayState, hasEnded, hasEvents, LONGER, type Night } from "./progress.ts";
import { unpackRows } from "./rows.ts";

export interface EntityLayersOptions {
  readonly store: EventStore;
  readonly aggregates: AggregateStore;
  readonly lateDays: LateDays;
  readonly retention: Retention;
  readonly analysisTime: string;
  readonly clock: Pick<Clock, "monotonicMs" | "nowMs">;
  /** After this time no further day is begun; what is left is the next night's. */
  readonly budgetMs: number;
}

/** What a job did, in numbers. */
export interface EntityLayersCounts {
  /** Read from the store. */
  events: number;
  /** Days that were aggregated, the job's own among them. */
  days: number;
  /** Entities of the period. */
  entities: number;
  /** Days that wait for another night. */
  days_left: number;
}

/** Layers 2 and 3 of what each entity did. A job run twice leaves the same, and so do jobs in any order: what is pruned meanwhile stays as it was aggregated. */
export interface EntityLayers {
  daily(job: Job, timeZone: string): Promise<EntityLayersCounts>;
  /** Weeks and months are sums of their days. */
  longer(job: Job, timeZone: string): Promise<EntityLayersCounts>;
  /** The first day before `beforeDate` of which there are raw events that are not in every layer that keeps it: they must stay. */
  firstUndone(job: Job, beforeDate: string, timeZone: string): Promise<string | undefined>;
}

interface DayWork {
  readonly state: DayState;
  /** The day before the next one that is to be done. */
  readonly throughDate: string;
}
interface DayDone {
  readonly events: number;
  readonly entities: number;
  /** The last day that changed. */
  readonly lastDate: string;
}
const NOTHING = { events: 0, entities: 0 };

export function createEntityLayers(options: EntityLayersOptions): EntityLayers {
  const { store, lateDays, retention, analysisTime, clock } = options;
  const kept = createKeptLayers(options);
  const progress = createProgress({ store, kept, retention });

  function nightOf({ homeId, date }: Job, timeZone: string): Night {
    const lastEnded = addDays(homeDayOf(clock.nowMs() * 1000, analysisTime, timeZone), -1);
    return { homeId, date: endedDate(date, lastEnded), calendar: { timeZone, analysisTime } };
  }

  /** Aggregates one day, and hands what it leaves behind on to the days after it that are there. */
  async function doDay(night: Night, date: string, { state, throughDate }: DayWork): Promise<DayDone> {
    const { homeId } = night;
    const dayBefore = await kept.read(homeId, "daily", addDays(date, -1));
    const previous = dayBefore && unpackRows(dayBefore);
    if (state === "silent" && !previous) return { ...NOTHING, lastDate: date };
    const period = await progress.spanOf(night, date);
    const { rows, events } =
      state === "silent" && previous
        ? { rows: rebase([], previous), events: 0 }
        : await aggregateDay({ store, homeId, period, previous });
    // A day of nothing says to those behind it that nothing is held.
    if (rows.length === 0 && !previous) return { ...NOTHING, lastDate: date };
    const day = await kept.keepDay(homeId, { period, rows, previous }, throughDate);
    return { events, entities: day.rows.length, lastDate: day.lastDate };
  }

  /** The days that are to be aggregated or summed, and what of each. */
  async function wantedOf(night: Night, late: readonly LateDay[]): Promise<Map<string, DayState>> {
    const wanted = new Map<string, DayState>([[night.date, "undone"]]);
    for (const { date } of late) if (!isForgotten(date, night.date, retention)) wanted.set(date, "undone");
    const withEvents: string[] = [];
    for await (const date of progress.daysWithEvents(night, night.date)) {
      withEvents.push(date);
      if (wanted.has(date)) continue;
      const state = await progress.stateOf(night, date);
      if (state !== "done") wanted.set(date, state);
    }
    // A sum wants all of its days: those whose own aggregates have gone are made of their events once more.
    const gone = dailyKeptFrom(night.date, retention);
    const periods = new Set([...wanted.keys()].filter((date) => date < gone).flatMap((date) => sumsOf(night, date)));
    for (const date of withEvents) {
      if (date >= gone || wanted.has(date) || !sumsOf(night, date).some((sum) => periods.has(sum))) continue;
      if (!hasEvents(await kept.read(night.homeId, "daily", date))) wanted.set(date, "undone");
    }
    // Somebody may have ended in the middle, with what another changed meanwhile still in his hands.
    const [first] = await kept.dates(night.homeId, checkedFrom(night.date, retention), night.date);
    // A day of which only sums are missing is looked at as well, and its sums are made on the way.
    if (first !== undefined && (wanted.get(first) ?? "sums") === "sums") wanted.set(first, "check");
    return progress.withSilent(night, wanted);
  }

  const sum = (night: Night, layer: AggregateLayer, first: string): Promise<number> => {
    const period = periodOf(layer, first, night.calendar);
    return kept.sum(night.homeId, layer, { period, isWhole: first >= dailyKeptFrom(night.date, retention) });
  };

  /** Aggregates days, ascending; each week and month of them is summed when its last one is done, and only then a late day is forgotten. */
  function createWork(night: Night, late: readonly LateDay[]) {
    const open = new Set<string>();
    const unsettled = new Set<string>();

    async function settle(isOver: (sum: string) => boolean): Promise<void> {
      for (const name of [...open].filter(isOver)) {
        const [layer, first] = placeOf(name);
        if (hasEnded(layer, first, night) || (await kept.read(night.homeId, layer, first)))
          await sum(night, layer, first);
        open.delete(name);
      }
      const settled = [...unsettled].filter((date) => !sumsOf(night, date).some((sum) => open.has(sum)));
      for (const date of settled) unsettled.delete(date);
      await lateDays.clear(
        night.homeId,
        late.filter(({ date }) => settled.includes(date)),
      );
    }

    async function work(date: string, { state, throughDate }: DayWork): Promise<DayDone> {
      if (state === "undone" || state === "silent") return doDay(night, date, { state, throughDate });
      const isCheck = state === "check";
      return { ...NOTHING, lastDate: isCheck ? await kept.handOn(night.homeId, date, throughDate) : date };
    }

    return {
      async take(date: string, { state, throughDate }: DayWork): Promise<{ events: number; entities: number }> {
        await settle((sum) => !sumsOf(night, date).includes(sum));
        const day = await work(date, { state, throughDate });
        for (const each of datesBetween(date, addDays(day.lastDate, 1)))
          for (const sum of sumsOf(night, each)) open.add(sum);
        unsettled.add(date);
        return day;
      },
      end: () => settle(() => true),
    };
  }

  return {
    async firstUndone(job, beforeDate, timeZone) {
      const night = nightOf(job, timeZone);
      const late = new Set((await lateDays.list(night.homeId)).map(({ date }) => date));
      for await (const date of progress.daysWithEvents(night, beforeDate)) {
        const isWaiting = late.has(date) && !isForgotten(date, night.date, retention);
        if (isWaiting || (await progress.stateOf(night, date)) !== "done") return date;
      }
      return undefined;
    },

    async daily(job, timeZone) {
      const night = nightOf(job, timeZone);
      const untilMs = clock.monotonicMs() + options.budgetMs;
      const late = (await lateDays.list(night.homeId)).filter(({ date }) => date <= night.date);
      const wanted = await wantedOf(night, late);
      await lateDays.clear(
        night.homeId,
        late.filter(({ date }) => !wanted.has(date)),
      );
      const counts: EntityLayersCounts = { events: 0, days: 0, entities: 0, days_left: 0 };
      const work = createWork(night, late);
      for (const [date, state] of wanted) {
        if (clock.monotonicMs() >= untilMs && date !== night.date) {
          counts.days_left += Number(state === "undone" || state === "sums");
          continue;
        }
        const { events, entities } = await work.take(date, { state, throughDate: beforeNext(wanted, date) });
        counts.events += events;
        counts.days += Number(state === "undone");
        if (date === night.date) counts.entities = entities;
      }
      await work.end();
      return counts;
    },

    async longer(job, timeZone) {
      const night = nightOf(job, timeZone);
      const { homeId } = night;
      const period = periodOf(job.kind, job.date, night.calendar);
      const late = new Set((await lateDays.list(homeId)).map(({ date }) => date));
      const counts: EntityLayersCounts = { events: 0, days: 0, entities: 0, days_left: 0 };
      // The night's daily job may not have come so far yet; both leave the same. Late days are its to forget.
      const wanted = new Map<string, DayState>();
      for (const date of datesBetween(period.date, period.endDate))
        if (date <= night.date && (late.has(date) || !hasEvents(await kept.read(homeId, "daily", date))))
          wanted.set(date, "undone");
      const work = createWork(night, []);
      const days = await progress.withSilent(night, wanted);
      for (const [date, state] of days) {
        counts.events += (await work.take(date, { state, throughDate: beforeNext(days, date) })).events;
        counts.days += Number(state === "undone");
      }
      await work.end();
      if (hasEnded(job.kind, period.date, night)) counts.entities = await sum(night, job.kind, period.date);
      return counts;
    },
  };
}

/** Whether each day has what the day before it leaves is looked at again so far back: as far as anything can come late, but for a month at most. */
const CHECKED_DAYS_MAX = 31;
const checkedFrom = (date: string, retention: Retention): string =>
  [firstKeptDate(date, retention), addDays(date, -CHECKED_DAYS_MAX)].sort()[1] ?? date;

/** The day before the next one that is aggregated, and so looks at its own day before; without one the day itself. */
function beforeNext(days: ReadonlyMap<string, DayState>, date: string): string {
  for (const [next, state] of days)
    if (next > date && (state === "undone" || state === "silent")) return addDays(next, -1);
  return date;
}

/** The week and the month that the day is in, by name. */
const sumsOf = ({ calendar }: Night, date: string): string[] =>
  LONGER.map((layer) => `${layer} ${periodOf(layer, date, calendar).date}`);

const placeOf = (name: string) => name.split(" ") as [layer: AggregateLayer, first: string];
