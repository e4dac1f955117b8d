import { expect, it } from "vitest";
import { createTimestreamEventStore } from "../../../lib/adapters/timestream/event-store.ts";
import { buildEvent, SOME_TIME_US } from "../../support/events.ts";
import { DAY_US, openReady, openSmall } from "./support.ts";

const OLDEST = { order: "asc", limit: 10 } as const;

it("makes database and table with magnetic writes, the retention asked for and the home as partition key", async () => {
  const { store, small } = await openSmall({ memoryHours: 12 });
  await store.setUp({ rawDays: 89.5 });
  const [created] = small.requests.filter(({ operation }) => operation === "CreateTable");
  expect(created?.input).toEqual({
    ...{ DatabaseName: "hearthline", TableName: "events" },
    RetentionProperties: { MemoryStoreRetentionPeriodInHours: 12, MagneticStoreRetentionPeriodInDays: 90 },
    MagneticStoreWriteProperties: { EnableMagneticStoreWrites: true },
    Schema: { CompositePartitionKey: [{ Type: "DIMENSION", Name: "home", EnforcementInRecord: "REQUIRED" }] },
  });
  expect(await store.retention("home")).toEqual({ means: ["retention-period"], storeDays: 90 });
  await store.write([buildEvent({ atUs: SOME_TIME_US - DAY_US }), buildEvent()]);
  expect(await store.retention("home")).toMatchObject({ storeDays: 90, oldestUs: SOME_TIME_US - DAY_US });
});

it("sets a table that is there to what is asked, and leaves one that is so alone", async () => {
  const { store, small } = await openReady();
  await store.write([buildEvent()]);
  small.requests.length = 0;
  await store.setUp({ rawDays: 30 });
  expect(small.requests.map(({ operation }) => operation)).toEqual(["DescribeTable", "DescribeTable", "WriteRecords"]);
  await store.setUp({ rawDays: 400 });
  expect(await store.retention("home")).toMatchObject({ storeDays: 400, oldestUs: SOME_TIME_US });
  for (const rawDays of [0, -1, 73_001, Number.NaN, Number.POSITIVE_INFINITY]) {
    await expect(store.setUp({ rawDays })).rejects.toMatchObject({ code: "store_incompatible" });
  }
});

it("knows every column before the first event: an empty store answers with nothing", async () => {
  const { store, small } = await openReady();
  expect(await store.range({ homeId: "home", ...OLDEST })).toEqual({ events: [] });
  expect(await store.stats({ homeId: "home" })).toEqual([]);
  // Columns are seen a moment later than they are made, or somebody else made the table.
  small.tables.databases.get("hearthline")?.get("events")?.columns.clear();
  expect(await store.range({ homeId: "home", areaId: "kitchen", ...OLDEST })).toEqual({ events: [] });
});

it("waits for a table that is still being deleted, and gives up after a while", async () => {
  const { store, small, slept } = await openReady();
  small.tables.status = "DELETING";
  await expect(store.check()).rejects.toMatchObject({ code: "store_unavailable" });
  await expect(store.setUp({ rawDays: 30 })).rejects.toMatchObject({
    ...{ code: "store_unavailable", fate: "retry" },
    message: expect.stringMatching(/is DELETING after 300 s; wanted is ACTIVE/),
  });
  expect(slept).toHaveLength(60);
  small.tables.status = "ACTIVE";
  await store.setUp({ rawDays: 30 });
  await store.check();
});

it("leaves another program's table alone", async () => {
  const { store, small } = await openSmall();
  small.tables.call("CreateDatabase", { DatabaseName: "hearthline" });
  small.tables.call("CreateTable", {
    ...{ DatabaseName: "hearthline", TableName: "events" },
    RetentionProperties: { MemoryStoreRetentionPeriodInHours: 6, MagneticStoreRetentionPeriodInDays: 7 },
  });
  const foreign = {
    code: "store_incompatible",
    message: expect.stringMatching(/partitioned by measure, so it is not ours/),
  };
  await expect(store.setUp({ rawDays: 30 })).rejects.toMatchObject(foreign);
  await expect(store.check()).rejects.toMatchObject(foreign);
  await expect(store.retention("home")).rejects.toMatchObject(foreign);
  expect(small.requests.map(({ operation }) => operation)).toEqual(["DescribeTable", "DescribeTable", "DescribeTable"]);
});

it("drops table and database, but not a database with other tables in it, and does so any number of times", async () => {
  const { store, small } = await openReady();
  small.tables.call("CreateTable", { DatabaseName: "hearthline", TableName: "theirs", RetentionProperties: {} });
  await store.drop();
  await store.drop();
  expect([...(small.tables.databases.get("hearthline")?.keys() ?? [])]).toEqual(["theirs"]);
  small.tables.call("DeleteTable", { DatabaseName: "hearthline", TableName: "theirs" });
  await store.drop();
  expect(small.tables.databases.size).toBe(0);
  await store.drop();
});

it("deletes nothing when it is told to prune, and says so", async () => {
  const { store } = await openReady();
  await store.write([buildEvent()]);
  expect(await store.prune("home", SOME_TIME_US + 1)).toBe(0);
  await store.compact("home", SOME_TIME_US + 1);
  expect((await store.range({ homeId: "home", ...OLDEST })).events).toEqual([buildEvent()]);
  expect((await store.retention("home")).means).toEqual(["retention-period"]);
  await store.close();
});

it.each(["", "ab", 'x"; DROP', "a b", "ü".repeat(5)])("does not take %j as a name", async (name) => {
  const { clients, clock } = await openSmall();
  const refused = expect.objectContaining({ code: "setting_invalid" });
  expect(() => createTimestreamEventStore({ ...clients, clock, database: name })).toThrow(refused);
  expect(() => createTimestreamEventStore({ ...clients, clock, database: "good", table: name })).toThrow(refused);
});
