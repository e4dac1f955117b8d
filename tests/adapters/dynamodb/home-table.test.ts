import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createDynamodbAggregateStore } from "../../../lib/adapters/dynamodb/aggregates.ts";
import { createDynamodbDeviceIndex } from "../../../lib/adapters/dynamodb/device-index.ts";
import { createDynamodbHomeKeys } from "../../../lib/adapters/dynamodb/home-keys.ts";
import { createDynamodbHomeTable } from "../../../lib/adapters/dynamodb/home-table.ts";
import { createDynamodbHomeDirectory } from "../../../lib/adapters/dynamodb/homes.ts";
import { createDynamodbJobStore } from "../../../lib/adapters/dynamodb/jobs.ts";
import { createDynamodbLedger } from "../../../lib/adapters/dynamodb/ledger.ts";
import { createDynamodbOutboxStore } from "../../../lib/adapters/dynamodb/outbox.ts";
import type { Table } from "../../../lib/adapters/dynamodb/table.ts";
import { createDynamodbTokenStore } from "../../../lib/adapters/dynamodb/tokens.ts";
import type { TableItem } from "../../../lib/backup/ports.ts";
import type { Area, Home } from "../../../lib/devices/ports.ts";
import { startDynaliteServer, tableAt } from "../../support/dynalite.ts";
import { manualClock } from "../../support/manual-clock.ts";

let server: Awaited<ReturnType<typeof startDynaliteServer>>;
beforeAll(async () => {
  server = await startDynaliteServer();
});
afterAll(() => server.stop());

const clock = { ...manualClock(), sleep: async () => {} };
let number = 0;
const fresh = () => tableAt(server.url, `backup-${++number}`, { clock });

const HOME: Home = {
  homeId: "home",
  name: "Home",
  timeZone: "Europe/Amsterdam",
  createdAt: "2026-01-01T00:00:00.000Z",
  revision: 4,
};
const SECRET = Buffer.alloc(32, 5);
const areas = (count: number): Area[] =>
  Array.from({ length: count }, (_, n) => ({ areaId: `a${n}`, name: `Area ${n}`, labels: [] }));
const TOKEN = {
  id: "t1",
  homeId: "home",
  name: "phone",
  scopes: ["read"],
  hash: "abc",
  createdAt: HOME.createdAt,
} as const;

/** Something of every port that lies in the table. */
async function furnish(table: Table): Promise<void> {
  await createDynamodbHomeDirectory(table).add(HOME, { id: "k1", secret: SECRET });
  const index = createDynamodbDeviceIndex(table);
  await index.applyRegistry("home", { registry: "areas", revision: 1, part: 1, parts: 1, rows: areas(3) });
  await index.applySeen("home", new Map([["light.a", { atUs: 7, state: "on" }]]));
  await index.applyWeather("home", { condition: "sunny", temperature: 21.5 }, 9);
  await createDynamodbLedger(table).record("home", "relay", [{ range: [1, 40] }, { range: [42, 50], rejected: [43] }]);
  await createDynamodbTokenStore(table).add(TOKEN);
  const job = { id: "daily-1", homeId: "home", kind: "daily", date: "2026-11-21", attempt: 0, phases: [] } as const;
  await createDynamodbJobStore(table).create({ ...job, status: "queued", queuedAt: HOME.createdAt });
  const message = { topic: "hearthline/a", payload: "payload", qos: 1, retain: true } as const;
  const times = { createdAtMs: clock.nowMs(), expiresAtMs: clock.nowMs() + 3_600_000 };
  await createDynamodbOutboxStore(table).add({ homeId: "home", unique: "u", kind: "mqtt", message, ...times });
  const at = { homeId: "home", layer: "daily", kind: "entities", date: "2026-11-21", fromUs: 0, toUs: 1 } as const;
  await createDynamodbAggregateStore(table).put({ ...at, rows: [{ a: 1 }] });
}

