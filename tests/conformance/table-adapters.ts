import { createDynamodbDeviceIndex } from "../../lib/adapters/dynamodb/device-index.ts";
import { createDynamodbHealthMemory } from "../../lib/adapters/dynamodb/health-memory.ts";
import { createDynamodbHomeDirectory, createDynamodbHomeKeys } from "../../lib/adapters/dynamodb/homes.ts";
import { createDynamodbJobStore } from "../../lib/adapters/dynamodb/jobs.ts";
import { createDynamodbLedger } from "../../lib/adapters/dynamodb/ledger.ts";
import { createDynamodbOutboxStore } from "../../lib/adapters/dynamodb/outbox.ts";
import { createDynamodbTokenStore } from "../../lib/adapters/dynamodb/tokens.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { tableAt } from "../support/dynalite.ts";
import { deviceIndexConformance } from "./device-index.ts";
import { healthMemoryConformance } from "./health-memory.ts";
import { homeDirectoryConformance } from "./home-directory.ts";
import { jobStoreConformance } from "./job-store.ts";
import { ledgerConformance } from "./ledger.ts";
import { outboxConformance } from "./outbox.ts";
import { tokenStoreConformance } from "./token-store.ts";

/** Every port that lies in the table, against whatever answers at the address. A table of its own where a suite counts on an empty one. */
export function tableConformance(endpoint: () => string): void {
  let number = 0;
  const fresh = (options?: Parameters<typeof tableAt>[2]) => tableAt(endpoint(), `conformance-${++number}`, options);

  deviceIndexConformance(async () => {
    const table = await tableAt(endpoint(), "conformance-index");
    return { index: createDynamodbDeviceIndex(table), homeId: () => `home-${++number}` };
  });
  homeDirectoryConformance(async () => {
    const table = await fresh();
    return { homes: createDynamodbHomeDirectory(table), keys: createDynamodbHomeKeys(table) };
  });
  tokenStoreConformance(async (clock) => createDynamodbTokenStore(await fresh({ clock })));
  // Who meets another waits in real time; what time it is says the test.
  outboxConformance(async ({ nowMs }) =>
    createDynamodbOutboxStore(await tableAt(endpoint(), "conformance-index", { clock: { ...systemClock, nowMs } })),
  );
  jobStoreConformance(async () => createDynamodbJobStore(await fresh()));
  healthMemoryConformance(async () => createDynamodbHealthMemory(await fresh()));
  ledgerConformance(async () => {
    const table = await fresh();
    return { ledger: createDynamodbLedger(table), reopen: async () => createDynamodbLedger(table) };
  });
}
