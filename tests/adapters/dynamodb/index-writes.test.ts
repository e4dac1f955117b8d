import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDynamodbDeviceIndex } from "../../../lib/adapters/dynamodb/device-index.ts";
import { PACKED_MAX_BYTES, packPieces, unpack } from "../../../lib/adapters/dynamodb/packed.ts";
import { createTable } from "../../../lib/adapters/dynamodb/table.ts";
import { systemClock } from "../../../lib/base/clock.ts";
import { type Random, seededRandom } from "../../../lib/base/random.ts";
import type { Area, Seen } from "../../../lib/devices/ports.ts";
import { dynamodbClientAt, startDynaliteServer } from "../../support/dynalite.ts";
import { provisionTable } from "../../support/provision.ts";

interface Written {
  readonly PutRequest?: unknown;
}

let server: Awaited<ReturnType<typeof startDynaliteServer>>;
beforeAll(async () => {
  server = await startDynaliteServer();
});
afterAll(() => server.stop());

/** An index whose writes are counted, in items. */
async function counted(name: string, random: Random) {
  const client = dynamodbClientAt(server.url);
  await provisionTable(client, name, systemClock);
  const writes = { puts: 0, deletes: 0, bytes: 0 };
  const counting: typeof client = {
    call: (operation, input, options) => {
      if (operation === "PutItem") writes.puts++;
      if (operation === "BatchWriteItem") {
        const [items = []] = Object.values((input as { RequestItems: Record<string, Written[]> }).RequestItems);
        for (const { PutRequest } of items) PutRequest ? writes.puts++ : writes.deletes++;
      }
      if (/Put|Write/.test(operation)) writes.bytes += JSON.stringify(input).length;
      return client.call(operation, input, options);
    },
  };
  return {
    index: createDynamodbDeviceIndex(createTable({ client: counting, name, clock: systemClock, random })),
    writes,
  };
}

const seenAt = (atUs: number, entities: number): Map<string, Seen> =>
  new Map(
    Array.from({ length: entities }, (_, at) => [
      `sensor.number_${at}`,
      { atUs: atUs + at, state: `${(at * 7919) % 100}.5`, unit: "°C" },
    ]),
  );

describe("writes of the device index", () => {
  it("are fewer than three items a flush, merging and its deletes included", async () => {
    const { index, writes } = await counted("seen", seededRandom(1));
    for (let flush = 0; flush < 300; flush++) await index.applySeen("home", seenAt(flush * 1_000, 33));
    expect((writes.puts + writes.deletes) / 300).toBeLessThan(3);
    expect(writes.puts / 300).toBeLessThan(1.7);
    expect((await index.seen("home")).get("sensor.number_3")?.atUs).toBe(299_003);
  });

  it("of a merge leave one item a bucket and no delta, and lose nothing", async () => {
    let chance = 1;
    const random = seededRandom(7);
    // High for the ids of deltas as for the choice to merge, until told otherwise.
    const { index, writes } = await counted("merge", () => (chance === 0 ? random() / 1_000 : random() / 2 + 0.5));
    for (let flush = 0; flush < 20; flush++) await index.applySeen("home", seenAt(flush * 1_000, 200));
    expect(writes).toMatchObject({ puts: 20, deletes: 0 });
    const before = await index.seen("home");
    chance = 0;
    await index.applySeen("home", new Map([["light.last", { atUs: 5, state: "on" }]]));
    expect(writes).toMatchObject({ puts: 20 + 1 + 16, deletes: 21 });
    const after = new Map(await index.seen("home"));
    expect(after.size).toBe(201);
    after.delete("light.last");
    expect(after).toEqual(before);
    await index.applySeen("home", new Map([["sensor.number_0", { atUs: 1, state: "old" }]]));
    expect((await index.seen("home")).get("sensor.number_0")).toEqual(before.get("sensor.number_0"));
  });

  it("of a registry are a few for hundreds of rows, and one for a part that did not change", async () => {
    const { index, writes } = await counted("registry", seededRandom(1));
    const areas = (part: number): Area[] =>
      Array.from({ length: 300 }, (_, at) => ({ areaId: `area_${part}_${at}`, name: `Area ${at}`, labels: [] }));
    const apply = async (revision: number, parts: readonly (readonly Area[])[]) => {
      const before = { ...writes };
      for (const [at, rows] of parts.entries())
        await index.applyRegistry("home", { registry: "areas", revision, part: at + 1, parts: parts.length, rows });
      return { puts: writes.puts - before.puts, deletes: writes.deletes - before.deletes };
    };
    expect(await apply(1, [areas(1), areas(2)])).toEqual({ puts: 4, deletes: 0 });
    expect(await apply(2, [areas(1), areas(2)])).toEqual({ puts: 2, deletes: 0 });
    expect(await apply(3, [areas(1), areas(3)])).toEqual({ puts: 4, deletes: 1 });
    expect(await apply(3, [areas(1), areas(3)])).toEqual({ puts: 0, deletes: 0 });
    expect(await apply(4, [areas(1)])).toEqual({ puts: 2, deletes: 1 });
    expect(await index.list("home", "areas")).toEqual(areas(1));
  });
});

describe("packed rows", () => {
  it("are cut so that each piece fits an item, and come back whole and in order", () => {
    const random = seededRandom(3);
    const rows = Array.from({ length: 3_000 }, (_, at) => [
      at,
      Array.from({ length: 40 }, () => random().toString(36).slice(2)).join(""),
    ]);
    const pieces = packPieces(rows);
    expect(pieces.length).toBeGreaterThan(1);
    expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThanOrEqual(PACKED_MAX_BYTES);
    expect(pieces.flatMap(unpack)).toEqual(rows);
    expect(packPieces([]).flatMap(unpack)).toEqual([]);
    const huge = [Array.from({ length: 100_000 }, () => random().toString(36).slice(2)).join("")];
    expect(() => packPieces([huge])).toThrowError(/fits no item/);
  });
});