/** All that the ports say of the home. */
async function told(table: Table) {
  const index = createDynamodbDeviceIndex(table);
  const homes: Home[] = [];
  for await (const home of createDynamodbHomeDirectory(table).list()) homes.push(home);
  const aggregates: unknown[] = [];
  const query = {
    homeId: "home",
    layer: "daily",
    kind: "entities",
    fromDate: "2026-01-01",
    toDate: "2027-01-01",
  } as const;
  for await (const aggregate of createDynamodbAggregateStore(table).range(query)) aggregates.push(aggregate);
  const token = await createDynamodbTokenStore(table).findByHash("abc");
  return {
    homes,
    aggregates,
    areas: await index.list("home", "areas"),
    revisions: await index.revisions("home"),
    seen: await index.seen("home"),
    weather: await index.weather("home"),
    ledger: await createDynamodbLedger(table).rows("home"),
    jobs: [
      await createDynamodbJobStore(table).list("home", 9),
      await createDynamodbJobStore(table).get("home", "daily-1"),
    ],
    outbox: await createDynamodbOutboxStore(table).list({ homeId: "home", nowMs: clock.nowMs(), limit: 9 }),
    secrets: {
      token,
      tokens: await createDynamodbTokenStore(table).list("home"),
      key: await createDynamodbHomeKeys(table).current("home"),
    },
  };
}

async function itemsOf(table: Table, homeId = "home"): Promise<TableItem[]> {
  const items: TableItem[] = [];
  for await (const item of createDynamodbHomeTable(table).items(homeId)) items.push(item);
  return items;
}
async function* each(items: readonly TableItem[]) {
  yield* items;
}

