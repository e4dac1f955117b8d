import { createDynamodbDeviceIndex } from "../adapters/dynamodb/device-index.ts";
import { createDynamodbOutboxStore } from "../adapters/dynamodb/outbox.ts";
import { createDynamodbAbilityStore, createDynamodbUtilisationStore } from "../adapters/dynamodb/utilisation.ts";
import {
  type AggregateStore,
  capabilitiesPhase,
  featuresPhase,
  type Phase,
  type Retention,
} from "../analysis/index.ts";
import { canReach, createOutbox } from "../publish/index.ts";
import type { EventStore } from "../store/ports.ts";
import type { Cloud } from "./aws.ts";

const CAPABILITIES_BUDGET_MS = 30_000;
const FEATURES_BUDGET_MS = 60_000;
/** The relay shall have answered by the next night, or be asked anew. */
const ASK_EXPIRES_SECONDS = 20 * 3_600;

/** What the phases of devices share with the others of a job. */
export interface DevicePhaseParts {
  readonly store: EventStore;
  readonly aggregates: AggregateStore;
  readonly retention: Retention;
}

/** The phases of a day's job that are about devices: what they can do, and what of it is used. */
export function createDevicePhases(
  { config, table, clock, random }: Cloud,
  parts: DevicePhaseParts,
): { readonly capabilities: Phase; readonly features: Phase } {
  const outbox = createOutbox({ store: createDynamodbOutboxStore(table), clock, random });
  const shared = {
    ...parts,
    index: createDynamodbDeviceIndex(table),
    abilities: createDynamodbAbilityStore(table),
    analysisTime: config.HEARTHLINE_ANALYSIS_TIME,
    clock,
  };
  return {
    capabilities: capabilitiesPhase({
      ...shared,
      // Zigbee2MQTT is asked over the broker.
      ask: async (homeId) =>
        canReach(await shared.index.relayStatuses(homeId)) &&
        (await outbox.add({ homeId, kind: "capabilities", expiresInSeconds: ASK_EXPIRES_SECONDS })).added,
      staleDays: config.HEARTHLINE_STALE_CAPABILITY_DAYS,
      budgetMs: CAPABILITIES_BUDGET_MS,
    }),
    features: featuresPhase({
      ...shared,
      utilisation: createDynamodbUtilisationStore(table),
      budgetMs: FEATURES_BUDGET_MS,
    }),
  };
}
