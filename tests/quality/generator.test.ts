import { describe, expect, it } from "vitest";
import { localMinuteOf } from "../../lib/analysis/detectors/local-time.ts";
import { dateOfDay } from "../../local/home/people/zone.ts";
import { scenarioOf } from "../../local/home/scenario/recipes.ts";
import type { EventDay } from "../../quality/events.ts";
import { livedDays } from "./support.ts";

const happened = (days: readonly EventDay[], id: string) =>
  days.flatMap(({ truth }) => truth.occurrences.filter(({ routineId }) => routineId === id));
const chances = (days: readonly EventDay[], id: string) =>
  days.reduce((sum, { truth }) => sum + (truth.opportunities.get(id) ?? 0), 0);
const events = (days: readonly EventDay[]) => days.flatMap((day) => day.events);
const changes = (days: readonly EventDay[], entityId: string, state: string) =>
  events(days).filter((one) => one.kind === "change" && one.entityId === entityId && one.state === state);
const minutes = (days: readonly EventDay[], id: string) =>
  happened(days, id).map(({ at }) => localMinuteOf(at * 1e6, days[0]?.timeZone ?? ""));
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const deviation = (values: readonly number[]) => Math.sqrt(mean(values.map((value) => (value - mean(values)) ** 2)));

describe("a scenario", () => {
  it("is the same for the same seed, another for another", () => {
    const text = (seed: number) => JSON.stringify(livedDays("pairs", seed, 3).map((day) => day.events));
    expect(text(4)).toBe(text(4));
    expect(text(5)).not.toBe(text(4));
  });

  it("gives days from 03:00 to 03:00, in order, of about 1,750 events in all a lived-in day", () => {
    const days = livedDays("pairs", 2, 6);
    for (const day of days) {
      const times = day.events.map(({ atUs }) => atUs);
      expect(times).toEqual([...times].sort((a, b) => a - b));
      expect(times.every((atUs) => atUs >= day.fromUs && atUs < day.toUs)).toBe(true);
    }
    expect(events(days).length / 6).toBeGreaterThan(1_000);
    expect(events(days).length / 6).toBeLessThan(2_500);
  });

  it("says of every change what was before, and how long", () => {
    for (const event of events(livedDays("rooms", 3, 3))) {
      if (event.kind !== "change") continue;
      expect(event.oldState).not.toBe(event.state);
      expect(event.secondsInOldState).toBeGreaterThanOrEqual(0);
    }
  });
});

