import { describe, expect, it } from "vitest";
import { createMemoryEventStore } from "../../lib/adapters/memory/event-store.ts";
import { createSqliteEventStore } from "../../lib/adapters/sqlite/event-store.ts";
import { createBackupWriter } from "../../lib/backup/writer.ts";
import { HearthlineError } from "../../lib/base/errors.ts";
import type { HomeEvent } from "../../lib/event/index.ts";
import type { EventStore } from "../../lib/store/ports.ts";
import { readAll } from "../conformance/event-store-support.ts";
import { backUp, ITEMS, memoryHomeTable, memorySink, restore, storeOf, verify } from "../support/backups.ts";
import { buildEvent, fullEvent, manyEvents, SOME_TIME_US } from "../support/events.ts";

const OLDEST = { homeId: "home", order: "asc", limit: 1000 } as const;
const DAMAGED = { code: "backup_damaged" };
const DAY_US = 86_400_000_000;

/** A file that is whole, with lines that no program of ours would write. */
async function fileWith(sections: Readonly<Record<string, readonly string[]>>) {
  const file = memorySink();
  const writer = createBackupWriter({ sink: file.sink });
  const about = { format: "hearthline-backup", home_id: "home", created_at: "2026-11-22T06:00:00.000Z" };
  const manifest = { ...about, hearthline: "9.0.0", store: "sqlite", table_layout: 1, has_secrets: false };
  await writer.add("manifest", [JSON.stringify(manifest)]);
  for (const [section, lines] of Object.entries(sections)) await writer.add(section, lines);
  const kinds: Record<string, number> = {};
  for (const line of [...(sections.table ?? []), ...(sections.secrets ?? [])]) {
    const { kind } = JSON.parse(line) as { kind: string };
    kinds[kind] = (kinds[kind] ?? 0) + 1;
  }
  await writer.finish({ settled: true, waited_seconds: 0, set_aside: 0, kinds });
  return file.bytes();
}

const item = (key: string, kind: string, values: object = {}) => JSON.stringify({ key, kind, values });

describe("a crafted file", () => {
  it("that is not sealed and holds secrets is damaged", async () => {
    await expect(verify(await fileWith({ secrets: [item("KEY#k", "KEY")] }))).rejects.toMatchObject(DAMAGED);
  });

  it("with an item that is counted as another kind than it is, is damaged", async () => {
    await expect(verify(await fileWith({ table: [item("KEY#k", "LEDGER")] }))).rejects.toMatchObject(DAMAGED);
    await verify(await fileWith({ table: [item("LEDGER#k", "LEDGER")] }));
  });

  it("with an event that a store could not keep as what it is, is damaged", async () => {
    for (const wrong of [
      { unit: 5 },
      { oldState: {} },
      { areaId: [] },
      { value: "21.5" },
      { secondsInOldState: "7" },
      { quality: "good" },
      { dayPart: "noon" },
      { context: { id: "a", parentId: 1 } },
      { attributes: [] },
      { weather: "sunny" },
      { weather: { condition: "sunny", temperature: "warm" } },
    ]) {
      const events = [JSON.stringify({ ...fullEvent, ...wrong })];
      await expect(verify(await fileWith({ events })), JSON.stringify(wrong)).rejects.toMatchObject({
        message: expect.stringContaining("no event"),
      });
    }
    const infinite = JSON.stringify({ ...fullEvent, value: 1 }).replace('"value":1', '"value":1e999');
    await expect(verify(await fileWith({ events: [infinite] }))).rejects.toMatchObject({
      message: expect.stringContaining("no event"),
    });
  });

  it("whose items would reach into another home is refused before anything is touched", async () => {
    const { bytes } = await backUp([fullEvent]);
    const { table, marker } = memoryHomeTable();
    const store = createMemoryEventStore();
    const check = () => {
      throw new HearthlineError("backup_damaged", "planted");
    };
    await expect(restore(bytes, { store, table: { ...table, check } })).rejects.toMatchObject(DAMAGED);
    expect([marker("home"), await readAll(store, OLDEST)]).toEqual([undefined, []]);
  });
});

describe("items that were read twice", () => {
  it("are restored as the later reading has them, each once", async () => {
    const table = [1, 2, 3].flatMap((n) => [item("CONFLICTS", "CONFLICTS", { n }), item(`ROWS#${n}`, "ROWS", { n })]);
    const target = memoryHomeTable();
    const { restored } = await restore(await fileWith({ table }), { table: target.table });
    expect(restored.items).toEqual({ written: 4, same: 0, kept: 0 });
    expect(target.items("home").find(({ key }) => key === "CONFLICTS")?.values).toEqual({ n: 3 });
  });

  it("count once among the secrets that are left out", async () => {
    const { table } = memoryHomeTable({ home: ITEMS });
    const twice = {
      ...table,
      async *items(homeId: string) {
        yield* table.items(homeId);
        yield* table.items(homeId);
      },
    };
    expect((await backUp([], { table: twice })).created.secretsLeftOut).toBe(2);
  });
});

