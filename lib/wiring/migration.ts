import packageJson from "../../package.json" with { type: "json" };
import { createDynamodbConflictStore } from "../adapters/dynamodb/conflicts.ts";
import { createDynamodbDeviceIndex } from "../adapters/dynamodb/device-index.ts";
import { createDynamodbLateDays } from "../adapters/dynamodb/late-days.ts";
import { createDynamodbLedger } from "../adapters/dynamodb/ledger.ts";
import { createDynamodbMigrationStore } from "../adapters/dynamodb/migrations.ts";
import { createDynamodbOutboxStore } from "../adapters/dynamodb/outbox.ts";
import { tableOfHomes } from "../adapters/dynamodb/table-of-homes.ts";
import { createDynamodbAbilityStore } from "../adapters/dynamodb/utilisation.ts";
import { createOldDevices } from "../adapters/legacy/old-devices.ts";
import { createOldSystem } from "../adapters/legacy/old-system.ts";
import type { Logger } from "../base/log.ts";
import { withAlerts } from "../migration/alerts.ts";
import { createApiCompare } from "../migration/checks/api-compare.ts";
import { createBenchmark } from "../migration/checks/benchmark.ts";
import { createCanaryCheck } from "../migration/checks/canary.ts";
import { createCleanupCheck } from "../migration/checks/cleanup.ts";
import { createDevicesCheck } from "../migration/checks/devices.ts";
import { createDualWriteCheck, oldLagSecondsNow } from "../migration/checks/dual-write.ts";
import { createErrorsCheck } from "../migration/checks/errors.ts";
import { createFeatureParity } from "../migration/checks/feature-parity.ts";
import { createFinal } from "../migration/checks/final.ts";
import { createHandoverCheck } from "../migration/checks/handover.ts";
import { createHealthNewCheck, createHealthOldCheck } from "../migration/checks/health.ts";
import { createLossCheck } from "../migration/checks/loss.ts";
import { lagOfOld } from "../migration/checks/newest.ts";
import { oldOfStep } from "../migration/checks/old-of-step.ts";
import { createPerformanceCheck } from "../migration/checks/performance.ts";
import { createPrecisionCheck } from "../migration/checks/precision.ts";
import { createProbes } from "../migration/checks/probes.ts";
import { createQuietCheck } from "../migration/checks/quiet.ts";
import { COUNT_UNIT_US, type Counters, createStabilityCheck } from "../migration/checks/stability.ts";
import { createConsistencyCheck } from "../migration/consistency/check.ts";
import { createLedgerFacts } from "../migration/consistency/ledger-facts.ts";
import { createStepper, type OpenChecks, type Stepper } from "../migration/index.ts";
import type { Check, Migration, MigrationStore } from "../migration/ports.ts";
import { createEntityFilter } from "../relay/index.ts";
import type { EventStore } from "../store/ports.ts";
import type { Cloud } from "./aws.ts";
import { createEventStore } from "./event-store.ts";
import { createMigrationBackfill, oldSecretsOf } from "./migration-backfill.ts";
import { createCanaryWay } from "./migration-canary.ts";
import { createMigrationTuning } from "./migration-tuning.ts";
import {
  createDeadLetterLook,
  createGatherHealth,
  createMonitoring,
  createNewParts,
  createOldUse,
  createSinkTurner,
} from "./migration-watch.ts";

const DAY_US = 86_400_000_000;
const HEALTH_TIMEOUT_MS = 10_000;

/** Joins the state machine with its store, its checks and everything that these look at. */
export function createMigrationStepper(given: Cloud, log: Logger): Stepper {
  // What is late for a home that was removed must not come into being again.
  const cloud = { ...given, table: tableOfHomes(given.table) };
  const { table, clock, random } = cloud;
  const outbox = createDynamodbOutboxStore(table);
  const store = withAlerts(createDynamodbMigrationStore(table), { outbox, clock, log });
  return createStepper({ store, clock, random, log, checks: createChecks({ cloud, store, log }) });
}

interface CheckParts {
  readonly cloud: Cloud;
  readonly store: MigrationStore;
  readonly log: Logger;
}