describe("the items of a home", () => {
  let from: Table;
  let to: Table;
  beforeEach(async () => {
    [from, to] = [await fresh(), await fresh()];
    await furnish(from);
  });
  const restore = (items: readonly TableItem[]) => createDynamodbHomeTable(to).restore("home", each(items));

  it("put into another table, say the same through every port", async () => {
    const items = JSON.parse(JSON.stringify(await itemsOf(from))) as TableItem[];
    expect(await restore(items)).toEqual({ written: items.length, same: 0, kept: 0 });
    const wanted = await told(from);
    expect(wanted).toMatchObject({ homes: [HOME], areas: areas(3), secrets: { token: TOKEN } });
    expect(await told(to)).toEqual(wanted);
    expect(await itemsOf(to)).toEqual(await itemsOf(from));
    // Again: nothing is written twice.
    expect(await restore(items)).toEqual({ written: 1, same: items.length - 1, kept: 0 });
  });

  it("tell keys and tokens apart from the rest", async () => {
    const secret = (await itemsOf(from)).filter(({ isSecret }) => isSecret).map(({ key }) => key);
    expect(secret).toEqual(["KEY#k1", "TOKEN#t1"]);
  });

  it("leave what is there, but for the record of a home that was just made", async () => {
    const homes = createDynamodbHomeDirectory(to);
    await homes.add({ ...HOME, name: "just made", revision: 0 }, { id: "k2", secret: SECRET });
    const index = createDynamodbDeviceIndex(to);
    const items = await itemsOf(from);
    expect(await createDynamodbHomeTable(to).occupied("home")).toEqual([]);
    await index.applyRegistry("home", { registry: "areas", revision: 9, part: 1, parts: 1, rows: areas(1) });
    expect(await createDynamodbHomeTable(to).occupied("home")).toEqual(["REGISTRY", "ROWS"]);
    expect(await restore(items)).toMatchObject({ kept: 1, same: 0 });
    expect(await homes.get("home")).toEqual(HOME);
    expect(await index.list("home", "areas")).toEqual(areas(1));
    await homes.update("home", { name: "newer", timeZone: "UTC", revision: 5 });
    await restore(items);
    expect((await homes.get("home"))?.name).toBe("newer");
  });

  it("make a home only when all else is there", async () => {
    const items = await itemsOf(from);
    let writes = 0;
    const failing: Table = {
      ...to,
      put: (item, condition) => (++writes > 9 ? Promise.reject(new Error("planted")) : to.put(item, condition)),
    };
    await expect(createDynamodbHomeTable(failing).restore("home", each(items))).rejects.toThrow("planted");
    expect(await createDynamodbHomeDirectory(to).get("home")).toBeUndefined();
    await restore(items);
    expect(await told(to)).toEqual(await told(from));
  });

  it("are read again when a registry is replaced while they are read", async () => {
    const index = createDynamodbDeviceIndex(from);
    const read: TableItem[] = [];
    for await (const item of createDynamodbHomeTable(from).items("home")) {
      read.push(item);
      // Its control was read, its rows were not: they are about to be deleted.
      if (
        item.kind === "REGISTRY" &&
        !read.some(({ kind }) => kind === "ROWS") &&
        read.filter(({ kind }) => kind === "REGISTRY").length === 1
      )
        await index.applyRegistry("home", { registry: "areas", revision: 2, part: 1, parts: 1, rows: areas(5) });
    }
    await restore(read);
    expect(await createDynamodbDeviceIndex(to).list("home", "areas")).toEqual(areas(5));
  });

  it("never reach into another home", async () => {
    const items = await itemsOf(from);
    const foreign = items.map((item) =>
      item.kind === "TOKEN"
        ? { ...item, values: { ...item.values, data: JSON.stringify({ ...TOKEN, homeId: "other" }) } }
        : item,
    );
    await expect(restore(foreign)).rejects.toMatchObject({ code: "backup_damaged" });
    expect(await createDynamodbTokenStore(to).findByHash("abc")).toBeUndefined();
    const planted = {
      key: "HOME",
      kind: "HOME",
      isSecret: false,
      values: { ...items.find(({ kind }) => kind === "HOME")?.values, pk: "H#other", sk: "X" },
    };
    await restore([planted]);
    expect(await itemsOf(to, "other")).toEqual([]);
  });

  it("are refused where they would be believed for another home, or are secrets that came as none", async () => {
    const items = await itemsOf(from);
    const { check } = createDynamodbHomeTable(to);
    for (const item of items) expect(() => check("home", item), item.key).not.toThrow();
    const of = (kind: string) => {
      const item = items.find((each) => each.kind === kind);
      if (!item) throw new Error(`There is no ${kind}.`);
      return item;
    };
    const saying = (kind: string, more: object): TableItem => {
      const { values, ...rest } = of(kind);
      return { ...rest, values: { ...values, data: JSON.stringify({ ...JSON.parse(String(values.data)), ...more }) } };
    };
    for (const planted of [
      ...["HOME", "JOB", "TOKEN"].map((kind) => saying(kind, { homeId: "other" })),
      // Revoked, the token of somebody else would go.
      { ...of("TOKEN"), values: { ...of("TOKEN").values, hash: "of-another" } },
      { ...of("TOKEN"), isSecret: false },
      { ...of("KEY"), isSecret: false },
      { ...of("LEDGER"), isSecret: true },
    ]) {
      expect(() => check("home", planted), planted.key).toThrow(expect.objectContaining({ code: "backup_damaged" }));
      await expect(restore([planted])).rejects.toMatchObject({ code: "backup_damaged" });
    }
    expect(await itemsOf(to)).toEqual([]);
  });

  it("bring no token by which another home's would end: not when it is revoked, not when the home is removed", async () => {
    const tokens = createDynamodbTokenStore(to);
    const directory = createDynamodbHomeDirectory(to);
    await directory.add({ ...HOME, homeId: "other" }, { id: "k9", secret: SECRET });
    await tokens.add({ ...TOKEN, homeId: "other", id: "theirs" });
    const ours = (await itemsOf(from)).filter(({ kind }) => kind === "TOKEN");
    expect(JSON.parse(String(ours[0]?.values.data))).toMatchObject({ homeId: "home", hash: TOKEN.hash });
    expect(await restore(ours)).toMatchObject({ written: 0, kept: 1 });
    expect(await tokens.list("home")).toEqual([]);
    // Also where such a row is there already.
    const planted = { pk: "H#home", sk: "TOKEN#t1", ...ours[0]?.values };
    await to.put(planted);
    expect(await tokens.revoke("home", "t1")).toBe(true);
    expect(await tokens.findByHash(TOKEN.hash)).toMatchObject({ homeId: "other" });
    await to.put(planted);
    await directory.remove("home");
    expect(await tokens.findByHash(TOKEN.hash)).toMatchObject({ homeId: "other" });
    expect(await tokens.list("home")).toEqual([]);
  });

  it("remember which backup is being restored, and do not carry that along", async () => {
    const table = createDynamodbHomeTable(to);
    await table.beginRestore("home", "id-1");
    expect(await table.restoring("home")).toBe("id-1");
    expect(await table.occupied("home")).toEqual(["RESTORE"]);
    expect(await itemsOf(to)).toEqual([]);
    await table.endRestore("home");
    expect(await table.restoring("home")).toBeUndefined();
  });

  it("get a key when there is none", async () => {
    const table = createDynamodbHomeTable(to);
    const keys = createDynamodbHomeKeys(to);
    expect(await table.ensureKey("home", { id: "n1", secret: SECRET })).toBe(true);
    expect(await table.ensureKey("home", { id: "n2", secret: SECRET })).toBe(false);
    expect(await keys.current("home")).toEqual({ id: "n1", secret: SECRET });
  });
});
