import { describe, expect, it } from "vitest";
import { linesOf } from "../../../lib/analysis/detectors/lines/day-lines.ts";
import { linesDays, minuteAt } from "../../../lib/analysis/detectors/lines/days.ts";
import { mergeLines } from "../../../lib/analysis/detectors/lines/merge.ts";
import type { LinesOptions, LinesRow } from "../../../lib/analysis/detectors/lines/rows.ts";
import { unpackTokens } from "../../../lib/analysis/detectors/lines/token-counts.ts";
import { buildFacts, buildHomeDay, clock, type Wish } from "../../support/detector-days.ts";

const OPTIONS: LinesOptions = {
  accepts: () => true,
  follows: ({ role }) => role === "target",
  nearSeconds: 60,
  farSeconds: 300,
};
const tokens = (rows: readonly LinesRow[]) => rows.flatMap((row) => (row.t === "tokens" ? unpackTokens(row) : []));
const entities = (rows: readonly LinesRow[]) => rows.flatMap((row) => (row.t === "line" ? [row.e] : []));
const toggles = (entityId: string, count: number, step: number): Wish[] =>
  Array.from({ length: count }, (_, index) => ({
    at: index * step,
    entityId,
    state: index % 2 === 0 ? "on" : "off",
  }));

describe("a day's lines", () => {
  it("give back what happened, to a tenth of a second", () => {
    const facts = buildFacts(0, [
      { at: clock(7, 2, 3.4), entityId: "light.a", state: "on", areaId: "kitchen", act: 5 },
      { at: clock(7, 2, 3.6), entityId: "light.b", state: "on", act: 5 },
      { at: clock(1), entityId: "light.a", state: "off", areaId: "kitchen", actor: "automation" },
    ]);
    const [day] = linesDays([{ day: buildHomeDay(facts), rows: linesOf(facts, OPTIONS) }]);
    const line = day?.entities.get("light.a");
    expect(line).toMatchObject({
      role: "target",
      areaId: "kitchen",
      from: "off",
      at: [clock(7, 2, 3.4), clock(1)],
      states: ["on", "off"],
      isAutomated: [false, true],
      acts: [5, 0],
    });
    expect(day && minuteAt(day, clock(1))).toBe(60);
  });

  it("count a trigger's firing once for each token, in the near and the far window", () => {
    const facts = buildFacts(0, [
      { at: 0, entityId: "binary_sensor.m", state: "on" },
      { at: 30, entityId: "light.a", state: "on" },
      { at: 50, entityId: "light.a", state: "off" },
      { at: 55, entityId: "light.a", state: "on" },
      { at: 200, entityId: "light.b", state: "on", actor: "automation" },
      { at: 301, entityId: "light.c", state: "on" },
    ]);
    const rows = tokens(linesOf(facts, OPTIONS));
    const trigger = (token: string) => {
      const row = rows.find((one) => one.token === token);
      const place = row?.triggers.indexOf("binary_sensor.m=on") ?? -1;
      return place < 0 ? undefined : row?.counts.slice(3 * place, 3 * place + 3);
    };
    expect([trigger("light.a=on"), trigger("light.b=on"), trigger("light.c=on")]).toEqual([
      [1, 1, 0],
      [0, 1, 1],
      undefined,
    ]);
    expect(rows.find(({ token }) => token === "light.a=on")?.n).toBe(2);
  });

  it("look at the eight nearest triggers", () => {
    const facts = buildFacts(0, [
      ...Array.from({ length: 12 }, (_, index) => ({ at: index, entityId: `binary_sensor.m${index}`, state: "on" })),
      { at: 20, entityId: "light.a", state: "on" },
    ]);
    const row = tokens(linesOf(facts, OPTIONS)).find(({ token }) => token === "light.a=on");
    expect(row?.triggers).toEqual([4, 5, 6, 7, 8, 9, 10, 11].map((n) => `binary_sensor.m${n}=on`).sort());
  });
});

describe("a very large home", () => {
  it("is not told of what changes all the time", () => {
    const facts = buildFacts(0, [
      ...toggles("binary_sensor.busy", 601, 100),
      ...toggles("binary_sensor.calm", 600, 101),
    ]);
    expect(entities(linesOf(facts, OPTIONS))).toEqual(["binary_sensor.calm"]);
  });

  it("keeps 6,000 changes of a day: what changes most often goes first", () => {
    const many = Array.from({ length: 40 }, (_, index) => toggles(`switch.s${10 + index}`, 520, 150)).flat();
    const facts = buildFacts(0, [...many, ...toggles("light.rare", 4, 1000)]);
    const rows = linesOf(facts, OPTIONS);
    expect(entities(rows)).toContain("light.rare");
    expect(entities(rows)).toHaveLength(12);
    expect(JSON.stringify(rows).length).toBeLessThan(600_000);
  });
});

describe("sums", () => {
  it("hold the counts of all days and the lines of the newest", () => {
    const rows = [0, 1, 2].map((index) => linesOf(buildFacts(index, toggles("light.a", 4, 100)), OPTIONS));
    const sum = mergeLines(rows);
    expect(tokens(sum).map(({ n }) => n)).toEqual([6, 6]);
    expect(sum.flatMap((row) => (row.t === "line" ? [row.date] : []))).toEqual(["2026-01-07"]);
  });

  it("are bounded: of very many triggers the same hundred stay, with all their counts, however they were added up", () => {
    const rows = Array.from({ length: 40 }, (_, index) => {
      const triggers = Array.from({ length: 8 }, (_ignored, place) => (index * 5 + place) % 150);
      return linesOf(
        buildFacts(index, [
          ...triggers.map((name, place) => ({ at: place, entityId: `binary_sensor.m${name}`, state: "on" })),
          { at: 30, entityId: "light.a", state: "on" },
        ]),
        OPTIONS,
      );
    });
    const all = mergeLines(rows);
    const row = tokens(all).find(({ token }) => token === "light.a=on");
    expect([row?.n, row?.triggers.length]).toEqual([40, 100]);
    const pieces = [rows.slice(0, 3), rows.slice(3, 29), rows.slice(29)].map(mergeLines);
    expect(mergeLines([...pieces].reverse())).toEqual(all);
    const again = linesOf(buildFacts(0, []), OPTIONS);
    expect(mergeLines([again, all])).toEqual(all);
  });

  it("a day with very many changes of targets looks at fewer triggers of each", () => {
    const wishes = Array.from({ length: 3000 }, (_, index): Wish[] => [
      { at: index * 28, entityId: `binary_sensor.m${index % 40}`, state: index % 80 < 40 ? "on" : "off" },
      { at: index * 28 + 5, entityId: `light.l${index % 50}`, state: index % 100 < 50 ? "on" : "off" },
    ]).flat();
    const counted = tokens(linesOf(buildFacts(0, wishes), OPTIONS)).flatMap(({ counts }) =>
      counts.filter((_, place) => place % 3 === 1),
    );
    expect(counted.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(2 * 3000);
  });
});
