import { describe, expect, it } from "vitest";
import { dayType } from "../../../lib/analysis/detectors/day-type.ts";
import { weekdayOf } from "../../../lib/analysis/detectors/local-time.ts";
import type { Finding } from "../../../lib/analysis/detectors/types.ts";
import type { Weekday } from "../../../lib/analysis/patterns/types.ts";
import { seededRandom } from "../../../lib/base/random.ts";
import { detectorConformance } from "../../conformance/detector.ts";
import { buildFacts, datesFrom, type Happening, historyOf } from "../../support/day-facts.ts";
import { plantedFacts, poisson } from "../../support/planted-days.ts";

detectorConformance(dayType);

const FIRST = "2026-03-02";

function find(mean: (weekday: Weekday) => number, { seed = 1, more = {} }: { seed?: number; more?: object } = {}) {
  const random = seededRandom(seed);
  const facts = datesFrom(FIRST, 42).map((date) => {
    const happenings = ["fan.bedroom", "light.hall", "light.kitchen"].flatMap((entityId) =>
      Array.from(
        { length: poisson(random, entityId === "fan.bedroom" ? mean(weekdayOf(date)) : 4) },
        (): Happening => ({ entityId, minute: 400 + 1000 * random(), ...(entityId === "fan.bedroom" && more) }),
      ),
    );
    return buildFacts(date, happenings);
  });
  return dayType.find(historyOf(dayType, facts));
}
const isWeekend = (day: Weekday) => day === "sat" || day === "sun";

describe("day type", () => {
  it("finds what is done three times as much at weekends, and how much more", () => {
    const [fan, ...others] = find((day) => (isWeekend(day) ? 9 : 3));
    expect(others).toEqual([]);
    expect(fan).toMatchObject({ target: { entityId: "fan.bedroom", state: "on" }, days: ["sat", "sun"] });
    expect(fan?.details?.ratio).toBeGreaterThan(2);
    expect(Number(fan?.details?.ratioAtLeast)).toBeLessThan(Number(fan?.details?.ratio));
    expect(fan?.opportunities).toBe(12);
  });

  it("finds what is done on working days, and on one of them", () => {
    expect(find((day) => (isWeekend(day) ? 1 : 6))[0]?.days).toHaveLength(5);
    expect(find((day) => (day === "wed" ? 12 : 2))[0]?.days).toEqual(["wed"]);
  });

  it("says nothing of what is alike on all days, nor of what automations do", () => {
    const seeds = Array.from({ length: 12 }, (_, seed) => find(() => 5, { seed }).length);
    expect(seeds.reduce((sum, count) => sum + count, 0)).toBe(0);
    expect(find((day) => (isWeekend(day) ? 9 : 3), { more: { actor: "automation" } })).toEqual([]);
  });

  it("leaves a time of working days to the detector of times", () => {
    const planted = [
      { entityId: "switch.coffee", minute: 422, sd: 5, days: ["mon", "tue", "wed", "thu", "fri"] as const },
    ];
    const facts = plantedFacts({ first: FIRST, days: 42, seed: 3, noise: 10, planted });
    const found: readonly Finding[] = dayType.find(historyOf(dayType, facts));
    expect(found.filter(({ target }) => target.entityId === "switch.coffee")).toEqual([]);
  });

  it("takes one wild day for one day", () => {
    const facts = datesFrom(FIRST, 42).map((date, index) =>
      buildFacts(
        date,
        Array.from({ length: index === 12 ? 60 : 2 }, (_, at) => ({ entityId: "fan.bedroom", minute: 300 + 15 * at })),
      ),
    );
    expect(dayType.find(historyOf(dayType, facts))).toEqual([]);
  });
});
