import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createUses, type DayUses, packUses, sumUses, unpackUses } from "../../lib/analysis/features/uses.ts";
import type { HomeEvent } from "../../lib/event/index.ts";
import { buildEvent, SOME_TIME_US } from "../support/events.ts";

const DAY_US = 86_400_000_000;
const DATES = ["2026-11-20", "2026-11-21", "2026-11-22", "2026-11-23"];

const change = fc.record({
  day: fc.nat({ max: DATES.length - 1 }),
  light: fc.constantFrom("light.a", "light.b", "cover.a", "sensor.a"),
  state: fc.constantFrom("on", "off"),
  oldState: fc.constantFrom("on", "off", "unavailable", "unknown", undefined),
  kind: fc.constantFrom("change" as const, "attributes" as const, "restore" as const, "snapshot" as const),
  quality: fc.constantFrom("ok" as const, "ok" as const, "unavailable" as const),
  brightness: fc.constantFrom(10, 100, 200, undefined),
  mode: fc.constantFrom("color_temp", "xy", undefined),
});
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

const eventsOf = (changes: readonly Change[]): HomeEvent[] =>
  changes
    .map(({ day, light, state, oldState, kind, quality, brightness, mode }, at) =>
      buildEvent({
        ...{ entityId: light, state, kind, quality, deviceId: `device of ${light}` },
        atUs: SOME_TIME_US + day * DAY_US + at,
        ...(oldState !== undefined && { oldState }),
        attributes: { brightness, current_position: brightness, color_mode: mode, hs_color: [10, brightness ?? 0] },
      }),
    )
    .sort((a, b) => a.atUs - b.atUs);

function usesOf(events: readonly HomeEvent[]): DayUses {
  const builder = createUses();
  for (const event of events) builder.add(event);
  return builder.finish();
}
const dayOf = (event: HomeEvent) => DATES[Math.floor((event.atUs - SOME_TIME_US) / DAY_US)] ?? "";
const counts = (sums: ReturnType<typeof sumUses>) =>
  [...sums].map(([entity, ofEntity]) => [entity, [...ofEntity].map(([name, { n }]) => [name, n]).sort()]).sort();

describe("uses of features", () => {
  it("come to the same by days, in any order, as in one pass over all events", () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), fc.infiniteStream(fc.nat()), (changes, order) => {
        const events = eventsOf(changes);
        const days = [...Map.groupBy(events, dayOf)].map(([date, own]) => [date, usesOf(own)] as const);
        const shuffled = days
          .map((day) => ({ day, at: order.next().value ?? 0 }))
          .sort((a, b) => a.at - b.at)
          .map(({ day }) => day);
        const one = sumUses(new Map([["2026-11-20", usesOf(events)]]));
        expect(counts(sumUses(new Map(shuffled)))).toEqual(counts(one));
        expect(sumUses(new Map(shuffled))).toEqual(sumUses(new Map(days)));
      }),
    );
  });

  it("are kept as they were", () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
        const uses = usesOf(eventsOf(changes));
        expect(unpackUses({ rows: JSON.parse(JSON.stringify(packUses(uses))) as unknown[] })).toEqual(uses);
      }),
    );
    expect(unpackUses({ rows: [] })).toEqual({ version: -1, events: 0, heard: [], rows: [] });
    expect(unpackUses({ rows: [null, null, { e: 1 }, { e: "a", f: "state", n: 1 }] }).rows).toHaveLength(1);
  });
});

describe("a use", () => {
  const light = (attributes: Readonly<Record<string, unknown>>, more: Partial<HomeEvent> = {}) =>
    buildEvent({ entityId: "light.a", deviceId: "lamp", kind: "attributes", attributes, ...more });
  const rowsOf = (...events: readonly HomeEvent[]) => Object.fromEntries(usesOf(events).rows.map(({ f, n }) => [f, n]));

  it("is a change while the entity says what it is set to; off and on again at the same is none", () => {
    const [dim, off] = [light({ brightness: 100 }), light({ brightness: null }, { state: "off" })];
    expect(rowsOf(dim, off, dim)).toEqual({ brightness: 0, effect: 0 });
    expect(rowsOf(dim, off, light({ brightness: 200 }))).toEqual({ brightness: 1, effect: 0 });
    // A bulb reports back what it has rounded.
    expect(rowsOf(dim, light({ brightness: 101 }))).toEqual({ brightness: 0, effect: 0 });
  });

  it("of colour and of warmth are told apart by the mode", () => {
    const warm = (kelvin: number) =>
      light({ color_mode: "color_temp", color_temp_kelvin: kelvin, hs_color: [kelvin, 1] });
    expect(rowsOf(warm(2_700), warm(4_000))).toMatchObject({ color_temp: 1, color: 0 });
    const red = light({ color_mode: "xy", hs_color: [0, 100], color_temp_kelvin: null });
    expect(rowsOf(warm(2_700), red, warm(2_700))).toMatchObject({ color_temp: 0, color: 2 });
    const mired = (color_temp: number) => light({ color_mode: "color_temp", color_temp });
    expect(rowsOf(mired(370), mired(250))).toMatchObject({ color_temp: 1 });
  });

  it("is no restart, no return from unavailable, no removal", () => {
    const on = { kind: "change" as const, state: "on" };
    expect(rowsOf(light({}, { ...on, oldState: "unavailable" }))).toEqual({ effect: 0 });
    expect(rowsOf(light({}, { ...on, oldState: "off", kind: "restore" }))).toEqual({});
    expect(rowsOf(light({}, { ...on, oldState: "off" }))).toMatchObject({ state: 1 });
    expect(rowsOf(light({}, { state: "", kind: "removed", quality: "unavailable" }))).toEqual({});
  });

  it("of a button is its press, the first too", () => {
    const press = buildEvent({ entityId: "button.a", state: "2026-11-22T06:00:00+00:00", oldState: "unknown" });
    expect(rowsOf(press)).toEqual({ state: 1 });
  });

  it("says which devices were heard: not those of which all is unavailable", () => {
    const gone = light({}, { deviceId: "gone", quality: "unavailable", state: "unavailable" });
    expect(usesOf([light({}), gone, buildEvent({ entityId: "sensor.a", deviceId: "meter" })]).heard).toEqual([
      "lamp",
      "meter",
    ]);
  });
});
