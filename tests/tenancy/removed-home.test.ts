import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createDynamodbJobStore } from "../../lib/adapters/dynamodb/jobs.ts";
import { directoryPartitions, tokenHashKey } from "../../lib/adapters/dynamodb/keys.ts";
import { createDynamodbLateDays } from "../../lib/adapters/dynamodb/late-days.ts";
import { tableOfHomes } from "../../lib/adapters/dynamodb/table-of-homes.ts";
import { jobMessage } from "../../lib/analysis/message.ts";
import { hashToken } from "../../lib/api/index.ts";
import { AT_US, manyRecords, told, wanted } from "../journey/records.ts";
import { type Pipeline, startPipeline } from "../support/pipeline.ts";
import { wallClock } from "../support/pipeline-functions.ts";
import { sealed } from "../support/records.ts";

const HOME = "villa-of-nobody";
const OTHER = "cottage";
const STORES = [
  ["sqlite", () => ({ HEARTHLINE_STORE: "sqlite" })],
  ["parquet", () => ({ HEARTHLINE_STORE: "parquet", HEARTHLINE_PARQUET_URL: join(folder, "parquet") })],
  [
    "parquet with open days in the table",
    () => ({
      HEARTHLINE_STORE: "parquet",
      HEARTHLINE_PARQUET_URL: join(folder, "parquet"),
      HEARTHLINE_PARQUET_HOT: "table",
    }),
  ],
] as const;

