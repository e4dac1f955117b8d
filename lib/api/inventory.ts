import type { UtilisationStore } from "../analysis/index.ts";
import { formatIsoUs } from "../base/time.ts";
import {
  type Area,
  type Conflict,
  chosenValue,
  createRegistryView,
  type Device,
  type DeviceIndex,
  type Floor,
  type ResolvedEntity,
  type Seen,
} from "../devices/index.ts";
import { domainOf } from "../event/index.ts";
import { byKey } from "./listing.ts";
import { utilisationView } from "./utilisation-shapes.ts";

/** One home's index, read whole and joined: a home has hundreds to a few thousand entities. */
export interface Inventory {
  /** By entity id. Also those that were seen but are in no registry: Home Assistant registers only entities with a unique id. */
  readonly entities: readonly EntityView[];
  readonly devices: readonly DeviceView[];
  readonly areas: readonly AreaView[];
}

export type EntityView = ReturnType<typeof entityView>;
export type DeviceView = ReturnType<typeof deviceView>;
export type AreaView = ReturnType<typeof areaView>;

type IndexReader = Pick<DeviceIndex, "list" | "seen">;

type Night = Awaited<ReturnType<UtilisationStore["get"]>>;

/** `conflicts`: those that stand; what they were settled to is what a device shows. `night`: what was found of how the devices are used. */
export async function readInventory(
  index: IndexReader,
  homeId: string,
  { conflicts = [], night }: { readonly conflicts?: readonly Conflict[]; readonly night?: Night } = {},
): Promise<Inventory> {
  const [entities, devices, areas, floors, seen] = await Promise.all([
    index.list(homeId, "entities"),
    index.list(homeId, "devices"),
    index.list(homeId, "areas"),
    index.list(homeId, "floors"),
    index.seen(homeId),
  ]);
  const view = createRegistryView({ entities, devices, areas });
  const registered = new Set(entities.map((entity) => entity.entityId));
  const strangers = [...seen.keys()].filter((entityId) => !registered.has(entityId));
  const entityViews = [
    ...[...registered]
      .flatMap((entityId) => view.entity(entityId) ?? [])
      .map((found) => entityView(found, seen.get(found.entity.entityId))),
    ...strangers.map((entityId) =>
      entityView({ entity: { entityId, labels: [] }, name: undefined }, seen.get(entityId)),
    ),
  ].sort(byKey(({ entity_id }) => entity_id));
  const ofDevice = Map.groupBy(entityViews, ({ device_id }) => device_id);
  const conflictsOf = Map.groupBy(conflicts, ({ subjectId }) => subjectId);
  const useOf = new Map(night?.devices.map((one) => [one.deviceId, utilisationView(one, night.date)]));
  const deviceViews = devices
    .map((device) =>
      deviceView(device, {
        areaId: view.areaOfDevice(device.deviceId),
        entities: ofDevice.get(device.deviceId) ?? [],
        conflicts: conflictsOf.get(device.deviceId) ?? [],
        utilisation: useOf.get(device.deviceId),
      }),
    )
    .sort(byKey(({ device_id }) => device_id));
  const entitiesOfArea = Map.groupBy(entityViews, ({ area_id }) => area_id);
  const devicesOfArea = Map.groupBy(deviceViews, ({ area_id }) => area_id);
  const byFloorId = new Map(floors.map((floor) => [floor.floorId, floor]));
  const areaViews = areas
    .map((area) =>
      areaView(area, {
        floor: area.floorId === undefined ? undefined : byFloorId.get(area.floorId),
        entities: entitiesOfArea.get(area.areaId) ?? [],
        devices: devicesOfArea.get(area.areaId)?.length ?? 0,
      }),
    )
    .sort(byKey(({ area_id }) => area_id));
  return { entities: entityViews, devices: deviceViews, areas: areaViews };
}

/** As the registry view resolves it; an entity that is in no registry has no name but its id. */
type Found = Pick<ResolvedEntity, "entity" | "areaId"> & { readonly name: string | undefined };

const entityView = ({ entity, areaId, name }: Found, seen: Seen | undefined) => ({
  entity_id: entity.entityId,
  domain: domainOf(entity.entityId),
  ...optional("name", name),
  ...optional("area_id", areaId),
  ...optional("device_id", entity.deviceId),
  ...optional("platform", entity.platform),
  ...optional("device_class", seen?.deviceClass ?? entity.deviceClass),
  ...optional("unit", seen?.unit),
  ...optional("entity_category", entity.entityCategory),
  ...optional("disabled_by", entity.disabledBy),
  ...optional("hidden_by", entity.hiddenBy),
  labels: entity.labels,
  ...(seen && { state: seen.state, last_seen: formatIsoUs(seen.atUs) }),
});

const optional = <N extends string>(name: N, value: string | undefined) =>
  (value === undefined ? {} : { [name]: value }) as { [K in N]?: string };

interface DeviceContents {
  readonly areaId: string | undefined;
  readonly entities: readonly EntityView[];
  readonly conflicts: readonly Conflict[];
  readonly utilisation: ReturnType<typeof utilisationView> | undefined;
}

/** What was settled; as Home Assistant has it where nothing was, or where it has changed since. */
function settledText(conflicts: readonly Conflict[], field: Conflict["field"], own: string | undefined) {
  const found = conflicts.find((conflict) => conflict.field === field && conflict.new === own);
  const value = found?.chosen && chosenValue(found, found.chosen);
  return typeof value === "string" ? value : own;
}

const deviceView = (device: Device, { areaId, entities, conflicts, utilisation }: DeviceContents) => ({
  device_id: device.deviceId,
  name: settledText(conflicts, "name", device.name) ?? device.name,
  ...optional("manufacturer", settledText(conflicts, "manufacturer", device.manufacturer)),
  ...optional("model", settledText(conflicts, "model", device.model)),
  ...optional("sw_version", device.swVersion),
  ...optional("area_id", areaId),
  ...optional("parent_device_id", device.parentDeviceId),
  ...optional("via_device_id", device.viaDeviceId),
  ...optional("disabled_by", device.disabledBy),
  labels: device.labels,
  entity_count: entities.length,
  conflict_count: conflicts.length,
  open_conflict_count: conflicts.filter(({ status }) => status === "open").length,
  ...(utilisation && { utilisation }),
  ...optional("last_seen", lastSeen(entities)),
});

/** Times are written alike, so that text compares as time. */
const lastSeen = (entities: readonly EntityView[]): string | undefined =>
  entities
    .flatMap(({ last_seen }) => last_seen ?? [])
    .reduce<string | undefined>((a, b) => (a === undefined || b > a ? b : a), undefined);

interface AreaContents {
  readonly floor: Floor | undefined;
  readonly entities: readonly EntityView[];
  readonly devices: number;
}
const areaView = (area: Area, { floor, entities, devices }: AreaContents) => ({
  area_id: area.areaId,
  name: area.name,
  ...optional("floor_id", area.floorId),
  ...optional("floor_name", floor?.name),
  labels: area.labels,
  device_count: devices,
  entity_count: entities.length,
  ...optional("last_seen", lastSeen(entities)),
});
