import { type NewRelayRecord, REGISTRIES, type RegistryName } from "../event/index.ts";
import type { EntityFilter } from "./filter.ts";
import type { HaConfig } from "./ports.ts";
import { intoParts } from "./row-parts.ts";
import { noSecrets, type SecretCount, withoutSecrets } from "./secrets.ts";

type Row = Readonly<Record<string, unknown>>;

/** What travels of each registry's rows; other members stay home. Absent ones stay absent (child devices of 2026.9 have few). */
const KEYS: Readonly<Record<RegistryName, readonly string[]>> = {
  areas: ["area_id", "name", "floor_id", "labels"],
  floors: ["floor_id", "name", "level"],
  labels: ["label_id", "name"],
  devices: [
    "id",
    "name",
    "name_by_user",
    "manufacturer",
    "model",
    "model_id",
    "sw_version",
    "hw_version",
    "area_id",
    "parent_device_id",
    "via_device_id",
    "config_entry_id",
    "config_entries",
    "primary_config_entry",
    "entry_type",
    "labels",
    "identifiers",
    "connections",
    "disabled_by",
    "next_name_part",
  ],
  entities: [
    "entity_id",
    "name",
    "original_name",
    // Whether the name is whole, or follows the device's: without these a motion sensor is called "Motion", and nothing else.
    "has_entity_name",
    "next_name_part",
    "area_id",
    "device_id",
    "platform",
    "unique_id",
    "device_class",
    "original_device_class",
    "entity_category",
    "disabled_by",
    "hidden_by",
    "labels",
  ],
};

/** The event that says that a registry has changed. It carries an id only, so the registry is read again. */
export const REGISTRY_EVENTS: Readonly<Record<RegistryName, string>> = {
  areas: "area_registry_updated",
  floors: "floor_registry_updated",
  labels: "label_registry_updated",
  devices: "device_registry_updated",
  entities: "entity_registry_updated",
};
export { REGISTRIES };

export interface RegistryOptions {
  readonly revision: number;
  readonly isIncluded: EntityFilter;
  /** Counts what is kept back. */
  readonly secrets?: SecretCount;
}

/** A registry as records: all parts of one revision, in order; an empty registry is one empty part. */
export function registryRecords(
  registry: RegistryName,
  rows: readonly Row[],
  { revision, isIncluded, secrets = noSecrets() }: RegistryOptions,
): NewRelayRecord[] {
  const travelling = rows.filter(
    (row) => registry !== "entities" || typeof row.entity_id !== "string" || isIncluded(row.entity_id),
  );
  const parts = intoParts(travelling.map((row) => pick(row, KEYS[registry], secrets)));
  return parts.map((part, index) => ({
    t: "registry",
    registry,
    revision,
    part: index + 1,
    parts: parts.length,
    rows: part,
  }));
}

/** get_config as a record, without the place on earth. */
export function homeRecord(config: HaConfig, revision: number): NewRelayRecord {
  return {
    t: "home",
    revision,
    location_name: String(config.location_name ?? "").slice(0, 255),
    time_zone: String(config.time_zone ?? "UTC").slice(0, 64),
    version: String(config.version ?? "").slice(0, 32),
    ...(typeof config.language === "string" && { language: config.language.slice(0, 16) }),
    ...(typeof config.country === "string" && { country: config.country.slice(0, 8) }),
    ...(config.unit_system && { unit_system: textsOf(config.unit_system) }),
  };
}

const textsOf = (object: Readonly<Record<string, unknown>>): Record<string, string> =>
  Object.fromEntries(Object.entries(object).filter((entry): entry is [string, string] => typeof entry[1] === "string"));

function pick(row: Row, keys: readonly string[], secrets: SecretCount): Row {
  const picked = Object.fromEntries(keys.filter((key) => row[key] !== undefined).map((key) => [key, row[key]]));
  try {
    return withoutSecrets(picked, secrets) as Row;
  } catch {
    // A member that is too deep or too long to be read: the row goes on with its id alone.
    return { [keys[0] ?? "id"]: row[keys[0] ?? "id"] };
  }
}
