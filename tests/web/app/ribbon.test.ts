import { describe, expect, it } from "vitest";
import type { WireEntity, WireEvent } from "../../../lib/api/index.ts";
import { type HomeEvent, toWireEvent } from "../../../lib/event/index.ts";
import { dayOf } from "../../../lib/web/app/day.ts";
import { buildRooms, laneOf, mergedLane, onAt } from "../../../lib/web/app/ribbon.ts";
import { cpuTimer } from "../../support/cpu.ts";
import { buildEvent } from "../../support/events.ts";

const clock = { timeZone: "Europe/Amsterdam", dayStart: "03:00" };
const day = dayOf("2026-11-21", clock);
const HOUR_MS = 3_600_000;
const AREAS = [
  { area_id: "kitchen", name: "Kitchen" },
  { area_id: "attic", name: "Attic" },
];

/** `hour`: after the day's beginning. */
const event = (entityId: string, hour: number, more: Partial<HomeEvent> = {}, from = day): WireEvent =>
  toWireEvent(buildEvent({ entityId, atUs: (from.fromMs + hour * HOUR_MS) * 1000, ...more }));
const entity = (entityId: string, more: Partial<WireEntity> = {}): WireEntity => ({
  entity_id: entityId,
  domain: entityId.split(".")[0] ?? "",
  labels: [],
  ...more,
});
const rooms = (events: WireEvent[], entities: WireEntity[] = [], of = day) =>
  buildRooms({ events, entities, areas: AREAS, fromMs: of.fromMs, toMs: of.toMs });
const hoursOf = (found: ReturnType<typeof rooms>, of = day) =>
  found[0]?.tracks[0]?.stretches.map(({ fromMs, toMs }) => [
    (fromMs - of.fromMs) / HOUR_MS,
    (toMs - of.fromMs) / HOUR_MS,
  ]);

describe("a ribbon", () => {
  it("goes from on to off, and to the day's end of what stays on", () => {
    const on = { state: "on", oldState: "off" };
    const off = { state: "off", oldState: "on" };
    const events = [event("light.a", 20, on), event("light.a", 5, off), event("light.a", 4, on)];
    expect(hoursOf(rooms(events))).toEqual([
      [4, 5],
      [20, 24],
    ]);
  });

  it("begins with the day what was on before: the first event of the day says so", () => {
    expect(hoursOf(rooms([event("light.a", 2, { state: "off", oldState: "on" })]))).toEqual([[0, 2]]);
  });

  it("shows an entity that did nothing all day as on, if it was on before and nothing came since", () => {
    const before = new Date(day.fromMs - HOUR_MS).toISOString();
    const after = new Date(day.fromMs + HOUR_MS).toISOString();
    expect(hoursOf(rooms([], [entity("light.a", { state: "on", last_seen: before })]))).toEqual([[0, 24]]);
    expect(rooms([], [entity("light.a", { state: "off", last_seen: before })])).toEqual([]);
    expect(rooms([], [entity("light.a", { state: "on", last_seen: after })])).toEqual([]);
  });

  it.each([
    ["2026-03-28", 23],
    ["2026-10-24", 25],
  ])("is as long as the day when clocks change: %s", (date, hours) => {
    const changed = dayOf(date, clock);
    const events = [event("light.a", 20, { state: "on", oldState: "off" }, changed)];
    expect(hoursOf(rooms(events, [], changed), changed)).toEqual([[20, hours]]);
  });

  it("ends where nothing is known any more: unavailable, removed", () => {
    const on = { state: "on", oldState: "off" };
    const gone = { state: "unavailable", quality: "unavailable", oldState: "on" } as const;
    expect(hoursOf(rooms([event("light.a", 1, on), event("light.a", 3, gone)]))).toEqual([[1, 3]]);
    const removed = { kind: "removed", state: "on" } as const;
    expect(hoursOf(rooms([event("light.a", 1, on), event("light.a", 3, removed)]))).toEqual([[1, 3]]);
  });

  it("counts repeated words of the same state once", () => {
    const on = { state: "on", oldState: "on" };
    expect(hoursOf(rooms([event("light.a", 1, { state: "on", oldState: "off" }), event("light.a", 3, on)]))).toEqual([
      [1, 24],
    ]);
  });

  it("stands in its room, rooms by name, what is in none last; the longest first", () => {
    const on = { state: "on", oldState: "off" };
    const found = rooms(
      [event("light.a", 1, on), event("light.b", 2, on), event("light.c", 3, on), event("light.d", 4, on)],
      [
        entity("light.a", { area_id: "kitchen", name: "Lamp" }),
        entity("light.b", { area_id: "attic" }),
        entity("light.d", { area_id: "attic" }),
      ],
    );
    expect(found.map(({ name, tracks }) => [name, tracks.map((track) => track.name)])).toEqual([
      ["Attic", ["light.b", "light.d"]],
      ["Kitchen", ["Lamp"]],
      ["In no room", ["light.c"]],
    ]);
  });

  it("leaves out what is a setting, hidden or disabled", () => {
    const events = [event("switch.a", 1), event("switch.b", 1), event("switch.c", 1)];
    const entities = [
      entity("switch.a", { entity_category: "config" }),
      entity("switch.b", { hidden_by: "user" }),
      entity("switch.c", { disabled_by: "user" }),
    ];
    expect(rooms(events, entities)).toEqual([]);
  });

  it.each([
    ["light", undefined, "light"],
    ["binary_sensor", "motion", "presence"],
    ["binary_sensor", "occupancy", "presence"],
    ["binary_sensor", "door", undefined],
    ["media_player", "tv", "device"],
    ["sensor", "power", undefined],
  ])("takes %s of class %s for %s", (domain, deviceClass, lane) => {
    expect(laneOf(domain, deviceClass)).toBe(lane);
  });

  it("knows what was on at a moment", () => {
    const found = rooms([event("light.a", 1, { state: "on", oldState: "off" }), event("light.a", 2, { state: "off" })]);
    const at = (hour: number) => onAt(found[0]?.tracks ?? [], day.fromMs + hour * HOUR_MS).length;
    expect([at(0.5), at(1), at(1.5), at(2)]).toEqual([0, 1, 1, 0]);
    expect(mergedLane(found[0]?.tracks ?? [], "light").totalMs).toBe(HOUR_MS);
  });

  it("is built of 5,000 entities and 20,000 events in a moment", () => {
    const entities = Array.from({ length: 5_000 }, (_, index) => entity(`light.l${index}`, { area_id: "attic" }));
    const events = Array.from({ length: 20_000 }, (_, index) =>
      event(`light.l${index % 5_000}`, (index / 20_000) * 24, { state: index % 3 ? "on" : "off" }),
    );
    const cpuMs = cpuTimer();
    expect(rooms(events, entities)[0]?.tracks.length).toBeGreaterThan(4_000);
    expect(cpuMs()).toBeLessThan(2_000);
  });
});
