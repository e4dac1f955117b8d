import { friendlyName, type House } from "../house/house.ts";
import type { Flavour } from "./flavours.ts";
import { areaRows, deviceRows, entityRows, type Fields, floorRows, labelRows, projected } from "./registry-rows.ts";

export const REGISTRIES = ["area", "floor", "label", "device", "entity"] as const;
export type RegistryName = (typeof REGISTRIES)[number];

/** The key of a row in each registry. */
export const ID_OF: Readonly<Record<RegistryName, string>> = {
  area: "area_id",
  floor: "floor_id",
  label: "label_id",
  device: "id",
  entity: "entity_id",
};

/** Fields that `config/<name>_registry/update` takes. */
export const UPDATABLE: Readonly<Record<RegistryName, readonly string[]>> = {
  area: ["name", "floor_id", "icon", "labels", "aliases", "picture", "temperature_entity_id", "humidity_entity_id"],
  floor: ["name", "icon", "level", "aliases"],
  label: ["name", "icon", "color", "description"],
  device: ["name_by_user", "area_id", "labels", "disabled_by"],
  entity: ["name", "area_id", "icon", "labels", "hidden_by", "disabled_by", "categories", "aliases"],
};

export type Changes = Readonly<Record<string, Readonly<Record<string, Fields>>>>;

/** The five registries, with what was changed since the house was built. */
export interface Registries {
  list(name: RegistryName): Fields[];
  get(name: RegistryName, id: string): Fields | undefined;
  /** What the changed fields were before; undefined when there is no such row. Unchanged fields are left out. */
  update(name: RegistryName, id: string, fields: Fields, atSeconds: number): Fields | undefined;
  /** False when there was none. Areas, floors and labels only. */
  create(name: RegistryName, row: Fields): void;
  remove(name: RegistryName, id: string): boolean;
  /** Names that entities show instead of those of the house. */
  readonly renamed: ReadonlyMap<string, string>;
  /** For the next start. */
  changes(): Changes;
}

const REMOVED = "__removed";
const CREATED = "__created";

const ROWS_OF: Record<RegistryName, (house: House, flavour: Flavour) => Fields[]> = {
  area: areaRows,
  floor: floorRows,
  label: labelRows,
  device: deviceRows,
  entity: entityRows,
};

/** The name an entity shows. The older releases show a name that the user gave without the device's before it. */
function shownName(row: Fields, device: Fields | undefined, flavour: Flavour): string {
  const deviceName = device && String(device.name_by_user ?? device.name);
  const own = (row.name ?? row.original_name ?? undefined) as string | undefined;
  const isOldStyle = row.name !== null && !flavour.hasChildDevices;
  if (!deviceName || isOldStyle) return own ?? deviceName ?? String(row.entity_id);
  return own === undefined ? deviceName : `${deviceName} ${own}`;
}

/** Which of the wanted fields are different now: what they were. */
const differences = (row: Fields, wanted: Fields): Fields =>
  Object.fromEntries(
    Object.entries(wanted).flatMap(([key, value]) =>
      JSON.stringify(row[key]) === JSON.stringify(value) ? [] : [[key, row[key] ?? null]],
    ),
  );

export function createRegistries(house: House, flavour: Flavour, changed: Changes): Registries {
  const tables = new Map<RegistryName, Map<string, Fields>>();
  const kept: Record<string, Record<string, Fields>> = {};
  const renamed = new Map<string, string>();
  const table = (name: RegistryName) => tables.get(name) ?? new Map<string, Fields>();
  for (const name of REGISTRIES)
    tables.set(name, new Map(ROWS_OF[name](house, flavour).map((row) => [String(row[ID_OF[name]]), row])));
  const remember = (name: RegistryName, id: string, fields: Fields) => {
    kept[name] ??= {};
    kept[name][id] = { ...kept[name][id], ...fields };
  };
  const rename = (entityId: string) => {
    const entity = house.byId.get(entityId);
    const row = table("entity").get(entityId);
    if (!entity || !row) return;
    const name = shownName(row, table("device").get(String(row.device_id)), flavour);
    if (name === friendlyName(entity)) renamed.delete(entityId);
    else renamed.set(entityId, name);
  };
  const apply = (name: RegistryName, id: string, fields: Fields) => {
    const row = table(name).get(id);
    if (fields[REMOVED]) table(name).delete(id);
    else if (fields[CREATED]) table(name).set(id, fields[CREATED] as Fields);
    else if (row) table(name).set(id, { ...row, ...fields });
    if (name === "entity") rename(id);
    if (name === "device")
      for (const one of table("entity").values()) if (one.device_id === id) rename(String(one.entity_id));
  };
  for (const name of REGISTRIES)
    for (const [id, fields] of Object.entries(changed[name] ?? {})) {
      remember(name, id, fields);
      const { [CREATED]: created, ...rest } = fields;
      if (created) apply(name, id, { [CREATED]: created });
      apply(name, id, rest);
    }
  for (const entity of house.entities) rename(entity.id);
  return {
    list: (name) => {
      if (!flavour.hasFloors && (name === "floor" || name === "label")) return [];
      return [...table(name).values()].map((row) => projected(name, row, flavour));
    },
    get: (name, id) => {
      const row = table(name).get(id);
      return row && projected(name, row, flavour);
    },
    update(name, id, fields, atSeconds) {
      const row = table(name).get(id);
      if (!row) return undefined;
      const before = differences(row, fields);
      if (Object.keys(before).length === 0) return before;
      const changed = Object.fromEntries(Object.keys(before).map((key) => [key, fields[key]]));
      const after = { ...changed, modified_at: atSeconds };
      remember(name, id, after);
      apply(name, id, after);
      return before;
    },
    create(name, row) {
      const id = String(row[ID_OF[name]]);
      remember(name, id, { [CREATED]: row });
      apply(name, id, { [CREATED]: row });
    },
    remove(name, id) {
      if (!table(name).has(id)) return false;
      remember(name, id, { [REMOVED]: true });
      apply(name, id, { [REMOVED]: true });
      return true;
    },
    renamed,
    changes: () => kept,
  };
}
