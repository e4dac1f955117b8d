import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { isTimeZone } from "../base/zone.ts";
import {
  createRegistryView,
  type Device,
  type DeviceIndex,
  type Entity,
  type HomeDirectory,
  parseRegistryRows,
  type RegistryView,
} from "../devices/index.ts";
import type { HomeRecord, RegistryRecord } from "../event/index.ts";
import type { EntityFacts } from "./enrich-event.ts";
import type { WeatherPoint } from "./weather.ts";

/** What `enrich` remembers of a home between batches: from the index, and at once from what the relay itself sends. */
export interface HomeView {
  readonly timeZone: string;
  readonly weather: WeatherPoint | undefined;
  entity(entityId: string): EntityFacts | undefined;
  /** Rows of a registry, before the index has them. An older revision than the view's changes nothing. */
  applyRegistry(record: RegistryRecord): void;
  applyHome(record: HomeRecord): void;
  /** Keeps the latest. */
  applyWeather(point: WeatherPoint): void;
}

/** Where a view is read from. */
export interface ViewSource {
  readonly index: Pick<DeviceIndex, "list" | "revisions" | "weather">;
  readonly homes: Pick<HomeDirectory, "get">;
}

/** A view that can be read again. Registries are read only when the index has a newer revision than the view. */
export interface OwnView extends HomeView {
  /** Devices and entities that it holds. */
  readonly rows: number;
  /** All of it, for `createOwnView`: about 20 bytes a row. */
  pack(): Uint8Array;
  refresh(homeId: string, source: ViewSource): Promise<void>;
}

interface Table<Row> {
  rows: Map<string, Row>;
  revision: number;
}

const NONE: readonly never[] = [];
/** Members that a slim row has only to be a row. */
const UNUSED: ReadonlySet<string> = new Set(["name", "labels", "identifiers", "connections"]);

/** Of rows only what an event takes from them: the rest would be most of the memory. */
const slimDevice = ({ deviceId, areaId, parentDeviceId }: Device): Device => ({
  ...{ deviceId, name: "", labels: NONE, identifiers: NONE, connections: NONE },
  ...(areaId !== undefined && { areaId }),
  ...(parentDeviceId !== undefined && { parentDeviceId }),
});
const slimEntity = ({ entityId, areaId, deviceId, deviceClass }: Entity): Entity => ({
  ...{ entityId, labels: NONE },
  ...(areaId !== undefined && { areaId }),
  ...(deviceId !== undefined && { deviceId }),
  ...(deviceClass !== undefined && { deviceClass }),
});
const devicesById = (rows: readonly Device[]) => rows.map((row) => [row.deviceId, slimDevice(row)] as const);
const entitiesById = (rows: readonly Entity[]) => rows.map((row) => [row.entityId, slimEntity(row)] as const);

/** A view as it is packed. */
interface Packed {
  readonly timeZone: string;
  readonly homeRevision: number;
  readonly weather?: WeatherPoint | undefined;
  readonly devices: { readonly revision: number; readonly rows: readonly Partial<Device>[] };
  readonly entities: { readonly revision: number; readonly rows: readonly Partial<Entity>[] };
}

const unpack = (bytes: Uint8Array): Packed => JSON.parse(zstdDecompressSync(bytes).toString()) as Packed;

/** An empty view: UTC, no entities; or one that was packed. */
export function createOwnView(packed?: Uint8Array): OwnView {
  const was = packed && unpack(packed);
  const devices: Table<Device> = {
    rows: new Map(devicesById((was?.devices.rows ?? []) as readonly Device[])),
    revision: was?.devices.revision ?? -1,
  };
  const entities: Table<Entity> = {
    rows: new Map(entitiesById((was?.entities.rows ?? []) as readonly Entity[])),
    revision: was?.entities.revision ?? -1,
  };
  let registry: RegistryView | undefined;
  /** Of entities that the registry has; emptied with it. */
  const facts = new Map<string, EntityFacts>();
  let timeZone = was?.timeZone ?? "UTC";
  let homeRevision = was?.homeRevision ?? -1;
  let weather: WeatherPoint | undefined = was?.weather;

  const setHome = (zone: string, revision: number) => {
    if (revision < homeRevision) return;
    homeRevision = revision;
    timeZone = isTimeZone(zone) ? zone : "UTC";
  };
  const applyWeather = (point: WeatherPoint) => {
    if (!weather || point.atUs > weather.atUs) weather = point;
  };

  const registryChanged = () => {
    registry = undefined;
    facts.clear();
  };

  /** Rows of a single part replace the table. Of several parts the rows are put in; what is gone from the home goes at the next reading of the index. */
  function applyRows<Row>(table: Table<Row>, rows: readonly (readonly [string, Row])[], record: RegistryRecord): void {
    if (record.revision < table.revision) return;
    if (record.parts === 1) {
      table.rows = new Map(rows);
      table.revision = record.revision;
    } else for (const [id, row] of rows) table.rows.set(id, row);
    registryChanged();
  }

  async function readTable<Row>(
    table: Table<Row>,
    revision: number | undefined,
    list: () => Promise<readonly (readonly [string, Row])[]>,
  ): Promise<void> {
    const isKnown = revision === undefined ? table.rows.size > 0 : revision <= table.revision;
    if (isKnown) return;
    table.rows = new Map(await list());
    if (revision !== undefined) table.revision = revision;
    registryChanged();
  }

  return {
    get timeZone() {
      return timeZone;
    },
    get weather() {
      return weather;
    },
    get rows() {
      return devices.rows.size + entities.rows.size;
    },
    pack() {
      const slim = <Row extends object>({ rows, revision }: Table<Row>) => ({
        revision,
        rows: [...rows.values()].map((row) =>
          Object.fromEntries(Object.entries(row).filter(([name]) => !UNUSED.has(name))),
        ),
      });
      const all: Packed = { timeZone, homeRevision, weather, devices: slim(devices), entities: slim(entities) };
      return zstdCompressSync(JSON.stringify(all));
    },
    entity(entityId) {
      const known = facts.get(entityId);
      if (known) return known;
      registry ??= createRegistryView({ devices: [...devices.rows.values()], entities: [...entities.rows.values()] });
      const found = registry.entity(entityId);
      if (!found) return undefined;
      const entity: EntityFacts = {
        ...(found.device && { deviceId: found.device.deviceId }),
        ...(found.areaId !== undefined && { areaId: found.areaId }),
        ...(found.deviceClass !== undefined && { deviceClass: found.deviceClass }),
      };
      facts.set(entityId, entity);
      return entity;
    },
    applyRegistry(record) {
      if (record.registry === "devices") {
        applyRows(devices, devicesById(parseRegistryRows("devices", record.rows)), record);
      } else if (record.registry === "entities") {
        applyRows(entities, entitiesById(parseRegistryRows("entities", record.rows)), record);
      }
    },
    applyHome: (record) => setHome(record.time_zone, record.revision),
    applyWeather,
    async refresh(homeId, { index, homes }) {
      const [home, revisions, latest] = await Promise.all([
        homes.get(homeId),
        index.revisions(homeId, ["devices", "entities"]),
        index.weather(homeId),
      ]);
      await Promise.all([
        readTable(devices, revisions.devices, async () => devicesById(await index.list(homeId, "devices"))),
        readTable(entities, revisions.entities, async () => entitiesById(await index.list(homeId, "entities"))),
      ]);
      if (home) setHome(home.timeZone, home.revision);
      if (latest) applyWeather(latest);
    },
  };
}