describe("a restore that is stopped", () => {
  it("stops among the items too", async () => {
    const many = Array.from({ length: 50 }, (_, n) => item(`ROWS#${n}`, "ROWS"));
    const bytes = await fileWith({ table: many });
    const stop = new AbortController();
    const { table, items } = memoryHomeTable();
    const restoring = restore(bytes, {
      table: {
        ...table,
        restore: (homeId, given) =>
          table.restore(
            homeId,
            (async function* () {
              for await (const each of given) {
                if (each.key === "ROWS#9") stop.abort();
                yield each;
              }
            })(),
          ),
      },
      options: { signal: stop.signal },
    });
    await expect(restoring).rejects.toMatchObject({ name: "AbortError" });
    expect(items("home")).toHaveLength(10);
  });
});

describe("what a store keeps", () => {
  const kept = (storeDays: number | undefined, asked: number[]): EventStore => ({
    ...createMemoryEventStore(),
    setUp: async ({ rawDays }) => void asked.push(rawDays),
    retention: async () => ({ means: ["job"], ...(storeDays !== undefined && { storeDays }) }),
  });

  it("is never less after a restore: other homes have events there", async () => {
    const { bytes } = await backUp([fullEvent]);
    const old = await backUp([{ ...fullEvent, atUs: SOME_TIME_US - 90 * DAY_US }]);
    for (const [file, storeDays, wanted] of [
      [bytes, 30, []],
      [bytes, undefined, [7]],
      [old.bytes, 30, [92]],
      [old.bytes, 400, []],
    ] as const) {
      const asked: number[] = [];
      await restore(file, { store: kept(storeDays, asked) });
      expect(asked).toEqual(wanted);
    }
  });

  it("is asked of a store that was not set up before, and never more than any store takes", async () => {
    const asked: number[] = [];
    const store = {
      ...kept(undefined, asked),
      retention: () => Promise.reject(new HearthlineError("store_incompatible", "planted")),
    };
    const { bytes } = await backUp([{ ...fullEvent, atUs: Number.MIN_SAFE_INTEGER }]);
    await restore(bytes, { store });
    expect(asked).toEqual([7, 73_000]);
    const away = { ...store, retention: () => Promise.reject(new HearthlineError("store_unavailable", "planted")) };
    await expect(restore(bytes, { store: away })).rejects.toMatchObject({ code: "store_unavailable" });
  });
});

describe("times and texts at their ends", () => {
  const odd: readonly HomeEvent[] = [
    buildEvent({ atUs: Number.MIN_SAFE_INTEGER }),
    buildEvent({ atUs: -1 }),
    buildEvent({ atUs: 0, entityId: "sensor.\u{1d7d8}", state: "\u0000\n\u2028\u{10ffff}" }),
    buildEvent({ atUs: 0, entityId: "sensor.\ufb00" }),
    buildEvent({
      atUs: 5,
      attributes: { "": null, ["__proto__"]: { a: "\n" }, "\u{1f3e0}": ["\u0301", 1e-320, -1e300, true], "\n": "\\" },
    }),
    buildEvent({ atUs: Number.MAX_SAFE_INTEGER - 1 }),
  ];

  for (const [name, make] of [
    ["memory", createMemoryEventStore],
    ["sqlite", () => createSqliteEventStore({ path: ":memory:" })],
  ] as const)
    it(`come back from a file into ${name}`, async () => {
      const [from, to] = [make(), make()];
      await from.write(odd);
      const wanted = await readAll(from, OLDEST);
      expect(wanted).toHaveLength(odd.length);
      const { bytes } = await backUp(from);
      const { restored } = await restore(bytes, { store: to });
      expect(restored.comparison).toMatchObject({ missing: 0, different: 0 });
      expect(restored.comparison.sameDays).toBe(restored.comparison.days);
      expect(await readAll(to, OLDEST)).toEqual(wanted);
      await Promise.all([from.close(), to.close()]);
    });
});

describe("a day that differs", () => {
  it("is compared in time that grows with its events, also when all of them happened at one microsecond", async () => {
    const at = (count: number) =>
      manyEvents(count, { entities: count }).map((event, n) => ({
        ...event,
        entityId: `sensor.s${n}`,
        atUs: SOME_TIME_US,
      }));
    const pagesFor = async (count: number): Promise<number> => {
      const events = at(count);
      const { bytes } = await backUp(await storeOf(events));
      const store = createMemoryEventStore();
      let pages = 0;
      const counted: EventStore = {
        ...store,
        // One is never kept: the day differs.
        write: (given) => store.write(given.filter(({ entityId }) => entityId !== "sensor.s7")),
        range: (query) => {
          pages++;
          return store.range(query);
        },
      };
      const { restored } = await restore(bytes, { store: counted });
      expect(restored.comparison).toEqual({ days: 1, sameDays: 0, missing: 1, different: 0 });
      return pages;
    };
    const few = await pagesFor(4_000);
    expect(await pagesFor(16_000)).toBeLessThan(few * 6);
  });
});
