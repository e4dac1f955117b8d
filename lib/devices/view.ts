import type { Area, Device, Entity, RegistryRows } from "./ports.ts";

/** What the registries say of an entity, with what it takes from its device. */
export interface ResolvedEntity {
  readonly entity: Entity;
  readonly device?: Device;
  /** The entity's own, else its device's, else the parent device's. It may name an area that the registry does not have. */
  readonly areaId?: string;
  readonly area?: Area;
  /** As Home Assistant composes it: after the names of the parent and of the device where it is only a part. */
  readonly name: string;
  readonly deviceClass?: string;
}

/** The registries of one home at one moment. Look-ups are O(1). */
export interface RegistryView {
  /** undefined: the registry does not have it (a template or a `POST /api/states` entity may be in none). */
  entity(entityId: string): ResolvedEntity | undefined;
  device(deviceId: string): Device | undefined;
  /** The device's own area, else its parent's. */
  areaOfDevice(deviceId: string): string | undefined;
  area(areaId: string): Area | undefined;
}

/** Rows of the registries that are known; a missing one is taken for empty. */
export type RegistryLists = { readonly [N in keyof RegistryRows]?: readonly RegistryRows[N][] };

/** A child device has a parent, which has none; a chain that is longer is not followed, so a circle ends. */
const PARENTS_MAX = 4;

/** Builds the view. O(rows). Of two rows with one id the later holds. */
export function createRegistryView(lists: RegistryLists): RegistryView {
  const areas = new Map(lists.areas?.map((area) => [area.areaId, area]));
  const devices = new Map(lists.devices?.map((device) => [device.deviceId, device]));
  const entities = new Map(lists.entities?.map((entity) => [entity.entityId, entity]));

  /** The device, its parent, and so on. */
  function lineage(deviceId: string | undefined): Device[] {
    const line: Device[] = [];
    for (let id = deviceId; id !== undefined && line.length <= PARENTS_MAX; id = line.at(-1)?.parentDeviceId) {
      const device = devices.get(id);
      if (!device) break;
      line.push(device);
    }
    return line;
  }

  const areaOf = (line: readonly Device[]) => line.find((device) => device.areaId !== undefined)?.areaId;

  function nameOf(entity: Entity, line: readonly Device[]): string {
    const [device, parent] = line;
    const own = entity.name;
    if (!device || (own !== undefined && entity.nameFollows !== "device")) return own ?? entity.entityId;
    const names = [device.nameFollows === "parent" ? parent?.name : undefined, device.name, own];
    return names.filter((name) => name !== undefined).join(" ");
  }

  return {
    entity(entityId) {
      const entity = entities.get(entityId);
      if (!entity) return undefined;
      const line = lineage(entity.deviceId);
      const areaId = entity.areaId ?? areaOf(line);
      const area = areaId === undefined ? undefined : areas.get(areaId);
      return {
        entity,
        name: nameOf(entity, line),
        ...(line[0] && { device: line[0] }),
        ...(areaId !== undefined && { areaId }),
        ...(area && { area }),
        ...(entity.deviceClass !== undefined && { deviceClass: entity.deviceClass }),
      };
    },
    device: (deviceId) => devices.get(deviceId),
    areaOfDevice: (deviceId) => areaOf(lineage(deviceId)),
    area: (areaId) => areas.get(areaId),
  };
}
