import type { Clock } from "../../base/clock.ts";
import { addDays } from "../../base/zone.ts";
import type { Detector } from "../detectors/types.ts";
import { hasEnded, LONGER, type Night } from "../entities/progress.ts";
import { type Period, periodOf } from "../periods.ts";
import type { Aggregate, AggregateLayer, AggregateStore } from "../ports.ts";
import { expiresMs, type Retention } from "../retention-rules.ts";
import { errorOf } from "./learn-day.ts";
import {
  DAY,
  hasVersions,
  type Learned,
  type LearnedDays,
  packDays,
  packLearned,
  unpackDays,
  unpackLearned,
  versionsOf,
} from "./learned.ts";

export interface SumOptions {
  readonly aggregates: AggregateStore;
  readonly detectors: readonly Detector[];
  readonly retention: Retention;
  readonly clock: Pick<Clock, "nowMs">;
}

type Longer = (typeof LONGER)[number];

/** Weeks and months as sums of what was learned from their days. */
export interface Sums {
  /** Whether the day is in every week and month that has ended and holds it. */
  hold(night: Night, date: string): Promise<boolean>;
  /** Sums the weeks and months of the days, as far as they have ended or are there. */
  ofDays(night: Night, dates: Iterable<string>): Promise<SumErrors>;
  sum(homeId: string, layer: Longer, period: Period): Promise<SumErrors>;
}

/** By kind: why a detector could not add up. The others did, and it is tried again each night while there are raw events. */
export type SumErrors = Readonly<Record<string, string>>;

/** Another job of the home writes at the same time, each time. */
const ATTEMPTS = 5;

export function createSums({ aggregates, detectors, retention, clock }: SumOptions): Sums {
  const wanted = versionsOf(detectors);

  async function one(homeId: string, layer: AggregateLayer, at: { readonly kind: string; readonly date: string }) {
    const query = { homeId, layer, kind: at.kind, fromDate: at.date, toDate: addDays(at.date, 1) };
    for await (const found of aggregates.range(query)) return found;
    return undefined;
  }

  const marks = async (homeId: string, layer: Longer, date: string): Promise<LearnedDays | undefined> => {
    const found = await one(homeId, layer, { kind: DAY, date });
    return found && unpackDays(found);
  };

  const days = (homeId: string, kind: string, { date, endDate }: Period): AsyncIterable<Aggregate> =>
    aggregates.range({ homeId, layer: "daily", kind, fromDate: date, toDate: endDate });

  async function sumOf(detector: Detector, homeId: string, { layer, period }: { layer: Longer; period: Period }) {
    const { kind, version } = detector;
    const parts: Learned[] = [];
    for await (const day of days(homeId, kind, period)) {
      const learned = unpackLearned(day);
      if (learned.version === version) parts.push(learned);
    }
    const found = await one(homeId, layer, { kind, date: period.date });
    const there = found && unpackLearned(found);
    const sum = sumWith(detector, parts, there?.version === version ? there : undefined);
    const ends = expiresMs(layer, period.toUs, { retention, nowMs: clock.nowMs() });
    const { date, fromUs, toUs } = period;
    await aggregates.put({ homeId, layer, kind, date, fromUs, toUs, rows: packLearned(sum) }, ends);
  }

  /** Of the period's days, to be compared: whoever learns from a day writes this last. */
  async function daysThere(homeId: string, period: Period): Promise<{ dates: string[]; text: string }> {
    const found: Aggregate[] = [];
    for await (const day of days(homeId, DAY, period)) found.push(day);
    return { dates: found.map(({ date }) => date), text: JSON.stringify(found.map(({ rows }) => rows)) };
  }

  /** Another job of the home may learn from one of the days meanwhile: then it is summed again, so that whoever writes last has seen the other. */
  async function sum(homeId: string, layer: Longer, period: Period): Promise<SumErrors> {
    const errors: Record<string, string> = {};
    let there = await daysThere(homeId, period);
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      await sumAll(homeId, { layer, period, dates: there.dates }, errors);
      const now = await daysThere(homeId, period);
      if (now.text === there.text) break;
      there = now;
    }
    return errors;
  }

  async function sumAll(
    homeId: string,
    { layer, period, dates: own }: { layer: Longer; period: Period; dates: readonly string[] },
    errors: Record<string, string>,
  ): Promise<void> {
    const dates = new Set([...((await marks(homeId, layer, period.date))?.dates ?? []), ...own]);
    if (dates.size === 0) return;
    for (const detector of detectors) {
      try {
        await sumOf(detector, homeId, { layer, period });
      } catch (thrown) {
        errors[detector.kind] = errorOf(thrown);
      }
    }
    const { date, fromUs, toUs } = period;
    const versions = versionsOf(detectors.filter(({ kind }) => errors[kind] === undefined));
    const rows = packDays({ versions, dates: [...dates].sort(), events: 0 });
    const ends = expiresMs(layer, toUs, { retention, nowMs: clock.nowMs() });
    await aggregates.put({ homeId, layer, kind: DAY, date, fromUs, toUs, rows }, ends);
  }

  return {
    sum,

    async hold(night, date) {
      for (const layer of LONGER) {
        const period = periodOf(layer, date, night.calendar);
        if (!hasEnded(layer, period.date, night)) continue;
        const there = await marks(night.homeId, layer, period.date);
        if (!there?.dates.includes(date) || !hasVersions(there, wanted)) return false;
      }
      return true;
    },

    async ofDays(night, dates) {
      const open = new Map<string, { layer: Longer; period: Period }>();
      for (const date of dates)
        for (const layer of LONGER) {
          const period = periodOf(layer, date, night.calendar);
          open.set(`${layer} ${period.date}`, { layer, period });
        }
      const errors: Record<string, string> = {};
      for (const { layer, period } of open.values())
        if (hasEnded(layer, period.date, night) || (await marks(night.homeId, layer, period.date)))
          Object.assign(errors, await sum(night.homeId, layer, period));
      return errors;
    },
  };
}

/** The sum of the days; where some of those that it was made of have gone meanwhile, what it was with those that it lacks. */
function sumWith(detector: Detector, days: readonly Learned[], there: Learned | undefined): Learned {
  const known = new Set(days.flatMap(({ dates }) => dates));
  const isWhole = !there?.dates.some((date) => !known.has(date));
  const parts =
    isWhole || !there
      ? days
      : [there, ...days.filter(({ dates }) => !dates.some((date) => there.dates.includes(date)))];
  return {
    version: detector.version,
    dates: [...new Set(parts.flatMap(({ dates }) => dates))].sort(),
    rows: detector.merge(parts.map(({ rows }) => rows)),
  };
}
