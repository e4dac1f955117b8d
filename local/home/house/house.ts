import { hexId, mixText, ulidAt } from "../generate/chance.ts";
import { DEVICES } from "./devices.ts";
import { DEVICELESS, SERVICES } from "./services.ts";
import type { DeviceSpec, EntitySpec } from "./spec.ts";

/** An entity as the simulation uses it. */
export interface Entity {
  readonly spec: EntitySpec;
  readonly id: string;
  readonly domain: string;
  readonly device?: Device;
  readonly registryId: string;
  readonly platform: string;
  /** A number of its own, from the seed: what happens to it follows from it. */
  readonly key: number;
}

export interface Device {
  readonly spec: DeviceSpec;
  readonly id: string;
  readonly configEntryId: string;
}

export interface House {
  readonly seed: number;
  readonly devices: readonly Device[];
  /** All, the disabled ones too. */
  readonly entities: readonly Entity[];
  /** Those that have a state. */
  readonly live: readonly Entity[];
  readonly byId: ReadonlyMap<string, Entity>;
  readonly userId: string;
  readonly areaOf: (entity: Entity) => string | null;
}

/** When the home was set up: what its registries call created. */
export const HOUSE_MADE_AT_SECONDS = 1_760_000_000;

/** The house of a seed: the same rooms and devices always (and `more` devices beside them), other ids for another seed. */
export function buildHouse(seed: number, more: readonly DeviceSpec[] = []): House {
  const entryOf = (platform: string) => ulidAt(HOUSE_MADE_AT_SECONDS * 1000, mixText(seed, platform));
  const devices = [...SERVICES, ...DEVICES, ...more].map(
    (spec): Device => ({
      spec,
      id: hexId(mixText(seed, `device ${spec.key}`)),
      configEntryId: entryOf(spec.platform),
    }),
  );
  const entity = (spec: EntitySpec, device?: Device): Entity => ({
    spec,
    id: spec.id,
    domain: spec.id.slice(0, spec.id.indexOf(".")),
    ...(device && { device }),
    registryId: hexId(mixText(seed, spec.id)),
    platform: spec.platform ?? device?.spec.platform ?? "",
    key: mixText(seed, spec.id),
  });
  const entities = [
    ...DEVICELESS.map((spec) => entity(spec)),
    ...devices.flatMap((device) => device.spec.entities.map((spec) => entity(spec, device))),
  ];
  const byKey = new Map(devices.map((device) => [device.spec.key, device]));
  return {
    seed,
    devices,
    entities,
    live: entities.filter((one) => one.spec.disabledBy === undefined),
    byId: new Map(entities.map((one) => [one.id, one])),
    userId: hexId(mixText(seed, "user")),
    areaOf: (one) =>
      one.spec.area ?? one.device?.spec.area ?? byKey.get(one.device?.spec.parent ?? "")?.spec.area ?? null,
  };
}

/** The id of the boiler before the upgrade made two devices of it. */
export const formerBoilerId = (seed: number): string => hexId(mixText(seed, "device boiler"));

/** The name that Home Assistant shows: the device's and the entity's own. */
export function friendlyName(entity: Entity): string {
  const { spec, device } = entity;
  const own = spec.userName ?? spec.name;
  if (!device) return own ?? entity.id;
  const deviceName = device.spec.userName ?? device.spec.name;
  return own === null ? deviceName : `${deviceName} ${own}`;
}
