import { describe, expect, it } from "vitest";
import { createMemoryEventStore } from "../../lib/adapters/memory/event-store.ts";
import { encodeHeader, FORMAT_MAJOR } from "../../lib/backup/format.ts";
import { createBackupWriter } from "../../lib/backup/writer.ts";
import { HearthlineError } from "../../lib/base/errors.ts";
import { EventsRefused } from "../../lib/event/index.ts";
import type { EventStore } from "../../lib/store/ports.ts";
import { readAll } from "../conformance/event-store-support.ts";
import { backUp, ITEMS, memoryHomeTable, memorySink, restore, storeOf, verify } from "../support/backups.ts";
import { buildEvent, fullEvent, manyEvents, SOME_TIME_US } from "../support/events.ts";

const OLDEST = { homeId: "home", order: "asc", limit: 1000 } as const;
const NOT_EMPTY = { code: "backup_target_not_empty" };

describe("into a home that has something", () => {
  it("is refused, for events and for items, and nothing is changed", async () => {
    const { bytes } = await backUp([fullEvent]);
    const other = buildEvent({ atUs: SOME_TIME_US - 1 });
    const store = await storeOf([other]);
    const target = memoryHomeTable();
    await expect(restore(bytes, { store, table: target.table })).rejects.toMatchObject(NOT_EMPTY);
    expect(await readAll(store, OLDEST)).toEqual([other]);
    expect([target.marker("home"), target.items("home")]).toEqual([undefined, []]);
    const ledger = memoryHomeTable({ home: ITEMS.slice(1, 2) });
    await expect(restore(bytes, { table: ledger.table })).rejects.toThrow(/LEDGER/);
  });

  it("merges when it is told to: what is there stays, the event that knows more stays", async () => {
    const poor = buildEvent({ source: "import", state: "imported" });
    const rich = buildEvent({ source: "live", state: "live" });
    const [fresh, old] = [buildEvent({ atUs: SOME_TIME_US + 9 }), buildEvent({ atUs: SOME_TIME_US - 9 })];
    const { bytes } = await backUp([old, poor]);
    const ledger = { key: "LEDGER#r1", kind: "LEDGER", isSecret: false, values: { mine: true } };
    const target = memoryHomeTable({ home: [ledger] });
    const store = await storeOf([rich, fresh]);
    const { restored } = await restore(bytes, { store, table: target.table, options: { isIntoExisting: true } });
    expect(restored).toMatchObject({
      items: { written: 2, kept: 1, same: 0 },
      comparison: { days: 1, sameDays: 0, missing: 0, different: 0 },
    });
    expect(await readAll(store, OLDEST)).toEqual([old, rich, fresh]);
    expect(target.items("home")[0]).toEqual(ledger);
  });
});

describe("interrupted", () => {
  /** Fails at the n-th write, for good. */
  const failing = (store: EventStore, at: number): EventStore => {
    let writes = 0;
    return {
      ...store,
      write: async (events) => {
        if (++writes >= at) throw new HearthlineError("store_read_only", "planted");
        return store.write(events);
      },
    };
  };

  it("goes on with the same file, and is then as if it had never been interrupted", async () => {
    const events = manyEvents(9_000);
    const { bytes } = await backUp(events);
    const store = createMemoryEventStore();
    const target = memoryHomeTable();
    const first = restore(bytes, { store: failing(store, 2), table: target.table });
    await expect(first).rejects.toMatchObject({ code: "store_read_only" });
    const part = (await readAll(store, OLDEST)).length;
    expect(part).toBeGreaterThan(0);
    expect(part).toBeLessThan(events.length);
    // Another file must not slip in between.
    const other = await backUp([fullEvent]);
    await expect(restore(other.bytes, { store, table: target.table })).rejects.toMatchObject(NOT_EMPTY);
    const { restored } = await restore(bytes, { store, table: target.table });
    expect(restored).toMatchObject({ isContinued: true, comparison: { sameDays: 1, days: 1, missing: 0 } });
    expect(await readAll(store, OLDEST)).toEqual(events);
    expect(target.marker("home")).toBeUndefined();
  });

  it("by a store that is away for a moment is not interrupted at all", async () => {
    const { bytes } = await backUp(manyEvents(3));
    const store = createMemoryEventStore();
    let failures = 3;
    const shaky: EventStore = {
      ...store,
      write: async (events) => {
        if (failures-- > 0) throw new HearthlineError("store_unavailable", "planted");
        return store.write(events);
      },
    };
    const { restored } = await restore(bytes, { store: shaky });
    expect(restored.comparison).toMatchObject({ sameDays: 1, missing: 0 });
  });
});

