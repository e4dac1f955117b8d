import { describe, expect, it } from "vitest";
import type { Finding } from "../../lib/analysis/detectors/types.ts";
import { PATTERN_KINDS } from "../../lib/analysis/patterns/types.ts";
import { calibrationError } from "../../quality/calibration.ts";
import type { JobResult } from "../../quality/job.ts";
import { matchAll } from "../../quality/match.ts";
import { rankAsProduct, rankByReliability } from "../../quality/rank.ts";
import { type HomeScore, scoreHome } from "../../quality/score-home.ts";
import { goalsOf, summarize } from "../../quality/summary.ts";
import { finding, LAST_DAY, plantOf, runOf, tok } from "./support.ts";

const ALL = new Set<string>(PATTERN_KINDS);
const score = (run: Parameters<typeof scoreHome>[0]) => scoreHome(run, ALL, rankByReliability);
const lastNight = (plants: Parameters<typeof runOf>[0], findings: readonly Finding[], more = {}) =>
  score(runOf(plants, [[28, findings]], more));
const result = (one: HomeScore): JobResult => ({
  score: one,
  days: 28,
  spent: { facts: 28, aggregate: 14, find: 3, nights: 1 },
  rowBytes: 100,
  mergesAgree: { "time-of-day": true },
});
const kettle = plantOf("time-of-day", "switch.kettle=on", { at: "07:00", spread_minutes: 15, days: ["sat", "sun"] });

describe("what counts as found", () => {
  it("a time of day within 15 minutes, round midnight too, of the same token and anchor", () => {
    const isFound = (at: string, planted: string, more = {}) =>
      lastNight([{ ...kettle, at: planted }], [finding("time-of-day", "switch.kettle=on", { at, ...more })]).outcomes[0]
        ?.isFound;
    expect(isFound("07:15", "07:00")).toBe(true);
    expect(isFound("07:16", "07:00")).toBe(false);
    expect(isFound("00:05", "23:55")).toBe(true);
    expect(isFound("07:00", "07:00", { target: tok("switch.kettle=off") })).toBe(false);
    expect(isFound("07:00", "07:00", { anchor: "sunset", offsetMinutes: 0 })).toBe(false);
  });

  it("an offset from the sun", () => {
    const plant = plantOf("time-of-day", "cover.a=closed", { anchor: "sunset", offset_minutes: -15 });
    const sunset = (offsetMinutes: number) =>
      finding("time-of-day", "cover.a=closed", { anchor: "sunset", offsetMinutes, at: "17:00" });
    expect(lastNight([plant], [sunset(-5)]).outcomes[0]).toMatchObject({ isFound: true, errorMinutes: 10 });
    expect(lastNight([plant], [sunset(5)]).outcomes[0]?.isFound).toBe(false);
  });

  it("of a time that drifts any that it had in the second half", () => {
    const plant = plantOf("time-of-day", "light.a=off", { at: "19:50", drift_minutes_per_week: 2 });
    const { matches } = matchAll([finding("time-of-day", "light.a=off", { at: "20:08" })], [plant], {
      from: 84 * 3,
      to: 84 * 3 + 70,
    });
    expect(matches[0]?.errorMinutes).toBe(0);
  });

  it("a pair by trigger and target, a chain by all its steps in order, a scene by all its members", () => {
    const pair = plantOf("co-occurrence", "light.a=on", { trigger: "binary_sensor.a=on" });
    const found = (trigger: string) =>
      lastNight([pair], [finding("co-occurrence", "light.a=on", { trigger: tok(trigger) })]);
    expect(found("binary_sensor.a=on").outcomes[0]?.isFound).toBe(true);
    expect(found("binary_sensor.b=on").outcomes[0]?.isFound).toBe(false);
    const steps = ["light.a=off", "light.b=off", "light.c=off"];
    const chain = plantOf("sequence", "light.c=off", { steps });
    const chained = (order: readonly string[]) =>
      lastNight([chain], [finding("sequence", "light.c=off", { steps: order.map(tok) })]).outcomes[0]?.isFound;
    expect(chained(["light.a=off", "binary_sensor.x=on", "light.b=off", "light.c=off"])).toBe(true);
    expect(chained(["light.b=off", "light.a=off", "light.c=off"])).toBe(false);
    expect(chained(["light.a=off", "light.b=off"])).toBe(false);
    const scene = plantOf("room", "light.a=off", { steps });
    const room = (members: readonly string[]) =>
      lastNight([scene], [finding("room", "light.a=off", { steps: members.map(tok) })]).outcomes[0]?.isFound;
    expect(room(["light.c=off", "light.a=off", "light.b=off"])).toBe(true);
    expect(room(["light.c=off", "light.a=off"])).toBe(false);
  });

  it("an anomaly on its day only, whichever night that was", () => {
    const plant = plantOf("anomaly", "light.a=on", { odd_days: [{ day: LAST_DAY(27), what: "much" }] });
    const odd = finding("anomaly", "light.a=on");
    const nights = (days: number) =>
      score(
        runOf(
          [plant],
          [
            [27, days === 27 ? [odd] : []],
            [28, days === 28 ? [odd] : []],
          ],
        ),
      );
    expect(nights(27).outcomes[0]?.isFound).toBe(true);
    expect(nights(27).falses).toEqual([]);
    expect(nights(28).outcomes[0]?.isFound).toBe(false);
    expect(nights(28).falses).toHaveLength(1);
  });

  it("one finding for one routine, the nearest first; the second for the same is a duplicate", () => {
    const near = finding("time-of-day", "switch.kettle=on", { at: "07:02" });
    const far = finding("time-of-day", "switch.kettle=on", { at: "07:12" });
    const { matches, duplicates } = matchAll([far, near], [kettle], { from: 1, to: 28 });
    expect(matches.map((match) => match.finding)).toEqual([near]);
    expect(duplicates).toEqual([far]);
    expect(lastNight([kettle], [far, near]).falses.map(({ why }) => why)).toEqual(["duplicate"]);
    const two = [kettle, { ...kettle, id: "second", at: "07:20" }];
    expect(lastNight(two, [far, near]).outcomes.every(({ isFound }) => isFound)).toBe(true);
  });
});

