import { hash } from "node:crypto";
import {
  type AbilityStore,
  CONFLICT_FIELDS,
  type ConflictField,
  type ConflictValue,
  createLastChanges,
  createRegistryView,
  type Device,
  type DeviceIndex,
  deviceAbilities,
  type LastChangeMs,
} from "../../devices/index.ts";
import type { OldDevice } from "../ports.ts";

/** What a list says of one device, as conflicts are settled: what it does not say is absent. */
export type DeviceValues = { readonly [F in ConflictField]?: ConflictValue };

/** A device as NEW has it. */
export interface NewDevice {
  readonly device: Device;
  readonly values: DeviceValues;
  readonly capabilities: readonly string[];
}

export interface NewList {
  readonly devices: readonly NewDevice[];
  /** Names of labels by their ids: OLD may have either. */
  readonly labelNames: ReadonlyMap<string, string>;
  readonly lastChangeMs: LastChangeMs;
}

export interface NewListPorts {
  readonly index: Pick<DeviceIndex, "list" | "history">;
  readonly abilities: Pick<AbilityStore, "get">;
}

/** NEW's list: Home Assistant's registries with names instead of ids, and what each device can do. */
export async function readNewList(homeId: string, { index, abilities }: NewListPorts): Promise<NewList> {
  const [devices, areas, labels, entities, capabilities, told, history] = await Promise.all([
    index.list(homeId, "devices"),
    index.list(homeId, "areas"),
    index.list(homeId, "labels"),
    index.list(homeId, "entities"),
    index.list(homeId, "capabilities"),
    abilities.get(homeId),
    index.history(homeId, ["devices"]),
  ]);
  const labelNames = new Map(labels.map(({ labelId, name }) => [labelId, name]));
  const view = createRegistryView({ devices, areas });
  const abilitiesOf = deviceAbilities({ capabilities, entities, abilities: told?.entities ?? [] });
  const unique = [...new Map(devices.map((device) => [device.deviceId, device])).values()];
  return {
    labelNames,
    lastChangeMs: createLastChanges(history),
    devices: unique.map((device) => {
      const areaId = view.areaOfDevice(device.deviceId);
      const features = abilitiesOf(device)?.features ?? [];
      return {
        device,
        values: valuesOf({
          name: device.name,
          manufacturer: device.manufacturer,
          model: device.model,
          sw_version: device.swVersion,
          area: areaId === undefined ? undefined : (view.area(areaId)?.name ?? areaId),
          labels: device.labels.map((id) => labelNames.get(id) ?? id),
        }),
        capabilities: [...new Set(features.map(({ name }) => name))].sort(),
      };
    }),
  };
}

/** What OLD's row says. */
export const valuesOfOld = (row: OldDevice, labelNames: ReadonlyMap<string, string>): DeviceValues =>
  valuesOf({
    name: row.name,
    manufacturer: row.manufacturer,
    model: row.model,
    sw_version: row.swVersion,
    area: row.area,
    labels: row.labels?.map((label) => labelNames.get(label) ?? label),
  });

/** Without what is empty: nothing is the same in both lists, whichever way it is written. */
function valuesOf(values: { readonly [F in ConflictField]: ConflictValue | undefined }): DeviceValues {
  const there = Object.entries(values).filter(
    ([, value]) => value !== undefined && (typeof value === "string" ? value.trim() !== "" : value.length > 0),
  );
  return Object.fromEntries(there) as DeviceValues;
}

/** OLD's row with these values instead of its own; what they do not name stays. */
export function withValues(row: OldDevice, values: DeviceValues): OldDevice {
  const text = (field: ConflictField) => {
    const value = values[field];
    return typeof value === "string" ? value : undefined;
  };
  const [name, manufacturer, model] = [text("name"), text("manufacturer"), text("model")];
  const [swVersion, area, labels] = [text("sw_version"), text("area"), values.labels];
  return {
    ...row,
    ...(name !== undefined && { name }),
    ...(manufacturer !== undefined && { manufacturer }),
    ...(model !== undefined && { model }),
    ...(swVersion !== undefined && { swVersion }),
    ...(area !== undefined && { area }),
    ...(labels !== undefined && { labels: [labels].flat() }),
  };
}

const digest = (value: unknown, characters: number): string =>
  hash("sha256", JSON.stringify(value), "base64url").slice(0, characters);

/** Stands for an id in what is remembered: 48 bits. */
export const keyOf = (id: string): string => digest(id, 8);

/** Changes with anything that counts: 36 bits. Not with the moment of the change, which some lists renew at every write. */
export const contentOf = (values: DeviceValues, capabilities: readonly string[] = []): string =>
  digest(
    [
      CONFLICT_FIELDS.map((field) => {
        const value = values[field];
        return typeof value === "object" ? [...value].sort() : (value ?? null);
      }),
      [...capabilities].sort(),
    ],
    6,
  );
