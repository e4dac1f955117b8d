import { featuresOfEntity } from "./entity-features.ts";
import { zigbeeAddressesOf } from "./row-facts.ts";
import type { Device, DeviceCapabilities, Entity, EntityAbilities, Feature } from "./rows.ts";
import { type UsableFeature, usableOfEntities, usableOfZigbee } from "./usable.ts";

/** What a device can do. */
export interface DeviceAbilities {
  readonly source: "zigbee2mqtt" | "home-assistant";
  readonly features: readonly Feature[];
  /** Settings of Zigbee2MQTT itself for it. */
  readonly options: readonly Feature[];
  /** What Zigbee2MQTT says of the device beside that. */
  readonly zigbee?: DeviceCapabilities;
  /** Those that a person or an automation could use and whose use can be seen. Ordered as the features. */
  readonly usable: readonly UsableFeature[];
}

export interface AbilitySources {
  readonly capabilities: readonly DeviceCapabilities[];
  readonly entities: readonly Entity[];
  readonly abilities: readonly EntityAbilities[];
}

/** Builds the look-up, O(rows). undefined: nothing is known of what the device can do. Zigbee2MQTT knows more of its devices than Home Assistant's states tell. */
export function deviceAbilities({
  capabilities,
  entities,
  abilities,
}: AbilitySources): (device: Pick<Device, "deviceId" | "identifiers">) => DeviceAbilities | undefined {
  const byAddress = new Map(capabilities.map((row) => [row.ieeeAddress, row]));
  const ofDevice = Map.groupBy(entities, ({ deviceId }) => deviceId);
  const byEntity = new Map(abilities.map((one) => [one.entityId, one.attributes]));
  return (device) => {
    const own = ofDevice.get(device.deviceId) ?? [];
    const zigbee = zigbeeAddressesOf(device).flatMap((address) => byAddress.get(address) ?? [])[0];
    if (zigbee && zigbee.features.length > 0) {
      const { features, options } = zigbee;
      return { source: "zigbee2mqtt", features, options, zigbee, usable: usableOfZigbee(features, own) };
    }
    const features = own.flatMap((entity) => {
      const attributes = byEntity.get(entity.entityId);
      return attributes ? featuresOfEntity(entity, attributes) : [];
    });
    if (features.length === 0)
      return zigbee && { source: "zigbee2mqtt", features, options: zigbee.options, zigbee, usable: [] };
    // Of a device without a definition Zigbee2MQTT knows only what it is.
    return {
      source: "home-assistant",
      features,
      options: [],
      ...(zigbee && { zigbee }),
      usable: usableOfEntities(features, own),
    };
  };
}