describe("what is false, and what is implied", () => {
  const falses = (plants: Parameters<typeof runOf>[0], one: Finding, more = {}) =>
    lastNight(plants, [one], more).falses.length;
  const steps = ["light.a=off", "light.b=off", "light.c=off"];
  const chain = plantOf("sequence", "light.c=off", { steps, at: "22:30" });
  const pair = (trigger: string, target: string) => finding("co-occurrence", target, { trigger: tok(trigger) });

  it("a pair of a chain in its order is implied, against it false", () => {
    expect(falses([chain], pair("light.a=off", "light.c=off"))).toBe(0);
    expect(falses([chain], pair("light.c=off", "light.a=off"))).toBe(1);
  });

  it("the sensor of a scene's room is its cause, that of another room is not", () => {
    const scene = plantOf("room", "light.a=on", { steps: ["light.a=on", "light.b=on"], area_id: "study" });
    expect(falses([scene], pair("binary_sensor.study_motion=on", "light.b=on"))).toBe(0);
    expect(falses([scene], pair("binary_sensor.hall_motion=on", "light.b=on"))).toBe(1);
  });

  it("a common cause is false, the other state of a planted pair implied, the way back false", () => {
    const plant = plantOf("co-occurrence", "light.a=on", { trigger: "binary_sensor.a_motion=on" });
    expect(falses([plant], pair("binary_sensor.hall_motion=on", "light.a=on"))).toBe(1);
    expect(falses([plant], pair("binary_sensor.a_motion=off", "light.a=off"))).toBe(0);
    expect(falses([plant], pair("light.a=on", "binary_sensor.a_motion=on"))).toBe(1);
  });

  it("the time of the other state is implied, a wrong time of the same false; a step's time only if the chain has one", () => {
    expect(falses([kettle], finding("time-of-day", "switch.kettle=off", { at: "08:00" }))).toBe(0);
    expect(falses([kettle], finding("time-of-day", "switch.kettle=on", { at: "09:00" }))).toBe(1);
    const { at: _, ...anyTime } = chain;
    expect(falses([chain], finding("time-of-day", "light.b=off", { at: "22:31" }))).toBe(0);
    expect(falses([anyTime], finding("time-of-day", "light.b=off", { at: "22:31" }))).toBe(1);
  });

  it("a seasonal routine has its time, and no other; a machine its length, but no time", () => {
    const heater = plantOf("seasonal", "switch.heater=on", { at: "06:35" });
    expect(falses([heater], finding("time-of-day", "switch.heater=on", { at: "06:40" }))).toBe(0);
    expect(falses([heater], finding("time-of-day", "switch.heater=on", { at: "09:40" }))).toBe(1);
    expect(falses([], finding("duration", "switch.compressor=off"))).toBe(0);
    expect(falses([], finding("time-of-day", "switch.compressor=on", { at: "03:43" }))).toBe(1);
  });

  it("an anomaly of a routine that did not happen is true, of one that did false", () => {
    const opportunities = new Map([[kettle.id, 1]]);
    const odd = finding("anomaly", "switch.kettle=on");
    expect(falses([kettle], odd, { opportunities })).toBe(0);
    expect(falses([kettle], odd, { opportunities, occurred: [kettle.id] })).toBe(1);
  });

  it("what automations do is right as `automated`, false as a suggestion", () => {
    const garden = finding("time-of-day", "light.garden=on", { at: "17:00" });
    const more = { disturbances: ["automations"] as const };
    expect(falses([], { ...garden, automated: true }, more)).toBe(0);
    expect(falses([], garden, more)).toBe(1);
    expect(falses([], { ...garden, automated: true })).toBe(1);
  });

  it("what ended and is told still is stale, neither found nor false", () => {
    const over = { ...kettle, last_day: LAST_DAY(14) };
    const all = lastNight([over], [finding("time-of-day", "switch.kettle=on", { at: "07:00" })]);
    expect([all.outcomes, all.falses, all.stale]).toEqual([[], [], [over.id]]);
  });
});

