import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { coOccurrence } from "../../../lib/analysis/detectors/co-occurrence.ts";
import { room } from "../../../lib/analysis/detectors/room.ts";
import { sequence } from "../../../lib/analysis/detectors/sequence.ts";
import type { Detector } from "../../../lib/analysis/detectors/types.ts";
import { type Random, seededRandom } from "../../../lib/base/random.ts";
import { buildFacts, findIn, type Wish } from "../../support/detector-days.ts";

const DETECTORS = [coOccurrence, sequence, room] as readonly Detector[];

const wish = fc.record({
  at: fc.integer({ min: 0, max: 86_399 }),
  entityId: fc.constantFrom("light.a", "light.b", "switch.c", "binary_sensor.m", "binary_sensor.door", "scene.s"),
  state: fc.constantFrom("on", "off"),
  areaId: fc.constantFrom("kitchen", "hall"),
  deviceClass: fc.constantFrom("motion", "door"),
  actor: fc.constantFrom("person" as const, "automation" as const),
  act: fc.integer({ min: 0, max: 3 }),
});
const days = fc.array(fc.array(wish, { maxLength: 40 }), { minLength: 1, maxLength: 6 });

describe.each(DETECTORS.map((detector) => [detector.kind, detector] as const))("sums of %s", (_, detector) => {
  it("are the same in any order and any grouping, and are JSON", () => {
    fc.assert(
      fc.property(days, fc.nat(), fc.infiniteStream(fc.nat()), (wishes, cut, order) => {
        const rows = wishes.map((one, index) => detector.aggregate(buildFacts(index, one)));
        const all = detector.merge(rows);
        const at = cut % (rows.length + 1);
        const grouped = detector.merge([detector.merge(rows.slice(0, at)), detector.merge(rows.slice(at))]);
        const shuffled = rows
          .map((one) => [order.next().value ?? 0, one] as const)
          .sort(([a], [b]) => a - b)
          .map(([, one]) => one);
        expect(grouped).toEqual(all);
        expect(detector.merge(shuffled)).toEqual(all);
        expect(detector.merge([rows[0] ?? []])).toEqual(rows[0]);
        expect(JSON.parse(JSON.stringify(all))).toEqual(all);
      }),
      { numRuns: 60 },
    );
  });
});

const DAY = 86_400;
/** Independent streams: each entity toggles by itself, at any time. */
function noise(random: Random, entities: readonly string[], perDay: number): Wish[] {
  return entities.flatMap((entityId) =>
    Array.from(
      { length: Math.floor(perDay * 2 * random()) },
      (_, index): Wish => ({
        at: random() * DAY,
        entityId,
        state: index % 2 === 0 ? "on" : "off",
        areaId: "kitchen",
        ...(entityId.startsWith("binary_sensor.") && { deviceClass: "motion" }),
      }),
    ),
  );
}
const NOISE = [
  "light.a",
  "light.b",
  "light.c",
  "switch.d",
  "fan.e",
  "binary_sensor.m",
  "binary_sensor.n",
  "binary_sensor.o",
];

describe("over seeds", () => {
  it("independent streams are no pair, no chain, no scene", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 2, max: 40 }), (seed, perDay) => {
        const random = seededRandom(seed);
        const home = Array.from({ length: 28 }, () => noise(random, NOISE, perDay));
        for (const detector of DETECTORS) expect(findIn(detector, 28, (index) => home[index] ?? [])).toEqual([]);
      }),
      { numRuns: 12, seed: 6 },
    );
  });

  it("a planted pair of 70 % is found among them", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), (seed) => {
        const random = seededRandom(seed);
        const home = Array.from({ length: 28 }, () => {
          const comings = Array.from({ length: 3 }, (_, index) => 20_000 + index * 20_000 + random() * 12_000);
          const lamp = (at: number, state: string): Wish => ({ at, entityId: "light.planted", state });
          return [
            ...noise(random, NOISE, 8),
            ...comings.flatMap((at): Wish[] => [
              { at, entityId: "binary_sensor.planted", state: "on" },
              { at: at + 60, entityId: "binary_sensor.planted", state: "off" },
              ...(random() < 0.7 ? [lamp(at + 2 + 20 * random(), "on"), lamp(at + 2000, "off")] : []),
            ]),
          ];
        });
        const keys = findIn(coOccurrence, 28, (index) => home[index] ?? []).map(({ key }) => key);
        expect(keys).toEqual(["binary_sensor.planted=on > light.planted=on"]);
      }),
      { numRuns: 12, seed: 6 },
    );
  });
});
