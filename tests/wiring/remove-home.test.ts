import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDynamodbHomeKeys } from "../../lib/adapters/dynamodb/home-keys.ts";
import { homePartition, segmentPartition } from "../../lib/adapters/dynamodb/keys.ts";
import { createDynamodbLedger } from "../../lib/adapters/dynamodb/ledger.ts";
import { createDynamodbMigrationStore } from "../../lib/adapters/dynamodb/migrations.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { createLogger } from "../../lib/base/log.ts";
import { newMigration, planSchema, pointerOf, start } from "../../lib/migration/index.ts";
import { createCloud } from "../../lib/wiring/aws.ts";
import { readConfig } from "../../lib/wiring/config.ts";
import { createEventStore } from "../../lib/wiring/event-store.ts";
import { createMigrationStepper } from "../../lib/wiring/migration.ts";
import { createOperator } from "../../lib/wiring/operator.ts";
import { createHomeRemoval } from "../../lib/wiring/remove-home.ts";
import { runCommand } from "../../local/cli/program.ts";
import { readAll } from "../conformance/event-store-support.ts";
import { dynamodbClientAt, startDynaliteServer } from "../support/dynalite.ts";
import { buildEvent, SOME_TIME_US } from "../support/events.ts";
import { provisionTable } from "../support/provision.ts";

const DAY_US = 86_400_000_000;

