import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromWireEvent, toWireEvent } from "../../lib/event/index.ts";
import { anyEvent, buildEvent, fullEvent } from "../support/events.ts";

describe("the event as the API shows it", () => {
  it("is the same event read back, through JSON too", () =>
    fc.assert(
      fc.property(anyEvent, (event) => {
        expect(fromWireEvent(JSON.parse(JSON.stringify(toWireEvent(event))))).toStrictEqual(event);
      }),
    ));

  it("has Home Assistant's names and times of six decimals", () => {
    expect(toWireEvent(fullEvent)).toEqual({
      home_id: "home",
      entity_id: "sensor.outside_temperature",
      state: "69.8",
      value: 21,
      unit: "°C",
      quality: "ok",
      kind: "change",
      last_changed: "2026-11-22T05:47:07.950815+00:00",
      last_updated: "2026-11-22T05:47:09.185382+00:00",
      old_state: "69.6",
      seconds_in_old_state: 300.000123,
      area_id: "garden",
      device_id: "d0e1f2",
      domain: "sensor",
      device_class: "temperature",
      local_time: "2026-11-22T06:47:09.185382+01:00",
      day_part: "morning",
      origin: "REMOTE",
      source: "live",
      context: { id: "01KAMC7H5JPQ3V2Z9X8W7T6S5R", parent_id: "01KAMC7H5JPQ3V2Z9X8W7T6S5Q", user_id: "8e3c" },
      attributes: fullEvent.attributes,
      weather: { condition: "rainy", temperature: 7.5, humidity: 91, wind_speed: 12.25, pressure: 1004.1 },
    });
  });

  it("leaves out what an event does not have", () => {
    const wire = toWireEvent(buildEvent());
    expect(Object.keys(wire)).not.toContain("value");
    expect(Object.values(wire)).not.toContain(undefined);
    expect(wire.context).toEqual({ id: "01KAMC7H5JPQ3V2Z9X8W7T6S5R" });
  });

  it("shows a false and a 0, and weather of a condition alone", () => {
    expect(toWireEvent(buildEvent({ value: false, secondsInOldState: 0 }))).toMatchObject({
      value: false,
      seconds_in_old_state: 0,
    });
    expect(toWireEvent(buildEvent({ weather: { condition: "fog" } })).weather).toEqual({ condition: "fog" });
  });
});
