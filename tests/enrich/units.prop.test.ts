import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromCanonical, toCanonical, unitTable } from "../../lib/enrich/index.ts";

const table = [...unitTable()];
const pairs = table.flatMap(([deviceClass, { units }]) => units.map((unit) => ({ deviceClass, unit })));
const isClose = (a: number, b: number, size: number) => Math.abs(a - b) <= Math.max(1e-9, Math.abs(size) * 1e-9);

describe("units", () => {
  it.each([
    [70.7, "°F", "temperature", 21.5, "°C"],
    [-40, "°F", "temperature", -40, "°C"],
    [273.15, "K", "temperature", 0, "°C"],
    [9, "°F", "temperature_delta", 5, "°C"],
    [1500, "Wh", "energy", 1.5, "kWh"],
    [3.6, "MJ", "energy", 1, "kWh"],
    [2.5, "kW", "power", 2500, "W"],
    [29.92, "inHg", "atmospheric_pressure", 1013.20748119, "hPa"],
    [1, "psi", "pressure", 68.94757293168, "hPa"],
    [10, "m/s", "wind_speed", 36, "km/h"],
    [60, "mph", "speed", 96.56064, "km/h"],
    [1, "kn", "speed", 1.852, "km/h"],
    [1, "mi", "distance", 1609.344, "m"],
    [1, "in", "precipitation", 25.4, "mm"],
    [1, "gal", "water", 3.785411784, "L"],
    [1, "m³", "water", 1000, "L"],
    [1, "CCF", "gas", 2.8316846592, "m³"],
    [1000, "L", "gas", 1, "m³"],
    [1, "lb", "weight", 0.45359237, "kg"],
    [90, "min", "duration", 5400, "s"],
    [1, "GiB", "data_size", 1073.741824, "MB"],
    [1, "MB/s", "data_rate", 8, "Mbit/s"],
    [1, "ac", "area", 4046.8564224, "m²"],
    [180.16, "mg/dL", "blood_glucose_concentration", 10, "mmol/L"],
  ])("%d %s of %s is %d %s", (value, unit, deviceClass, wanted, canonical) => {
    const converted = toCanonical(value, unit, deviceClass);
    expect(converted.unit).toBe(canonical);
    expect(converted.value).toBeCloseTo(wanted, 9);
  });

  it.each([
    [3, "Beaufort", "wind_speed"],
    [400, "ppm", "carbon_dioxide"],
    [21, "°C", undefined],
    [21, "°F", "no class"],
    [5, "°C", "power"],
    [21.1234567890123, "°C", "temperature"],
  ])("%d %s of %s stays as it is", (value, unit, deviceClass) => {
    expect(toCanonical(value, unit, deviceClass)).toEqual({ value, unit });
  });

  it("go to the canonical one and back", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...pairs),
        fc.double({ min: -1e6, max: 1e6, noNaN: true }),
        ({ deviceClass, unit }, value) => {
          const there = toCanonical(value, unit, deviceClass);
          const back = fromCanonical(there.value, unit, deviceClass);
          expect(isClose(back, value, Math.max(Math.abs(value), 1000))).toBe(true);
          expect(toCanonical(there.value, there.unit, deviceClass)).toEqual(there);
        },
      ),
    );
  });

  it("keep the order of values, and equal ones equal", () => {
    fc.assert(
      fc.property(fc.constantFrom(...pairs), fc.integer(), fc.integer(), ({ deviceClass, unit }, a, b) => {
        const difference = toCanonical(a, unit, deviceClass).value - toCanonical(b, unit, deviceClass).value;
        expect(Math.sign(difference)).toBe(Math.sign(a - b));
      }),
    );
  });

  it("have their canonical one among them, once", () => {
    for (const [, { unit, units }] of table) {
      expect(units.filter((one) => one === unit)).toEqual([unit]);
      expect(new Set(units).size).toBe(units.length);
    }
  });

  it("of no device class convert back from nothing", () => {
    expect(() => fromCanonical(1, "°C", "power")).toThrow('"°C"');
  });
});