/** What all migrations share is made once; what leads to one OLD, for each step. In the order of running: what is quick and may take it back first, what takes what is left of the time last. */
function createChecks({ cloud, store, log }: CheckParts): (migration: Migration) => OpenChecks {
  const { config, clock, random, table } = cloud;
  const events = createEventStore(config, cloud);
  const index = createDynamodbDeviceIndex(table);
  const ledger = createDynamodbLedger(table);
  const watch = { cloud, events, index, ledger, version: packageJson.version };
  const gather = createGatherHealth(watch);
  const relays = { of: (homeId: string) => index.relayStatuses(homeId) };
  const shared = {
    way: createCanaryWay(cloud, events),
    parts: createNewParts(gather, watch),
    monitoring: createMonitoring(gather, { ...watch, store }),
    sinks: createSinkTurner(cloud),
    counters: countersOf(events),
    abilities: createDynamodbAbilityStore(table),
    conflicts: createDynamodbConflictStore(table),
    use: createOldUse(store),
    ...{ clock, random, log, events, index, relays },
  };
  const isLeftOut = isLeftOutOf(config);
  const constant = {
    loss: createLossCheck({ ledger, deadLetters: createDeadLetterLook(cloud) }),
    performance: createPerformanceCheck({ store }),
    errors: createErrorsCheck({ store }),
    healthNew: createHealthNewCheck(shared),
    backfill: createMigrationBackfill(cloud, events),
    tuning: createMigrationTuning(cloud, { index, events, store }),
  };

  return (migration) => {
    const { plan } = migration;
    const secrets = oldSecretsOf(config);
    const { old, found } = oldOfStep(createOldSystem(plan.old, secrets, { clock }));
    // One that hangs is down for its readers long before a scan would give up.
    const oldForHealth = createOldSystem(plan.old, secrets, { clock, timeoutMs: HEALTH_TIMEOUT_MS });
    const oldDevices = plan.old.devices === undefined ? undefined : createOldDevices(plan.old.devices, secrets, {});
    const both = { ...shared, old, oldDevices };
    const ofOld: readonly Check[] = [
      createHealthOldCheck({ ...both, old: oldForHealth, onLooked: found }),
      constant.healthNew,
      createPrecisionCheck({ old, store: events }),
      createCanaryCheck(both),
      createDualWriteCheck({ ...both, store: events }),
      constant.loss,
      createProbes({ ...both, store }),
      constant.performance,
      constant.errors,
      createStabilityCheck(both),
      createApiCompare({ ...both, keptFromUs: () => keptFromUs(cloud), isLeftOut }),
      createDevicesCheck({ ...both, old: oldDevices }),
      createFeatureParity(both),
      createBenchmark(both),
      createFinal(both),
      createQuietCheck({ ...both, store: events }),
      createHandoverCheck({ ...both, store: events }),
      createCleanupCheck({ ...both, store: events }),
      consistencyOf(migration, { cloud, store, events, old, ledger, relays }),
      constant.backfill,
      constant.tuning,
    ];
    return { checks: ofOld, close: async () => void (await Promise.all([old.close(), oldForHealth.close()])) };
  };
}

/** NEW keeps nothing older. */
const keptFromUs = ({ clock, config }: Cloud): number => clock.nowMs() * 1000 - config.HEARTHLINE_RAW_DAYS * DAY_US;

/** What NEW does not keep by its settings. */
function isLeftOutOf(config: Cloud["config"]): (entityId: string) => boolean {
  const isIncluded = createEntityFilter(config.HEARTHLINE_INCLUDE, config.HEARTHLINE_EXCLUDE);
  return (entityId) => !isIncluded(entityId);
}

interface ConsistencyParts extends Pick<CheckParts, "cloud" | "store"> {
  readonly events: EventStore;
  readonly old: ReturnType<typeof createOldSystem>;
  readonly ledger: ReturnType<typeof createDynamodbLedger>;
  readonly relays: Parameters<typeof createDualWriteCheck>[0]["relays"];
}

function consistencyOf({ plan }: Migration, parts: ConsistencyParts): Check {
  const { cloud, store, events, old, ledger, relays } = parts;
  const { config, clock, table } = cloud;
  const nowUs = () => clock.nowMs() * 1000;
  const ofSink = async (homeId: string) => oldLagSecondsNow(await relays.of(homeId), clock.nowMs());
  // Home Assistant's integration collects 100 rows, or until a second passes in which nothing happens at all: what is newer than OLD's newest row may be in its hands, for minutes.
  const lookUs = plan.thresholds.lagSeconds * 1e6;
  const ofIntegration = (homeId: string) => lagOfOld(homeId, { store: events, old }, { nowUs: nowUs(), lagUs: lookUs });
  const oldLagSeconds = plan.old.fedBy === "relay" ? ofSink : ofIntegration;
  return createConsistencyCheck({
    ...{ old, events, store, clock },
    facts: createLedgerFacts({ ledger, nowUs, oldLagSeconds }),
    lateDays: createDynamodbLateDays(table),
    keptFromUs: async () => keptFromUs(cloud),
    isLeftOut: isLeftOutOf(config),
  });
}

/** What the process of this function holds (locally that of all functions), and what of a span is in the store. */
const countersOf = (events: Pick<EventStore, "tiles">): Counters => ({
  async new({ homeId, fromUs, toUs }) {
    const memoryBytes = process.memoryUsage.rss();
    if (toUs <= fromUs) return { memoryBytes, eventsTaken: 0 };
    const tiles = await events.tiles({ homeId, fromUs, toUs, widthUs: COUNT_UNIT_US });
    return { memoryBytes, eventsTaken: tiles.reduce((sum, { count }) => sum + count, 0) };
  },
});
