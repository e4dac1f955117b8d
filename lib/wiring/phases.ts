import { createDynamodbAggregateStore, createDynamodbRetentionRecords } from "../adapters/dynamodb/aggregates.ts";
import { createDynamodbLateDays } from "../adapters/dynamodb/late-days.ts";
import { createEntityLayers, eventsPhase, type PhasesByKind, retentionPhase } from "../analysis/index.ts";
import type { Cloud } from "./aws.ts";
import { createEventStore } from "./event-store.ts";
import { retentionOf } from "./retention.ts";

/** Of the fifteen minutes that a function may run: a home that brings years with it goes on the next night. */
const EVENTS_BUDGET_MS = 8 * 60_000;

/** What each kind of job does, in order. A kind with a phase is made and sent by `dispatch`. Nothing is opened before a phase runs. */
export function createPhases(cloud: Cloud): PhasesByKind {
  const { config, table, clock } = cloud;
  const options = {
    store: createEventStore(config, cloud),
    aggregates: createDynamodbAggregateStore(table),
    lateDays: createDynamodbLateDays(table),
    retention: retentionOf(config),
    analysisTime: config.HEARTHLINE_ANALYSIS_TIME,
    clock,
    budgetMs: EVENTS_BUDGET_MS,
  };
  const records = createDynamodbRetentionRecords(table);
  const layers = createEntityLayers(options);
  return {
    daily: [eventsPhase("daily", options), retentionPhase({ ...options, records, layers })],
    weekly: [eventsPhase("weekly", options)],
    monthly: [eventsPhase("monthly", options)],
  };
}
