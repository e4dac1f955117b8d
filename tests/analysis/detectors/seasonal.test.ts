import { describe, expect, it } from "vitest";
import { seasonal } from "../../../lib/analysis/detectors/seasonal.ts";
import type { DetectorHistory, Finding } from "../../../lib/analysis/detectors/types.ts";
import { seededRandom } from "../../../lib/base/random.ts";
import { addDays } from "../../../lib/base/zone.ts";
import { detectorConformance } from "../../conformance/detector.ts";
import { buildFacts, datesFrom, type Happening } from "../../support/day-facts.ts";
import { poisson } from "../../support/planted-days.ts";

detectorConformance(seasonal);

const FIRST = "2025-03-03";

/** A heater at those means of a day, beside things that are used all year. */
function find(
  mean: (date: string, week: number) => number,
  { weeks = 52, seed = 1, actor = "person" as Happening["actor"] } = {},
): readonly Finding[] {
  const random = seededRandom(seed);
  const periods = Array.from({ length: weeks }, (_, week) => {
    const dates = datesFrom(addDays(FIRST, 7 * week), 7);
    const rows = dates.map((date) =>
      seasonal.aggregate(
        buildFacts(date, [
          ...Array.from(
            { length: poisson(random, mean(date, week)) },
            (): Happening => ({ entityId: "switch.heater", minute: 400, actor: actor ?? "person" }),
          ),
          ...["light.a", "light.b", "light.c"].flatMap((entityId) =>
            Array.from({ length: poisson(random, 3) }, () => ({ entityId, minute: 1200 })),
          ),
        ]),
      ),
    );
    return { layer: "weekly" as const, date: dates[0] ?? FIRST, dates, rows: seasonal.merge(rows) };
  });
  const history: DetectorHistory<
    Parameters<typeof seasonal.merge>[0] extends Iterable<readonly (infer Row)[]> ? Row : never
  > = {
    homeId: "home",
    date: addDays(FIRST, 7 * weeks - 1),
    days: [],
    weeks: periods,
  };
  return seasonal.find(history);
}
const isCold = (date: string) => ["10", "11", "12", "01", "02", "03", "04"].includes(date.slice(5, 7));

describe("seasonal", () => {
  it("finds the heater from October to April", () => {
    const [heater, ...others] = find((date) => (isCold(date) ? 0.9 : 0));
    expect(others).toEqual([]);
    expect(heater).toMatchObject({ target: { entityId: "switch.heater", state: "on" }, automated: false });
    expect(heater?.details?.fromMonth).toBe(10);
    expect([4, 5]).toContain(heater?.details?.toMonth);
    expect(heater?.reliability).toBeGreaterThan(0.8);
  });

  it("finds a wave without edges", () => {
    const [lamp] = find((date) => 4 + 3.5 * Math.cos((2 * Math.PI * (Date.parse(date) / 86_400_000 - 354)) / 365.25));
    expect(lamp?.target.entityId).toBe("switch.heater");
  });

  it("calls what began or ended once no season, nor a trend, nor a fortnight away", () => {
    expect(find((_, week) => (week < 22 ? 1 : 0))).toEqual([]);
    expect(find((_, week) => (week < 30 ? 0 : 2))).toEqual([]);
    expect(find((_, week) => 0.5 + week / 15)).toEqual([]);
    expect(find((_, week) => (week === 20 || week === 21 ? 0 : 3))).toEqual([]);
  });

  it("waits for half a year", () => {
    expect(find((date) => (isCold(date) ? 0.9 : 0), { weeks: 25 })).toEqual([]);
  });

  it("finds next to nothing in homes without seasons", () => {
    const found = Array.from({ length: 10 }, (_, seed) => find(() => 1.5, { seed }).length);
    expect(found.reduce((sum, count) => sum + count, 0)).toBe(0);
  });

  it("says what automations do", () => {
    expect(find((date) => (isCold(date) ? 0.9 : 0), { actor: "automation" })[0]?.automated).toBe(true);
  });
});
