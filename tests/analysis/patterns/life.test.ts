import { describe, expect, it } from "vitest";
import type { Finding } from "../../../lib/analysis/detectors/types.ts";
import { type LifeNight, liveOn, patternIdOf } from "../../../lib/analysis/patterns/life.ts";
import type { Pattern } from "../../../lib/analysis/ports.ts";
import { addDays } from "../../../lib/base/zone.ts";
import { datesFrom } from "../../support/day-facts.ts";

const FIRST = "2026-03-02";
const day = (number: number): string => addDays(FIRST, number);

/** `hits`: by day from FIRST on, 1 or 0; a blank is no occasion. */
const finding = (hits: string, more: Partial<Finding> = {}): Finding => ({
  kind: "time-of-day",
  key: "light.a=on",
  target: { entityId: "light.a", state: "on" },
  hits: [...hits].filter((sign) => sign === "1").length,
  opportunities: hits.trim().length,
  reliability: 0.8,
  significance: 0.001,
  automated: false,
  days90: [...hits].map((sign, at) => ({
    date: day(at),
    hits: Number(sign === "1"),
    opportunities: Number(sign !== " "),
  })),
  ...more,
});

const night = (number: number, found: readonly Finding[], more: Partial<LifeNight> = {}): LifeNight => ({
  homeId: "home",
  date: day(number),
  livedInDates: datesFrom(FIRST, number + 1),
  contextDates: new Set(datesFrom(day(5), 90)),
  looked: new Map([["time-of-day", { found, holding: found }]]),
  isGone: () => false,
  asNow: (pattern) => pattern,
  titleOf: ({ kind }) => `a ${kind}`,
  areaOf: () => "kitchen",
  ...more,
});

const lived = (there: readonly Pattern[], at: LifeNight) => liveOn(there, at).patterns;
const brief = (patterns: readonly Pattern[]) => patterns.map(({ status, confirmedOn }) => `${status} ${confirmedOn}`);
const told = lived([], night(9, [finding("1111111111")]));

