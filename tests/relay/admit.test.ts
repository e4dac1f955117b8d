import { describe, expect, it } from "vitest";
import { relayRecordsSchema } from "../../lib/event/index.ts";
import { type Admission, type Admitted, createAdmission } from "../../lib/relay/admit.ts";
import { createEntityFilter } from "../../lib/relay/filter.ts";
import type { HaEvent } from "../../lib/relay/ports.ts";
import { at, change, changed, haState } from "./ha-samples.ts";

const admitAll = () => createAdmission(createEntityFilter([], []));
const recordOf = (admitted: Admitted): Record<string, unknown> => {
  if (admitted.outcome !== "admitted") throw new Error(`not admitted but ${admitted.outcome}`);
  // As it will lie in the spool.
  return JSON.parse(JSON.stringify({ n: 1, ...admitted.record })) as Record<string, unknown>;
};
const admitEvent = (event: HaEvent, admission: Admission = admitAll()) => recordOf(admission.event(event));

describe("kinds", () => {
  const before = haState("light.a", 1_000_000, { state: "off", attributes: { brightness: 1 } });
  it.each([
    ["change", changed(haState("light.a", 2_000_000, { state: "on" }), before)],
    ["attributes", changed(haState("light.a", 2_000_000, { last_changed: at(1_000_000) }), before)],
    ["restore", changed(haState("light.a", 2_000_000), null)],
    ["restore", changed(haState("light.a", 2_000_000, { attributes: { restored: true } }), before)],
  ])("%s", (kind, event) => {
    const record = admitEvent(event);
    expect(record).toMatchObject({ t: "state", kind, source: "live", entity_id: "light.a", origin: "LOCAL" });
    expect(relayRecordsSchema.safeParse(record).success).toBe(true);
  });

  it("removed, by the time fired", () => {
    const record = admitEvent(changed(null, before, 9_000_000));
    expect(record).toMatchObject({ t: "removed", entity_id: "light.a", time_fired: at(9_000_000) });
    expect(record.old).toEqual({ state: "off", last_changed: at(1_000_000), last_updated: at(1_000_000) });
    expect(relayRecordsSchema.safeParse(record).success).toBe(true);
  });

  it("snapshot", () => {
    const record = recordOf(admitAll().snapshot(before));
    expect(record).toMatchObject({ t: "state", kind: "snapshot", attributes: { brightness: 1 } });
    expect(relayRecordsSchema.safeParse(record).success).toBe(true);
  });

  it("the old state travels without attributes, and last_reported not at all", () => {
    const record = admitEvent(changed(haState("light.a", 2_000_000), before));
    expect(record.old).toEqual({ state: "off", last_changed: at(1_000_000), last_updated: at(1_000_000) });
    expect(JSON.stringify(record)).not.toContain("last_reported");
  });
});

describe("repetitions", () => {
  it("an event that is the same to the letter is admitted once", () => {
    const admission = admitAll();
    expect(admission.event(change("light.a", 5)).outcome).toBe("admitted");
    expect(admission.event(change("light.a", 5)).outcome).toBe("repeated");
    expect(admission.event(change("light.b", 5)).outcome).toBe("admitted");
    expect(admission.event(change("light.a", 6)).outcome).toBe("admitted");
  });

  it("two different events with one time stamp are both admitted", () => {
    const admission = admitAll();
    admission.event(change("light.a", 5));
    const other = changed(haState("light.a", 5, { attributes: { other: 1 } }), haState("light.a", 4));
    expect(admission.event(other).outcome).toBe("admitted");
  });

  it("a snapshot of what came live, or in the last snapshot, is skipped; one that has moved on is not", () => {
    const admission = admitAll();
    admission.event(change("light.a", 5));
    expect(admission.snapshot(haState("light.a", 5)).outcome).toBe("repeated");
    expect(admission.snapshot(haState("light.b", 5)).outcome).toBe("admitted");
    expect(admission.snapshot(haState("light.b", 5)).outcome).toBe("repeated");
    expect(admission.snapshot(haState("light.a", 6)).outcome).toBe("admitted");
  });

  it("a live event of the moment that the snapshot had shown is admitted: it knows more", () => {
    const admission = admitAll();
    admission.snapshot(haState("light.a", 5));
    expect(admission.event(change("light.a", 5)).outcome).toBe("admitted");
  });
});