describe("the order of suggestions", () => {
  const many = Array.from({ length: 12 }, (_, index) =>
    finding("time-of-day", `light.l${index}=on`, { at: "07:00", reliability: 1 - index / 20 }),
  );

  it("takes the ten best by reliability, nothing automated, no anomalies", () => {
    const mixed = [
      ...many,
      finding("anomaly", "light.z=on", { reliability: 1 }),
      finding("room", "light.y=on", { reliability: 1, automated: true }),
    ];
    expect(rankByReliability(mixed, [])[0]).toBe(many[0]);
    expect(rankByReliability(mixed, [])).toHaveLength(12);
    const plants = many
      .slice(0, 8)
      .map(({ target }) => plantOf("time-of-day", `${target.entityId}=on`, { at: "07:00" }));
    expect(lastNight(plants, mixed).top).toEqual({ right: 8, planted: 8, of: 10 });
  });

  it("or as the product makes suggestions: those that have a template, and what stood there keeps its place", () => {
    const days90 = [{ date: "2026-01-01", hits: 1, opportunities: 1 }];
    const [a, b] = [0.7, 0.71].map((reliability, index) =>
      finding("time-of-day", `light.${"ab"[index]}=on`, { at: "07:00", anchor: "clock", reliability, days90 }),
    );
    const both = [a, b, finding("anomaly", "light.c=on")].flatMap((one) => one ?? []);
    expect(rankAsProduct(both, [])).toEqual([b, a]);
    expect(rankAsProduct(both, both.slice(0, 1))).toEqual([a, b]);
  });

  it("takes another order from outside", () => {
    const plants = many.slice(2).map(({ target }) => plantOf("time-of-day", `${target.entityId}=on`, { at: "07:00" }));
    const backwards = (findings: readonly Finding[]) => [...findings].reverse();
    expect(scoreHome(runOf(plants, [[28, many]]), ALL, backwards).top).toEqual({ right: 10, planted: 10, of: 10 });
  });

  it("is as steady as the share of keys that two nights have in common", () => {
    const nights = runOf(
      [],
      [
        [26, many.slice(0, 4)],
        [27, many.slice(1, 5)],
        [28, many.slice(1, 5)],
      ],
    );
    expect(score(nights).jaccards).toEqual([0.6, 1]);
    expect(
      score(
        runOf(
          [],
          [
            [21, many],
            [28, many.slice(3)],
          ],
        ),
      ).jaccards,
    ).toEqual([]);
  });
});

