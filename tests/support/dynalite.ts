import dynalite from "dynalite";
import { createAwsClient } from "../../lib/adapters/aws/client.ts";
import { createTable } from "../../lib/adapters/dynamodb/table.ts";
import { type Clock, systemClock } from "../../lib/base/clock.ts";
import { type Random, systemRandom } from "../../lib/base/random.ts";
import { provisionTable } from "./provision.ts";
import { watchedClient } from "./table-watch.ts";

/** DynamoDB in this process, on a free port of loopback; in memory unless there is a path. */
export async function startDynaliteServer(path?: string) {
  const server = dynalite({
    createTableMs: 0,
    deleteTableMs: 0,
    updateTableMs: 0,
    ...(path !== undefined && { path }),
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error(`dynalite listens on ${address}`);
  return {
    url: `http://127.0.0.1:${address.port}`,
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Any DynamoDB at an address, with credentials that emulators take. */
export const dynamodbClientAt = (endpoint: string) =>
  createAwsClient({
    service: "dynamodb",
    region: "us-east-1",
    endpoint,
    credentials: () => ({ accessKeyId: "test", secretAccessKey: "test" }),
    clock: systemClock,
    random: systemRandom,
    timeoutMs: 30_000,
  });

export interface TestTableOptions {
  readonly clock?: Clock;
  readonly random?: Random;
}

/** A table of this name at the address, made when missing. */
export async function tableAt(endpoint: string, name: string, options: TestTableOptions = {}) {
  const client = watchedClient(dynamodbClientAt(endpoint));
  await provisionTable(client, name, systemClock);
  return createTable({ client, name, clock: options.clock ?? systemClock, random: options.random ?? systemRandom });
}