describe("the life of a pattern", () => {
  it("begins when it holds, and a night that is run again changes nothing", () => {
    const found = finding("1111111111");
    const begun = liveOn(
      [],
      night(9, [found], { looked: new Map([["time-of-day", { found: [found], holding: [] }]]) }),
    );
    expect(begun).toEqual({ patterns: [], counts: { told: 0, ended: 0 } });
    expect(told).toMatchObject([
      {
        ...{ id: patternIdOf("time-of-day", "light.a=on"), homeId: "home", areaId: "kitchen", title: "a time-of-day" },
        ...{ status: "active", firstSeen: day(0), lastSeen: day(9), toldOn: day(9), confirmedOn: day(9) },
        witnessedHits: 5,
      },
    ]);
    expect(told[0]?.id).toMatch(/^time-of-day-[0-9a-f]{16}$/);
    expect(lived(told, night(9, [found]))).toEqual(told);
    // Known ones are confirmed by being found once.
    const next = finding(" 1111111111");
    const confirmed = lived(
      told,
      night(10, [next], { looked: new Map([["time-of-day", { found: [next], holding: [] }]]) }),
    );
    expect(confirmed).toMatchObject([{ firstSeen: day(0), lastSeen: day(10), toldOn: day(9), confirmedOn: day(10) }]);
  });

  it("fades when it is not found for three nights, ends after fourteen, and may come back", () => {
    expect(brief(lived(told, night(11, [])))).toEqual([`active ${day(9)}`]);
    expect(brief(lived(told, night(12, [])))).toEqual([`fading ${day(9)}`]);
    const ended = liveOn(told, night(23, []));
    expect([brief(ended.patterns), ended.counts.ended]).toEqual([[`ended ${day(9)}`], 1]);
    expect(liveOn(ended.patterns, night(24, [])).counts.ended).toBe(0);
    const back = lived(ended.patterns, night(30, [finding("1".repeat(31))]));
    expect(back).toMatchObject([{ id: told[0]?.id, status: "active", toldOn: day(9), firstSeen: day(0) }]);
  });

  it("does not fade while nobody is at home, nor because its detector could not look", () => {
    const away = { livedInDates: datesFrom(FIRST, 10) };
    expect(brief(lived(told, night(30, [], away)))).toEqual([`active ${day(9)}`]);
    expect(brief(lived(told, night(30, [], { looked: new Map() })))).toEqual([`active ${day(9)}`]);
  });

  it("fades and ends when its last occasions pass without it, though the 90 days still show it", () => {
    const after = (misses: string) =>
      brief(lived(told, night(60, [finding(`${"1".repeat(40)}${misses}`)])))[0]?.split(" ")[0];
    expect(["00", "000", "00   0", "   ", "00000"].map(after)).toEqual(["active", "ended", "ended", "active", "ended"]);
    const unsure = finding(`${"10".repeat(15)}0000`);
    expect(lived(told, night(40, [unsure]))[0]?.status).toBe("active");
    expect(lived([], night(60, [finding(`${"1".repeat(40)}00000`)]))).toEqual([]);
  });

  it("of an anomaly is a week, from the day on which it happened", () => {
    const odd = finding("0000000001", { kind: "anomaly", key: `${day(9)} light.a=on` });
    const looked = (found: readonly Finding[]): Partial<LifeNight> => ({
      looked: new Map([["anomaly", { found, holding: found }]]),
    });
    const first = lived([], night(9, [], looked([odd])));
    expect(first).toMatchObject([{ kind: "anomaly", status: "active", lastSeen: day(9) }]);
    expect(brief(lived(first, night(16, [], looked([]))))).toEqual([`active ${day(9)}`]);
    const over = lived(first, night(17, [], looked([])));
    expect(over).toMatchObject([{ status: "ended", lastSeen: day(9) }]);
    expect(over[0]?.days90).toHaveLength(7);
    expect(lived(over, night(18, [], looked([])))).toEqual(over);
  });

  it("ends with its entity, and goes on under another name", () => {
    expect(brief(lived(told, night(10, [finding("11111111111")], { isGone: (id) => id === "light.a" })))).toEqual([
      `ended ${day(9)}`,
    ]);
    const asNow = (pattern: Pattern): Pattern => ({
      ...pattern,
      key: "light.b=on",
      target: { entityId: "light.b", state: "on" },
    });
    const renamed = finding("11111111111", { key: "light.b=on", target: { entityId: "light.b", state: "on" } });
    expect(lived(told, night(10, [renamed], { asNow }))).toMatchObject([
      { id: told[0]?.id, key: "light.b=on", target: { entityId: "light.b" }, firstSeen: day(0) },
    ]);
  });

  it("keeps what a night of a later day has made of it, whoever comes late", () => {
    const later = lived(told, night(10, [finding("11111111111")]));
    expect(lived(later, night(9, [finding("1111111111")]))).toEqual(later);
    expect(lived(later, night(9, []))).toEqual(later);
  });

  it("goes on beside one of a new entity that has its old name", () => {
    const asNow = (pattern: Pattern): Pattern =>
      pattern.key === "light.a=on"
        ? { ...pattern, key: "light.hall=on", target: { entityId: "light.hall", state: "on" } }
        : pattern;
    const both = [finding("11111111111"), { ...finding("11111111111"), key: "light.hall=on" }];
    const after = lived(told, night(10, both, { asNow }));
    expect(after.map(({ key }) => key).sort()).toEqual(["light.a=on", "light.hall=on"]);
    expect(after.find(({ key }) => key === "light.hall=on")?.id).toBe(told[0]?.id);
    expect(lived(after, night(10, both))).toEqual(after);
  });

  it("of two that have become one goes on as the older", () => {
    const [old] = told;
    if (!old) throw new Error("nothing was told");
    const young: Pattern = { ...old, id: "0", firstSeen: day(5), toldOn: day(8) };
    const after = lived([young, old], night(10, [finding("11111111111")]));
    expect(after.map(({ id, toldOn }) => [id, toldOn])).toEqual([[old.id, day(9)]]);
  });
});