describe("what is planted happens as often and when it was asked for", () => {
  it("by the clock: probability, mean, spread, weekdays", () => {
    const days = livedDays("clock", 5, 98);
    const seven = scenarioOf("clock", 5, 98).plants.find(({ at }) => at === "07:00");
    const id = seven?.id ?? "";
    const rate = happened(days, id).length / chances(days, id);
    expect(rate).toBeGreaterThan(0.84);
    expect(rate).toBeLessThan(0.99);
    expect(Math.abs(mean(minutes(days, id)) - 420)).toBeLessThan((3 * (seven?.spread_minutes ?? 0)) / 9);
    expect(deviation(minutes(days, id)) / (seven?.spread_minutes ?? 1)).toBeGreaterThan(0.75);
    expect(deviation(minutes(days, id)) / (seven?.spread_minutes ?? 1)).toBeLessThan(1.25);
    for (const { day } of happened(days, "tuesday")) expect(new Date(`${dateOfDay(day)}T00:00Z`).getUTCDay()).toBe(2);
    const midnight = minutes(days, "midnight").map((minute) => (minute < 720 ? minute + 1440 : minute));
    expect(Math.abs(mean(midnight) - 1438)).toBeLessThan(4);
    expect(midnight.some((minute) => minute >= 1440)).toBe(true);
  });

  it("after a trigger: six and eight and a half times in ten, after 2 to 25 seconds", () => {
    const days = livedDays("pairs", 7, 21);
    for (const [id, wanted] of [
      ["kitchen-85", 0.85],
      ["bathroom-60", 0.6],
      ["study-85", 0.85],
      ["bedroom-60", 0.6],
    ] as const)
      expect(Math.abs(happened(days, id).length / chances(days, id) - wanted)).toBeLessThan(0.06);
    const motions = changes(days, "binary_sensor.kitchen_motion", "on").map(({ atUs }) => atUs);
    for (const { at } of happened(days, "kitchen-85")) {
      const delays = motions.map((atUs) => at - atUs / 1e6).filter((delay) => delay > 1.9 && delay < 25.1);
      expect(delays.length).toBeGreaterThan(0);
    }
  });

  it("a chain: its steps in order with 15 to 60 seconds between, and a sensor that chatters", () => {
    const days = livedDays("chains", 3, 21);
    const steps = scenarioOf("chains", 3).plants.find(({ id }) => id === "bedtime-3")?.steps ?? [];
    expect(happened(days, "bedtime-3").length).toBeGreaterThan(12);
    for (const { at } of happened(days, "bedtime-3")) {
      const times = steps.map(({ entity_id, state }) =>
        changes(days, entity_id, state).findLast(({ atUs }) => atUs <= at * 1e6 + 1 && atUs > at * 1e6 - 200e6),
      );
      for (const [index, one] of times.slice(1).entries()) {
        const gap = ((one?.atUs ?? 0) - (times[index]?.atUs ?? 0)) / 1e6;
        expect(gap).toBeGreaterThan(14.9);
        expect(gap).toBeLessThan(60.1);
      }
      const between = changes(days, "binary_sensor.sofa_vibration", "on").filter(
        ({ atUs }) => atUs > (times[0]?.atUs ?? 0) && atUs < at * 1e6,
      );
      expect(between.length).toBeGreaterThan(0);
    }
  });

  it("a length: 20 minutes, give or take", () => {
    const seconds = changes(livedDays("chains", 4, 20), "switch.dehumidifier", "off").map(
      (one) => one.secondsInOldState ?? 0,
    );
    expect(Math.abs(mean(seconds) - 1200)).toBeLessThan(60);
    expect(deviation(seconds)).toBeLessThan(140);
  });

  it("more at weekends, twice as often from a day on, and out of the ordinary on known days", () => {
    const days = livedDays("changes", 6);
    const scenario = scenarioOf("changes", 6);
    const perDay = (id: string, isOf: (day: EventDay) => boolean) =>
      mean(days.filter(isOf).map((day) => happened([day], id).length));
    const isOff = ({ truth }: EventDay) => !truth.calendar.isWorkday;
    expect(perDay("weekend-5-times", isOff) / perDay("weekend-5-times", (day) => !isOff(day))).toBeGreaterThan(3.4);
    const from = scenario.plants.find(({ id }) => id === "doubled-15")?.changes_on ?? 0;
    const ratio =
      perDay("doubled-15", ({ truth }) => truth.day >= from) / perDay("doubled-15", ({ truth }) => truth.day < from);
    expect(ratio).toBeGreaterThan(1.6);
    expect(ratio).toBeLessThan(2.5);
    for (const id of ["too-much", "too-little", "missing"]) {
      const odd = scenario.plants.find((one) => one.id === id)?.odd_days?.[0]?.day;
      const count = perDay(id, ({ truth }) => truth.day === odd);
      const usual = perDay(id, ({ truth }) => truth.day !== odd);
      if (id === "too-much") expect(count).toBeGreaterThan(2.5 * usual);
      else expect(count).toBeLessThan(0.35 * usual);
    }
  });

  it("keeps the wall clock when the clocks change", () => {
    for (const seed of [2, 3]) {
      const days = livedDays("clock-change", seed);
      expect(new Set(days.map(({ fromUs, toUs }) => (toUs - fromUs) / 3_600e6)).size).toBe(2);
      const times = minutes(days, "exact");
      expect(deviation(times)).toBeLessThan(9);
      expect(Math.abs(mean(times) - 750)).toBeLessThan(4);
    }
  });

  it("nothing on vacation, nothing after the end, nothing before the beginning", () => {
    const vacation = livedDays("vacation", 3);
    const [first = 0, last = 0] = scenarioOf("vacation", 3).vacation ?? [];
    expect(last - first).toBe(9);
    expect(happened(vacation, "daily").some(({ day }) => day >= first && day <= last)).toBe(false);
    const firstDay = scenarioOf("ends", 2).firstDay;
    const ends = livedDays("ends", 2);
    expect(happened(ends, "stops").every(({ day }) => day < firstDay + 45)).toBe(true);
    expect(happened(ends, "starts").every(({ day }) => day >= firstDay + 45)).toBe(true);
    expect(happened(ends, "starts").length).toBeGreaterThan(35);
  });

  it("two minutes later each week: drift", () => {
    const times = minutes(livedDays("drift", 1), "drift");
    expect(mean(times.slice(-14)) - mean(times.slice(0, 14))).toBeGreaterThan(14);
  });
});

