import type { Context, SQSEvent } from "aws-lambda";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createDynamodbConflictStore } from "../../lib/adapters/dynamodb/conflicts.ts";
import { createDynamodbDeviceIndex } from "../../lib/adapters/dynamodb/device-index.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { packBatch } from "../../lib/ingest/index.ts";
import { createCloud } from "../../lib/wiring/aws.ts";
import { readConfig } from "../../lib/wiring/config.ts";
import { createIndexDevices } from "../../lib/wiring/index-devices.ts";
import { createOperator } from "../../lib/wiring/operator.ts";
import { dynamodbClientAt, startDynaliteServer } from "../support/dynalite.ts";
import { startFauxqsServer } from "../support/fauxqs.ts";
import { provisionQueues, provisionTable } from "../support/provision.ts";
import { bridgeDevices, lampDevice } from "../support/zigbee.ts";

let tables: Awaited<ReturnType<typeof startDynaliteServer>>;
let queues: Awaited<ReturnType<typeof startFauxqsServer>>;
beforeAll(async () => {
  tables = await startDynaliteServer();
  queues = await startFauxqsServer();
});
afterAll(() => Promise.all([tables.stop(), queues.stop()]));

const addHome = (env: Record<string, string>) => createOperator(readConfig(env), { env }).homes.add({ homeId: "home" });

const eventOf = (...bodies: readonly string[]) =>
  ({
    Records: bodies.map((body, at) => ({ messageId: `m${at}`, body, messageAttributes: {}, attributes: {} })),
  }) as unknown as SQSEvent;

it("indexes what a batch of the queue says, and sets the rest aside in index-dead", async () => {
  const env = {
    AWS_ENDPOINT_URL_SQS: queues.url,
    AWS_ENDPOINT_URL_DYNAMODB: tables.url,
    HEARTHLINE_QUEUE_PREFIX: "indexing",
    HEARTHLINE_TABLE: "indexing",
  };
  await provisionTable(dynamodbClientAt(tables.url), "indexing", systemClock);
  await provisionQueues(queues.client, [{ name: "indexing-index", visibilitySeconds: 30 }]);
  await addHome(env);
  const handler = createIndexDevices(env);
  const bodies = packBatch({ homeId: "home" }, [
    {
      t: "registry",
      n: 1,
      registry: "areas",
      revision: 1,
      part: 1,
      parts: 1,
      rows: [{ area_id: "kitchen", name: "Kitchen" }],
    },
    { t: "seen", entityId: "light.kitchen", atUs: 5, state: "on" },
    { t: "seen", entityId: "light.broken", atUs: "x", state: "on" },
  ]);
  const answer = await handler(eventOf(...bodies, "no batch"), { awsRequestId: "r" } as Context);
  expect(answer).toEqual({ batchItemFailures: [] });
  const cloud = createCloud(readConfig(env), { env });
  const index = createDynamodbDeviceIndex(cloud.table);
  expect(await index.list("home", "areas")).toEqual([{ areaId: "kitchen", name: "Kitchen", labels: [] }]);
  expect(await index.seen("home")).toEqual(new Map([["light.kitchen", { atUs: 5, state: "on" }]]));
  const dead = await cloud.queues.peek("index-dead", 5);
  expect(dead.map(({ attributes }) => attributes.reason_code).sort()).toEqual([
    "envelope_malformed",
    "record_malformed",
  ]);
});

it("keeps what changed, and settles what Zigbee2MQTT says otherwise as HEARTHLINE_DEVICE_CONFLICTS wants it", async () => {
  const env = {
    AWS_ENDPOINT_URL_SQS: queues.url,
    AWS_ENDPOINT_URL_DYNAMODB: tables.url,
    HEARTHLINE_QUEUE_PREFIX: "indexing",
    HEARTHLINE_TABLE: "comparing",
    HEARTHLINE_DEVICE_CONFLICTS: "ask,name:old-wins",
  };
  await provisionTable(dynamodbClientAt(tables.url), "comparing", systemClock);
  await addHome(env);
  const handler = createIndexDevices(env);
  const index = createDynamodbDeviceIndex(createCloud(readConfig(env), { env }).table);
  const whole = { n: 1, part: 1, parts: 1 };
  const devices = (revision: number, name: string) => ({
    t: "registry",
    ...whole,
    registry: "devices",
    revision,
    rows: [{ ...lampDevice, name, model: "Other" }],
  });
  const capabilities = { t: "capabilities", ...whole, revision: 1, rows: bridgeDevices };
  for (const entries of [[devices(1, "Lamp"), capabilities], [devices(2, "Ceiling")]])
    expect(await handler(eventOf(...packBatch({ homeId: "home" }, entries)), { awsRequestId: "r" } as Context)).toEqual(
      {
        batchItemFailures: [],
      },
    );
  const [change] = await index.history("home", ["devices"]);
  expect(change?.changes).toMatchObject([{ id: "ha-lamp", fields: [{ field: "name", from: "Lamp", to: "Ceiling" }] }]);
  const store = createDynamodbConflictStore(createCloud(readConfig(env), { env }).table);
  const { conflicts } = await store.list("home", { limit: 10, nowMs: systemClock.nowMs() });
  expect(conflicts.toSorted((a, b) => (a.field < b.field ? -1 : 1))).toMatchObject([
    { field: "model", strategy: "ask", status: "open" },
    { field: "name", new: "Ceiling", old: "kitchen/ceiling", chosen: "old", status: "settled" },
  ]);
});

it("makes the messages come again when the table is away", async () => {
  const handler = createIndexDevices({
    AWS_ENDPOINT_URL: queues.url,
    HEARTHLINE_TABLE: "nowhere",
    HEARTHLINE_QUEUE_PREFIX: "indexing",
  });
  const [body = ""] = packBatch({ homeId: "home" }, [{ t: "seen", entityId: "light.kitchen", atUs: 5, state: "on" }]);
  const answer = await handler(eventOf(body), { awsRequestId: "r" } as Context);
  expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: "m0" }] });
});

it("names a wrong setting and makes the batch come again", async () => {
  const handler = createIndexDevices({ HEARTHLINE_TABLE: "!" });
  await expect(handler(eventOf("x"), { awsRequestId: "r" } as Context)).rejects.toMatchObject({
    code: "setting_invalid",
  });
});
