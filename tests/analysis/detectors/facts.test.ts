import { describe, expect, it } from "vitest";
import { createDayFacts, type DayInfo, readDayFacts } from "../../../lib/analysis/detectors/facts.ts";
import { eligible, homeDayOf, isDayOff } from "../../../lib/analysis/detectors/home-day.ts";
import type { DayFacts } from "../../../lib/analysis/detectors/types.ts";
import { addDays, zonedDayStartUs } from "../../../lib/base/zone.ts";
import { type HomeEvent, STATISTICS_ORIGIN } from "../../../lib/event/index.ts";
import { ZONE } from "../../support/day-facts.ts";
import { buildEvent } from "../../support/events.ts";

const DATE = "2026-03-03";
const startOf = (date: string) => zonedDayStartUs(date, "03:00", ZONE);
const info = (date = DATE): DayInfo => ({
  homeId: "home",
  date,
  fromUs: startOf(date),
  toUs: startOf(addDays(date, 1)),
  timeZone: ZONE,
});
const FROM = info().fromUs;
const HOUR_S = 3600;

let contexts = 0;
/** A change at so many seconds of the day, in a context of its own. */
const change = (entityId: string, seconds: number, more: Partial<HomeEvent> = {}): HomeEvent =>
  buildEvent({
    entityId,
    atUs: FROM + Math.round(seconds * 1e6),
    state: "on",
    oldState: "off",
    secondsInOldState: 60,
    context: { id: `context-${++contexts}` },
    attributes: {},
    ...more,
  });

function read(events: readonly HomeEvent[], given: DayInfo = info()): DayFacts {
  const builder = createDayFacts(given);
  for (const event of [...events].sort((a, b) => a.atUs - b.atUs)) builder.add(event);
  return builder.finish();
}
const said = (events: readonly HomeEvent[]) =>
  read(events).occurrences.map(({ entityId, state }) => `${entityId}=${state}`);

