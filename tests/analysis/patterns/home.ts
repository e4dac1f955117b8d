import { createMemoryAggregateStore, createMemoryRetentionRecords } from "../../../lib/adapters/memory/aggregates.ts";
import { createMemoryDeviceIndex } from "../../../lib/adapters/memory/device-index.ts";
import { createMemoryEventStore } from "../../../lib/adapters/memory/event-store.ts";
import { createMemoryLateDays } from "../../../lib/adapters/memory/late-days.ts";
import { createMemoryPatternStore } from "../../../lib/adapters/memory/patterns.ts";
import type { Detector } from "../../../lib/analysis/detectors/types.ts";
import { newJob } from "../../../lib/analysis/due.ts";
import { createEntityLayers } from "../../../lib/analysis/entities/layers.ts";
import { eventsPhase } from "../../../lib/analysis/events-phase.ts";
import { unpackLearned } from "../../../lib/analysis/patterns/learned.ts";
import { createLearning, handOn } from "../../../lib/analysis/patterns/learning.ts";
import { patternsPhase } from "../../../lib/analysis/patterns-phase.ts";
import { periodOf } from "../../../lib/analysis/periods.ts";
import type { PhaseTime } from "../../../lib/analysis/phases.ts";
import {
  AGGREGATE_LAYERS,
  type AggregateLayer,
  type AggregateStore,
  type JobKind,
  type PatternStore,
} from "../../../lib/analysis/ports.ts";
import { firstUndoneOfAll, retentionPhase } from "../../../lib/analysis/retention.ts";
import { addDays } from "../../../lib/base/zone.ts";
import { noteLateDays } from "../../../lib/store/index.ts";
import type { LateDays } from "../../../lib/store/ports.ts";
import { buildEvent } from "../../support/events.ts";
import type { ManualClock } from "../../support/manual-clock.ts";
import { unlimitedTime } from "../../support/phase-time.ts";
import { briefly, countingDetector } from "./counting-detector.ts";

export const ZONE = "Europe/Amsterdam";
export const CALENDAR = { timeZone: ZONE, analysisTime: "03:00" };
export const FIRST = "2026-11-01";
export const day = (number: number): string => addDays(FIRST, number);

/** What a test puts between the phase and its stores. */
export interface Between {
  aggregates?(store: AggregateStore): AggregateStore;
  patterns?(store: PatternStore): PatternStore;
  lateDays?(days: LateDays): LateDays;
}

/** A home whose nights are run by hand, over stores in memory. */
export function makeHome(clock: ManualClock, between: Between = {}) {
  const store = createMemoryEventStore();
  const { aggregates: toAggregates, patterns: toPatterns, lateDays: toLateDays } = between;
  const [keptAggregates, keptPatterns] = [createMemoryAggregateStore({ clock }), createMemoryPatternStore()];
  const [keptLate, keptRelearn] = [createMemoryLateDays(), createMemoryLateDays()];
  const aggregates = toAggregates?.(keptAggregates) ?? keptAggregates;
  const patterns = toPatterns?.(keptPatterns) ?? keptPatterns;
  const [lateDays, relearn] = [toLateDays?.(keptLate) ?? keptLate, toLateDays?.(keptRelearn) ?? keptRelearn];
  const index = createMemoryDeviceIndex(clock);
  const records = createMemoryRetentionRecords();
  const noting = noteLateDays(store, { lateDays, clock, analysisTime: "03:00" });
  let detectors: readonly Detector[] = [countingDetector()];
  let time: PhaseTime = unlimitedTime;
  let timeZone = ZONE;
  let retention = { rawDays: 7, dailyDays: 90, weeklyWeeks: 52 };
  const options = () => ({
    ...{ store, aggregates, relearn, patterns, index, detectors, retention, clock },
    analysisTime: "03:00",
    budgetMs: 60_000,
  });

  async function run(kind: JobKind, date: string) {
    const job = newJob("home", { kind, date }, 0);
    const own = options();
    const entities = { ...own, lateDays: handOn(lateDays, relearn) };
    await eventsPhase(kind, entities).run(job, timeZone, time);
    const counts = await patternsPhase(kind, own).run(job, timeZone, time);
    const layers = firstUndoneOfAll([createEntityLayers(entities), createLearning(own)]);
    if (kind === "daily") await retentionPhase({ ...own, records, layers }).run(job, timeZone, time);
    return counts;
  }

  return {
    ...{ store, aggregates, patterns, index, relearn, run },
    set: (given: {
      detectors?: readonly Detector[];
      time?: PhaseTime;
      retention?: Partial<typeof retention>;
      timeZone?: string;
    }) => {
      timeZone = given.timeZone ?? timeZone;
      detectors = given.detectors ?? detectors;
      time = given.time ?? time;
      retention = { ...retention, ...given.retention };
    },
    /** Lamps that turn on some hours after 03:00. */
    write: (date: string, entityIds: readonly string[] = ["light.a"], hour = 5) =>
      noting.write(
        entityIds.flatMap((entityId) =>
          [0, 1].map((minute) =>
            buildEvent({
              entityId,
              atUs: periodOf("daily", date, CALENDAR).fromUs + Math.round(hour * 3.6e9) + minute * 60_000_000,
              state: minute === 0 ? "on" : "off",
              oldState: minute === 0 ? "off" : "on",
              context: { id: `${date}-${entityId}-${hour}-${minute}`, userId: "somebody" },
            }),
          ),
        ),
      ),
    /** A job of `date` (else of the night itself) in the night that ends the day `night`. */
    at(night: string, kind: JobKind, date = night) {
      clock.set(periodOf("daily", night, CALENDAR).toUs / 1000 + 60_000);
      return run(kind, date);
    },
    async night(date: string) {
      clock.set(periodOf("daily", date, CALENDAR).toUs / 1000 + 60_000);
      const counts = await run("daily", date);
      if (new Date(`${addDays(date, 1)}T00:00:00Z`).getUTCDay() === 0) await run("weekly", date);
      return counts;
    },
    /** All that is kept, as text: to be compared. */
    async everything() {
      const found: unknown[] = [];
      for (const layer of AGGREGATE_LAYERS)
        for (const kind of await aggregates.kinds("home", layer))
          for await (const one of aggregates.range({
            ...{ homeId: "home", layer, kind },
            ...{ fromDate: "0000-01-01", toDate: "9999-12-31" },
          }))
            found.push(one);
      const late = [await lateDays.list("home"), await relearn.list("home")].map((days) =>
        days.map(({ date }) => date),
      );
      return JSON.stringify([found, late, await patterns.list("home")]);
    },
    async rows(layer: AggregateLayer, kind = "time-of-day") {
      const found: [string, readonly unknown[]][] = [];
      const all = { homeId: "home", layer, kind, fromDate: "0000-01-01", toDate: "9999-12-31" };
      for await (const one of aggregates.range(all)) found.push([one.date, unpackLearned(one).rows]);
      return found;
    },
    told: async () => (await patterns.list("home")).map(briefly),
  };
}
