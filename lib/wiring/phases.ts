import { type PhasesByKind, retentionPhase } from "../analysis/index.ts";
import type { Config } from "./config.ts";
import { createEventStore } from "./event-store.ts";

/**
 * What each kind of job does, in order. A kind with a phase is made and sent by `dispatch`; weekly and monthly jobs have none, so none are made.
 * Nothing is opened before a phase runs.
 */
export function createPhases(config: Config): PhasesByKind {
  const { HEARTHLINE_RAW_DAYS: rawDays, HEARTHLINE_ANALYSIS_TIME: analysisTime } = config;
  const store = createEventStore(config);
  return { daily: [retentionPhase({ store, rawDays, analysisTime })], weekly: [], monthly: [] };
}
