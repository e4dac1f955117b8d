import { createDynamodbAggregateStore, createDynamodbRetentionRecords } from "../adapters/dynamodb/aggregates.ts";
import { createDynamodbDeviceIndex } from "../adapters/dynamodb/device-index.ts";
import { createDynamodbLateDays } from "../adapters/dynamodb/late-days.ts";
import { createDynamodbLedger } from "../adapters/dynamodb/ledger.ts";
import { createDynamodbPatternStore } from "../adapters/dynamodb/patterns.ts";
import {
  createEntityLayers,
  createLearning,
  DETECTORS,
  eventsPhase,
  featuresReader,
  firstUndoneOfAll,
  handOn,
  type JobKind,
  type PhasesByKind,
  patternsPhase,
  retentionPhase,
} from "../analysis/index.ts";
import { publishPhase } from "../publish/index.ts";
import type { Cloud } from "./aws.ts";
import { createDevicePhases } from "./device-phases.ts";
import { createEventStore } from "./event-store.ts";
import { createCloudDisplay } from "./house.ts";
import { retentionOf } from "./retention.ts";
import { createSuggestionsPhase } from "./suggestions.ts";

/** Of the fifteen minutes that a function may run: a home that brings years with it goes on the next night. */
const EVENTS_BUDGET_MS = 5 * 60_000;
const PATTERNS_BUDGET_MS = 4 * 60_000;
const PUBLISH_BUDGET_MS = 30_000;

/** What each kind of job does, in order. A kind with a phase is made and sent by `dispatch`. Nothing is opened before a phase runs. */
export function createPhases(cloud: Cloud): PhasesByKind {
  const { config, table, clock } = cloud;
  const relearn = createDynamodbLateDays(table, "RELEARN");
  const options = {
    store: createEventStore(config, cloud),
    aggregates: createDynamodbAggregateStore(table),
    lateDays: handOn(createDynamodbLateDays(table), relearn),
    retention: retentionOf(config),
    analysisTime: config.HEARTHLINE_ANALYSIS_TIME,
    clock,
    budgetMs: EVENTS_BUDGET_MS,
  };
  const records = createDynamodbRetentionRecords(table);
  const learning = {
    ...options,
    relearn,
    patterns: createDynamodbPatternStore(table),
    index: createDynamodbDeviceIndex(table),
    detectors: DETECTORS,
    readers: [featuresReader],
    budgetMs: PATTERNS_BUDGET_MS,
  };
  const layers = firstUndoneOfAll([createEntityLayers(options), createLearning(learning)]);
  const learned = (kind: JobKind) => [eventsPhase(kind, options), patternsPhase(kind, learning)];
  const { capabilities, features } = createDevicePhases(cloud, options);
  return {
    daily: [
      capabilities,
      ...learned("daily"),
      features,
      createSuggestionsPhase(cloud, options.store),
      publishPhase({
        display: createCloudDisplay(cloud),
        patterns: learning.patterns,
        aggregates: options.aggregates,
        ledger: createDynamodbLedger(table),
        clock,
        budgetMs: PUBLISH_BUDGET_MS,
      }),
      retentionPhase({ ...options, records, layers }),
    ],
    weekly: learned("weekly"),
    monthly: learned("monthly"),
  };
}
