import { addDays, zonedDayStartUs } from "../base/zone.ts";
import type { EventStore } from "../store/ports.ts";
import type { Phase } from "./phases.ts";

export interface RetentionOptions {
  readonly store: EventStore;
  /** Whole local days of raw events that are kept, the one that has just ended included. */
  readonly rawDays: number;
  /** `03:00` */
  readonly analysisTime: string;
}

/** Deletes the raw events of the home's days before the last `rawDays`. By the job's date alone, so a late or repeated run deletes the same. */
export const retentionPhase = ({ store, rawDays, analysisTime }: RetentionOptions): Phase => ({
  name: "retention",
  run: async (job, timeZone) => {
    const firstKept = addDays(job.date, 1 - rawDays);
    const pruned = await store.prune(job.homeId, zonedDayStartUs(firstKept, analysisTime, timeZone));
    return { pruned_events: pruned };
  },
});
