import { describe, expect, it } from "vitest";
import { parseCapabilities } from "../../lib/devices/capabilities.ts";
import { deviceAbilities } from "../../lib/devices/device-abilities.ts";
import { abilityAttributes, featuresOfEntity } from "../../lib/devices/entity-features.ts";
import type { Entity } from "../../lib/devices/rows.ts";
import { bridgeDevices, LAMP } from "../support/zigbee.ts";

const entity = (entityId: string, more: Partial<Entity> = {}): Entity => ({
  entityId,
  deviceId: "device",
  labels: [],
  ...more,
});
const capabilities = bridgeDevices.flatMap((row) => parseCapabilities(row) ?? []);
const device = (address?: string) => ({
  deviceId: "device",
  identifiers: address === undefined ? [["hue", "x"]] : [["mqtt", `zigbee2mqtt_${address}`]],
});
const usableOf = (address: string, entities: readonly Entity[]) =>
  deviceAbilities({ capabilities, entities, abilities: [] })(device(address))?.usable.map(
    ({ key, entityId, abilities }) => [key, entityId, abilities.join()],
  );
const told = (attributes: Readonly<Record<string, unknown>>, ...entities: readonly Entity[]) =>
  deviceAbilities({
    capabilities: [],
    entities,
    abilities: entities.map(({ entityId }) => ({ entityId, atUs: 1, attributes })),
  })(device());

describe("what of a device of Zigbee2MQTT's people could use", () => {
  it("is what is neither setting nor diagnosis, at the entity that shows it", () => {
    const lamp = entity("light.kitchen", { uniqueId: `${LAMP}_light_zigbee2mqtt` });
    expect(usableOf(LAMP, [lamp, entity("select.kitchen_power_on_behavior")])).toEqual([
      ["state", "light.kitchen", "state"],
      ["brightness", "light.kitchen", "brightness"],
      ["color_temp", "light.kitchen", "color_temp"],
      ["color", "light.kitchen", "color"],
    ]);
  });

  it("is kept apart by endpoint, and found under any id and base topic", () => {
    const address = "0x54ef4410000a1b2c";
    const left = entity("switch.hall", { uniqueId: `${address}_switch_left_zigbee2mqtt_attic` });
    const right = entity("switch.renamed", { uniqueId: `${address}_switch_right_z2m` });
    const rows = [
      ["state_left", "switch.hall", "state"],
      ["state_right", "switch.renamed", "state"],
    ];
    expect(usableOf(address, [left, right])).toEqual(rows);
    const old = [entity("switch.hall_left"), entity("switch.hall_right")];
    expect(usableOf(address, old)?.map(([key]) => key)).toEqual(["state_left", "state_right"]);
  });

  it("is nothing where Home Assistant shows nothing of it, or the entity is disabled or a setting", () => {
    expect(usableOf(LAMP, [])).toEqual([]);
    const uniqueId = `${LAMP}_light_zigbee2mqtt`;
    expect(usableOf(LAMP, [entity("light.a", { uniqueId, disabledBy: "user" })])).toEqual([]);
    expect(usableOf(LAMP, [entity("light.a", { uniqueId, entityCategory: "config" })])).toEqual([]);
  });

  it("is known by Home Assistant alone where Zigbee2MQTT has no definition", () => {
    const address = "0x0017880109abcdef";
    const attributes = { supported_features: 0, supported_color_modes: ["brightness"] };
    const entities = [entity("light.a")];
    const found = deviceAbilities({
      capabilities,
      entities,
      abilities: [{ entityId: "light.a", atUs: 1, attributes }],
    });
    expect(found(device(address))).toMatchObject({
      source: "home-assistant",
      zigbee: { supported: false },
      usable: [{ key: "state" }, { key: "brightness" }],
    });
    const bare = deviceAbilities({ capabilities, entities: [], abilities: [] })(device(address));
    expect(bare).toMatchObject({ source: "zigbee2mqtt", features: [], usable: [] });
  });
});

describe("what Home Assistant's states tell", () => {
  it("is read from the bits and the modes, with lists and bounds", () => {
    const attributes = abilityAttributes("light.a", {
      supported_features: 44,
      supported_color_modes: ["color_temp", "xy"],
      min_color_temp_kelvin: 2_000,
      max_color_temp_kelvin: 6_500,
      effect_list: ["blink", "okay"],
      brightness: 12,
      friendly_name: "A",
    });
    expect(attributes).not.toHaveProperty("brightness");
    expect(featuresOfEntity(entity("light.a"), attributes)).toMatchObject([
      { name: "state", access: 3, group: "light" },
      { name: "brightness", access: 3, entityId: "light.a" },
      { name: "color_temp", min: 2_000, max: 6_500, unit: "K" },
      { name: "color" },
      { name: "effect", values: ["blink", "okay"] },
      { name: "flash", access: 2 },
      { name: "transition", access: 2 },
    ]);
  });

  it.each([
    ["cover.a", { supported_features: 15 }, ["state", "position"]],
    ["fan.a", { supported_features: 57 }, ["state", "speed", "preset_mode"]],
    ["climate.a", { supported_features: 401 }, ["state", "temperature", "preset_mode"]],
    ["media_player.a", { supported_features: 152_461 }, ["state", "volume", "mute"]],
    ["vacuum.a", { supported_features: 30_524 }, ["state", "fan_speed"]],
    ["lock.a", { supported_features: 1 }, ["state"]],
    ["humidifier.a", { supported_features: 1 }, ["state", "humidity", "mode"]],
    ["light.a", {}, ["state"]],
    ["light.a", { supported_features: "44", supported_color_modes: "xy" }, ["state"]],
    ["cover.a", {}, []],
  ])("of %s with %j", (entityId, attributes, keys) => {
    expect((told(attributes, entity(entityId))?.usable ?? []).map(({ key }) => key)).toEqual(keys);
  });

  it("counts parts by their own names, settings not at all, and keeps what is double apart", () => {
    const part = { nameFollows: "device" as const };
    const found = told(
      {},
      entity("switch.a_child_lock", { ...part, name: "Child lock" }),
      entity("switch.a", { ...part }),
      entity("switch.a_2", { ...part }),
      entity("select.a_mode", { ...part, name: "Mode", entityCategory: "config" }),
      entity("button.a_identify", { ...part, name: "Identify" }),
      entity("sensor.a"),
    );
    expect(found?.usable.map(({ key, abilities }) => [key, abilities.join()])).toEqual([
      ["child_lock", "state"],
      ["state", "state"],
      ["state_a_2", "state"],
    ]);
    expect(found?.features).toHaveLength(5);
    expect(told({}, entity("sensor.a"))).toBeUndefined();
  });
});
