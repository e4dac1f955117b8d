import { randomBytes } from "node:crypto";
import { createDynamodbHomeKeys } from "../adapters/dynamodb/home-keys.ts";
import { createDynamodbLedger } from "../adapters/dynamodb/ledger.ts";
import { createOldPast } from "../adapters/legacy/old-past.ts";
import { createOldSystem } from "../adapters/legacy/old-system.ts";
import { HearthlineError } from "../base/errors.ts";
import type { EventRecord, HomeKey } from "../event/index.ts";
import { checkEvent, EARLIEST_EVENT_US } from "../ingest/index.ts";
import { createBackfillCheck } from "../migration/checks/backfill.ts";
import { placedPast } from "../migration/checks/placed-past.ts";
import { createLedgerFacts } from "../migration/consistency/ledger-facts.ts";
import type { ScanNew } from "../migration/consistency/place-past.ts";
import type { Check } from "../migration/ports.ts";
import { createAttributeFilter, createEntityFilter } from "../relay/index.ts";
import type { EventStore } from "../store/ports.ts";
import type { Cloud } from "./aws.ts";
import type { Config } from "./config.ts";
import { importSink } from "./history-cloud.ts";

/** How to enter OLD. */
export const oldSecretsOf = (config: Config) => ({
  token: config.HEARTHLINE_OLD_TOKEN,
  user: config.HEARTHLINE_OLD_USER,
  password: config.HEARTHLINE_OLD_PASSWORD,
});

/** With what rows of OLD are signed. @throws HearthlineError `not_found` */
export async function signingKeyOf(table: Cloud["table"], homeId: string): Promise<HomeKey> {
  const key = await createDynamodbHomeKeys(table).current(homeId);
  if (key) return key;
  throw new HearthlineError(
    "not_found",
    `The home "${homeId}" has no key with which OLD's past could be signed; wanted is one.`,
  );
}

/** Which rows of OLD are taken, and what of them: the owner's filters, and what `enrich` takes. */
export function takingOf({ config, clock }: Pick<Cloud, "config" | "clock">) {
  return {
    isIncluded: createEntityFilter(config.HEARTHLINE_INCLUDE, config.HEARTHLINE_EXCLUDE),
    travelling: createAttributeFilter(config.HEARTHLINE_EXCLUDE_ATTRIBUTES),
    check(record: EventRecord): void {
      const toUs = (clock.nowMs() + config.HEARTHLINE_FUTURE_SECONDS * 1000) * 1000;
      checkEvent(record, { fromUs: EARLIEST_EVENT_US, toUs });
    },
  };
}

/** OLD's past goes the way of every import. One check for all homes and steps: it keeps the numbers that it gives out. */
export function createMigrationBackfill(cloud: Cloud, events: Pick<EventStore, "range" | "scan">): Check {
  const { config, clock, random, table } = cloud;
  const secrets = oldSecretsOf(config);
  const taking = takingOf(cloud);
  const { isIncluded } = taking;
  const facts = createLedgerFacts({ ledger: createDynamodbLedger(table), nowUs: () => clock.nowMs() * 1000 });
  return createBackfillCheck({
    ...{ clock, random, sink: importSink(cloud) },
    async past({ plan, homeId }, toUs) {
      const system = createOldSystem(plan.old, secrets, { clock });
      const source = createOldPast(plan.old, secrets, { isIncluded, fromUs: plan.fromUs, toUs, system });
      const close = async () => {
        await source.close();
        await system.close();
      };
      const scan: ScanNew = (span) => events.scan({ homeId, ...span });
      return { ...placedPast(source, system.limits, scan), close };
    },
    settledUs: async (homeId) => (await facts.settledUs(homeId)).new,
    key: (homeId) => signingKeyOf(table, homeId),
    taking,
    async isInNew(homeId, { entityId, atUs }) {
      const asked = { homeId, entityIds: [entityId], fromUs: atUs, toUs: atUs + 1, order: "asc", limit: 1 } as const;
      return (await events.range(asked)).events.length > 0;
    },
    newRelayId: () => `import-migration-${randomBytes(6).toString("hex")}`,
  });
}
