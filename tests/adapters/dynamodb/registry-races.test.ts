import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDynamodbDeviceIndex } from "../../../lib/adapters/dynamodb/device-index.ts";
import { createDynamodbLedger } from "../../../lib/adapters/dynamodb/ledger.ts";
import { seededRandom } from "../../../lib/base/random.ts";
import type { Entity } from "../../../lib/devices/ports.ts";
import { startDynaliteServer, tableAt } from "../../support/dynalite.ts";

let server: Awaited<ReturnType<typeof startDynaliteServer>>;
beforeAll(async () => {
  server = await startDynaliteServer();
});
afterAll(() => server.stop());

const rowsOf = (part: number, name: string): Entity[] =>
  Array.from({ length: 20 }, (_, at) => ({ entityId: `sensor.part_${part}_${at}`, name, labels: [] }));

describe("functions that meet", () => {
  it("leave the newest revision whole, whatever order three of them come in, each part twice", async () => {
    const random = seededRandom(3);
    const index = createDynamodbDeviceIndex(await tableAt(server.url, "registries"));
    const parts = [1, 2, 3].flatMap((revision) =>
      [1, 2, 3, 4].flatMap((part) => {
        // Even parts never change: their rows stay where an older revision put them.
        const rows = rowsOf(part, part % 2 === 0 ? "same" : `of ${revision}`);
        const one = { registry: "entities" as const, revision, part, parts: 4, rows, order: random() };
        return [one, { ...one, order: random() }];
      }),
    );
    parts.sort((a, b) => a.order - b.order);
    const writer = async () => {
      for (let part = parts.pop(); part; part = parts.pop()) await index.applyRegistry("home", part);
    };
    await Promise.all([writer(), writer(), writer(), writer()]);
    expect(await index.revisions("home")).toEqual({ entities: 3 });
    const wanted = [1, 2, 3, 4].flatMap((part) => rowsOf(part, part % 2 === 0 ? "same" : "of 3"));
    expect(await index.list("home", "entities")).toEqual(wanted);
  });

  it("lose no range, twenty at one relay's ledger", async () => {
    const table = await tableAt(server.url, "ledger");
    await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        createDynamodbLedger(table).record("home", "relay", [{ range: [at * 10 + 1, at * 10 + 10] }]),
      ),
    );
    expect(await createDynamodbLedger(table).rows("home")).toMatchObject([
      { ranges: [[1, 200]], counts: { records: 200, duplicates: 0 } },
    ]);
  });

  it("are told to come again, and not that a registry is empty, when its rows are gone each time they look", async () => {
    const table = await tableAt(server.url, "gone");
    const part = { registry: "entities" as const, revision: 1, part: 1, parts: 1, rows: rowsOf(1, "here") };
    await createDynamodbDeviceIndex(table).applyRegistry("home", part);
    const racing = createDynamodbDeviceIndex({ ...table, getMany: async () => [] });
    await expect(racing.list("home", "entities")).rejects.toMatchObject({ code: "conflict", fate: "retry" });
  });
});