describe("disturbances", () => {
  it("a group: five lamps within 200 ms in one context", () => {
    const lamps = events(livedDays("null-fan-out", 3, 10)).filter(({ entityId }) => entityId.includes("dining_"));
    const acts = [...Map.groupBy(lamps, ({ context }) => context.id).values()].filter((act) => act.length > 1);
    expect(acts.length).toBeGreaterThan(10);
    for (const act of acts) {
      expect(act.length).toBe(5);
      expect((act.at(-1)?.atUs ?? 0) - (act[0]?.atUs ?? 0)).toBeLessThanOrEqual(200_000);
    }
  });

  it("automations: their own change comes first in the context of what they do; a parent where something triggered them", () => {
    const all = events(livedDays("null-automations", 3, 10));
    const done = all.filter(
      ({ entityId, state }) => ["light.garden", "light.hall"].includes(entityId) && state === "on",
    );
    expect(done.length).toBeGreaterThan(20);
    const byContext = Map.groupBy(all, ({ context }) => context.id);
    for (const one of done) {
      const cause = byContext.get(one.context.id)?.find(({ domain }) => domain === "automation");
      expect(cause?.atUs).toBeLessThan(one.atUs);
      if (one.entityId === "light.garden") expect(one.context.parentId).toBeUndefined();
      else expect(byContext.get(one.context.parentId ?? "")?.[0]?.domain).toBe("binary_sensor");
    }
  });

  it("restarts: everything is told at once, as `restore`, and some of it as changes right after", () => {
    const all = events(livedDays("null-restarts", 3, 8));
    const restored = all.filter(({ kind }) => kind === "restore");
    expect(new Set(restored.map(({ entityId }) => entityId)).size).toBeGreaterThan(100);
    const [first] = restored;
    const after = all.filter(
      ({ kind, atUs, oldState }) => kind === "change" && oldState === "unavailable" && atUs > (first?.atUs ?? 0),
    );
    expect(after.length).toBeGreaterThan(5);
  });

  it("silence: hours and two days of nothing", () => {
    const days = livedDays("null-silence", 3, 14);
    expect(days.filter((day) => day.events.length < 150).length).toBeGreaterThanOrEqual(1);
    const times = events(days).map(({ atUs }) => atUs);
    const gaps = times.slice(1).map((atUs, index) => (atUs - (times[index] ?? 0)) / 3_600e6);
    expect(Math.max(...gaps)).toBeGreaterThan(47);
    expect(gaps.filter((hours) => hours > 2.9).length).toBeGreaterThanOrEqual(3);
  });

  it("a sensor with a hundred changes an hour; lamps that are lost and come back", () => {
    const street = events(livedDays("null-bursts", 3, 3)).filter(
      ({ entityId }) => entityId === "binary_sensor.street_motion",
    );
    expect(street.length / 72).toBeGreaterThan(70);
    const lost = events(livedDays("null-flapping", 3, 4)).filter(({ quality }) => quality === "unavailable");
    expect(lost.length).toBeGreaterThan(20);
  });
});
