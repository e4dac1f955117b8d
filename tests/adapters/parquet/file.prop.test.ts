import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openEventFile } from "../../../lib/adapters/parquet/file-reader.ts";
import { createEventFileWriter } from "../../../lib/adapters/parquet/file-writer.ts";
import { escapeId } from "../../../lib/adapters/parquet/names.ts";
import type { HomeEvent } from "../../../lib/event/index.ts";
import { runs } from "../../support/depth.ts";
import { anyEvent, buildEvent, fullEvent, manyEvents } from "../../support/events.ts";

async function written(events: readonly HomeEvent[], options: { form: "plain" | "dense"; rowGroupRows: number }) {
  const parts: Uint8Array[] = [];
  const file = createEventFileWriter({ sink: async (bytes) => void parts.push(bytes), ...options });
  for (let at = 0; at < events.length; at += 7) await file.write(events.slice(at, at + 7));
  await file.finish({ note: "ü" });
  return new Uint8Array(Buffer.concat(parts));
}

const opened = (bytes: Uint8Array) =>
  openEventFile({ name: '"test"', byteLength: bytes.length, read: async (start, end) => bytes.slice(start, end) });

async function readBack(bytes: Uint8Array, entityIds?: ReadonlySet<string>): Promise<HomeEvent[]> {
  const file = await opened(bytes);
  const groups = await Promise.all(file.groups.map((_, group) => file.events(group, entityIds)));
  return groups.flat();
}

const byEntity = (a: HomeEvent, b: HomeEvent) =>
  (a.entityId < b.entityId ? -1 : Number(a.entityId > b.entityId)) || a.atUs - b.atUs;
const sizes = fc.constantFrom(1, 2, 5, 1000);
const ODD = ["\ufeffa", "\ud800", "a\u0000b", "", "💡".repeat(100), "1.0", "-0", "1e21", "NaN"];

describe("an event file", () => {
  it("gives back every member of every event, in order", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(anyEvent, { maxLength: 30 }),
        fc.constantFrom("plain", "dense"),
        sizes,
        async (events, form, rowGroupRows) => {
          const sorted = form === "dense" ? events.toSorted(byEntity) : events;
          const bytes = await written(sorted, { form, rowGroupRows });
          expect(await readBack(bytes)).toEqual(sorted);
          expect((await opened(bytes)).more).toEqual({ note: "ü" });
        },
      ),
      { numRuns: runs(25) },
    ));

  it("gives the rows of some entities, the row before them told or not", () =>
    fc.assert(
      fc.asyncProperty(fc.array(anyEvent, { maxLength: 40 }), fc.nat(6), sizes, async (events, pick, rowGroupRows) => {
        const sorted = events.toSorted(byEntity);
        const some = new Set(sorted.filter((_, index) => index % 7 === pick).map((event) => event.entityId));
        const bytes = await written(sorted, { form: "dense", rowGroupRows });
        expect(await readBack(bytes, some)).toEqual(sorted.filter((event) => some.has(event.entityId)));
      }),
      { numRuns: runs(20) },
    ));

  it("gives back texts that UTF-8 or a reader may lose, and local times that no offset says", async () => {
    const events = [
      fullEvent,
      ...ODD.map((state, index) =>
        buildEvent({ state, oldState: state, unit: state, atUs: index, context: { id: state, userId: state } }),
      ),
      ...["", "2026-11-22", "2026-11-22T06:47:09.185382+01:60", "1970-01-01T00:00:00.000000+00:00"].map((localTime) =>
        buildEvent({ localTime, atUs: 0 }),
      ),
      ...[0, 1, 1.5, 1e21, -3e-7, 5e-324].map((value) => buildEvent({ value, state: String(value) })),
      ...[-1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER].map((atUs) =>
        buildEvent({ atUs, localTime: "far", lastChangedUs: -atUs }),
      ),
    ];
    for (const form of ["plain", "dense"] as const) {
      expect(await readBack(await written(events, { form, rowGroupRows: 4 }))).toEqual(events);
    }
  });

  it("may have no rows, and rows of many groups", async () => {
    expect(await readBack(await written([], { form: "plain", rowGroupRows: 10 }))).toEqual([]);
    const events = manyEvents(1_000);
    const bytes = await written(events, { form: "plain", rowGroupRows: 90 });
    expect((await opened(bytes)).groups.map(({ rows }) => rows)).toEqual([...new Array(11).fill(90), 10]);
    expect(await readBack(bytes)).toEqual(events);
  });

  it("says what is wrong with bytes that are none", async () => {
    for (const bytes of [new Uint8Array(), new Uint8Array(100), Buffer.from("PAR1 and nothing more PAR1")]) {
      await expect(opened(new Uint8Array(bytes))).rejects.toMatchObject({ code: "store_damaged" });
    }
  });
});

describe("an id in a name", () => {
  it("is other for other ids, on every file system", () =>
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", maxLength: 300 }),
        fc.string({ unit: "binary", maxLength: 300 }),
        (a, b) => {
          const [one, other] = [escapeId(a), escapeId(b)];
          expect(one).toMatch(/^[a-z0-9_~-]{1,200}$/);
          expect(one === other).toBe(a === b);
        },
      ),
      {
        examples: [
          ["", "~"],
          ["HOME", "home"],
          ["\u00fc", "u\u0308"],
          ["\ud800", "\ud801"],
          ["~", "~~"],
          ["\ud800", "\ufffd"],
        ],
      },
    ));
});
