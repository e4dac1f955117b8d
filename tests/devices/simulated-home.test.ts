import { describe, expect, it } from "vitest";
import { parseCapabilities } from "../../lib/devices/capabilities.ts";
import { deviceAbilities } from "../../lib/devices/device-abilities.ts";
import { DEVICES } from "../../local/home/house/devices.ts";
import { type DeviceSpec, ZIGBEE } from "../../local/home/house/spec.ts";
import { definitionRows } from "../support/zigbee-definitions.ts";

/** What Zigbee2MQTT would say of the simulated home: the real definitions of its devices' models. */
const definitions = new Map(
  [...definitionRows()].map((row) => [(row.definition as { readonly model: string }).model, row.definition]),
);
/** A definition names its variants of other countries beside its own model. */
const MODELS: Readonly<Record<string, string>> = { "SP 242": "SP 240" };
const zigbee = DEVICES.filter(({ platform, via }) => platform === ZIGBEE && via === "bridge");
const addressOf = (spec: DeviceSpec): string => `0x${zigbee.indexOf(spec).toString(16).padStart(16, "0")}`;
const capabilities = zigbee.flatMap(
  (spec) =>
    parseCapabilities({
      ...{ ieee_address: addressOf(spec), friendly_name: spec.name, type: "Router" },
      definition: definitions.get(MODELS[spec.model ?? ""] ?? spec.model ?? ""),
    }) ?? [],
);
const entities = zigbee.flatMap(({ key, entities: own }) =>
  own.map(({ id, category }) => ({
    ...{ entityId: id, deviceId: key, labels: [] },
    ...(category !== undefined && { entityCategory: category }),
  })),
);
const abilitiesOf = deviceAbilities({ capabilities, entities, abilities: [] });
const usableOf = (key: string) => {
  const spec = zigbee.find((one) => one.key === key);
  if (!spec) throw new Error(key);
  const identifiers = [["mqtt", `zigbee2mqtt_${addressOf(spec)}`]];
  return abilitiesOf({ deviceId: key, identifiers })?.usable.map((one) => `${one.key} ${one.entityId}`);
};

describe("the Zigbee devices of the simulated home", () => {
  it("are of models that Zigbee2MQTT knows", () => {
    expect(zigbee.length).toBeGreaterThan(20);
    expect(
      capabilities.filter(({ features }) => features.length === 0).map(({ friendlyName }) => friendlyName),
    ).toEqual([]);
  });

  it("can be used as their entities show", () => {
    expect(usableOf("hall")).toEqual(["state light.hall", "brightness light.hall", "color_temp light.hall"]);
    expect(usableOf("coffee_machine")).toEqual(["state switch.coffee_machine"]);
    expect(usableOf("hall_motion")).toEqual([]);
    expect(usableOf("front_door")).toEqual([]);
  });
});
