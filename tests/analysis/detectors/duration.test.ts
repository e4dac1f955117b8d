import { describe, expect, it } from "vitest";
import { duration } from "../../../lib/analysis/detectors/duration.ts";
import { seededRandom } from "../../../lib/base/random.ts";
import { detectorConformance } from "../../conformance/detector.ts";
import { buildFacts, datesFrom, type Happening, historyOf } from "../../support/day-facts.ts";
import { normal } from "../../support/planted-days.ts";

detectorConformance(duration);

const random = seededRandom(7);
const ended = (secondsInOldState: number, more: Partial<Happening> = {}): Happening => ({
  ...{ entityId: "switch.heater", state: "off", oldState: "on", minute: 300 + 1000 * random(), secondsInOldState },
  ...more,
});
const find = (days: number, happenings: (day: number) => Happening[]) =>
  duration.find(
    historyOf(
      duration,
      datesFrom("2026-03-02", days).map((date, day) =>
        buildFacts(date, [{ entityId: "light.life", minute: 800 }, ...happenings(day)]),
      ),
    ),
  );
const exponential = (mean: number): number => -mean * Math.log(1 - random());

describe("durations", () => {
  it("that are always about the same are found, with what ends them as the target", () => {
    const [found, ...others] = find(28, () => [ended(1200 + 120 * normal(random)), ended(1200 + 120 * normal(random))]);
    expect(others).toEqual([]);
    expect(found).toMatchObject({
      kind: "duration",
      target: { entityId: "switch.heater", state: "off" },
      trigger: { entityId: "switch.heater", state: "on" },
      automated: false,
      opportunities: 56,
      details: { finding: "fixed" },
    });
    expect(found?.durationSeconds?.median).toBeGreaterThan(1080);
    expect(found?.durationSeconds?.median).toBeLessThan(1320);
    expect(found?.histogram?.counts.reduce((sum, count) => sum + count, 0)).toBe(56);
    expect(found?.days90.reduce((sum, { opportunities }) => sum + opportunities, 0)).toBe(56);
  });

  it("are nothing when they have no length of their own, or happen too seldom", () => {
    expect(find(60, () => [ended(exponential(1200)), ended(exponential(1200)), ended(exponential(1200))])).toEqual([]);
    expect(
      find(60, () => [ended(600 * Math.exp(0.9 * normal(random))), ended(600 * Math.exp(normal(random)))]),
    ).toEqual([]);
    expect(find(28, (day) => (day % 5 === 0 ? [ended(1200)] : []))).toEqual([]);
  });

  it("of people are wide, and nothing is forgotten when some of them are long", () => {
    for (const deviation of [1, 1.3, 1.6])
      for (let home = 0; home < 12; home++) {
        const wide = () => ended(900 * Math.exp(deviation * normal(random)));
        expect(find(28, () => [wide(), wide()]).map(({ details }) => details?.finding)).not.toContain("forgotten");
      }
  });

  it("of a plug that is switched by itself, day and night, are nobody's", () => {
    expect(find(28, () => Array.from({ length: 24 }, () => ended(1800)))).toEqual([]);
    expect(find(28, () => Array.from({ length: 8 }, () => ended(1800)))).toHaveLength(1);
  });

  it("that automations end teach nothing, but show that it is done already", () => {
    const byAutomation = () => ended(300, { actor: "automation" });
    expect(find(28, () => [byAutomation(), byAutomation()])).toEqual([]);
    const [mixed] = find(28, () => [byAutomation(), byAutomation(), ended(300)]);
    expect(mixed).toMatchObject({ automated: true, opportunities: 28 });
  });

  it("are forgotten when now and then they are hours, and never in between", () => {
    const usual = () => ended(1800 + 400 * normal(random));
    const [found, ...others] = find(28, (day) => (day % 7 === 3 ? [usual(), ended(25_000)] : [usual(), usual()]));
    expect(others).toEqual([]);
    expect(found).toMatchObject({ key: "forgotten switch.heater=on", details: { finding: "forgotten", forgotten: 4 } });
    expect(found?.durationSeconds?.median).toBeLessThan(2400);
    const between = find(28, (day) => [usual(), ended(day % 7 === 3 ? 25_000 : day % 3 === 0 ? 10_000 : 1800)]);
    expect(between.map(({ details }) => details?.finding)).not.toContain("forgotten");
  });

  it("of motion, of nothing heard and of an off state are not looked at", () => {
    expect(find(28, () => [ended(90, { entityId: "binary_sensor.hall", deviceClass: "motion" })])).toEqual([]);
    expect(find(28, () => [ended(1200, { state: "on", oldState: "off" })])).toEqual([]);
    const door = { entityId: "binary_sensor.door", deviceClass: "door" };
    expect(find(28, () => [ended(60, door), ended(60, door)])).toHaveLength(1);
    // One ended at 15:00, one at 16:40; nothing was heard at 14:59.
    const facts = buildFacts("2026-03-02", [ended(1200, { minute: 900 }), ended(1200, { minute: 1000 })]);
    const silent = [[facts.fromUs + 719 * 60e6, facts.fromUs + 719.5 * 60e6] as const];
    expect(duration.aggregate({ ...facts, silent })[0]?.n.at(-1)).toBe(1);
  });
});
