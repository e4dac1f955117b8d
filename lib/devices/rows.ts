import type { RegistryName } from "../event/index.ts";

// The rows of the registries as the index keeps them.

export interface Area {
  readonly areaId: string;
  readonly name: string;
  readonly floorId?: string;
  readonly labels: readonly string[];
}
export interface Floor {
  readonly floorId: string;
  readonly name: string;
  readonly level?: number;
}
export interface Label {
  readonly labelId: string;
  readonly name: string;
}
export interface Device {
  readonly deviceId: string;
  readonly name: string;
  readonly manufacturer?: string;
  readonly model?: string;
  readonly swVersion?: string;
  readonly areaId?: string;
  readonly parentDeviceId?: string;
  readonly viaDeviceId?: string;
  readonly configEntryId?: string;
  readonly labels: readonly string[];
  readonly identifiers: readonly (readonly string[])[];
  readonly connections: readonly (readonly string[])[];
  readonly disabledBy?: string;
  /** The name is whole only after the parent device's (`next_name_part` of Home Assistant 2026.9 and later). */
  readonly nameFollows?: "parent";
}
/** `areaId` is the entity's own; a `RegistryView` resolves what it takes from its device. */
export interface Entity {
  readonly entityId: string;
  /** The user's name, or else the integration's. */
  readonly name?: string;
  /** The name is whole only after the device's (`has_entity_name`, or `next_name_part`); without a name it is the device's. */
  readonly nameFollows?: "device";
  readonly areaId?: string;
  readonly deviceId?: string;
  readonly platform?: string;
  readonly uniqueId?: string;
  readonly deviceClass?: string;
  readonly entityCategory?: string;
  readonly disabledBy?: string;
  readonly hiddenBy?: string;
  readonly labels: readonly string[];
}

/** Something that a device can tell or do, in the model of Zigbee2MQTT's exposes. */
export interface Feature {
  /** Its path: `state`, `color_xy.x`. */
  readonly name: string;
  /** Where its value stands in what the device publishes and takes. */
  readonly property?: string;
  /** `binary`, `numeric`, `enum`, `text`, `list`, `composite`. */
  readonly type: string;
  /** The specific kind it is part of: `light`, `switch`, `climate`. */
  readonly group?: string;
  /** Bits: 1 published, 2 settable, 4 gettable. Source: Zigbee2MQTT's documentation of exposes; read 2026-09. */
  readonly access: number;
  readonly endpoint?: string;
  /** `config` or `diagnostic`; absent: for everyday use. */
  readonly category?: string;
  readonly label?: string;
  readonly description?: string;
  readonly unit?: string;
  readonly values?: readonly (string | number | boolean)[];
  readonly min?: number;
  readonly max?: number;
  readonly step?: number;
  /** Home Assistant's entity that has it; absent where Zigbee2MQTT told of it. */
  readonly entityId?: string;
}

/** What a device can do, by Zigbee2MQTT. */
export interface DeviceCapabilities {
  readonly ieeeAddress: string;
  readonly friendlyName: string;
  /** `Router`, `EndDevice`, `Coordinator`. */
  readonly type?: string;
  readonly manufacturer?: string;
  readonly modelId?: string;
  readonly vendor?: string;
  readonly model?: string;
  readonly description?: string;
  readonly supported: boolean;
  readonly disabled: boolean;
  /** `successful` when all of it is known. */
  readonly interview?: string;
  readonly features: readonly Feature[];
  /** Settings of Zigbee2MQTT itself for this device. */
  readonly options: readonly Feature[];
}

/** What an entity of Home Assistant has said of what it can do. */
export interface EntityAbilities {
  readonly entityId: string;
  /** When it said so. */
  readonly atUs: number;
  /** `supported_features`, `supported_color_modes`, and what lists and bounds its values: as the state had them. */
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** What the index keeps whole, revision by revision: Home Assistant's registries, and what Zigbee2MQTT's devices can do. */
export type IndexedRows = RegistryName | "capabilities";

/** Rows by name. */
export interface RegistryRows {
  readonly areas: Area;
  readonly floors: Floor;
  readonly labels: Label;
  readonly devices: Device;
  readonly entities: Entity;
  readonly capabilities: DeviceCapabilities;
}
