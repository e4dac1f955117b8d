import { describe, expect, it } from "vitest";
import { parseCapabilities } from "../../lib/devices/capabilities.ts";
import { parseRows } from "../../lib/devices/parse.ts";
import type { Entity } from "../../lib/devices/rows.ts";
import { usableOfZigbee } from "../../lib/devices/usable.ts";
import { definitionRows } from "../support/zigbee-definitions.ts";

const rows = [...definitionRows()];
const parsed = rows.flatMap((row) => parseCapabilities(row) ?? []);
const features = parsed.flatMap((one) => one.features);

/** As Zigbee2MQTT would announce the parts of a device. */
const announced = (address: string): Entity[] =>
  ["light", "switch", "cover", "lock", "climate", "fan"].map((domain) => ({
    entityId: `${domain}.a`,
    uniqueId: `${address}_${domain}_zigbee2mqtt`,
    labels: [],
  }));

describe("every definition of zigbee-herdsman-converters", () => {
  it("is read: thousands of devices, with what they can do", () => {
    expect(parsed).toHaveLength(rows.length);
    expect(rows.length).toBeGreaterThan(4_000);
    expect(parseRows("capabilities", rows)).toHaveLength(parsed.length);
    const without = parsed.filter((one) => one.features.length === 0).length;
    expect(without / parsed.length).toBeLessThan(0.02);
    expect(features.length / parsed.length).toBeGreaterThan(5);
    expect(new Set(features.map(({ type }) => type))).toEqual(
      new Set(["binary", "numeric", "enum", "text", "list", "composite"]),
    );
    for (const one of features) {
      expect(one.name).not.toBe("");
      expect(one.access).toBeGreaterThanOrEqual(0);
      expect(one.access).toBeLessThanOrEqual(7);
      expect([undefined, "config", "diagnostic"]).toContain(one.category);
    }
  });

  it("is read in every form that `bridge/devices` has had: none, huge, older, with devices that nobody knows", () => {
    expect(parseRows("capabilities", [])).toEqual([]);
    const huge = [...rows, ...rows];
    expect(parseRows("capabilities", huge)).toHaveLength(huge.length);
    const some = rows.slice(0, 200);
    // 1.x said whether the interview was over, marked no categories and had no labels.
    const older = some.map(({ interview_state: _, definition, ...row }) => ({
      ...{ ...row, interviewing: false, interview_completed: true },
      definition: JSON.parse(JSON.stringify(definition), (key, value: unknown) =>
        key === "category" || key === "label" ? undefined : value,
      ) as unknown,
    }));
    const [before, now] = [parseRows("capabilities", older), parseRows("capabilities", some)];
    expect(before.map((one) => one.features.length)).toEqual(now.map((one) => one.features.length));
    expect(before.every(({ interview }) => interview === "successful")).toBe(true);
    for (const definition of [null, undefined, [], "x", { exposes: {} }, { exposes: null }])
      expect(parseRows("capabilities", [{ ieee_address: "0x1", definition }])).toMatchObject([{ features: [] }]);
  });

  it("is of models that there are: the lamp of the simulated home", () => {
    const lamps = parsed.filter(({ vendor, model }) => vendor === "IKEA" && model === "LED2201G8");
    expect(lamps).toHaveLength(1);
    expect(lamps[0]?.features.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["state", "brightness", "color_temp", "identify"]),
    );
  });

  it("has features that people use, and no setting or upkeep among them", () => {
    const usable = parsed.map((one) => usableOfZigbee(one.features, announced(one.ieeeAddress)).map(({ key }) => key));
    const withSome = usable.filter((keys) => keys.length > 0).length;
    expect(withSome).toBeGreaterThan(1_500);
    expect(Math.max(...usable.map((keys) => keys.length))).toBeLessThan(20);
    for (const keys of usable) {
      expect(new Set(keys).size).toBe(keys.length);
      expect(keys.filter((key) => /startup|identify|calibration|linkquality|_limit|power_on/.test(key))).toEqual([]);
    }
  });
});