describe("figures", () => {
  const right = finding("time-of-day", "switch.kettle=on", { at: "07:06", days: ["sat", "sun"] });
  const wrong = finding("time-of-day", "light.x=on", { at: "10:00" });
  const missed = plantOf("time-of-day", "light.never=on", { at: "20:00" });

  it("recall, precision, F1, false ones per null home, by kind", () => {
    const planted = lastNight([kettle, missed], [right, wrong]);
    const empty = lastNight([], [wrong]);
    const quiet = lastNight([], []);
    const { kinds } = summarize([planted, empty, quiet].map(result), ["time-of-day"]);
    expect(kinds["time-of-day"]).toMatchObject({
      planted: 2,
      found: 1,
      recall: 0.5,
      precision: 0.5,
      f1: 0.5,
      falseInPlanted: 1,
      nullHomes: 2,
      falsePerNullHome: 0.5,
    });
  });

  it("errors of times, and whether the days were right", () => {
    const run = runOf([{ ...kettle, id: "weekday-sd-15" }], [[28, [right]]], { name: "clock" });
    expect(summarize([result(score(run))], ["time-of-day"]).clock["sd 15"]).toEqual({
      planted: 1,
      recall: 1,
      daysRight: 1,
      errorMedianMinutes: 6,
      errorP95Minutes: 6,
    });
  });

  it("days until found: the first night that told it", () => {
    const run = runOf(
      [kettle],
      [
        [7, []],
        [14, [right]],
        [21, [right]],
        [28, [right]],
      ],
    );
    expect(score(run).outcomes[0]?.daysToFind).toBe(14);
    expect(
      score(
        runOf(
          [kettle],
          [
            [14, [right]],
            [28, []],
          ],
        ),
      ).outcomes[0],
    ).toMatchObject({ isFound: false });
  });

  it("calibration: how far promise and outcome lie apart, weighted by bins", () => {
    const promises = [
      { promised: 0.95, came: 1 },
      { promised: 0.93, came: 0.8 },
      { promised: 0.55, came: 0.25 },
    ];
    expect(calibrationError(promises)).toBeCloseTo((2 / 3) * Math.abs(0.94 - 0.9) + (1 / 3) * 0.3, 10);
  });

  it("goals: met, not met, not measured", () => {
    const goals = goalsOf(summarize([result(lastNight([kettle], [right]))], ["time-of-day"]));
    expect(goals["F1 time-of-day"]).toEqual({ is: 1, wanted: ">= 0.9", isMet: true });
    expect(goals["recall at sd 35"]).toMatchObject({ is: null, isMet: null });
    const bad = goalsOf(summarize([result(lastNight([], [wrong]))], ["time-of-day"]));
    expect(bad["false per null home, worst detector"]).toMatchObject({ is: 1, isMet: false });
  });
});
