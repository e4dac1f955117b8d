import type { Clock } from "../../base/clock.ts";
import { addDays, homeDayOf } from "../../base/zone.ts";
import type { EventStore, LateDays } from "../../store/ports.ts";
import type { Detector } from "../detectors/types.ts";
import { daysWithEvents, type Night } from "../entities/progress.ts";
import { datesBetween, type HomeCalendar, periodOf } from "../periods.ts";
import type { AggregateStore, Job } from "../ports.ts";
import { dailyKeptFrom, endedDate, isForgotten, type Retention } from "../retention-rules.ts";
import type { DayReader } from "./day-readers.ts";
import { learnDay, learnedDay } from "./learn-day.ts";
import { hasVersions, versionsOf } from "./learned.ts";
import { createSums } from "./sums.ts";

export interface LearningOptions {
  readonly store: Pick<EventStore, "scan" | "range" | "retention">;
  readonly aggregates: AggregateStore;
  /** Days of which events came after they had been learned from; see `handOn`. */
  readonly relearn: LateDays;
  readonly detectors: readonly Detector[];
  /** They read each day along. */
  readonly readers?: readonly DayReader[];
  readonly retention: Retention;
  readonly analysisTime: string;
  readonly clock: Pick<Clock, "nowMs">;
}

/** What was learned, in numbers. */
export interface LearningResult {
  events: number;
  days: number;
  /** Days that wait for another night, or another message of the job. */
  daysLeft: number;
  readonly rowsByKind: Record<string, number>;
  /** By kind: the first reason for which a detector could not learn from a day. */
  readonly errors: Record<string, string>;
}

/** Detectors' layers 2 and 3. A job run twice leaves the same, and so do jobs in any order. */
export interface Learning {
  nightOf(job: Job, timeZone: string): Night;
  /** The job's day, those that are late, and those with raw events from which nobody has learned; while there is time. */
  daily(night: Night, hasTime: () => boolean): Promise<LearningResult>;
  /** The days of the job's week or month that are missing, and their sum. */
  longer(night: Night, job: Job, hasTime: () => boolean): Promise<LearningResult>;
  /** The first day before a date with raw events that were not learned from: they must stay. */
  firstUndone(job: Job, beforeDate: string, timeZone: string): Promise<string | undefined>;
}

export function createLearning(options: LearningOptions): Learning {
  const { store, aggregates, relearn, detectors, retention, analysisTime, clock } = options;
  const sums = createSums(options);
  const wanted = versionsOf(detectors);

  /** `sums`: its own rows are there, those of its week or month are not. */
  async function stateOf(night: Night, date: string): Promise<"undone" | "sums" | "done"> {
    if (isForgotten(date, night.date, retention)) return "done";
    const there = await learnedDay(aggregates, night.homeId, date);
    if (there && hasVersions(there, wanted)) return (await sums.hold(night, date)) ? "done" : "sums";
    // Its own rows have gone after they were summed.
    if (!there && date < dailyKeptFrom(night.date, retention) && (await sums.hold(night, date))) return "done";
    return "undone";
  }

  async function wantedOf(night: Night, late: readonly string[]): Promise<Map<string, "undone" | "sums">> {
    const days = new Map<string, "undone" | "sums">([[night.date, "undone"]]);
    for (const date of late) if (!isForgotten(date, night.date, retention)) days.set(date, "undone");
    for await (const date of daysWithEvents(store, night, night.date)) {
      if (days.has(date)) continue;
      const state = await stateOf(night, date);
      if (state !== "done") days.set(date, state);
    }
    return new Map([...days].sort());
  }

  async function work(night: Night, days: ReadonlyMap<string, "undone" | "sums">, hasTime: () => boolean) {
    const result: LearningResult = { events: 0, days: 0, daysLeft: 0, rowsByKind: {}, errors: {} };
    const done: string[] = [];
    for (const [date, state] of days) {
      if (!hasTime() && date !== night.date && done.length > 0) {
        result.daysLeft++;
        continue;
      }
      if (state === "undone") add(result, await learnDay(night, date, options));
      done.push(date);
    }
    fail(result, await sums.ofDays(night, done));
    return { result, done };
  }

  return {
    nightOf({ homeId, date }, timeZone) {
      const lastEnded = addDays(homeDayOf(clock.nowMs() * 1000, analysisTime, timeZone), -1);
      return { homeId, date: endedDate(date, lastEnded), calendar: { timeZone, analysisTime } };
    },

    async daily(night, hasTime) {
      const late = (await relearn.list(night.homeId)).filter(({ date }) => date <= night.date);
      const days = await wantedOf(
        night,
        late.map(({ date }) => date),
      );
      const { result, done } = await work(night, days, hasTime);
      await relearn.clear(
        night.homeId,
        late.filter(({ date }) => done.includes(date) || !days.has(date)),
      );
      return result;
    },

    async longer(night, job, hasTime) {
      const { homeId, calendar } = night;
      if (job.kind === "daily") return this.daily(night, hasTime);
      const period = periodOf(job.kind, job.date, calendar);
      const days = new Map<string, "undone" | "sums">();
      for (const date of datesBetween(period.date, period.endDate)) {
        if (date > night.date) continue;
        const there = await learnedDay(aggregates, homeId, date);
        if (!there && (await hasEvents(night, date))) days.set(date, "undone");
      }
      const { result } = await work(night, days, hasTime);
      if (period.endDate <= addDays(night.date, 1)) fail(result, await sums.sum(homeId, job.kind, period));
      return result;
    },

    async firstUndone(job, beforeDate, timeZone) {
      const night = this.nightOf(job, timeZone);
      const late = new Set((await relearn.list(night.homeId)).map(({ date }) => date));
      for await (const date of daysWithEvents(store, night, beforeDate)) {
        const isWaiting = late.has(date) && !isForgotten(date, night.date, retention);
        // A day that one detector cannot learn from does not stay for ever.
        if (
          isWaiting ||
          ((await stateOf(night, date)) === "undone" && !(await learnedDay(aggregates, night.homeId, date)))
        )
          return date;
      }
      return undefined;
    },
  };

  async function hasEvents({ homeId, calendar }: { homeId: string; calendar: HomeCalendar }, date: string) {
    const { fromUs, toUs } = periodOf("daily", date, calendar);
    return (await store.range({ homeId, fromUs, toUs, order: "asc", limit: 1 })).events.length > 0;
  }
}

function add(result: LearningResult, day: Awaited<ReturnType<typeof learnDay>>): void {
  result.events += day.events;
  result.days += Number(day.isKept);
  for (const [kind, rows] of Object.entries(day.rowsByKind))
    result.rowsByKind[kind] = (result.rowsByKind[kind] ?? 0) + rows;
  fail(result, day.errors);
}

function fail(result: LearningResult, errors: Readonly<Record<string, string>>): void {
  for (const [kind, error] of Object.entries(errors)) result.errors[kind] ??= error;
}

/** The late days of one reader, who hands those that it is done with on to the next: each sees every late day. */
export const handOn = (own: LateDays, next: Pick<LateDays, "note">): LateDays => ({
  ...own,
  async clear(homeId, days) {
    // First the note: whoever ends between the two has both read the day once more.
    if (days.length > 0) await next.note(homeId, [...new Set(days.map(({ date }) => date))].sort());
    await own.clear(homeId, days);
  },
});
