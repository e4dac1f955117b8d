import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeName, encodeName } from "../../../lib/adapters/influxdb/names.ts";

const anyName = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({
    unit: fc.constantFrom("%", "u", "d", "8", "'", '"', "\\", ",", "=", " ", "\n", ";", "/", "é", "🏠", "\ud800"),
  }),
);

describe("ids in InfluxDB", () => {
  it("come back as they were", () => {
    fc.assert(
      fc.property(anyName, (name) => {
        expect(decodeName(encodeName(name))).toBe(name);
      }),
      { numRuns: 2_000 },
    );
  });

  it("have no character that means something to line protocol, to InfluxQL or to a pattern but the dot, and are never empty", () => {
    fc.assert(
      fc.property(anyName, (name) => {
        expect(encodeName(name)).toMatch(/^[\p{L}\p{N}_.%-]+$/u);
      }),
      { numRuns: 2_000 },
    );
  });

  it("of Home Assistant stay as they are", () => {
    expect(encodeName("binary_sensor.kitchen_2-door")).toBe("binary_sensor.kitchen_2-door");
    expect(encodeName("light.a b")).toBe("light.a%20b");
    expect(encodeName("")).toBe("%");
  });
});