let tables: Awaited<ReturnType<typeof startDynaliteServer>>;
let folder: string;
let number = 0;
beforeAll(async () => {
  tables = await startDynaliteServer();
  folder = mkdtempSync(join(tmpdir(), "hearthline-remove-"));
});
afterAll(async () => {
  await tables.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Two homes with events of several days, some of which are no closed days yet. */
async function twoHomes(settings: Record<string, string>) {
  number++;
  const env = {
    AWS_ENDPOINT_URL_DYNAMODB: tables.url,
    HEARTHLINE_TABLE: `remove-${number}`,
    HEARTHLINE_SQLITE_PATH: join(folder, `${number}.db`),
    HEARTHLINE_PARQUET_URL: join(folder, `parquet-${number}`),
    ...settings,
  };
  await provisionTable(dynamodbClientAt(tables.url), env.HEARTHLINE_TABLE, systemClock);
  const config = readConfig(env);
  const cloud = createCloud(config, { env: {} });
  const operator = createOperator(config, { env: {} });
  const ledger = createDynamodbLedger(cloud.table);
  const store = createEventStore(config, cloud);
  await store.setUp({ rawDays: 30 });
  for (const homeId of ["villa", "villa-2"]) {
    await operator.homes.add({ homeId });
    await ledger.record(homeId, "relay", [{ range: [1, 5] }]);
    // 1970 and the year 2255 among them: whatever a clock has dated.
    const times = [0, SOME_TIME_US - 40 * DAY_US, SOME_TIME_US, SOME_TIME_US + 1, Number.MAX_SAFE_INTEGER - DAY_US];
    const events = times.map((atUs) => buildEvent({ homeId, atUs }));
    await store.write(events.slice(0, 2));
    await store.compact(homeId, SOME_TIME_US);
    await store.write(events.slice(2));
  }
  const eventsOf = (homeId: string) => readAll(store, { homeId, order: "asc", limit: 1_000 });
  const itemsOf = async (pk: string) => {
    const keys: string[] = [];
    for await (const { sk } of cloud.table.query({ pk, keysOnly: true })) keys.push(sk);
    return keys;
  };
  return { env, cloud, operator, store, eventsOf, itemsOf };
}

it("takes a migration with it: row, audit, pointer, pairs and differences, none of another home's", async () => {
  const { cloud, operator, itemsOf } = await twoHomes({ HEARTHLINE_STORE: "sqlite" });
  const store = createDynamodbMigrationStore(cloud.table);
  const plan = planSchema.parse({ old: { kind: "http", url: "http://old.local" } });
  for (const homeId of ["villa", "villa-2"]) {
    const by = { nowUs: SOME_TIME_US, actor: "anna" };
    const made = newMigration(plan, { homeId, id: `of-${homeId}`, salt: "s", ...by });
    await store.create(made);
    const started = start(made, by);
    await store.commit(started, { expected: made.revision, memories: { canary: { at: 1 } } });
    await store.setPointer(homeId, pointerOf(started));
    await store.addPairs(homeId, made.id, [{ atUs: SOME_TIME_US, by: "probe", query: "range", rows: 1 }]);
    const explanation = "NEW lacks it.";
    const at = { entityId: "light.a", atUs: SOME_TIME_US, foundUs: SOME_TIME_US };
    await store.addDifferences(homeId, made.id, [{ class: "missing-in-new", ...at, explanation }]);
  }
  await operator.homes.remove("villa");
  expect(await itemsOf(homePartition("villa"))).toEqual([]);
  expect(await store.list("villa")).toEqual([]);
  expect(await store.pointer("villa")).toBeUndefined();
  expect(await store.underWay()).toEqual([{ homeId: "villa-2", id: "of-villa-2" }]);
  expect(await store.pointer("villa-2")).toMatchObject({ migrationId: "of-villa-2" });
  expect((await store.differences("villa-2", "of-villa-2")).count["missing-in-new"]).toBe(1);

  // A step that was under way when its home was removed brings nothing back.
  const lines: string[] = [];
  const log = createLogger({ level: "info", fields: {}, write: (line) => void lines.push(line) });
  expect(await createMigrationStepper(cloud, log).step("villa", "of-villa", 1_000)).toBe("gone");
  expect(await itemsOf(homePartition("villa"))).toEqual([]);
});

describe.each([
  ["sqlite", { HEARTHLINE_STORE: "sqlite" }],
  ["parquet in a folder", { HEARTHLINE_STORE: "parquet" }],
  ["parquet, its open days in the table", { HEARTHLINE_STORE: "parquet", HEARTHLINE_PARQUET_HOT: "table" }],
])("removing a home, %s", (_name, settings) => {
  it("takes its events and open days with it, and none of another home's", async () => {
    const { operator, store, eventsOf, itemsOf } = await twoHomes(settings);
    expect(await operator.homes.isThere("villa")).toBe(true);
    expect(await operator.homes.remove("villa")).toEqual({ events: 5 });
    expect(await eventsOf("villa")).toEqual([]);
    expect(await itemsOf(segmentPartition("villa"))).toEqual([]);
    expect(await itemsOf(homePartition("villa"))).toEqual([]);
    expect(await operator.homes.isThere("villa")).toBe(false);
    expect(await operator.homes.remove("villa")).toEqual({ events: 0 });
    expect(await eventsOf("villa-2")).toHaveLength(5);
    expect((await operator.homes.list()).map(({ homeId }) => homeId)).toEqual(["villa-2"]);
    await store.close();
  });

  it("goes on where it was broken off, wherever that was", async () => {
    const { env, cloud, store, eventsOf, itemsOf } = await twoHomes(settings);
    const { table } = cloud;
    let left = 0;
    const breaking = async <T>(work: () => Promise<T>): Promise<T> => {
      if (left-- <= 0) throw new Error("broken off");
      return work();
    };
    const removal = createHomeRemoval({
      ...cloud,
      table: {
        ...table,
        remove: (key) => breaking(() => table.remove(key)),
        writeMany: (writes) => breaking(() => table.writeMany(writes)),
      },
    });
    for (let allowed = 0; ; allowed++) {
      left = allowed;
      const isDone = await removal.remove("villa").then(
        () => true,
        (thrown: Error) => thrown.message !== "broken off",
      );
      if (isDone) break;
      // The command still finds it: a removal that was broken off is not "There is no home".
      expect(await removal.isThere("villa")).toBe(true);
      expect(allowed).toBeLessThan(20);
    }
    expect(await eventsOf("villa")).toEqual([]);
    expect(await itemsOf(homePartition("villa"))).toEqual([]);
    // What came after it had gone is found, too, by the command as people type it.
    await store.write([buildEvent({ homeId: "villa" })]);
    const run = async (line: string) => {
      const [out, err]: [string[], string[]] = [[], []];
      const code = await runCommand(line.split(" "), {
        env: { ...env, AWS_ENDPOINT_URL_SQS: tables.url, HEARTHLINE_DATA: folder },
        streams: { out: (text) => void out.push(text), err: (text) => void err.push(text) },
        signal: new AbortController().signal,
        version: "0.1.0",
        run: async () => 0,
      });
      return { code, out: out.join(""), err: err.join("") };
    };
    expect(await run("homes remove villa --yes --json")).toMatchObject({
      code: 0,
      out: `${JSON.stringify({ removed: "villa", store: settings.HEARTHLINE_STORE, events: 1 }, null, 2)}\n`,
    });
    expect(await run("homes remove villa --yes")).toMatchObject({ code: 1, err: expect.stringContaining("no home") });
    expect((await run("homes remove --help")).out).toContain("stored events");
    await store.close();
  });
});

it("leaves the home and its keys where the store cannot be reached", async () => {
  const { cloud, store } = await twoHomes({ HEARTHLINE_STORE: "sqlite" });
  await store.close();
  const away = { HEARTHLINE_STORE: "influxdb", HEARTHLINE_INFLUXDB_URL: "http://127.0.0.1:1" };
  const config = { ...cloud.config, ...readConfig(away), HEARTHLINE_TABLE: cloud.config.HEARTHLINE_TABLE };
  const removal = createHomeRemoval({ ...cloud, config });
  await expect(removal.remove("villa")).rejects.toMatchObject({ code: "service_unreachable" });
  expect(await createDynamodbHomeKeys(cloud.table).current("villa")).toBeDefined();
});
