import { describe, expect, it } from "vitest";
import { generateDay } from "../../../local/home/generate/day.ts";
import type { DayPlan } from "../../../local/home/generate/day-writer.ts";
import { isOpportunity, minutesOf } from "../../../local/home/generate/occurrence.ts";
import { ROOMS } from "../../../local/home/house/areas.ts";
import { buildHouse } from "../../../local/home/house/house.ts";
import { calendarOf, vacationsOf, weekdayOf } from "../../../local/home/people/calendar.ts";
import { sunTimes } from "../../../local/home/people/sun.ts";
import { createZone } from "../../../local/home/people/zone.ts";
import { ANOMALIES, ROUTINES } from "../../../local/home/routines.ts";

const SEED = 1;
const house = buildHouse(SEED);
const zone = createZone("Europe/Amsterdam");
/** 2 November to 29 November 2026, Monday to Sunday. */
const FIRST = Date.UTC(2026, 10, 2) / 86_400_000;
const month = Array.from({ length: 28 }, (_, index) => generateDay(house, zone, FIRST + index));
/** Bound to a time of day and planted all year. */
const CLOCKED = ROUTINES.filter(
  (one) => (one.at !== undefined || one.anchor !== undefined) && one.block_days === undefined,
);
const isOn = (plan: DayPlan, from: number, to: number, prefix: string) =>
  plan.changes.filter(
    (one) =>
      one.entityId.startsWith(prefix) &&
      one.state === "on" &&
      hourOf(plan, one.at) >= from &&
      hourOf(plan, one.at) < to,
  );
const hourOf = (plan: DayPlan, at: number) => 4 + (at - plan.startsAt) / 3600;

