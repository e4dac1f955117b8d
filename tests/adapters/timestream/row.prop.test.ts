import fc from "fast-check";
import { expect, it } from "vitest";
import { bytesOf, cellOf, isHashed, textOf } from "../../../lib/adapters/timestream/cells.ts";
import {
  decodeEvent,
  decodeSlim,
  type EncodedEvent,
  type EventRow,
  encodeEvent,
  partNamesOf,
} from "../../../lib/adapters/timestream/row.ts";
import type { HomeEvent } from "../../../lib/event/index.ts";
import { aggregateByReading } from "../../../lib/series/index.ts";
import { anyEvent, buildEvent, fullEvent } from "../../support/events.ts";

const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({
    unit: fc.constantFrom("~", "'", '"', "#", "\\", "\u0000", "\u0085", "\ud800", "é", "🏠", "a"),
    maxLength: 12,
  }),
);

/** A row as a query gives it back. */
const rowOf = (head: EncodedEvent["head"]): EventRow => ({
  atUs: Number(head.Time),
  texts: Object.fromEntries([...head.Dimensions, ...head.MeasureValues].map(({ Name, Value }) => [Name, Value])),
});

function roundTrip(event: HomeEvent): HomeEvent {
  const encoded = encodeEvent(event);
  if (!encoded) throw new Error("too large");
  const row = rowOf(encoded.head);
  const texts = new Map(encoded.parts.map((part) => [part.Dimensions.at(-1)?.Value, part.MeasureValues[0]?.Value]));
  const document = partNamesOf(row)
    ?.map((name) => texts.get(name) ?? "missing")
    .join("");
  return decodeEvent(event.homeId, row, document);
}

/** Counted as the developer guide does, independently of the adapter. */
function sizeOf(homeId: string, { Dimensions, MeasureValues }: EncodedEvent["head"]): number {
  const names = [...Dimensions, { Name: "home", Value: cellOf(homeId) }, { Name: "measure_name", Value: "event" }];
  const texts = [...names, ...MeasureValues].flatMap(({ Name, Value }) => [Name, Value]);
  return 8 + Buffer.byteLength(texts.join(""));
}

it("gives back any text from its cell, and never the text of another", () =>
  fc.assert(
    fc.property(anyText, anyText, (a, b) => {
      expect(textOf(cellOf(a))).toBe(a);
      expect(cellOf(a) === cellOf(b)).toBe(a === b);
      expect(cellOf(a)).not.toMatch(/\p{Cc}/u);
      expect(cellOf(a)).not.toBe("");
      expect(cellOf(a)).not.toBe(cellOf(undefined));
      expect(bytesOf(cellOf(a, 34))).toBeLessThanOrEqual(34);
      expect(cellOf(a, 34) === cellOf(b, 34)).toBe(a === b);
    }),
    { numRuns: 500 },
  ));

it("gives back any event, from records within the limits", () =>
  fc.assert(
    fc.property(
      anyEvent,
      fc.record({ state: anyText, areaId: anyText, unit: anyText }, { requiredKeys: [] }),
      fc.oneof(fc.constant(0), fc.nat(300), fc.nat(20_000)),
      fc.constantFrom("x", "é", "🏠", "'", "\n"),
      (event, texts, length, filling) => {
        const big = { ...event, ...texts, attributes: { ...event.attributes, filling: filling.repeat(length) } };
        expect(roundTrip(big)).toEqual(big);
        const encoded = encodeEvent(big);
        for (const record of [encoded?.head, ...(encoded?.parts ?? [])]) {
          if (!record) continue;
          expect(sizeOf(big.homeId, record)).toBeLessThanOrEqual(2_048);
          for (const { Value } of record.MeasureValues) {
            expect(Value).not.toBe("");
            expect(Value).not.toMatch(/\p{Cc}/u);
            expect(Value.isWellFormed()).toBe(true);
          }
        }
      },
    ),
    { numRuns: 300 },
  ));

it("keeps what is longer than its column, and finds it by the same cell", () => {
  const long = { state: "🏠".repeat(255), areaId: "ü".repeat(255), deviceId: "d".repeat(255), unit: "€".repeat(255) };
  const event = buildEvent({ ...long, oldState: "🏠".repeat(255) });
  expect(roundTrip(event)).toEqual(event);
  const texts = rowOf(encodeEvent(event)?.head ?? { Dimensions: [], MeasureValues: [], Time: "0" }).texts;
  expect(texts.area).toBe(cellOf(event.areaId, 128));
  expect(isHashed(texts.area ?? "")).toBe(true);
  expect(texts.doc).toMatch(/^~[0-9a-f]{32}\.\d+$/);
});

it("has nothing for an event whose names alone fill a record", () => {
  expect(
    encodeEvent(buildEvent({ entityId: `light.${"\u0001".repeat(249)}`, homeId: "\u0001".repeat(64) })),
  ).toBeUndefined();
  expect(encodeEvent(buildEvent({ entityId: `light.${"x".repeat(249)}`, homeId: "h".repeat(64) }))).toBeDefined();
});

it("has all that aggregates need in the slim columns", async () => {
  await fc.assert(
    fc.asyncProperty(anyEvent, async (event) => {
      const row = rowOf(encodeEvent(event)?.head ?? { Dimensions: [], MeasureValues: [], Time: "0" });
      const slim = decodeSlim(event.homeId, row);
      const edges = [event.atUs - 1, event.atUs + 1_000_000];
      const aggregate = (one: HomeEvent | undefined) =>
        aggregateByReading(
          { homeId: event.homeId, entityIds: [event.entityId], edges },
          {
            read: async function* () {
              yield one ? [one] : [];
            },
            lastBefore: async () => undefined,
          },
        );
      expect(await aggregate(slim)).toEqual(await aggregate(event));
    }),
  );
  const long = buildEvent({ state: "🏠".repeat(255) });
  const row = rowOf(encodeEvent(long)?.head ?? { Dimensions: [], MeasureValues: [], Time: "0" });
  expect(decodeSlim("home", row)).toBeUndefined();
});

it("writes typed values for people's own SQL, and reads the exact ones back", () => {
  const measuresOf = (event: HomeEvent) => encodeEvent(event)?.head.MeasureValues ?? [];
  expect(measuresOf(fullEvent)).toContainEqual({ Name: "number", Value: "21", Type: "DOUBLE" });
  expect(measuresOf(buildEvent({ value: true }))).toContainEqual({ Name: "flag", Value: "true", Type: "BOOLEAN" });
  expect(measuresOf(buildEvent()).map(({ Type }) => Type)).not.toContain("DOUBLE");
  for (const value of [0.1 + 0.2, 5e-324, 1.7976931348623157e308, -3e-7, 1e21]) {
    expect(roundTrip(buildEvent({ value })).value).toBe(value);
  }
});