describe("the comparison in the end", () => {
  it("finds events that a store has lost or changed, and the restore stays open for another try", async () => {
    const events = manyEvents(50);
    const { bytes } = await backUp(events);
    const store = createMemoryEventStore();
    const careless: EventStore = {
      ...store,
      write: (given) =>
        store.write(given.slice(2).map((event, index) => (index === 0 ? { ...event, state: "other" } : event))),
    };
    const target = memoryHomeTable();
    const { restored } = await restore(bytes, { store: careless, table: target.table });
    expect(restored.comparison).toEqual({ days: 1, sameDays: 0, missing: 2, different: 1 });
    expect(target.marker("home")).toBe(restored.contents.id);
    const again = await restore(bytes, { store, table: target.table });
    expect(again.restored).toMatchObject({ isContinued: true, comparison: { sameDays: 1, missing: 0, different: 0 } });
  });
});

describe("a store that cannot keep an event", () => {
  it("takes the others; what it refuses is said, and does not leave the restore open for ever", async () => {
    const { bytes } = await backUp(manyEvents(10));
    const store = createMemoryEventStore();
    const choosy: EventStore = {
      ...store,
      write: async (events) => {
        await store.write(events.slice(1));
        const [event] = events;
        if (event) throw new EventsRefused([{ event, code: "event_time_out_of_range", reason: "planted" }]);
      },
    };
    const target = memoryHomeTable();
    const { restored } = await restore(bytes, { store: choosy, table: target.table });
    expect(restored).toMatchObject({
      comparison: { missing: 1, different: 0 },
      refused: { count: 1, example: expect.stringContaining("planted") },
    });
    expect(target.marker("home")).toBeUndefined();
  });

  it("is set to keep what the file holds before it is written to", async () => {
    const { bytes } = await backUp([fullEvent]);
    const store = createMemoryEventStore();
    const asked: unknown[] = [];
    const careful: EventStore = {
      ...store,
      setUp: async ({ rawDays }) => void asked.push(rawDays),
      write: async (events) => {
        asked.push("write");
        return store.write(events);
      },
    };
    await restore(bytes, { store: careful });
    // The clock stands at 2026-11-22, as does the event.
    expect(asked).toEqual([7, "write"]);
    const old = await backUp([{ ...fullEvent, atUs: SOME_TIME_US - 30 * 86_400_000_000 }]);
    asked.length = 0;
    await restore(old.bytes, { store: { ...careful, range: createMemoryEventStore().range } });
    expect(asked).toEqual([7, 32, "write"]);
  });
});

describe("a file of another version", () => {
  const MANIFEST = {
    ...{ format: "hearthline-backup", home_id: "home", created_at: "2026-11-22T06:00:00.000Z", hearthline: "9.0.0" },
    ...{ store: "sqlite", table_layout: 1, has_secrets: false },
  };
  async function fileWith(sections: Readonly<Record<string, readonly string[]>>, manifest: object = MANIFEST) {
    const file = memorySink();
    const writer = createBackupWriter({ sink: file.sink });
    await writer.add("manifest", [JSON.stringify(manifest)]);
    for (const [section, lines] of Object.entries(sections)) await writer.add(section, lines);
    await writer.finish({ settled: true, waited_seconds: 0, set_aside: 0, kinds: {} });
    return file.bytes();
  }

  it("with a section that is not known is whole, and not restored", async () => {
    const bytes = await fileWith({ suggestions: ["{}"] });
    expect(await verify(bytes)).toMatchObject({ unknownSections: ["suggestions"] });
    await expect(restore(bytes)).rejects.toMatchObject({
      code: "backup_version_unknown",
      message: expect.stringContaining("suggestions"),
    });
  });

  it("with a section that can be made anew is restored without it", async () => {
    const { restored } = await restore(await fileWith({ "derived-tiles": ["{}"] }));
    expect(restored.contents.unknownSections).toEqual(["derived-tiles"]);
  });

  it("with another arrangement of its table is not restored", async () => {
    const bytes = await fileWith({}, { ...MANIFEST, table_layout: 2 });
    await expect(restore(bytes)).rejects.toMatchObject({ code: "backup_version_unknown" });
  });

  it("of another format is refused by its number", async () => {
    const { bytes } = await backUp([]);
    const header = encodeHeader({ major: FORMAT_MAJOR + 1, minor: 0 });
    const newer = Buffer.concat([header, bytes.subarray(header.length)]);
    await expect(verify(newer)).rejects.toMatchObject({
      code: "backup_version_unknown",
      message: expect.stringContaining("2.0"),
    });
  });

  it("that names a home as no home is named is damaged", async () => {
    const bytes = await fileWith({}, { ...MANIFEST, home_id: "../other" });
    await expect(verify(bytes)).rejects.toMatchObject({ code: "backup_damaged" });
  });

  it("whose lines are not what they should be is damaged", async () => {
    const [event, other] = manyEvents(2).map((one) => JSON.stringify(one));
    for (const sections of [
      { events: ["{}"] },
      { events: ["null"] },
      { events: [other ?? "", event ?? ""] },
      { events: [event ?? "", event ?? ""] },
      { events: [event ?? ""] },
      { table: ['{"key":""}'] },
      { tiles: ["[1]"] },
      { settings: ["[]"] },
    ])
      await expect(verify(await fileWith(sections)), JSON.stringify(sections)).rejects.toMatchObject({
        code: "backup_damaged",
      });
  });
});
