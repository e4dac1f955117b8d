import { describe, expect, it } from "vitest";
import { frequency } from "../../../lib/analysis/detectors/frequency.ts";
import { weekdayOf } from "../../../lib/analysis/detectors/local-time.ts";
import { seededRandom } from "../../../lib/base/random.ts";
import { detectorConformance } from "../../conformance/detector.ts";
import { buildFacts, datesFrom, type Happening, historyOf } from "../../support/day-facts.ts";
import { normal, poisson } from "../../support/planted-days.ts";

detectorConformance(frequency);

const FIRST = "2026-03-02";
const find = (days: number, make: (day: number, date: string) => readonly Happening[]) =>
  frequency.find(
    historyOf(
      frequency,
      datesFrom(FIRST, days).map((date, day) =>
        buildFacts(date, [{ entityId: "light.life", minute: 700 }, ...make(day, date)]),
      ),
    ),
  );
const times = (count: number, entityId = "light.mirror", more: Partial<Happening> = {}): Happening[] =>
  Array.from({ length: count }, (_, at) => ({ entityId, minute: 400 + (900 * at) / Math.max(1, count), ...more }));

describe("frequency", () => {
  it("finds what happens twice as often as before, and since when", () => {
    const random = seededRandom(1);
    const found = find(42, (day) => times(poisson(random, day < 35 ? 10 : 20)));
    expect(found).toMatchObject([{ kind: "frequency", key: "change more light.mirror=on", automated: false }]);
    const { before, after, since } = found[0]?.details ?? {};
    expect(Number(after) / Number(before)).toBeGreaterThan(1.6);
    expect(String(since) >= "2026-04-03" && String(since) <= "2026-04-08").toBe(true);
    const less = find(42, (day) => times(poisson(random, day < 35 ? 12 : 3)));
    expect(less).toMatchObject([{ key: "change less light.mirror=on" }]);
  });

  it("finds no change in chance, in weekends, in one wild day, in what automations do", () => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = seededRandom(seed);
      expect(find(42, () => times(poisson(random, 8)))).toEqual([]);
    }
    const random = seededRandom(99);
    const isOff = (date: string) => ["sat", "sun"].includes(weekdayOf(date));
    expect(find(40, (_, date) => times(poisson(random, isOff(date) ? 15 : 4)))).toEqual([]);
    expect(find(42, (day) => times(day === 38 ? 60 : poisson(random, 8)))).toEqual([]);
    expect(find(42, (day) => times(day < 35 ? 5 : 30, "light.mirror", { actor: "automation" }))).toEqual([]);
  });

  it("finds a machine's rhythm, once, and when it runs", () => {
    const random = seededRandom(5);
    const machine = (state: string, minute: number): Happening => ({
      entityId: "sensor.dishwasher",
      state,
      minute,
      role: "sensor",
    });
    const found = find(28, (day) => {
      if (day % 7 === 6) return [];
      const begin = 1160 + 25 * normal(random);
      return [machine("run", begin), machine("drying", begin + 100), machine("ready", begin + 130)];
    });
    expect(found).toMatchObject([
      { key: "rhythm sensor.dishwasher=run", hits: 24, opportunities: 28, details: { finding: "rhythm", perDay: 1 } },
    ]);
    expect(Math.abs(Number(found[0]?.at?.slice(0, 2)) * 60 + Number(found[0]?.at?.slice(3)) - 1160)).toBeLessThan(30);
    // By a clock; at random; of what people switch themselves.
    expect(find(28, () => [machine("run", 1160)])).toEqual([]);
    expect(find(28, () => times(poisson(random, 1), "sensor.dishwasher", { state: "run", role: "sensor" }))).toEqual(
      [],
    );
    expect(find(28, () => [{ entityId: "light.b", minute: 500 + 600 * random() }])).toEqual([]);
  });
});
