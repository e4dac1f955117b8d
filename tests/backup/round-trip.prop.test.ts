import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createMemoryEventStore } from "../../lib/adapters/memory/event-store.ts";
import type { TableItem } from "../../lib/backup/ports.ts";
import type { HomeEvent } from "../../lib/event/index.ts";
import { readAll } from "../conformance/event-store-support.ts";
import { backUp, ITEMS, memoryHomeTable, restore, storeOf, verify } from "../support/backups.ts";
import { anyEvent, fullEvent, manyEvents } from "../support/events.ts";

const OLDEST = { homeId: "home", order: "asc", limit: 1000 } as const;
const events = fc.array(
  anyEvent.map((event): HomeEvent => ({ ...event, homeId: "home" })),
  { maxLength: 40 },
);

/** The table names its attributes by words of ours; `__proto__` is none, and a reader of JSON rightly leaves it out. */
const attributeName = fc.string().filter((name) => name !== "__proto__");

const anyItem: fc.Arbitrary<TableItem> = fc.record({
  key: fc.string({ minLength: 1 }).map((text) => `THING#${text}`),
  kind: fc.constant("THING"),
  isSecret: fc.boolean(),
  values: fc.dictionary(attributeName, fc.jsonValue({ maxDepth: 3 })).map((value) => JSON.parse(JSON.stringify(value))),
  bytes: fc.dictionary(
    attributeName,
    fc.uint8Array().map((bytes) => Buffer.from(bytes).toString("base64")),
  ),
});

describe("a home through a file", () => {
  it("comes back event for event and item for item, sealed or not", async () => {
    await fc.assert(
      fc.asyncProperty(
        events,
        fc.uniqueArray(anyItem, { selector: ({ key }) => key, maxLength: 10 }),
        // Seldom: a key is made to take its time.
        fc.oneof(
          { weight: 19, arbitrary: fc.constant(undefined) },
          { weight: 1, arbitrary: fc.string({ minLength: 1, unit: "grapheme" }) },
        ),
        async (given, items, passphrase) => {
          const from = await storeOf(given);
          const table = memoryHomeTable({ home: [...ITEMS, ...items] });
          const { bytes, created } = await backUp(from, { table: table.table, ...(passphrase && { passphrase }) });
          const target = memoryHomeTable();
          const { store, restored } = await restore(bytes, { table: target.table, options: { passphrase } });
          const wanted = await readAll(from, OLDEST);
          expect(await readAll(store, OLDEST)).toEqual(wanted);
          expect(created.events.count).toBe(wanted.length);
          expect(restored.comparison).toMatchObject({ missing: 0, different: 0 });
          const kept = table.items("home").filter(({ isSecret }) => passphrase !== undefined || !isSecret);
          const got = target.items("home").filter(({ key }) => key !== "KEY#new");
          expect(new Set(got)).toEqual(new Set(kept));
        },
      ),
      { numRuns: 40 },
    );
  });

  it("holds more than one chunk, and pages that end where chunks do not", async () => {
    const many = manyEvents(7_345);
    const { bytes, created } = await backUp(many);
    expect(created.events.count).toBe(7_345);
    const contents = await verify(bytes);
    if (!contents.manifest) throw new Error("It is not sealed.");
    expect(contents.sections.events).toMatchObject({ items: 7_345 });
    expect(contents.sections.events?.chunks).toBeGreaterThan(1);
    const { store } = await restore(bytes);
    expect(await readAll(store, OLDEST)).toEqual(many);
  });

  it("of a home without events is a file too", async () => {
    const { bytes, created } = await backUp([]);
    expect(created.events).toEqual({ count: 0 });
    const { restored, table } = await restore(bytes);
    expect(restored.comparison).toEqual({ days: 0, sameDays: 0, missing: 0, different: 0 });
    expect(await table.restoring("home")).toBeUndefined();
  });

  it("takes no other home's events", async () => {
    const store = createMemoryEventStore();
    await store.write([fullEvent, { ...fullEvent, homeId: "home2" }]);
    expect((await backUp(store)).created.events.count).toBe(1);
  });
});
