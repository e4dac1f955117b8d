import { describe, expect, it } from "vitest";
import { anomaly } from "../../../lib/analysis/detectors/anomaly.ts";
import { homeDayOf } from "../../../lib/analysis/detectors/home-day.ts";
import { seededRandom } from "../../../lib/base/random.ts";
import { detectorConformance } from "../../conformance/detector.ts";
import { buildFacts, datesFrom, type Happening, historyOf } from "../../support/day-facts.ts";
import { normal, poisson } from "../../support/planted-days.ts";

detectorConformance(anomaly);

const FIRST = "2026-03-02";
const times = (count: number, entityId = "light.hall", more: Partial<Happening> = {}): Happening[] =>
  Array.from({ length: count }, (_, at) => ({ entityId, minute: 400 + (900 * at) / Math.max(1, count), ...more }));
const life: Happening[] = times(20, "binary_sensor.hall_motion");
const factsOf = (days: number, make: (day: number) => readonly Happening[]) =>
  datesFrom(FIRST, days).map((date, day) => buildFacts(date, [...life, ...make(day)]));
const find = (days: number, make: (day: number) => readonly Happening[]) =>
  anomaly.find(historyOf(anomaly, factsOf(days, make)));

describe("anomalies", () => {
  const random = seededRandom(3);

  it("are days with far too much or too little, compared with the days before alone", () => {
    const [much] = find(42, (day) => times(day === 41 ? 45 : poisson(random, 9)));
    expect(much).toMatchObject({
      target: { entityId: "light.hall", state: "on" },
      details: { finding: "too-much", observed: 45 },
    });
    expect(much?.days90.filter(({ hits }) => hits > 0)).toEqual([{ date: "2026-04-12", hits: 1, opportunities: 1 }]);
    expect(much?.key).toBe("2026-04-12 too-much light.hall=on");
    const [few] = find(42, (day) => times(day === 41 ? 1 : 20 + poisson(random, 8)));
    expect(few).toMatchObject({ details: { finding: "too-few", observed: 1 } });
    // The day after it is over.
    expect(find(43, (day) => times(day === 41 ? 45 : poisson(random, 9)))).toEqual([]);
  });

  it("are a burst in an hour of the night", () => {
    const night = Array.from(
      { length: 22 },
      (_, at): Happening => ({ entityId: "binary_sensor.kitchen", minute: 1565 + 2 * at }),
    );
    const found = find(30, (day) => [
      ...times(poisson(random, 40), "binary_sensor.kitchen"),
      ...(day === 29 ? night : []),
    ]);
    expect(found).toMatchObject([{ at: "02:00", details: { finding: "too-much", at: "02:00" } }]);
  });

  it("are what is left out although it never is, once that is known for long", () => {
    const coffee = (): Happening => ({ entityId: "switch.coffee", minute: 420 + 10 * normal(random) });
    const [missing] = find(45, (day) => (day === 44 ? [] : [coffee()]));
    expect(missing).toMatchObject({
      key: "2026-04-15 absent switch.coffee=on",
      details: { finding: "absent", observed: 0 },
    });
    expect(find(30, (day) => (day === 29 ? [] : [coffee()]))).toEqual([]);
    expect(find(60, (day) => (day === 59 || day % 9 === 4 ? [] : [coffee()]))).toEqual([]);
    // Nobody knows what happened while nothing was heard.
    const facts = factsOf(45, (day) => (day === 44 ? [] : [coffee()]));
    const last = facts.at(-1);
    const deaf = last && { ...last, silent: [[last.fromUs, last.fromUs + 4 * 3.6e9] as const] };
    expect(anomaly.find(historyOf(anomaly, [...facts.slice(0, -1), ...(deaf ? [deaf] : [])]))).toEqual([]);
    const lost = last && { ...last, unavailable: [["switch.coffee", last.fromUs, last.toUs] as const] };
    expect(anomaly.find(historyOf(anomaly, [...facts.slice(0, -1), ...(lost ? [lost] : [])]))).toEqual([]);
  });

  it("are a door that stays open far longer than ever, told on the day on which it does", () => {
    const door = { entityId: "binary_sensor.back_door", deviceClass: "door", role: "sensor" as const };
    const use = (minute: number, seconds: number): Happening[] => [
      { ...door, minute, state: "on", oldState: "off" },
      { ...door, minute: minute + seconds / 60, state: "off", oldState: "on", secondsInOldState: seconds },
    ];
    const usual = () => times(3).flatMap(({ minute }) => use(minute, 20 + 60 * random()));
    const open = find(30, (day) => [
      ...usual(),
      ...(day === 29 ? [{ ...door, minute: 1450, state: "on", oldState: "off" }] : []),
    ]);
    expect(open).toMatchObject([{ at: "00:10", details: { finding: "held", seconds: 10_200, at: "00:10" } }]);
    // The next day it is closed, which is no news.
    const next = find(31, (day) => [
      ...usual(),
      ...(day === 29 ? [{ ...door, minute: 1450, state: "on", oldState: "off" }] : []),
      ...(day === 30 ? [{ ...door, minute: 200, state: "off", oldState: "on", secondsInOldState: 11_400 }] : []),
    ]);
    expect(next).toEqual([]);
    expect(find(30, (day) => [...usual(), ...(day === 29 ? use(900, 600) : [])])).toEqual([]);
  });

  it("are a few a night, one of an entity", () => {
    const found = find(30, (day) =>
      ["a", "b", "c", "d", "e"].flatMap((name) => times(day === 29 ? 60 : 8, `light.${name}`)),
    );
    expect(found).toHaveLength(3);
    expect(new Set(found.map(({ target }) => target.entityId)).size).toBe(3);
  });

  it("are seldom where there is none", () => {
    let told = 0;
    for (let seed = 1; seed <= 150; seed++) {
      const chance = seededRandom(seed);
      const usual = () => ["a", "b", "c"].flatMap((name) => times(poisson(chance, 4), `light.${name}`));
      told += find(28, usual).length;
    }
    expect(told).toBeLessThanOrEqual(1);
  });

  it("say when something began by the clock, at whatever time the home's days begin", () => {
    const usual = (): Happening => ({
      entityId: "light.hall",
      minute: 600,
      state: "off",
      oldState: "on",
      secondsInOldState: 300,
    });
    const facts = factsOf(40, (day) =>
      day === 39
        ? [{ entityId: "light.hall", minute: 900, state: "off", oldState: "on", secondsInOldState: 4 * 3_600 }]
        : [usual()],
    );
    const at = (history: ReturnType<typeof historyOf<unknown>>) => anomaly.find(history as never)[0]?.details?.at;
    const history = historyOf(anomaly, facts);
    expect(at(history)).toBe("11:00");
    const fromMidnight = history.days.map(({ day, rows }) => ({ day: { ...day, beginMinute: 0 }, rows }));
    expect(at({ ...history, days: fromMidnight })).toBe("08:00");
    const [first] = facts;
    if (!first) throw new Error("there are no facts");
    const midnightUs = first.fromUs - 3 * 3.6e9;
    expect(homeDayOf({ ...first, fromUs: midnightUs, toUs: midnightUs + 24 * 3.6e9 })).toMatchObject({
      beginMinute: 0,
    });
    // The day on which a home moves is no day to learn from.
    expect(homeDayOf(first).isEligible).toBe(true);
    expect(homeDayOf({ ...first, toUs: first.fromUs + 16 * 3.6e9 })).toMatchObject({ hours: 16, isEligible: false });
    expect(homeDayOf({ ...first, toUs: first.fromUs + 32 * 3.6e9 })).toMatchObject({ hours: 32, isEligible: false });
  });
});
