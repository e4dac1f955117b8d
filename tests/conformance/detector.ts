import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DayFacts, Detector } from "../../lib/analysis/detectors/types.ts";
import { buildFacts, datesFrom, type Happening, historyOf } from "../support/day-facts.ts";
import { plantedFacts } from "../support/planted-days.ts";

const DATE = "2026-03-02";
/** JSON of the rows of one very large day. */
const HUGE_ROWS_MAX_BYTES = 400_000;
/** Of a home of 2,000 events; all nine together stay below 20 KB when they are packed. */
const USUAL_ROWS_MAX_BYTES = 40_000;

const bytesOf = (value: unknown): number => JSON.stringify(value).length;

const someHappening: fc.Arbitrary<Happening> = fc
  .record({
    entityId: fc.constantFrom("light.a", "light.b", "switch.c", "media_player.d", "binary_sensor.e", "person.f"),
    minute: fc.integer({ min: 1800, max: 16_190 }).map((tenths) => tenths / 10),
    state: fc.constantFrom("on", "off", "playing"),
    actor: fc.constantFrom("person" as const, "automation" as const),
    secondsInOldState: fc.integer({ min: 0, max: 40_000 }),
    areaId: fc.constantFrom("kitchen", "hall"),
  })
  .map(({ state, ...rest }) => ({ ...rest, state, oldState: state === "on" ? "off" : "on" }));

const someDays = fc
  .array(fc.array(someHappening, { maxLength: 40 }), { minLength: 1, maxLength: 7 })
  .map((days) => days.map((happenings, index) => buildFacts(datesFrom(DATE, 7)[index] ?? DATE, happenings)));

/** A day of a home with many entities, each changing some times; every third change by an automation. */
export function hugeDay(entities: number, events: number): DayFacts {
  const happenings = Array.from({ length: events }, (_, index): Happening => {
    const entity = (index * 7919) % entities;
    const isOn = Math.floor(index / entities) % 2 === 0;
    return {
      entityId: `${["light", "switch", "binary_sensor"][entity % 3]}.part_${entity}`,
      minute: 180 + (index * 1439.9) / events,
      state: isOn ? "on" : "off",
      oldState: isOn ? "off" : "on",
      secondsInOldState: 60 + (index % 900),
      areaId: `area_${entity % 40}`,
      actor: index % 3 === 0 ? "automation" : "person",
    };
  });
  return buildFacts(DATE, happenings);
}

/** Four weeks with some habits in them, for whatever kind. */
const fourWeeks = (seed: number): DayFacts[] =>
  plantedFacts({
    first: DATE,
    days: 28,
    seed,
    noise: 12,
    planted: [
      { entityId: "switch.coffee_machine", minute: 422, sd: 5 },
      { entityId: "light.bed", minute: 1380, sd: 10 },
      { entityId: "light.garden", minute: 1200, sd: 0, actor: "automation" },
    ],
  });

/** What every detector does. */
export function detectorConformance<Row>(detector: Detector<Row>): void {
  describe(`detector ${detector.kind}`, () => {
    it("gives the same rows and findings for the same facts, and changes none of them", () => {
      const facts = fourWeeks(3);
      const before = JSON.stringify(facts);
      expect(facts.map(detector.aggregate)).toEqual(facts.map(detector.aggregate));
      expect(JSON.stringify(facts)).toBe(before);
      const history = historyOf(detector, facts);
      const kept = JSON.stringify(history);
      expect(detector.find(history)).toEqual(detector.find(history));
      expect(JSON.stringify(history)).toBe(kept);
    });

    it("has rows that are JSON values: what was stored finds the same", () => {
      const history = historyOf(detector, fourWeeks(4));
      const stored = JSON.parse(JSON.stringify(history)) as typeof history;
      expect(stored).toEqual(history);
      expect(detector.find(stored)).toEqual(detector.find(history));
    });

    it("adds up: any split, any order, any nesting gives the same sums", () => {
      fc.assert(
        fc.property(someDays, fc.nat(), (days, cut) => {
          const parts = days.map(detector.aggregate);
          const all = detector.merge(parts);
          expect(detector.merge([...parts].reverse())).toEqual(all);
          const at = cut % (parts.length + 1);
          expect(detector.merge([detector.merge(parts.slice(0, at)), detector.merge(parts.slice(at))])).toEqual(all);
          expect(detector.merge([all])).toEqual(all);
          expect(JSON.parse(JSON.stringify(all))).toEqual(all);
        }),
        { numRuns: 60 },
      );
    });

    it("adds up beyond what is kept one by one", () => {
      const busy = buildFacts(
        DATE,
        Array.from({ length: 300 }, (_, index) => ({
          entityId: index % 3 === 0 ? "light.a" : "light.b",
          minute: 200 + index * 4,
          state: index % 2 ? "on" : "off",
          oldState: index % 2 ? "off" : "on",
          secondsInOldState: 240,
        })),
      );
      const parts = [busy, busy, fourWeeks(1)[0] ?? busy, busy].map(detector.aggregate);
      const all = detector.merge(parts);
      const [a = [], b = [], c = [], d = []] = parts;
      expect(detector.merge([detector.merge([d, b]), detector.merge([c, a])])).toEqual(all);
    });

    it("makes nothing of nothing", () => {
      expect(detector.aggregate(buildFacts(DATE))).toEqual([]);
      expect(detector.merge([])).toEqual([]);
      expect(detector.merge([[], []])).toEqual([]);
      expect(detector.find({ homeId: "home", date: DATE, days: [], weeks: [] })).toEqual([]);
      expect(
        detector.find(
          historyOf(
            detector,
            datesFrom(DATE, 30).map((date) => buildFacts(date)),
          ),
        ),
      ).toEqual([]);
    });

    it("finds nothing in one day, in one event, in one entity that is stuck", () => {
      const one = buildFacts(DATE, [{ entityId: "light.a", minute: 420 }]);
      expect(detector.find(historyOf(detector, [one]))).toEqual([]);
      const days = datesFrom(DATE, 30).map((date, index) =>
        buildFacts(date, index === 0 ? [{ entityId: "light.a", minute: 420 }] : []),
      );
      expect(detector.find(historyOf(detector, days))).toEqual([]);
    });

    it("bounds the rows of a very large day", () => {
      expect(bytesOf(detector.aggregate(hugeDay(20_000, 60_000)))).toBeLessThan(HUGE_ROWS_MAX_BYTES);
    });

    it("keeps the rows of a usual day small", () => {
      expect(bytesOf(detector.aggregate(hugeDay(120, 2000)))).toBeLessThan(USUAL_ROWS_MAX_BYTES);
    });

    it("gives each finding a key of its own, whole numbers, and evidence that adds up", () => {
      const history = historyOf(detector, fourWeeks(5));
      const findings = detector.find(history);
      expect(new Set(findings.map(({ key }) => key)).size).toBe(findings.length);
      for (const finding of findings) {
        expect(finding.kind).toBe(detector.kind);
        expect(finding.hits).toBeLessThanOrEqual(finding.opportunities);
        expect(finding.reliability).toBeGreaterThanOrEqual(0);
        expect(finding.reliability).toBeLessThanOrEqual(1);
        expect(finding.significance).toBeLessThanOrEqual(1);
        const dates = finding.days90.map(({ date }) => date);
        expect(dates).toEqual([...dates].sort());
        expect(dates.length).toBeLessThanOrEqual(90);
        if (finding.histogram) expect(finding.histogram.edges.length).toBe(finding.histogram.counts.length + 1);
      }
    });
  });
}
