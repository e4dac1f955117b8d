import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { qualityOf, typedValue } from "../../lib/enrich/index.ts";

const typed = (domain: string, state: string, attributes: Record<string, unknown> = {}, deviceClass?: string) =>
  typedValue({ domain, state, attributes, deviceClass });
const celsius = { unit_of_measurement: "°C" };

describe("the typed value", () => {
  it.each<[string, string, Record<string, unknown>, string | undefined, unknown]>([
    ["sensor", "21.5", celsius, "temperature", { value: 21.5, unit: "°C" }],
    ["sensor", "70.7", { unit_of_measurement: "°F" }, "temperature", { value: 21.5, unit: "°C" }],
    ["sensor", "70.7", { unit_of_measurement: "°F" }, undefined, { value: 70.7, unit: "°F" }],
    ["sensor", "7", { state_class: "measurement" }, undefined, { value: 7 }],
    ["sensor", "7", {}, "aqi", { value: 7 }],
    ["sensor", "1.5e3", celsius, undefined, { value: 1500, unit: "°C" }],
    ["sensor", "-.5", celsius, undefined, { value: -0.5, unit: "°C" }],
    ["number", "3", {}, undefined, { value: 3 }],
    ["input_number", "3.25", {}, undefined, { value: 3.25 }],
    ["counter", "12", {}, undefined, { value: 12 }],
    ["zone", "2", {}, undefined, { value: 2 }],
    // No number is meant.
    ["sensor", "2026", {}, undefined, {}],
    ["sensor", "2026.11", {}, "enum", {}],
    ["sensor", "2026-11-22T06:00:00+00:00", {}, "timestamp", {}],
    ["input_text", "42", {}, undefined, {}],
    ["update", "5", {}, "firmware", {}],
    // No number can be read; the unit stays known.
    ["sensor", "unavailable", { unit_of_measurement: "°F" }, "temperature", { unit: "°C" }],
    ["sensor", "nan", celsius, "temperature", { unit: "°C" }],
    ["sensor", "NaN", celsius, "temperature", { unit: "°C" }],
    ["sensor", "inf", celsius, "temperature", { unit: "°C" }],
    ["sensor", "-Infinity", celsius, "temperature", { unit: "°C" }],
    ["sensor", "1e999", celsius, "temperature", { unit: "°C" }],
    ["sensor", "1e308", { unit_of_measurement: "TW" }, "power", { unit: "W" }],
    ["sensor", "0x10", celsius, undefined, { unit: "°C" }],
    ["sensor", " 1", celsius, undefined, { unit: "°C" }],
    ["sensor", "1,5", celsius, undefined, { unit: "°C" }],
    ["sensor", "", celsius, undefined, { unit: "°C" }],
    // On and off, as Home Assistant counts them.
    ["light", "on", {}, undefined, { value: true }],
    ["binary_sensor", "off", {}, "door", { value: false }],
    ["cover", "open", {}, undefined, { value: true }],
    ["cover", "closed", {}, undefined, { value: false }],
    ["person", "home", {}, undefined, { value: true }],
    ["device_tracker", "not_home", {}, undefined, { value: false }],
    ["lock", "locked", {}, undefined, { value: true }],
    ["lock", "unlocked", {}, undefined, { value: false }],
    ["sun", "above_horizon", {}, undefined, { value: true }],
    ["sun", "below_horizon", {}, undefined, { value: false }],
    // In between, and elsewhere.
    ["cover", "opening", {}, undefined, {}],
    ["lock", "jammed", {}, undefined, {}],
    ["person", "Work", {}, undefined, {}],
    ["light", "unknown", {}, undefined, {}],
    ["input_select", "on", {}, undefined, {}],
    // Attributes may say anything.
    ["sensor", "5", { unit_of_measurement: 7 }, undefined, {}],
    ["sensor", "5", { unit_of_measurement: "x".repeat(65) }, undefined, {}],
    ["sensor", "5", { unit_of_measurement: "W\0" }, undefined, {}],
    ["sensor", "5", { state_class: null }, undefined, {}],
  ])("of %s %s with %j and class %s is %j", (domain, state, attributes, deviceClass, wanted) => {
    expect(typed(domain, state, attributes, deviceClass)).toEqual(wanted);
  });

  it("is a finite number, a truth or nothing, whatever the state", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.double().map(String), fc.constantFrom("on", "inf", "nan", "1e400")),
        fc.constantFrom("sensor", "number", "light"),
        fc.constantFrom("°F", "TW", "W", ""),
        fc.constantFrom(undefined, "temperature", "power"),
        (state, domain, unit, deviceClass) => {
          const { value } = typed(domain, state, { unit_of_measurement: unit }, deviceClass);
          if (typeof value === "number") expect(Number.isFinite(value)).toBe(true);
          else expect([undefined, true, false]).toContain(value);
        },
      ),
    );
  });

  it("of a double that Home Assistant writes is that double", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
        expect(typed("number", String(number))).toEqual({ value: number + 0 });
      }),
    );
  });
});

describe("quality", () => {
  it.each([
    ["on", "ok"],
    ["none", "ok"],
    ["Unknown", "ok"],
    ["unknown", "unknown"],
    ["", "unknown"],
    ["unavailable", "unavailable"],
  ])('of "%s" is %s', (state, wanted) => {
    expect(qualityOf(state)).toBe(wanted);
  });
});
