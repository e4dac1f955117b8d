import { createHash } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createDynamodbHomeKeys } from "../../lib/adapters/dynamodb/home-keys.ts";
import { createDynamodbLedger } from "../../lib/adapters/dynamodb/ledger.ts";
import { createDynamodbTokenStore } from "../../lib/adapters/dynamodb/tokens.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { createCloud } from "../../lib/wiring/aws.ts";
import { type Config, QUEUES, readConfig } from "../../lib/wiring/config.ts";
import { createOperator, type Operator } from "../../lib/wiring/operator.ts";
import { dynamodbClientAt, startDynaliteServer } from "../support/dynalite.ts";
import { startFauxqsServer } from "../support/fauxqs.ts";
import { provisionQueues, provisionTable } from "../support/provision.ts";

describe("the operator", () => {
  let tables: Awaited<ReturnType<typeof startDynaliteServer>>;
  let queues: Awaited<ReturnType<typeof startFauxqsServer>>;
  let config: Config;
  let operator: Operator;
  let number = 0;
  const env = {};
  beforeAll(async () => {
    tables = await startDynaliteServer();
    queues = await startFauxqsServer();
  });
  afterAll(() => Promise.all([tables.stop(), queues.stop()]));
  beforeEach(async () => {
    number++;
    config = readConfig({
      AWS_ENDPOINT_URL_SQS: queues.url,
      AWS_ENDPOINT_URL_DYNAMODB: tables.url,
      HEARTHLINE_QUEUE_PREFIX: `operator-${number}`,
      HEARTHLINE_TABLE: `operator-${number}`,
      HEARTHLINE_STORE: "memory",
    });
    operator = createOperator(config, { env });
    await provisionTable(dynamodbClientAt(tables.url), config.HEARTHLINE_TABLE, systemClock);
  });

  it("looks into the queues of its prefix, redrives and purges them", async () => {
    const names = QUEUES.map((name) => `${config.HEARTHLINE_QUEUE_PREFIX}-${name}`);
    await provisionQueues(
      queues.client,
      names.map((name) => ({ name, visibilitySeconds: 180 })),
    );
    const depths = await operator.queues.depths();
    expect(depths.map(({ name }) => name)).toEqual(["events", "store", "index", "analysis"]);
    await createCloud(config, { env })
      .queue("index-dead")
      .send([{ body: "x", attributes: { reason_code: "why" } }]);
    expect(await operator.queues.peek("index-dead", 5)).toMatchObject([
      { body: "x", attributes: { reason_code: "why" } },
    ]);
    expect(await operator.queues.redrive("index")).toEqual({ moved: 1, remaining: 0 });
    expect(await operator.queues.purge("index")).toBe(1);
  });

  it("adds a home with a key that its relay can sign with, once", async () => {
    const added = await operator.homes.add({ homeId: "villa" });
    expect(Buffer.from(added.key, "base64")).toHaveLength(32);
    const keys = createDynamodbHomeKeys(createCloud(config, { env }).table);
    expect(await keys.current("villa")).toEqual({ id: added.keyId, secret: Buffer.from(added.key, "base64") });
    await expect(operator.homes.add({ homeId: "villa" })).rejects.toMatchObject({ code: "conflict" });
    expect(await operator.homes.list()).toMatchObject([
      { homeId: "villa", name: "villa", timeZone: "UTC", revision: 0 },
    ]);
    expect(await operator.homes.get("villa")).toMatchObject({ homeId: "villa" });
  });

  it.each(["", "Villa", "a b", "a#b", "-a", "x".repeat(64)])('refuses the home id "%s"', async (homeId) => {
    await expect(operator.homes.add({ homeId })).rejects.toMatchObject({ code: "request_invalid" });
    expect(await operator.homes.list()).toEqual([]);
  });

  it("refuses a key of another length", async () => {
    const secret = Buffer.alloc(31);
    await expect(operator.homes.add({ homeId: "a", secret })).rejects.toMatchObject({ code: "request_invalid" });
  });

  it("makes a token of which only the hash is kept, lists it without, and revokes it", async () => {
    await operator.homes.add({ homeId: "villa" });
    const { id, text } = await operator.tokens.create({
      homeId: "villa",
      name: "page",
      scopes: ["read"],
      expiresInDays: 2,
    });
    expect(text).toMatch(/^hl_villa_[A-Za-z0-9_-]{43}$/);
    const store = createDynamodbTokenStore(createCloud(config, { env }).table);
    const hash = createHash("sha256").update(text).digest("hex");
    const token = await store.findByHash(hash);
    expect(token).toMatchObject({ id, homeId: "villa", scopes: ["read"] });
    expect(JSON.stringify(token)).not.toContain(text);
    const [listed] = await operator.tokens.list("villa");
    expect(listed).toMatchObject({ id, name: "page" });
    expect(listed).not.toHaveProperty("hash");
    expect(Date.parse(listed?.expiresAt ?? "") - Date.parse(listed?.createdAt ?? "")).toBe(2 * 86_400_000);
    expect(await operator.tokens.revoke("villa", id)).toBe(true);
    expect(await store.findByHash(hash)).toBeUndefined();
  });

  it.each([
    [{ homeId: "nowhere", name: "", scopes: ["read"] }, "not_found"],
    [{ homeId: "villa", name: "", scopes: [] }, "request_invalid"],
    [{ homeId: "villa", name: "", scopes: ["root" as "read"] }, "request_invalid"],
    [{ homeId: "villa", name: "", scopes: ["read"], expiresInDays: 0 }, "request_invalid"],
    [{ homeId: "villa", name: "", scopes: ["read"], expiresInDays: Number.NaN }, "request_invalid"],
  ] as const)("refuses the token %j", async (token, code) => {
    await operator.homes.add({ homeId: "villa" });
    await expect(operator.tokens.create(token)).rejects.toMatchObject({ code });
    expect(await operator.tokens.list("villa")).toEqual([]);
  });

  it("removes a home with its keys, tokens and index, and no other home's", async () => {
    const { table } = createCloud(config, { env });
    const ledger = createDynamodbLedger(table);
    const texts: string[] = [];
    for (const homeId of ["villa", "villa-2"]) {
      await operator.homes.add({ homeId });
      await ledger.record(homeId, "relay", [{ range: [1, 5] }]);
      texts.push((await operator.tokens.create({ homeId, name: "", scopes: ["read"] })).text);
    }
    await operator.homes.remove("villa");
    expect((await operator.homes.list()).map(({ homeId }) => homeId)).toEqual(["villa-2"]);
    expect(await createDynamodbHomeKeys(table).current("villa")).toBeUndefined();
    expect(await ledger.rows("villa")).toEqual([]);
    expect(await ledger.rows("villa-2")).toHaveLength(1);
    const found = await Promise.all(
      texts.map((text) => createDynamodbTokenStore(table).findByHash(createHash("sha256").update(text).digest("hex"))),
    );
    expect(found.map((token) => token?.homeId)).toEqual([undefined, "villa-2"]);
  });
});

it("asks for credentials unless the endpoint is on this machine", async () => {
  const call = (endpoint: string) =>
    createCloud(readConfig({ AWS_ENDPOINT_URL: endpoint }), { env: {} }).sqs.call("ListQueues", {}, { attempts: 1 });
  await expect(call("http://queues.example.invalid")).rejects.toMatchObject({ code: "service_refused" });
  await expect(call("http://127.0.0.1:1")).rejects.toMatchObject({ code: "service_unreachable" });
});
