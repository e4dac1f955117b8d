import { AREAS, FLOORS, LABELS } from "../house/areas.ts";
import { type Device, type Entity, formerBoilerId, HOUSE_MADE_AT_SECONDS, type House } from "../house/house.ts";
import type { Flavour } from "./flavours.ts";

export type Fields = Readonly<Record<string, unknown>>;

const MADE = HOUSE_MADE_AT_SECONDS + 0.153_906;
const times = (index: number) => ({ created_at: MADE + index / 1000, modified_at: MADE + index / 1000 + 0.000_002 });

/** Rows as the newest release lists them; older ones take keys away (`projected`). */
export const areaRows = (): Fields[] =>
  AREAS.map((area, index) => ({
    aliases: [],
    area_id: area.id,
    floor_id: area.floor,
    humidity_entity_id: null,
    icon: area.icon,
    labels: area.labels,
    name: area.name,
    picture: null,
    temperature_entity_id: null,
    ...times(index),
  }));

export const floorRows = (): Fields[] =>
  FLOORS.map((floor, index) => ({
    aliases: floor.aliases,
    created_at: MADE + index / 1000,
    floor_id: floor.id,
    icon: floor.icon,
    level: floor.level,
    name: floor.name,
    modified_at: MADE + index / 1000 + 0.000_006,
  }));

export const labelRows = (): Fields[] =>
  LABELS.map((label, index) => ({
    color: label.color,
    created_at: MADE + index / 1000,
    description: label.description,
    icon: label.icon,
    label_id: label.id,
    name: label.name,
    modified_at: MADE + index / 1000 + 0.000_005,
  }));

function fullDevice(device: Device, index: number, house: House): Fields {
  const { spec, configEntryId } = device;
  const via = house.devices.find((one) => one.spec.key === spec.via);
  return {
    area_id: spec.area,
    configuration_url: null,
    config_entries: [configEntryId],
    config_entries_subentries: { [configEntryId]: [null] },
    config_entry_id: configEntryId,
    config_subentry_id: null,
    connections: spec.mac === undefined ? [] : [["mac", spec.mac]],
    created_at: times(index).created_at,
    disabled_by: null,
    entry_type: spec.entryType ?? null,
    hw_version: null,
    id: device.id,
    identifiers: [[spec.platform, spec.mac === undefined ? spec.key : "boiler"]],
    labels: spec.labels ?? [],
    manufacturer: spec.manufacturer ?? null,
    model: spec.model ?? null,
    model_id: null,
    modified_at: times(index).modified_at,
    name_by_user: spec.userName ?? null,
    name: spec.name,
    next_name_part: spec.area === null ? null : "area",
    parent_device_id: null,
    primary_config_entry: configEntryId,
    serial_number: null,
    sw_version: null,
    via_device_id: via?.id ?? null,
  };
}

/** A part of another device: fewer keys, at the end of the list. */
function childDevice(device: Device, index: number, house: House): Fields {
  const parent = house.devices.find((one) => one.spec.key === device.spec.parent);
  return {
    area_id: null,
    config_entry_id: device.configEntryId,
    config_subentry_id: null,
    created_at: times(index).created_at,
    disabled_by: null,
    id: device.id,
    identifiers: [[device.spec.platform, device.spec.key]],
    labels: [],
    modified_at: times(index).modified_at,
    name_by_user: null,
    name: device.spec.name,
    next_name_part: "parent_device",
    parent_device_id: parent?.id ?? null,
  };
}

const NEWEST_ONLY = ["config_entry_id", "config_subentry_id", "parent_device_id", "next_name_part"];

/**
 * The devices of a release. Before 2026.8 there are no children (their sockets are devices of their own, through the strip) and the boiler is
 * one device under its old id.
 */
export function deviceRows(house: House, flavour: Flavour): Fields[] {
  const whole = house.devices.filter((device) => device.spec.parent === undefined || !flavour.hasChildDevices);
  const rows = whole.map((device, index) => fullDevice(device, index, house));
  if (!flavour.hasChildDevices) {
    const isTwin = (row: Fields) => Array.isArray(row.connections) && row.connections.length > 0;
    const twins = rows.filter(isTwin);
    const [first] = twins;
    const one = {
      ...first,
      id: formerBoilerId(house.seed),
      config_entries: twins.map((row) => row.primary_config_entry),
    };
    return [...rows.filter((row) => !isTwin(row)), ...(first ? [one] : [])];
  }
  const children = house.devices.filter((device) => device.spec.parent !== undefined);
  return [...rows, ...children.map((device, index) => childDevice(device, whole.length + index, house))];
}

export function entityRow(entity: Entity, index: number, house: House, flavour: Flavour): Fields {
  const { spec, device } = entity;
  const isTwin = device?.spec.mac !== undefined && !flavour.hasChildDevices;
  return {
    area_id: spec.area ?? null,
    categories: {},
    config_entry_id: device?.configEntryId ?? null,
    config_subentry_id: null,
    created_at: times(index).created_at,
    device_id: isTwin ? formerBoilerId(house.seed) : (device?.id ?? null),
    disabled_by: spec.disabledBy ?? null,
    entity_category: spec.category ?? null,
    entity_id: entity.id,
    has_entity_name: device !== undefined,
    hidden_by: spec.hiddenBy ?? null,
    icon: null,
    id: entity.registryId,
    labels: spec.labels ?? [],
    modified_at: times(index).modified_at,
    name: spec.userName ?? null,
    next_name_part: device ? "device" : null,
    options: { ...spec.options, conversation: { should_expose: spec.category === undefined } },
    original_name: spec.name,
    platform: entity.platform,
    translation_key: null,
    unique_id: `${house.seed}_${entity.id.replace(".", "_")}`,
  };
}

export const entityRows = (house: House, flavour: Flavour): Fields[] =>
  // A zone of the configuration file is in no registry.
  house.entities.filter((one) => one.domain !== "zone").map((one, index) => entityRow(one, index, house, flavour));

const NOT_IN: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  "2026.11.0": { entity: ["has_entity_name"] },
  "2026.2.3": { device: NEWEST_ONLY, entity: ["next_name_part"] },
  "2024.3.3": {
    area: ["floor_id", "humidity_entity_id", "labels", "temperature_entity_id", "created_at", "modified_at"],
    device: [
      ...NEWEST_ONLY,
      "config_entries_subentries",
      "created_at",
      "labels",
      "model_id",
      "modified_at",
      "primary_config_entry",
    ],
    entity: ["categories", "config_subentry_id", "created_at", "modified_at", "next_name_part"],
  },
};

/** A row without the keys that a release does not have. */
export function projected(registry: string, row: Fields, flavour: Flavour): Fields {
  const hidden = NOT_IN[flavour.version]?.[registry] ?? [];
  return hidden.length === 0 ? row : Object.fromEntries(Object.entries(row).filter(([key]) => !hidden.includes(key)));
}