let folder: string;
let pipeline: Pipeline;
let home: Awaited<ReturnType<Pipeline["addHome"]>>;
const records = manyRecords(10);
const registry = {
  ...{ t: "registry", registry: "areas", revision: AT_US / 1000, part: 1, parts: 1 },
  rows: [{ area_id: "a", name: HOME, labels: [] }],
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hearthline-removed-"));
});
afterEach(async () => {
  await pipeline?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function start(settings: Record<string, string> = {}, clock = wallClock(AT_US / 1000 + 3_600_000)) {
  pipeline = await startPipeline({ clock, env: { HEARTHLINE_SQLITE_PATH: join(folder, "store.db"), ...settings } });
  await pipeline.addHome(OTHER);
  home = await pipeline.addHome(HOME);
}

/** Every item of the table in which the home's name stands, expired or not: nothing but a test may scan. */
async function traces(): Promise<string[]> {
  const { Items = [] } = await pipeline.cloud.dynamodb.call<{ Items?: object[] }>("Scan", {
    TableName: pipeline.config.HEARTHLINE_TABLE,
  });
  return Items.map((item) => JSON.stringify(item)).filter((text) => text.includes(HOME));
}

function* filesBelow(path: string): Generator<string> {
  for (const name of readdirSync(path)) {
    const inner = join(path, name);
    yield inner;
    if (statSync(inner).isDirectory()) yield* filesBelow(inner);
  }
}
/** Names of files and folders, and tables of SQLite, that still name it. */
const namedInStore = (): string[] =>
  [...filesBelow(folder)].filter(
    (path) => path.includes(HOME) || (path.endsWith(".parquet") && readFileSync(path).includes(HOME)),
  );

describe.each(STORES)("a home that is removed, %s", (_name, settings) => {
  it("leaves nothing in the table and in the store, and what is late for it leaves nothing either", async () => {
    await start(settings());
    const clock = pipeline.clock as ReturnType<typeof wallClock>;
    await pipeline.send("events", sealed([...records, registry], { key: home.key, homeId: HOME }));
    await pipeline.drain();
    // An expired token, which DynamoDB has not deleted yet, and a retired key.
    await pipeline.operator.tokens.create({ homeId: HOME, name: "old", scopes: ["read"], expiresInDays: 1 });
    await pipeline.operator.keys.rotate(HOME);
    await pipeline.operator.keys.retire(HOME, home.key.id, { force: true });
    await pipeline.operator.keys.restore(HOME, home.key.id);
    clock.set(clock.nowMs() + 86_400_000);
    await pipeline.dispatch();
    await pipeline.drain();
    clock.set(clock.nowMs() + 90 * 86_400_000);
    expect((await traces()).length).toBeGreaterThan(10);

    // Everything is on its way: behind enrich, before it, before analyze.
    const late = (first: number) => sealed(manyRecords(5, AT_US + first), { key: home.key, homeId: HOME, first });
    await pipeline.send("events", late(100));
    await pipeline.deliver("events");
    const job = { id: "job-late", homeId: HOME, kind: "daily" as const, date: "2026-11-21", attempt: 0, phases: [] };
    await createDynamodbJobStore(pipeline.cloud.table).create({ ...job, status: "queued", queuedAt: "" });
    await pipeline.send("analysis", jobMessage(job).body);
    // Also such as an older release packed, and for a relay of which nothing is known.
    await pipeline.send("events", late(200), sealed(records, { key: home.key, homeId: HOME, relayId: "new-relay" }));
    await pipeline.operator.homes.remove(HOME);
    expect(await traces()).toEqual([]);
    await pipeline.drain();
    await pipeline.dispatch();
    await pipeline.drain();
    expect(await traces()).toEqual([]);
    expect(namedInStore()).toEqual([]);
    expect(await pipeline.operator.homes.isThere(HOME)).toBe(false);
    for (const pk of directoryPartitions)
      for await (const { sk } of pipeline.cloud.table.query({ pk })) expect(sk).toBe(OTHER);
    expect(await pipeline.cloud.table.get(tokenHashKey(hashToken(home.token)))).toBeUndefined();
    expect((await pipeline.ask(home.token, "/api/v1/events")).status).toBe(401);
  });
});

describe("a home that is made again under the name of one that was removed", () => {
  it("gets nothing that was sent to the earlier one, at whatever point of its way that was", async () => {
    await start();
    await pipeline.send("events", sealed(records, { key: home.key, homeId: HOME }));
    await pipeline.drain();
    await pipeline.send("events", sealed(manyRecords(5, AT_US + 50), { key: home.key, homeId: HOME, first: 50 }));
    await pipeline.deliver("events");
    // Of these enrich still believes the key, which it read less than a minute ago.
    await pipeline.send(
      "events",
      sealed([registry], { key: home.key, homeId: HOME, first: 70 }),
      sealed(manyRecords(5, AT_US + 60), { key: home.key, homeId: HOME, relayId: "another", first: 60 }),
    );
    await pipeline.operator.homes.remove(HOME);
    const again = await pipeline.addHome(HOME);
    const ours = manyRecords(4, AT_US + 1_000_000);
    await pipeline.send("events", sealed(ours, { key: again.key, homeId: HOME }));
    await pipeline.drain();
    expect((await pipeline.events(again.token)).map(told)).toEqual(ours.map(wanted));
    expect((await pipeline.ask(again.token, "/api/v1/areas")).json.areas).toEqual([]);
    expect((await pipeline.ask(again.token, "/api/v1/ledger")).json.ledgers).toMatchObject([
      { relay_id: "relay", complete_up_to: 4, records: 4 },
    ]);
    expect((await pipeline.ask(home.token, "/api/v1/events")).status).toBe(401);
  });
});

describe("the table for whoever works long", () => {
  it("puts nothing into the part of a home that is not there, and everything else where it belongs", async () => {
    await start();
    const table = tableOfHomes(pipeline.cloud.table);
    const lateDays = createDynamodbLateDays(table);
    await lateDays.note(HOME, ["2026-11-21"]);
    await pipeline.operator.homes.remove(HOME);
    await expect(lateDays.note(HOME, ["2026-11-22"])).rejects.toMatchObject({ code: "not_found" });
    await expect(table.put({ pk: `S#${HOME}`, sk: "x" })).rejects.toMatchObject({ code: "not_found" });
    await expect(table.writeMany({ puts: [{ pk: `H#${HOME}`, sk: "x" }] })).rejects.toMatchObject({
      code: "not_found",
    });
    await table.writeMany({ puts: [{ pk: `H#${OTHER}`, sk: "x" }], deletes: [{ pk: `H#${HOME}`, sk: "x" }] });
    await table.put({ pk: "D#00", sk: "somebody" });
    expect(await traces()).toEqual([]);
  });
});