describe("the facts of a day", () => {
  it("keeps changes of what people use, with the local minute", () => {
    const [light] = read([
      change("light.a", 4.5 * HOUR_S, { areaId: "hall", deviceId: "d", userId: "u" } as Partial<HomeEvent>),
    ]).occurrences;
    expect(light).toMatchObject({
      entityId: "light.a",
      state: "on",
      oldState: "off",
      role: "target",
      actor: "person",
      areaId: "hall",
      deviceId: "d",
      secondsInOldState: 60,
      minute: 450,
      act: 0,
    });
  });

  it("leaves out restarts, snapshots, attributes, numbers, what is not there, software and itself", () => {
    expect(
      said([
        change("light.a", 1, { kind: "restore" }),
        change("light.a", 2, { kind: "snapshot" }),
        change("light.a", 3, { kind: "attributes" }),
        change("light.a", 4, { state: "unavailable", quality: "unavailable" }),
        change("light.a", 5, { oldState: "unavailable" }),
        change("light.b", 6, { oldState: "unknown" }),
        change("sensor.power", 7, { state: "20.5", value: 20.5, unit: "W" }),
        change("sensor.count", 8, { state: "20" }),
        change("sensor.mean", 8, { state: "a", origin: STATISTICS_ORIGIN }),
        change("update.core", 9),
        change("weather.home", 10, { state: "sunny" }),
        change("binary_sensor.battery", 11, { deviceClass: "battery" }),
        change("device_tracker.phone", 12, { state: "work", oldState: "home" }),
        change("device_tracker.phone", 13, { state: "home", attributes: { source_type: "gps" } }),
        change("switch.hearthline_x", 14),
        change("vacuum.rosie", 15, { state: "docked", oldState: "returning" }),
        change("media_player.tv", 16, { state: "buffering", oldState: "playing" }),
        change("light.other_day", -5),
      ]),
    ).toEqual([]);
  });

  it("hears presses, choices and events as moments", () => {
    const time = "2026-03-03T08:00:00+00:00";
    expect(
      said([
        change("scene.film", 1, { state: time, oldState: "unknown" }),
        change("input_button.bell", 2, { state: time, oldState: "2026-03-03T07:00:00+00:00" }),
        change("event.remote", 3, { state: time, oldState: time, attributes: { event_type: "single_press" } }),
        change("event.remote", 3.1, { state: `${time}1`, oldState: time, attributes: { event_type: "single_press" } }),
      ]),
    ).toEqual(["scene.film=on", "input_button.bell=pressed", "event.remote=single_press", "event.remote=single_press"]);
  });

  it("takes what is on its way for one change, when it set out, by whoever sent it", () => {
    const run = { id: "run" };
    const [cover] = read([
      change("automation.night", 99.9, { kind: "attributes", context: run }),
      change("cover.blind", 100, { state: "closing", oldState: "open", secondsInOldState: 900, context: run }),
      change("cover.blind", 125, { state: "closed", oldState: "closing", secondsInOldState: 25 }),
    ]).occurrences;
    expect(cover).toMatchObject({
      atUs: FROM + 100e6,
      state: "closed",
      oldState: "open",
      secondsInOldState: 900,
      actor: "automation",
    });
    expect(
      said([
        change("cover.b", 1, { state: "opening", oldState: "closed" }),
        change("cover.b", 9, { state: "closed", oldState: "opening" }),
      ]),
    ).toEqual([]);
  });

  it("takes bouncing for the one change that comes of it", () => {
    const bounce = [
      change("binary_sensor.door", 10),
      change("binary_sensor.door", 10.2, { state: "off", oldState: "on" }),
      change("binary_sensor.door", 10.4),
    ];
    expect(said(bounce)).toEqual(["binary_sensor.door=on"]);
    expect(said(bounce.slice(0, 2))).toEqual([]);
    expect(said([change("light.a", 1), change("light.a", 2, { state: "off", oldState: "on" })])).toHaveLength(2);
  });

  it("knows automations and scripts by their contexts, also when they tell of themselves later", () => {
    const actors = read([
      change("light.timed", 10, { context: { id: "a" } }),
      change("automation.timed", 10.1, { kind: "attributes", context: { id: "a" } }),
      change("light.child", 20, { context: { id: "c", parentId: "a" } }),
      change("light.hidden", 30, { context: { id: "d", parentId: "unseen" } }),
      change("script.night", 40, { context: { id: "s", userId: "anna" } }),
      change("light.by_script", 41, { context: { id: "s", userId: "anna" } }),
      change("light.by_user", 50, { context: { id: "u", userId: "anna" } }),
      change("light.at_the_wall", 60),
      change("automation.timed", 70, { kind: "change", context: { id: "off", userId: "anna" } }),
      change("light.with_it", 70.1, { context: { id: "off", userId: "anna" } }),
    ]).occurrences.map(({ entityId, actor }) => [entityId.slice(6), actor]);
    expect(Object.fromEntries(actors)).toEqual({
      timed: "automation",
      child: "automation",
      hidden: "automation",
      by_script: "automation",
      by_user: "person",
      at_the_wall: "person",
      with_it: "person",
    });
  });

  it("lets a player that an automation started go on by itself", () => {
    const events = (seconds: number) => [
      change("automation.radio", 10, { kind: "attributes", context: { id: "r" } }),
      change("media_player.radio", 10, { state: "idle", context: { id: "r" } }),
      change("media_player.radio", 10 + seconds, { state: "playing", oldState: "idle" }),
    ];
    expect(read(events(12)).occurrences.map(({ actor }) => actor)).toEqual(["automation", "automation"]);
    expect(read(events(120)).occurrences.map(({ actor }) => actor)).toEqual(["automation", "person"]);
  });

  it("counts the changes of one context as one act", () => {
    const context = { id: "scene" };
    const acts = read([
      change("light.a", 10, { context }),
      change("light.x", 10.5),
      change("light.b", 11.5, { context }),
      change("light.c", 20, { context }),
    ]).occurrences.map(({ act }) => act);
    expect(acts).toEqual([0, 1, 0, 2]);
  });

  it("makes times in which an entity could not be asked", () => {
    const facts = read([
      change("light.a", 100, { state: "unavailable", quality: "unavailable" }),
      change("light.a", 160, { oldState: "unavailable" }),
      change("light.b", 200, { kind: "removed", state: "", quality: "unavailable" }),
    ]);
    expect(facts.unavailable).toEqual([
      ["light.a", FROM + 100e6, FROM + 160e6],
      ["light.b", FROM + 200e6, info().toUs],
    ]);
  });

  it("learns nothing in the minute after a restart", () => {
    const restart = ["light.a", "light.b", "switch.c"].map((id, index) =>
      change(id, 1000 + index, { kind: "restore" }),
    );
    const facts = read([
      change("light.a", 700),
      ...restart,
      change("light.b", 1030),
      change("light.b", 1100, { state: "off", oldState: "on" }),
    ]);
    expect(facts.silent).toEqual([[FROM + 700e6, FROM + 1062e6]]);
    expect(facts.occurrences.map(({ atUs }) => atUs)).toEqual([FROM + 1100e6]);
    expect(read(restart.slice(0, 2)).silent).toEqual([]);
  });

  it("learns nothing where everything changes at once, but for a scene", () => {
    const all = (isScene: boolean) =>
      Array.from({ length: 30 }, (_, index) =>
        change(`light.l${index}`, 500 + index / 10, isScene ? { context: { id: "scene" } } : {}),
      );
    expect(read(all(false)).occurrences).toEqual([]);
    expect(read(all(false)).silent).toHaveLength(1);
    expect(read(all(true)).occurrences).toHaveLength(30);
  });

  it("calls a home silent that always says something and then does not", () => {
    const every = (seconds: number, skip: (at: number) => boolean) =>
      Array.from({ length: Math.floor(86_400 / seconds) }, (_, index) => index * seconds)
        .filter((at) => !skip(at))
        .map((at) => change("sensor.power", at, { state: "1", value: 1 }));
    const facts = read(every(120, (at) => at > 4 * HOUR_S && at < 7 * HOUR_S));
    expect(facts.silent).toEqual([[FROM + 4 * HOUR_S * 1e6, FROM + 7 * HOUR_S * 1e6]]);
    expect(read(every(2 * HOUR_S, () => false)).silent).toEqual([]);
  });

  it("keeps text sensors of few states, and leaves out those of many and the loudest of too many", () => {
    const texts = (id: string, states: number) =>
      Array.from({ length: 40 }, (_, index) =>
        change(id, index * 60, { state: `s${index % states}`, oldState: `s${(index + states - 1) % states}` }),
      );
    const facts = read([...texts("sensor.dishwasher", 3), ...texts("sensor.title", 20)]);
    expect(new Set(facts.occurrences.map(({ entityId }) => entityId))).toEqual(new Set(["sensor.dishwasher"]));
    expect(facts.occurrences[0]?.role).toBe("sensor");
    expect(facts.muted).toEqual(["sensor.title"]);
  });

  it("knows sun and calendar of the day", () => {
    const sun = (state: string, seconds: number) => change("sun.sun", seconds, { state, oldState: "x" });
    const workday = (state: string, oldState: string) =>
      change("binary_sensor.workday_sensor", 21 * HOUR_S, { state, oldState });
    const facts = read([sun("above_horizon", 4 * HOUR_S), sun("below_horizon", 15 * HOUR_S), workday("off", "on")]);
    expect(facts).toMatchObject({ sunriseMinute: 420, sunsetMinute: 1080, isWorkday: true, isWorkdayNext: false });
    expect(read([], { ...info(), isWorkday: false })).toMatchObject({ isWorkday: false, isWorkdayNext: false });
    const told = read([
      change("sun.sun", 60, {
        kind: "attributes",
        attributes: { next_setting: "2026-03-03T17:00:00+00:00", next_rising: "soon" },
      }),
    ]);
    expect(told.sunsetMinute).toBe(1080);
    expect(told.sunriseMinute).toBeUndefined();
  });

  it("has days of 23 and 25 hours, by the clock on the wall", () => {
    for (const [date, hours] of [
      ["2026-03-28", 23],
      ["2026-10-24", 25],
      [DATE, 24],
    ] as const) {
      const day = info(date);
      const atUs = zonedDayStartUs(addDays(date, 1), "01:30", ZONE);
      const facts = read([change("light.a", 0, { atUs })], day);
      expect(homeDayOf(facts).hours).toBe(hours);
      expect(facts.occurrences[0]?.minute).toBe(90);
    }
  });

  it("reads pages", async () => {
    async function* pages() {
      yield [change("light.a", 1)];
      yield [];
      yield [change("light.a", 9, { state: "off", oldState: "on" })];
    }
    expect((await readDayFacts(info(), pages())).occurrences).toHaveLength(2);
  });
});

describe("days to look back at", () => {
  const day = (activity: number, more = {}) => ({
    ...homeDayOf(read([])),
    activityByHour: [activity],
    isEligible: activity > 0,
    ...more,
  });

  it("tells lived in from left", () => {
    const judged = eligible([day(50), day(60), day(5), day(0), day(40), day(55, { isEligible: false })]);
    expect(judged.map(({ isEligible }) => isEligible)).toEqual([true, true, false, false, true, false]);
    expect(eligible([])).toEqual([]);
  });

  it("counts what a chatty entity does once in ten minutes", () => {
    const facts = read(Array.from({ length: 60 }, (_, index) => change(index % 2 ? "light.a" : "light.b", 10 * index)));
    expect(homeDayOf(facts).activityByHour[3]).toBe(2);
  });

  it("takes a holiday on a weekday for a day off", () => {
    expect(isDayOff({ weekday: "tue" })).toBe(false);
    expect(isDayOff({ weekday: "tue", isWorkday: false })).toBe(true);
    expect(isDayOff({ weekday: "sun" })).toBe(true);
  });
});
