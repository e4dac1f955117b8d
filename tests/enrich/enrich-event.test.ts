import { describe, expect, it } from "vitest";
import { formatIsoUs } from "../../lib/base/time.ts";
import { dayPartOf, type EntityFacts, enrichEvent, type HomeFacts } from "../../lib/enrich/index.ts";
import type { EventRecord } from "../../lib/event/index.ts";
import { EARLIEST_EVENT_US, readRecords } from "../../lib/ingest/index.ts";
import { SOME_TIME_US } from "../support/events.ts";
import { removedRecord, stateRecord } from "../support/records.ts";

const facts: EntityFacts = { deviceId: "lamp", areaId: "bedroom", deviceClass: "light" };
const home = (given: Partial<HomeFacts> = {}): HomeFacts => ({
  homeId: "home",
  timeZone: "Europe/Amsterdam",
  entity: (entityId) => (entityId === "light.bed_light" ? facts : undefined),
  weatherAt: () => ({ condition: "rainy", temperature: 7.5 }),
  ...given,
});

function enriched(record: EventRecord, given: Partial<HomeFacts> = {}) {
  const times = { fromUs: EARLIEST_EVENT_US, toUs: 4e15 };
  const [read] = readRecords([JSON.stringify(record)], { first: 0, last: 0, times }).records;
  if (!read || !("moment" in read)) throw new Error("the record was not taken");
  return enrichEvent(read.record, read.moment, home(given));
}

const old = (lastChangedUs: number) => ({
  old: { state: "off", last_changed: formatIsoUs(lastChangedUs), last_updated: formatIsoUs(lastChangedUs) },
});

describe("an enriched event", () => {
  it("knows device, area, value, duration, local time and weather", () => {
    expect(enriched(stateRecord())).toEqual({
      homeId: "home",
      entityId: "light.bed_light",
      atUs: SOME_TIME_US,
      lastChangedUs: SOME_TIME_US,
      kind: "change",
      source: "live",
      state: "on",
      value: true,
      quality: "ok",
      oldState: "off",
      secondsInOldState: 60,
      areaId: "bedroom",
      deviceId: "lamp",
      domain: "light",
      deviceClass: "light",
      localTime: "2026-11-22T06:47:09.185382+01:00",
      dayPart: "morning",
      origin: "LOCAL",
      context: { id: "01KAMC7H5JPQ3V2Z9X8W7T6S5R" },
      attributes: { friendly_name: "Bed light" },
      weather: { condition: "rainy", temperature: 7.5 },
    });
  });

  it("has no member without a value", () => {
    const event = enriched(stateRecord({ entity_id: "sensor.x", state: "text" }), { weatherAt: () => undefined });
    expect(Object.values(event)).not.toContain(undefined);
    expect(Object.keys(event)).not.toContain("areaId");
    expect(Object.keys(event)).not.toContain("weather");
  });

  it("takes the device class from the attributes first, then from the registry", () => {
    const entity = () => ({ deviceClass: "power" });
    const attributes = { unit_of_measurement: "kW" };
    const sensor = { entity_id: "sensor.x", state: "2" };
    expect(enriched(stateRecord({ ...sensor, attributes }), { entity })).toMatchObject({
      deviceClass: "power",
      value: 2000,
      unit: "W",
    });
    expect(
      enriched(stateRecord({ ...sensor, attributes: { ...attributes, device_class: "apparent_power" } }), { entity }),
    ).toMatchObject({ deviceClass: "apparent_power", value: 2, unit: "kW" });
  });

  it("keeps raw state and original unit beside the converted value", () => {
    const attributes = { unit_of_measurement: "°F", device_class: "temperature" };
    expect(enriched(stateRecord({ entity_id: "sensor.x", state: "69.80", attributes }))).toMatchObject({
      state: "69.80",
      value: 21,
      unit: "°C",
      attributes,
    });
  });

  it("has no value, but a quality, while the entity has none", () => {
    for (const [state, quality] of [
      ["unavailable", "unavailable"],
      ["unknown", "unknown"],
      ["", "unknown"],
    ] as const) {
      const event = enriched(stateRecord({ state }));
      expect(event).toMatchObject({ state, quality, oldState: "off", secondsInOldState: 60 });
      expect(event).not.toHaveProperty("value");
    }
  });

  it.each(["attributes", "restore", "snapshot"] as const)("of kind %s ends no state", (kind) => {
    const event = enriched(stateRecord({ kind }));
    expect(event).toMatchObject({ kind, oldState: "off" });
    expect(event).not.toHaveProperty("secondsInOldState");
  });

  it("has the duration to the microsecond, and 0 for a state that lasted no time", () => {
    expect(enriched(stateRecord(old(SOME_TIME_US - 1_234_567))).secondsInOldState).toBe(1.234567);
    expect(enriched(stateRecord(old(SOME_TIME_US))).secondsInOldState).toBe(0);
  });

  it("has no duration over a clock that was set", () => {
    expect(enriched(stateRecord(old(SOME_TIME_US + 1)))).not.toHaveProperty("secondsInOldState");
    expect(enriched(stateRecord(old(1_000_000)))).not.toHaveProperty("secondsInOldState");
  });

  it("of a removal has its time fired, no state and no value", () => {
    const event = enriched(removedRecord(old(SOME_TIME_US - 5_000_000)));
    expect(event).toMatchObject({
      kind: "removed",
      atUs: SOME_TIME_US,
      lastChangedUs: SOME_TIME_US,
      state: "",
      quality: "unavailable",
      oldState: "off",
      areaId: "bedroom",
      deviceId: "lamp",
      attributes: {},
    });
    expect(event).not.toHaveProperty("secondsInOldState");
    expect(event).not.toHaveProperty("value");
  });

  it("keeps origin, source and the whole context", () => {
    const context = { id: "a", parent_id: "b", user_id: "c" };
    expect(enriched(stateRecord({ origin: "REMOTE", source: "backfill", context }))).toMatchObject({
      origin: "REMOTE",
      source: "backfill",
      context: { id: "a", parentId: "b", userId: "c" },
    });
  });

  it.each([
    ["2026-03-29T00:59:59.999999+00:00", "2026-03-29T01:59:59.999999+01:00", "night"],
    ["2026-03-29T01:00:00.000000+00:00", "2026-03-29T03:00:00.000000+02:00", "night"],
    ["2026-10-25T00:59:59.999999+00:00", "2026-10-25T02:59:59.999999+02:00", "night"],
    ["2026-10-25T01:00:00.000000+00:00", "2026-10-25T02:00:00.000000+01:00", "night"],
    ["2026-07-01T04:00:00.000000+00:00", "2026-07-01T06:00:00.000000+02:00", "morning"],
    ["2026-07-01T10:00:00.000000+00:00", "2026-07-01T12:00:00.000000+02:00", "afternoon"],
    ["2026-07-01T15:59:59.999999+00:00", "2026-07-01T17:59:59.999999+02:00", "afternoon"],
    ["2026-07-01T16:00:00.000000+00:00", "2026-07-01T18:00:00.000000+02:00", "evening"],
  ])("at %s is at %s, %s", (time, localTime, dayPart) => {
    expect(enriched(stateRecord({ last_updated: time, last_changed: time }))).toMatchObject({ localTime, dayPart });
  });
});

it("each hour has its part of the day", () => {
  const parts = Array.from({ length: 24 }, (_, hour) => dayPartOf(hour));
  expect(parts.map((part) => part[0]).join("")).toBe("nnnnnnmmmmmmaaaaaaeeeeee");
});
