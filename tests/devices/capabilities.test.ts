import { describe, expect, it } from "vitest";
import { parseCapabilities } from "../../lib/devices/capabilities.ts";
import { bridgeDevices } from "../support/zigbee.ts";

const of = (name: string) => {
  const row = bridgeDevices.find(({ friendly_name }) => friendly_name === name);
  const parsed = row && parseCapabilities(row);
  if (!parsed) throw new Error(`no ${name}`);
  return parsed;
};
const named = (name: string) => of(name).features.map((feature) => `${feature.name}/${feature.endpoint ?? ""}`);

describe("what Zigbee2MQTT exposes", () => {
  it("is flattened: a light's features and its colours", () => {
    expect(named("kitchen/ceiling")).toEqual([
      "state/",
      "brightness/",
      "color_temp/",
      "color_temp_startup/",
      "color_xy/",
      "color_xy.x/",
      "color_xy.y/",
      "effect/",
      "power_on_behavior/",
      "identify/",
      "linkquality/",
    ]);
    const [state, , colorTemp] = of("kitchen/ceiling").features;
    expect(state).toEqual({
      name: "state",
      property: "state",
      type: "binary",
      group: "light",
      access: 7,
      label: "State",
      description: "On/off state of this light",
      values: ["ON", "OFF", "TOGGLE"],
    });
    expect(colorTemp).toMatchObject({ unit: "mired", min: 250, max: 454, access: 7 });
    expect(of("kitchen/ceiling").features.find(({ name }) => name === "effect")).toMatchObject({
      access: 2,
      values: expect.arrayContaining(["blink"]),
    });
  });

  it("keeps the ends of a double switch apart", () => {
    expect(named("hall_switch")).toEqual([
      "state/left",
      "state/right",
      "action/",
      "operation_mode/left",
      "device_temperature/",
      "linkquality/",
    ]);
    expect(
      of("hall_switch")
        .features.map(({ property }) => property)
        .slice(0, 2),
    ).toEqual(["state_left", "state_right"]);
  });

  it("goes into composites and names lists", () => {
    const { features, disabled, interview } = of("0xa4c138b1d2e3f405");
    expect(features.map(({ name, type, group }) => [name, type, group])).toEqual([
      ["state", "binary", "lock"],
      ["current_heating_setpoint", "numeric", "climate"],
      ["local_temperature", "numeric", "climate"],
      ["system_mode", "enum", "climate"],
      ["schedule", "composite", undefined],
      ["schedule.week_day", "enum", undefined],
      ["schedule.transitions", "list", undefined],
      ["window", "text", undefined],
      ["linkquality", "numeric", undefined],
    ]);
    expect([disabled, interview]).toEqual([true, "successful"]);
  });

  it("is nothing of a device that nobody knows", () => {
    expect(of("0x0017880109abcdef")).toEqual({
      ieeeAddress: "0x0017880109abcdef",
      friendlyName: "0x0017880109abcdef",
      type: "EndDevice",
      supported: false,
      disabled: false,
      interview: "failed",
      features: [],
      options: [],
    });
  });

  it("is read of older versions and of nonsense", () => {
    expect(parseCapabilities({ ieee_address: "0x1", interview_completed: true })).toMatchObject({
      interview: "successful",
    });
    expect(parseCapabilities({ friendly_name: "x" })).toBeUndefined();
    expect(
      parseCapabilities({
        ieee_address: "0x1",
        definition: {
          exposes: [null, 1, {}, { type: "numeric" }, { type: "numeric", name: "a", access: "7", values: 3 }],
          options: "x",
        },
      })?.features,
    ).toEqual([{ name: "a", type: "numeric", access: 0 }]);
    let deep: unknown = { type: "composite", name: "x", features: [] };
    for (let depth = 0; depth < 100; depth++) deep = { type: "composite", name: "x", features: [deep] };
    expect(parseCapabilities({ ieee_address: "0x1", definition: { exposes: [deep] } })?.features).toHaveLength(7);
  });
});
