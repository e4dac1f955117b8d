import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDynamodbDeviceIndex } from "../../../lib/adapters/dynamodb/device-index.ts";
import type { Table } from "../../../lib/adapters/dynamodb/table.ts";
import type { Item } from "../../../lib/adapters/dynamodb/wire-item.ts";
import { startDynaliteServer, tableAt } from "../../support/dynalite.ts";

let server: Awaited<ReturnType<typeof startDynaliteServer>>;
beforeAll(async () => {
  server = await startDynaliteServer();
});
afterAll(() => server.stop());

const devices = (revision: number, names: readonly string[]) => ({
  ...{ registry: "devices" as const, revision, part: 1, parts: 1 },
  rows: names.map(
    (deviceId) =>
      ({ deviceId, name: deviceId, labels: [], identifiers: [], connections: [], configEntries: [] }) as never,
  ),
});

/** Reads that may lag are answered as things were when `remember` was called last. */
function lagging(table: Table) {
  const old = new Map<string, Item>();
  const asOf = async (key: { pk: string; sk: string }, mayLag = false) => (mayLag && old.get(key.sk)) || table.get(key);
  const lagged: Table = {
    ...table,
    get: (key, reading) => asOf(key, reading?.mayLag),
    getMany: async (keys, reading) =>
      (await Promise.all(keys.map((key) => asOf(key, reading?.mayLag)))).filter((item) => item !== undefined),
  };
  const remember = async (prefix: string): Promise<void> => {
    for await (const item of table.query({ pk: "H#home", prefix })) old.set(item.sk, item);
  };
  return { lagged, remember };
}

describe("an index that is read as it was a moment ago", () => {
  it("gives a whole revision, the older or the newer, also when the older one's rows are gone", async () => {
    const table = await tableAt(server.url, "lagging");
    const writer = createDynamodbDeviceIndex(table);
    await writer.applyRegistry("home", devices(1, ["a", "b"]));
    const { lagged, remember } = lagging(table);
    await remember("REGISTRY");
    const reader = createDynamodbDeviceIndex(lagged, { mayLag: true });
    const ids = async () => (await reader.list("home", "devices")).map(({ deviceId }) => deviceId);
    expect(await ids()).toEqual(["a", "b"]);
    await writer.applyRegistry("home", devices(2, ["c"]));
    // What says which rows hold is of the first revision, whose rows have been deleted since.
    expect(await reader.revisions("home", ["devices"])).toEqual({ devices: 1 });
    expect(await ids()).toEqual(["c"]);
    expect(await createDynamodbDeviceIndex(lagged).revisions("home", ["devices"])).toEqual({ devices: 2 });
  });

  it("finds what was written for the first time a moment ago", async () => {
    const table = await tableAt(server.url, "first");
    const reader = createDynamodbDeviceIndex(table, { mayLag: true });
    expect(await reader.list("home", "devices")).toEqual([]);
    expect(await reader.weather("home")).toBeUndefined();
    await createDynamodbDeviceIndex(table).applyRegistry("home", devices(1, ["a"]));
    expect((await reader.list("home", "devices")).map(({ deviceId }) => deviceId)).toEqual(["a"]);
  });
});