describe("malformed events travel as they are, for enrich to judge", () => {
  const whole = change("light.a", 5);
  const withState = (over: Record<string, unknown>): HaEvent => ({
    ...whole,
    data: { ...whole.data, new_state: { ...(whole.data.new_state as object), ...over } },
  });
  it.each([
    ["no entity id", { ...whole, data: { old_state: null, new_state: { state: "1" } } }, { state: "1" }],
    ["an entity id that is no text", { ...whole, data: { ...whole.data, entity_id: 7 } }, { entity_id: 7 }],
    ["a state of 300 characters", withState({ state: "x".repeat(300) }), { state: "x".repeat(300) }],
    ["a state that is a number", withState({ state: 21.5 }), { state: 21.5 }],
    ["U+0000", withState({ state: "a\u0000b" }), { state: "a\u0000b" }],
    ["a lone surrogate", withState({ state: "\ud800" }), { state: "\ud800" }],
    ["attributes that are a list", withState({ attributes: [1, 2] }), { attributes: [1, 2] }],
    ["attributes that are null", withState({ attributes: null }), { attributes: null }],
    [
      "NaN, which JSON does not have, as Home Assistant writes it",
      withState({ attributes: { a: Number.NaN } }),
      { attributes: { a: null } },
    ],
    ["a bad time", withState({ last_updated: "yesterday" }), { last_updated: "yesterday" }],
    ["the year 9999", withState({ last_updated: "9999-01-01T00:00:00+00:00" }), { kind: "change" }],
    ["no new state at all", { ...whole, data: { entity_id: "light.a" } }, { t: "state", entity_id: "light.a" }],
    ["no data", { ...whole, data: undefined }, { t: "state" }],
    ["a context that is a text", withState({ context: "x" }), { context: "x" }],
  ])("%s", (_, event, expected) => {
    expect(admitEvent(event as unknown as HaEvent)).toMatchObject(expected);
  });

  it("an old state that is not whole is left out, and the event kept", () => {
    const record = admitEvent(changed(haState("light.a", 5), { state: 5 } as never));
    expect(record).toMatchObject({ kind: "change", state: "5" });
    expect(record).not.toHaveProperty("old");
  });

  it("what cannot be written as JSON is rejected with a reason, and stops nothing", () => {
    const circular: Record<string, unknown> = {};
    circular.self = circular;
    const admission = admitAll();
    expect(admission.event(withState({ state: 10n }))).toMatchObject({ outcome: "rejected" });
    expect(admission.event(undefined as never).outcome).toBe("rejected");
    // Read no deeper than 64, so it is dropped like any attributes that are too much.
    expect(admitEvent(withState({ attributes: circular })).attributes).toEqual({
      hearthline_dropped_attributes_bytes: 0,
    });
  });
});

describe("large attributes", () => {
  it.each([
    ["65,536 bytes stay", 65_536, true],
    ["65,537 bytes go", 65_537, false],
    ["1 MB goes", 1_000_000, false],
  ])("%s", (_, bytes, stays) => {
    const value = "é".repeat(100) + "x".repeat(bytes - 200 - '{"big":""}'.length);
    const attributes = { big: value };
    expect(Buffer.byteLength(JSON.stringify(attributes))).toBe(bytes);
    const record = admitEvent(changed(haState("light.a", 5, { attributes }), haState("light.a", 4)));
    expect(record.attributes).toEqual(stays ? attributes : { hearthline_dropped_attributes_bytes: bytes });
    expect(record).toMatchObject({ state: "5", last_updated: at(5) });
  });
});

describe("include and exclude", () => {
  const pass = (include: string[], exclude: string[], id: string) => createEntityFilter(include, exclude)(id);
  it.each([
    [[], [], "light.a", true],
    [["light"], [], "light.a", true],
    [["light"], [], "lights.a", false],
    [["light"], [], "sensor.light", false],
    [["sensor.power_*"], [], "sensor.power_1", true],
    [["sensor.power_*"], [], "sensor.powerx1", false],
    [["sensor.power_?"], [], "sensor.power_10", false],
    [["*.kitchen"], [], "light.kitchen", true],
    [[], ["camera"], "camera.door", false],
    [["light", "sensor"], ["sensor.*_rssi"], "sensor.a_rssi", false],
    [["s*"], [], "sensor.a", true],
    [["sensor.a(b"], [], "sensor.a(b", true],
    // What is meant to stay at home must not travel for its spelling.
    [[], ["*_rssi"], "sensor.a_rssi", false],
    [[], ["*tracker*"], "device_tracker.phone", false],
    [[], ["*_rssi"], "sensor.a_rssi_x", true],
    [[], ["Camera.Front_Door"], "camera.front_door", false],
    [[], ["Device_Tracker"], "device_tracker.phone", false],
    [["l?ght"], [], "light.a", true],
  ] as [string[], string[], string, boolean][])("include %j, exclude %j: %s is %s", (include, exclude, id, passes) => {
    expect(pass(include, exclude, id)).toBe(passes);
  });

  it("an event of an excluded entity is filtered, a removal too; one without an entity is not", () => {
    const admission = createAdmission(createEntityFilter([], ["light"]));
    expect(admission.event(change("light.a", 5)).outcome).toBe("filtered");
    expect(admission.event(changed(null, haState("light.a", 5))).outcome).toBe("filtered");
    expect(admission.snapshot(haState("light.a", 5)).outcome).toBe("filtered");
    expect(admission.snapshot({ state: "1" }).outcome).toBe("admitted");
  });
});
