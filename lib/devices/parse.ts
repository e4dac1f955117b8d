import type { RegistryName } from "../event/index.ts";
import { parseCapabilities } from "./capabilities.ts";
import { field, type RawRow, text } from "./loose.ts";
import type { Area, Device, Entity, Floor, IndexedRows, Label, RegistryRows } from "./ports.ts";

export type { RawRow } from "./loose.ts";

/**
 * Labels, config entries, identifiers and connections are sets in Home Assistant, listed in another order after each of its starts (Python salts the hashes of texts). Sorted,
 * they stay what they were: else each start would rewrite the registry and fill the history. Source: core 2026.11.0 helpers/device_registry.py, `list(self.identifiers)`.
 */
const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.flatMap((one) => text(one) ?? []).toSorted() : [];

/** Identifiers and connections: lists of lists, of which some integrations hold numbers. */
const pairs = (value: unknown): string[][] =>
  Array.isArray(value) ? value.flatMap((one) => (Array.isArray(one) ? [one.map(String)] : [])).toSorted() : [];

function parseArea(row: RawRow): Area | undefined {
  const areaId = text(row.area_id);
  if (areaId === undefined) return undefined;
  return { areaId, name: text(row.name) ?? areaId, ...field("floorId", text(row.floor_id)), labels: texts(row.labels) };
}

function parseFloor(row: RawRow): Floor | undefined {
  const floorId = text(row.floor_id);
  if (floorId === undefined) return undefined;
  const level = typeof row.level === "number" ? row.level : undefined;
  return { floorId, name: text(row.name) ?? floorId, ...field("level", level) };
}

function parseLabel(row: RawRow): Label | undefined {
  const labelId = text(row.label_id);
  return labelId === undefined ? undefined : { labelId, name: text(row.name) ?? labelId };
}

/** Until 2026.8 a device has `config_entries`; since then `config_entry_id`; a child device has only the latter. */
const configEntryOf = (row: RawRow): string | undefined =>
  text(row.config_entry_id) ?? text(row.primary_config_entry) ?? texts(row.config_entries)[0];

function parseDevice(row: RawRow): Device | undefined {
  const deviceId = text(row.id);
  if (deviceId === undefined) return undefined;
  return {
    deviceId,
    name: text(row.name_by_user) ?? text(row.name) ?? text(row.model) ?? deviceId,
    ...field("manufacturer", text(row.manufacturer)),
    ...field("model", text(row.model)),
    ...field("swVersion", text(row.sw_version)),
    ...field("areaId", text(row.area_id)),
    ...field("parentDeviceId", text(row.parent_device_id)),
    ...field("viaDeviceId", text(row.via_device_id)),
    ...field("configEntryId", configEntryOf(row)),
    labels: texts(row.labels),
    identifiers: pairs(row.identifiers),
    connections: pairs(row.connections),
    ...field("disabledBy", text(row.disabled_by)),
    ...(text(row.parent_device_id) !== undefined && isNamePart(row) && { nameFollows: "parent" as const }),
  };
}

/**
 * Before 2026.9 (`has_entity_name`) a name that the user gave stands alone; since then it follows the device's as well. `next_name_part` says what a display would
 * put before the name; `area` (the row has an area of its own) still leaves the device in the friendly name: "Bed Light Bed lamp".
 * Source: recorded registries and states of 2024.3.3, 2026.2.3 and 2026.11.0.
 */
const isNamePart = (row: RawRow): boolean =>
  text(row.next_name_part) !== undefined || (row.has_entity_name === true && text(row.name) === undefined);

function parseEntity(row: RawRow): Entity | undefined {
  const entityId = text(row.entity_id);
  if (entityId === undefined || !entityId.includes(".")) return undefined;
  return {
    entityId,
    ...field("name", text(row.name) ?? text(row.original_name)),
    ...(isNamePart(row) && { nameFollows: "device" as const }),
    ...field("areaId", text(row.area_id)),
    ...field("deviceId", text(row.device_id)),
    ...field("platform", text(row.platform)),
    ...field("uniqueId", text(row.unique_id)),
    ...field("deviceClass", text(row.device_class) ?? text(row.original_device_class)),
    ...field("entityCategory", text(row.entity_category)),
    ...field("disabledBy", text(row.disabled_by)),
    ...field("hiddenBy", text(row.hidden_by)),
    labels: texts(row.labels),
  };
}

const PARSERS: { readonly [N in IndexedRows]: (row: RawRow) => RegistryRows[N] | undefined } = {
  areas: parseArea,
  floors: parseFloor,
  labels: parseLabel,
  devices: parseDevice,
  entities: parseEntity,
  capabilities: parseCapabilities,
};

/** Rows of one registry as of Home Assistant 2024.3 to 2026.11. A row without its id is left out: it costs nothing but itself. */
export const parseRegistryRows = <N extends RegistryName>(registry: N, rows: readonly RawRow[]): RegistryRows[N][] =>
  parseRows(registry, rows);

/** As `parseRegistryRows`, also of what is no registry of Home Assistant's. */
export function parseRows<N extends IndexedRows>(name: N, rows: readonly RawRow[]): RegistryRows[N][] {
  const parse = PARSERS[name];
  return rows.flatMap((row) => parse(row) ?? []);
}
