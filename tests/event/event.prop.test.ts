import fc from "fast-check";
import { expect, it } from "vitest";
import { compareEvents, domainOf, EVENT_KINDS, EVENT_SOURCES, naturalKey, rankOf } from "../../lib/event/index.ts";
import { buildEvent } from "../support/events.ts";

const event = fc
  .record({
    entityId: fc.constantFrom("light.a", "light.b", "sensor.a"),
    atUs: fc.integer({ min: 1, max: 3 }),
    kind: fc.constantFrom(...EVENT_KINDS),
    source: fc.constantFrom(...EVENT_SOURCES),
  })
  .map(buildEvent);

it("the order of events is one: equal only at one natural key, the same backwards, and transitive", () => {
  fc.assert(
    fc.property(event, event, event, (a, b, c) => {
      expect(compareEvents(a, b) === 0).toBe(naturalKey(a) === naturalKey(b));
      expect(Math.sign(compareEvents(a, b)) + Math.sign(compareEvents(b, a))).toBe(0);
      if (compareEvents(a, b) <= 0 && compareEvents(b, c) <= 0) expect(compareEvents(a, c)).toBeLessThanOrEqual(0);
    }),
  );
});

it("what is live knows most, a snapshot least", () => {
  const ranks = [
    rankOf({ kind: "snapshot", source: "live" }),
    rankOf({ kind: "change", source: "import" }),
    rankOf({ kind: "change", source: "backfill" }),
    rankOf({ kind: "change", source: "api" }),
    rankOf({ kind: "attributes", source: "live" }),
  ];
  expect(ranks).toEqual(ranks.toSorted((a, b) => a - b));
  expect(new Set(ranks).size).toBe(ranks.length);
});

it("the domain is what stands before the first dot", () => {
  expect(["light.bed_light", "a.b.c", ".x", "none", ""].map(domainOf)).toEqual(["light", "a", "", "", ""]);
});
