import type { Clock } from "../base/clock.ts";
import { addDays, homeDayOf, zonedDayStartUs } from "../base/zone.ts";
import type { EventStore } from "../store/ports.ts";
import type { EntityLayers } from "./entities/layers.ts";
import { periodOf } from "./periods.ts";
import type { Phase, PhaseCounts } from "./phases.ts";
import {
  AGGREGATE_LAYERS,
  type AggregateLayer,
  type AggregateStore,
  type Job,
  type RetentionRecords,
} from "./ports.ts";
import {
  dailyKeptFrom,
  endedDate,
  expiresMs,
  firstKeptDate,
  firstOfPeriods,
  pruneBeforeDate,
  type Retention,
} from "./retention-rules.ts";

export interface RetentionOptions {
  readonly store: EventStore;
  readonly aggregates: AggregateStore;
  readonly records: RetentionRecords;
  readonly layers: Pick<EntityLayers, "firstUndone">;
  readonly retention: Retention;
  /** `03:00` */
  readonly analysisTime: string;
  readonly clock: Pick<Clock, "nowMs">;
}

/** The first day that any of them still has to read. */
export const firstUndoneOfAll = (
  layers: readonly Pick<EntityLayers, "firstUndone">[],
): Pick<EntityLayers, "firstUndone"> => ({
  async firstUndone(job, beforeDate, timeZone) {
    const dates = await Promise.all(layers.map((each) => each.firstUndone(job, beforeDate, timeZone)));
    return dates.filter((date) => date !== undefined).sort()[0];
  },
});

/**
 * Deletes what is older than each layer's retention, and makes closed days small. By the job's date, so a late or repeated run deletes the same; one of a day that has not ended yet counts as the last day that has.
 * Raw events of a day that is not aggregated yet stay until it is.
 */
export const retentionPhase = (options: RetentionOptions): Phase => ({
  name: "retention",
  run: (job, timeZone) => enforce(job, timeZone, options),
});

async function enforce(job: Job, timeZone: string, options: RetentionOptions): Promise<PhaseCounts> {
  const { store, aggregates, records, layers, retention, analysisTime, clock } = options;
  const { homeId } = job;
  const lastEnded = addDays(homeDayOf(clock.nowMs() * 1000, analysisTime, timeZone), -1);
  const date = endedDate(job.date, lastEnded);
  const firstKept = firstKeptDate(date, retention);
  const undone = await layers.firstUndone(job, firstKept, timeZone);
  const counts: Record<string, number> = {};
  counts.pruned_events = await store.prune(homeId, zonedDayStartUs(undone ?? firstKept, analysisTime, timeZone));
  const was = await records.get(homeId);
  const isOther = was && (was.dailyDays !== retention.dailyDays || was.weeklyWeeks !== retention.weeklyWeeks);
  for (const layer of AGGREGATE_LAYERS) {
    counts[`pruned_${layer}`] = await aggregates.prune(homeId, layer, keptFrom(layer, date, { retention, undone }));
    if (isOther) {
      const calendar = { timeZone, analysisTime };
      await aggregates.restamp(homeId, layer, (first) =>
        expiresMs(layer, periodOf(layer, first, calendar).toUs, { retention, nowMs: clock.nowMs() }),
      );
    }
  }
  await records.put(homeId, { enforcedAt: new Date(clock.nowMs()).toISOString(), ...retention });
  await store.compact(homeId, periodOf("daily", date, { timeZone, analysisTime }).toUs);
  return counts;
}

/** The week and the month of the first day that is to be done want all of their days, and the day before it says what was held at its beginning. */
function keptFrom(
  layer: AggregateLayer,
  date: string,
  { retention, undone }: { readonly retention: Retention; readonly undone: string | undefined },
): string {
  const first = layer === "daily" ? dailyKeptFrom(date, retention) : pruneBeforeDate(layer, date, retention);
  if (undone === undefined) return first;
  return [first, addDays(firstOfPeriods(undone), -1)].sort()[0] ?? first;
}
