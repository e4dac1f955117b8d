import {
  createDynamodbAggregateStore,
  createDynamodbRetentionRecords,
} from "../../lib/adapters/dynamodb/aggregates.ts";
import { createDynamodbConflictStore } from "../../lib/adapters/dynamodb/conflicts.ts";
import { createDynamodbDeviceIndex } from "../../lib/adapters/dynamodb/device-index.ts";
import { createDynamodbDisplayStore } from "../../lib/adapters/dynamodb/display.ts";
import { createDynamodbHealthMemory } from "../../lib/adapters/dynamodb/health-memory.ts";
import { createDynamodbHomeKeys } from "../../lib/adapters/dynamodb/home-keys.ts";
import { createDynamodbHomeTable } from "../../lib/adapters/dynamodb/home-table.ts";
import { createDynamodbHomeDirectory } from "../../lib/adapters/dynamodb/homes.ts";
import { createDynamodbHotSegments } from "../../lib/adapters/dynamodb/hot-segments.ts";
import { createDynamodbJobStore } from "../../lib/adapters/dynamodb/jobs.ts";
import { createDynamodbLateDays } from "../../lib/adapters/dynamodb/late-days.ts";
import { createDynamodbLedger } from "../../lib/adapters/dynamodb/ledger.ts";
import { createDynamodbMigrationStore } from "../../lib/adapters/dynamodb/migrations.ts";
import { createDynamodbOutboxStore } from "../../lib/adapters/dynamodb/outbox.ts";
import { createDynamodbPatternStore } from "../../lib/adapters/dynamodb/patterns.ts";
import { createDynamodbRateStore } from "../../lib/adapters/dynamodb/rates.ts";
import { createDynamodbSuggestionStore } from "../../lib/adapters/dynamodb/suggestions.ts";
import { createDynamodbTokenStore } from "../../lib/adapters/dynamodb/tokens.ts";
import { createDynamodbAbilityStore, createDynamodbUtilisationStore } from "../../lib/adapters/dynamodb/utilisation.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { seededRandom } from "../../lib/base/random.ts";
import { tableAt } from "../support/dynalite.ts";
import { aggregateStoreConformance } from "./aggregate-store.ts";
import { conflictStoreConformance } from "./conflict-store.ts";
import { deviceIndexConformance } from "./device-index.ts";
import { displayStoreConformance } from "./display-store.ts";
import { healthMemoryConformance } from "./health-memory.ts";
import { homeDirectoryConformance } from "./home-directory.ts";
import { homeTableConformance } from "./home-table.ts";
import { hotSegmentsConformance } from "./hot-segments.ts";
import { jobStoreConformance } from "./job-store.ts";
import { keyTableConformance } from "./key-table.ts";
import { lateDaysConformance } from "./late-days.ts";
import { ledgerConformance } from "./ledger.ts";
import { migrationStoreConformance } from "./migration-store.ts";
import { outboxConformance } from "./outbox.ts";
import { patternStoreConformance } from "./pattern-store.ts";
import { rateStoreConformance } from "./rate-store.ts";
import { suggestionStoreConformance } from "./suggestion-store.ts";
import { tokenStoreConformance } from "./token-store.ts";
import { abilityStoreConformance, utilisationStoreConformance } from "./utilisation-store.ts";

/** Every port that lies in the table, against whatever answers at the address. A table of its own where a suite counts on an empty one. */
export function tableConformance(endpoint: () => string): void {
  let number = 0;
  const fresh = (options?: Parameters<typeof tableAt>[2]) => tableAt(endpoint(), `conformance-${++number}`, options);

  const homeId = () => `home-${++number}`;
  deviceIndexConformance(async (nowMs = systemClock.nowMs) => {
    const table = await tableAt(endpoint(), "conformance-index", { clock: { ...systemClock, nowMs } });
    return { index: createDynamodbDeviceIndex(table), homeId };
  });
  conflictStoreConformance(async () => {
    const table = await tableAt(endpoint(), "conformance-index");
    return { conflicts: createDynamodbConflictStore(table), homeId };
  });
  homeDirectoryConformance(async () => {
    const table = await fresh();
    return { homes: createDynamodbHomeDirectory(table), keys: createDynamodbHomeKeys(table) };
  });
  tokenStoreConformance(async (clock) => createDynamodbTokenStore(await fresh({ clock })));
  rateStoreConformance(async ({ nowMs }) =>
    createDynamodbRateStore(await tableAt(endpoint(), "conformance-index", { clock: { ...systemClock, nowMs } })),
  );
  // Who meets another waits in real time; what time it is says the test.
  outboxConformance(async ({ nowMs }) =>
    createDynamodbOutboxStore(await tableAt(endpoint(), "conformance-index", { clock: { ...systemClock, nowMs } })),
  );
  displayStoreConformance(async () => createDynamodbDisplayStore(await fresh()));
  lateDaysConformance(async () => createDynamodbLateDays(await fresh()));
  lateDaysConformance(async () => createDynamodbLateDays(await fresh(), "RELEARN"));
  suggestionStoreConformance(async () => {
    const table = await tableAt(endpoint(), "conformance-index");
    return { store: createDynamodbSuggestionStore(table), homeId };
  });
  utilisationStoreConformance(async () => createDynamodbUtilisationStore(await fresh()));
  abilityStoreConformance(async () => createDynamodbAbilityStore(await fresh()));
  patternStoreConformance(async () => createDynamodbPatternStore(await fresh()));
  aggregateStoreConformance(async ({ nowMs }) => {
    const table = await fresh({ clock: { ...systemClock, nowMs } });
    return { store: createDynamodbAggregateStore(table), records: createDynamodbRetentionRecords(table) };
  });
  jobStoreConformance(async () => createDynamodbJobStore(await fresh()));
  healthMemoryConformance(async () => createDynamodbHealthMemory(await fresh()));
  ledgerConformance(async () => {
    const table = await fresh();
    return { ledger: createDynamodbLedger(table), reopen: async () => createDynamodbLedger(table) };
  });
  homeTableConformance(async () => {
    const table = await fresh();
    return { homeTable: createDynamodbHomeTable(table), index: createDynamodbDeviceIndex(table) };
  });
  migrationStoreConformance(async () => createDynamodbMigrationStore(await fresh({ random: seededRandom(1) })));
  hotSegmentsConformance("the table", async () => createDynamodbHotSegments(await fresh(), { keptDays: 14 }));
  keyTableConformance();
}
