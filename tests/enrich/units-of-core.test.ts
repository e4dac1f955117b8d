import { describe, expect, it } from "vitest";
import { toCanonical, unitTable } from "../../lib/enrich/index.ts";
import core from "../samples/units/unit-ratios-2026.11.0.json" with { type: "json" };

const table = unitTable();
const classes: [string, Record<string, number>][] = Object.entries(core.ratios);
/** Units of core that are no multiple of our canonical one. */
const NO_MULTIPLE = new Set(["Beaufort", "ppm", "ppb", "%", "Wh/km", "km/kWh", "mi/kWh", "kWh/100km"]);
const isMultiple = (deviceClass: string, unit: string) =>
  deviceClass === "volatile_organic_compounds_parts" || !NO_MULTIPLE.has(unit);
const pairs = classes.flatMap(([deviceClass, ratios]) =>
  Object.entries(ratios)
    .filter(([unit]) => isMultiple(deviceClass, unit))
    .map(([unit, ratio]) => ({ deviceClass, unit, ratio, ratios })),
);

describe("units, beside those of Home Assistant core 2026.11.0", () => {
  it.each(pairs)("$unit of $deviceClass converts as core converts it", ({ deviceClass, unit, ratio, ratios }) => {
    const canonical = table.get(deviceClass)?.unit ?? "";
    const size = (value: number) => toCanonical(value, unit, deviceClass).value;
    expect(toCanonical(0, unit, deviceClass).unit).toBe(canonical);
    // A difference of two values, because temperatures have zeros of their own; core rounds the psi at the seventh digit.
    expect((size(1000) - size(0)) / 1000 / ((ratios[canonical] ?? Number.NaN) / ratio)).toBeCloseTo(1, 6);
  });

  it("know the micro sign of both its versions", () => {
    for (const [deviceClass, rest, canonical] of [
      ["weight", "g", 1e-9],
      ["duration", "s", 1e-6],
      ["current", "A", 1e-6],
      ["voltage", "V", 1e-6],
      ["conductivity", "S/cm", 1],
      ["pm25", "g/m³", 1],
    ] as const) {
      const old = toCanonical(1, `\u00B5${rest}`, deviceClass);
      expect(old).toEqual(toCanonical(1, `\u03BC${rest}`, deviceClass));
      expect(old.value).toBeCloseTo(canonical, 12);
    }
  });
});