describe("a month of the home", () => {
  it.each(CLOCKED)("holds the planted routine $id as often as it is planted", (routine) => {
    const hits = month.flatMap((plan) => plan.occurrences.filter((one) => one.routineId === routine.id));
    const opportunities = month.filter((plan) => isOpportunity(routine, plan.calendar)).length;
    expect(opportunities).toBeGreaterThan(0);
    // Two deviations of a binomial either way, and what life gets in between.
    const deviation = 2 * Math.sqrt(opportunities * routine.probability * (1 - routine.probability));
    expect(hits.length).toBeGreaterThanOrEqual(Math.floor(opportunities * routine.probability * 0.88 - deviation));
    expect(hits.length).toBeLessThanOrEqual(opportunities);
  });

  it.each(CLOCKED.filter((routine) => routine.at !== undefined && routine.drift_minutes_per_week === undefined))(
    "holds $id at its time of day",
    (routine) => {
      const late = routine.id === "bedtime-chain" ? 45 : 0;
      const minutes = month.flatMap((plan) =>
        plan.occurrences.filter((one) => one.routineId === routine.id).map((one) => (hourOf(plan, one.at) % 24) * 60),
      );
      const planned = minutesOf(routine.at ?? "");
      const middle = minutes.toSorted((a, b) => a - b)[Math.floor(minutes.length / 2)] ?? 0;
      const distance = Math.abs(((middle - planned + 720) % 1440) - 720);
      expect(distance).toBeLessThan(3 + 1.2 * (routine.spread_minutes ?? 0) + late / 4);
    },
  );

  it("holds what follows a trigger, within its delay", () => {
    for (const id of [
      "bathroom-light",
      "kitchen-light",
      "terrace-light",
      "radio-after-coffee",
      "automation-hall-light",
    ]) {
      const routine = ROUTINES.find((one) => one.id === id);
      const [shortest, longest] = routine?.delay_seconds ?? [0, 0];
      let hits = 0;
      for (const plan of month)
        for (const { at } of plan.occurrences.filter((one) => one.routineId === id)) {
          const { entity_id, state } = routine?.trigger ?? { entity_id: "", state: "" };
          const trigger = plan.changes.findLast(
            (one) => one.at <= at && one.entityId === entity_id && one.state === state,
          );
          expect(trigger).toBeDefined();
          expect(at - (trigger?.at ?? 0)).toBeGreaterThan(shortest - 0.01);
          if (at - (trigger?.at ?? 0) < longest + 0.01) hits++;
        }
      expect(hits).toBeGreaterThan(15);
    }
  });

  it("lets a routine come and go in blocks", () => {
    const sundays = Array.from({ length: 26 }, (_, index) => generateDay(house, zone, FIRST + 6 + 7 * index));
    const hits = sundays.filter((plan) => plan.occurrences.some((one) => one.routineId === "printer-sunday"));
    expect(hits.length).toBeGreaterThan(6);
    expect(hits.every((plan) => Math.floor(plan.day / 45) % 2 === 0)).toBe(true);
  });

  it("goes through the bedtime round in order", () => {
    const chain = ROUTINES.find((routine) => routine.id === "bedtime-chain");
    let complete = 0;
    for (const plan of month) {
      const end = plan.occurrences.find((one) => one.routineId === "bedtime-chain")?.at;
      if (end === undefined) continue;
      const steps = (chain?.steps ?? []).map((step) =>
        plan.changes.findLast(
          (one) => one.at <= end && one.at > end - 240 && one.entityId === step.entity_id && one.state === step.state,
        ),
      );
      if (steps.every((step, index) => step && step.at >= (steps[index - 1]?.at ?? 0))) complete++;
    }
    expect(complete).toBeGreaterThanOrEqual(16);
  });

  it("marks what automations do by their context", () => {
    for (const id of ["automation-garden-on", "automation-vacuum", "automation-hall-light"]) {
      const target = ROUTINES.find((routine) => routine.id === id)?.target.entity_id;
      const plan = month.find((one) => one.occurrences.some((hit) => hit.routineId === id));
      const at = plan?.occurrences.find((one) => one.routineId === id)?.at;
      const change = plan?.changes.find((one) => one.entityId === target && one.at === at);
      const automation = plan?.changes.find(
        (one) => one.entityId.startsWith("automation.") && one.context.id === change?.context.id,
      );
      expect(automation).toBeDefined();
    }
  });

  it("has days that look lived in", () => {
    for (const plan of month.filter((one) => one.calendar.isWorkday && one.anomaly === undefined)) {
      const motion = (from: number, to: number) =>
        isOn(plan, from, to, "binary_sensor.").filter((one) => one.entityId.endsWith("_motion"));
      // Quiet at night, busy in the morning and in the evening, most rooms used.
      expect(motion(26, 28).length).toBeLessThan(12);
      expect(motion(6, 9).length).toBeGreaterThan(25);
      expect(motion(17, 23).length).toBeGreaterThan(60);
      expect(new Set(motion(4, 28).map((one) => one.entityId)).size).toBeGreaterThanOrEqual(ROOMS.length - 1);
      expect(plan.changes.length).toBeGreaterThan(1_000);
      expect(plan.changes.length).toBeLessThan(3_000);
    }
  });

  it("differs between workdays and weekends, and knows nobody on vacation", () => {
    const coffee = (plan: DayPlan) =>
      isOn(plan, 4, 28, "switch.coffee_machine").map((one) => hourOf(plan, one.at))[0] ?? Number.NaN;
    const mean = (hours: number[]) => hours.reduce((sum, hour) => sum + hour, 0) / hours.length;
    const work = month
      .filter((plan) => plan.calendar.isWorkday)
      .map(coffee)
      .filter(Number.isFinite);
    const free = month
      .filter((plan) => !plan.calendar.isWorkday)
      .map(coffee)
      .filter(Number.isFinite);
    expect(mean(free) - mean(work)).toBeGreaterThan(1.5);
    const [first, last] = vacationsOf(SEED, 2026)[1] ?? [0, 0];
    for (let day = first + 1; day < last; day++) {
      const plan = generateDay(house, zone, day);
      const lights = isOn(plan, 4, 28, "light.").filter((one) => one.entityId !== "light.garden");
      expect(lights.filter((one) => one.entityId !== "light.hall")).toEqual([]);
      expect(isOn(plan, 4, 28, "switch.")).toEqual([]);
      expect(
        plan.occurrences.filter((one) => !one.routineId.startsWith("automation-")).map((one) => one.routineId),
      ).toEqual([]);
    }
  });

  it("plants every kind of anomaly within a year, about one day in twelve", () => {
    const year = Array.from({ length: 120 }, (_, index) => generateDay(house, zone, FIRST + 3 * index));
    const found = year.flatMap((plan) => (plan.anomaly === undefined ? [] : [plan.anomaly]));
    expect(new Set(found)).toEqual(new Set(ANOMALIES));
    expect(found.length).toBeGreaterThan(3);
    expect(found.length).toBeLessThan(22);
  });
});

describe("the calendar", () => {
  it("knows weekdays, holidays and three vacations a year", () => {
    const day = (text: string) => Date.parse(`${text}T00:00:00Z`) / 86_400_000;
    expect(weekdayOf(day("2026-11-22"))).toBe(6);
    for (const holiday of [
      "2026-01-01",
      "2026-04-06",
      "2026-04-27",
      "2026-05-14",
      "2026-05-25",
      "2026-12-25",
      "2027-03-29",
    ])
      expect(calendarOf(SEED, day(holiday)).isHoliday).toBe(true);
    expect(calendarOf(SEED, day("2026-12-25")).isWorkday).toBe(false);
    for (const [first, last] of vacationsOf(SEED, 2026)) {
      expect(weekdayOf(first)).toBe(5);
      expect(weekdayOf(last)).toBe(6);
      expect(calendarOf(SEED, first).vacation).toBe("leaving");
      expect(calendarOf(SEED, last).vacation).toBe("returning");
    }
  });

  it("puts the sun where it is: Amsterdam, against the almanac's times to three minutes", () => {
    const minutes = (at: number) => Math.round((at % 86_400) / 60);
    const { rising, setting } = sunTimes(Date.UTC(2026, 10, 22) / 86_400_000);
    // The real Home Assistant's sun.sun of that day and place: 07:13:32 and 15:39:02 UTC.
    expect(Math.abs(minutes(rising) - (7 * 60 + 14))).toBeLessThanOrEqual(3);
    expect(Math.abs(minutes(setting) - (15 * 60 + 39))).toBeLessThanOrEqual(3);
  });
});
