import { describe, expect, it } from "vitest";
import { timeOfDay } from "../../../lib/analysis/detectors/time-of-day.ts";
import type { Finding } from "../../../lib/analysis/detectors/types.ts";
import { look } from "../../../lib/analysis/patterns/look.ts";
import { seededRandom } from "../../../lib/base/random.ts";
import { detectorConformance } from "../../conformance/detector.ts";
import { buildFacts, datesFrom, historyOf } from "../../support/day-facts.ts";
import { normal, type PlantedHome, plantedFacts, poisson, sunsetOf } from "../../support/planted-days.ts";

detectorConformance(timeOfDay);

const FIRST = "2026-03-02";
const WORKDAYS = ["mon", "tue", "wed", "thu", "fri"] as const;
const find = (home: Partial<PlantedHome> & Pick<PlantedHome, "planted">): readonly Finding[] =>
  timeOfDay.find(historyOf(timeOfDay, plantedFacts({ first: FIRST, days: 28, seed: 7, noise: 15, ...home })));
const minuteOf = (text = ""): number => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));
const apart = (a: number, b: number): number => Math.min(Math.abs(a - b), 1440 - Math.abs(a - b));

describe("time of day", () => {
  it("finds a routine of working days, its time and its days", () => {
    const found = find({ planted: [{ entityId: "switch.coffee", minute: 422, sd: 5, days: WORKDAYS }] });
    expect(found).toHaveLength(1);
    const [coffee] = found;
    expect(coffee).toMatchObject({ anchor: "clock", days: WORKDAYS, opportunities: 20, automated: false });
    expect(apart(minuteOf(coffee?.at), 422)).toBeLessThanOrEqual(3);
    expect(coffee?.days90.reduce((sum, day) => sum + day.hits, 0)).toBe(coffee?.hits);
    expect(coffee?.histogram?.counts[28]).toBeGreaterThan(5);
  });

  it("finds one of the hours around midnight in one piece", () => {
    const [lamp] = find({ planted: [{ entityId: "light.study", minute: 1438, sd: 10 }] });
    expect(apart(minuteOf(lamp?.at), 1438)).toBeLessThanOrEqual(6);
    expect(lamp?.hits).toBeGreaterThan(20);
  });

  it("tells two routines of one device apart by their days", () => {
    const found = find({
      days: 42,
      planted: [
        { entityId: "switch.coffee", minute: 420, sd: 5, days: WORKDAYS },
        { entityId: "switch.coffee", minute: 560, sd: 15, days: ["sat", "sun"] },
      ],
    });
    expect(found.map(({ days }) => days?.length).sort()).toEqual([2, 5]);
    expect(new Set(found.map(({ key }) => key)).size).toBe(2);
  });

  it("goes with the sun where the sun has moved, and with the clock where it has not", () => {
    const planted = [{ entityId: "cover.blinds", minute: 12, sd: 8, anchor: "sunset" as const }];
    const [spring] = find({ planted, days: 60 });
    expect(spring?.anchor).toBe("sunset");
    expect(Math.abs((spring?.offsetMinutes ?? 99) - 12)).toBeLessThanOrEqual(4);
    const [solstice] = find({ planted, first: "2026-06-12", days: 20 });
    expect(solstice?.anchor).toBe("clock");
    expect(apart(minuteOf(solstice?.at), sunsetOf("2026-06-21") + 12)).toBeLessThanOrEqual(8);
  });

  it("keeps to the clock what keeps to the clock while the sun moves", () => {
    const [daily] = find({ planted: [{ entityId: "light.shelf", minute: 1100, sd: 10 }], days: 80 });
    expect(daily?.anchor).toBe("clock");
  });

  it("follows a drift to where it is now", () => {
    const [lamp] = find({ planted: [{ entityId: "light.child", minute: 1190, sd: 8, driftPerWeek: 2 }], days: 84 });
    expect(apart(minuteOf(lamp?.at), 1190 + 24)).toBeLessThanOrEqual(6);
    expect(Number(lamp?.details?.driftMinutesPerWeek)).toBeGreaterThan(1);
  });

  it("finds what began of late, and not what has ended", () => {
    const planted = [
      { entityId: "switch.old", minute: 980, sd: 10, toDay: 60 },
      { entityId: "switch.new", minute: 760, sd: 10, fromDay: 50 },
    ];
    expect(find({ planted, days: 90 }).map(({ target }) => target.entityId)).toEqual(["switch.new"]);
  });

  it("is as exact about a broad one as its days let it be", () => {
    const off = Array.from({ length: 40 }, (_, seed) => {
      const planted = [{ entityId: "switch.coffee", minute: 760, sd: 35, probability: 1 }];
      const coffee = find({ seed: 300 + seed, noise: 3, planted }).find(
        ({ target }) => target.entityId === "switch.coffee",
      );
      return coffee ? apart(minuteOf(coffee.at), 760) : [];
    }).flat();
    expect(off.length).toBeGreaterThanOrEqual(36);
    // The mean of 28 days is off by 6.6 minutes, their median by 8.3.
    expect(Math.sqrt(off.reduce((sum, each) => sum + each ** 2, 0) / off.length)).toBeLessThan(7.4);
  });

  it("is told on the night on which there is enough of it, and only where chance is below one in a thousand", () => {
    const tuesdays = [1, 8, 15, 22].map((day) => ({
      ...{ entityId: "switch.bin", minute: 1_000, sd: 4, probability: 1 },
      ...{ fromDay: day, toDay: day + 1 },
    }));
    const upTo = (days: number) =>
      look(
        timeOfDay,
        historyOf(timeOfDay, plantedFacts({ ...{ first: FIRST, seed: 7, noise: 3 }, days, planted: tuesdays })),
      );
    expect(upTo(22).holding).toEqual([]);
    expect(upTo(23).holding).toMatchObject([{ target: { entityId: "switch.bin" }, days: ["tue"], hits: 4 }]);
    const chances = Array.from({ length: 30 }, (_, seed) => {
      const planted = [0.55, 0.65, 0.75].map((probability, at) => ({
        ...{ entityId: `switch.sometimes_${at}`, minute: 500 + 200 * at, sd: 25, probability },
      }));
      return find({ seed: 400 + seed, noise: 10, planted }).map(({ significance }) => significance);
    }).flat();
    expect(chances.length).toBeGreaterThan(10);
    expect(Math.max(...chances)).toBeLessThanOrEqual(0.001);
  });

  it("does not take a bad fortnight for the end of a habit", () => {
    const isMissed = (day: number) => day === 9 || [15, 20, 21, 22, 23, 24].includes(day);
    const kept = [...Array(28).keys()].filter((day) => !isMissed(day));
    const planted = kept.map((day) => ({
      ...{ entityId: "light.study", minute: 1430, sd: 8, probability: 1 },
      ...{ fromDay: day, toDay: day + 1 },
    }));
    expect(find({ planted })).toMatchObject([{ target: { entityId: "light.study" }, hits: 21, opportunities: 28 }]);
  });

  it("takes a vacation for no miss", () => {
    const [coffee] = find({
      planted: [{ entityId: "switch.coffee", minute: 422, sd: 5, probability: 1 }],
      isAway: (day) => day >= 8 && day < 18,
    });
    expect(coffee?.opportunities).toBe(18);
    expect(coffee?.hits).toBe(18);
  });

  it("takes the time in which an entity or the home could not be heard for no miss", () => {
    const history = (isAway: boolean) => {
      const days = plantedFacts({
        first: FIRST,
        days: 28,
        seed: 7,
        noise: 15,
        planted: [{ entityId: "switch.coffee", minute: 422, sd: 2, probability: 1 }],
      }).map((facts, index) => {
        if (index % 7 !== 3) return facts;
        const occurrences = facts.occurrences.filter(({ entityId }) => entityId !== "switch.coffee");
        const [fromUs, toUs] = [facts.fromUs + 3600e6, facts.fromUs + 8 * 3600e6];
        if (!isAway) return { ...facts, occurrences };
        return index === 3
          ? { ...facts, occurrences, silent: [[fromUs, toUs] as const] }
          : { ...facts, occurrences, unavailable: [["switch.coffee", fromUs, toUs] as const] };
      });
      return historyOf(timeOfDay, days);
    };
    expect(timeOfDay.find(history(false))[0]).toMatchObject({ hits: 24, opportunities: 28 });
    // The home that was silent for five of 24 hours still was lived in.
    expect(timeOfDay.find(history(true))[0]).toMatchObject({ hits: 24, opportunities: 24 });
  });

  it("says what an automation does already", () => {
    const found = find({
      planted: [
        { entityId: "light.garden", minute: 1200, sd: 0, probability: 1, actor: "automation" },
        { entityId: "light.garden", minute: 1200, sd: 8, probability: 0.7 },
      ],
    });
    expect(found.length).toBeGreaterThan(0);
    expect(found.every(({ automated }) => automated)).toBe(true);
  });

  it("keeps its time over a change of the clock", () => {
    for (const first of ["2026-03-16", "2026-10-12"]) {
      const [coffee] = find({ first, planted: [{ entityId: "switch.coffee", minute: 422, sd: 5 }] });
      expect(coffee?.spreadMinutes).toBeLessThan(9);
    }
  });

  it("finds the same an hour later when everything is an hour later", () => {
    const at = (minute: number) => find({ noise: 0, planted: [{ entityId: "switch.coffee", minute, sd: 6 }] })[0];
    const [early, late] = [at(600), at(660)];
    expect(minuteOf(late?.at) - minuteOf(early?.at)).toBe(60);
    expect([late?.hits, late?.spreadMinutes]).toEqual([early?.hits, early?.spreadMinutes]);
  });

  it("hears no routine in a clock that strikes every hour", () => {
    const days = datesFrom(FIRST, 28).map((date) =>
      buildFacts(
        date,
        Array.from({ length: 23 }, (_, hour) => ({ entityId: "siren.clock", minute: 200 + 60 * hour })),
      ),
    );
    expect(timeOfDay.find(historyOf(timeOfDay, days))).toEqual([]);
  });

  it("finds next to nothing in homes without habits", () => {
    const homes = Array.from({ length: 8 }, (_, seed) => find({ seed: 50 + seed, planted: [], noise: 30 }).length);
    expect(homes.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(1);
  });

  it("makes no times of the busy hours of a lamp, however long it looks", () => {
    const random = seededRandom(5);
    let told = 0;
    for (let home = 0; home < 10; home++) {
      const facts = datesFrom(FIRST, 84).map((date) =>
        buildFacts(
          date,
          Array.from({ length: 10 }, (_, lamp) => lamp).flatMap((lamp) =>
            Array.from({ length: poisson(random, 2 + lamp / 2) }, () => ({
              entityId: `light.lamp_${lamp}`,
              minute: Math.min(1_600, Math.max(190, 500 + 80 * lamp + (95 + 8 * lamp) * normal(random))),
            })),
          ),
        ),
      );
      told += timeOfDay.find(historyOf(timeOfDay, facts)).length;
    }
    // Ten homes whose lamps have hours and no times; cut to pieces, their humps gave fourteen.
    expect(told).toBeLessThanOrEqual(3);
  });
});
