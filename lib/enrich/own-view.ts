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
  refresh(homeId: string, source: ViewSource): Promise<void>;
}

interface Table<Row> {
  rows: Map<string, Row>;
  revision: number;
}

/** An empty view: UTC, no entities. */
export function createOwnView(): OwnView {
  const devices: Table<Device> = { rows: new Map(), revision: -1 };
  const entities: Table<Entity> = { rows: new Map(), revision: -1 };
  let registry: RegistryView | undefined;
  /** Of entities that the registry has; emptied with it. */
  const facts = new Map<string, EntityFacts>();
  let timeZone = "UTC";
  let homeRevision = -1;
  let weather: WeatherPoint | undefined;

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
        const rows = parseRegistryRows("devices", record.rows);
        applyRows(
          devices,
          rows.map((row) => [row.deviceId, row] as const),
          record,
        );
      } else if (record.registry === "entities") {
        const rows = parseRegistryRows("entities", record.rows);
        applyRows(
          entities,
          rows.map((row) => [row.entityId, row] as const),
          record,
        );
      }
    },
    applyHome: (record) => setHome(record.time_zone, record.revision),
    applyWeather,
    async refresh(homeId, { index, homes }) {
      const [home, revisions, latest] = await Promise.all([
        homes.get(homeId),
        index.revisions(homeId),
        index.weather(homeId),
      ]);
      await Promise.all([
        readTable(devices, revisions.devices, async () =>
          (await index.list(homeId, "devices")).map((row) => [row.deviceId, row] as const),
        ),
        readTable(entities, revisions.entities, async () =>
          (await index.list(homeId, "entities")).map((row) => [row.entityId, row] as const),
        ),
      ]);
      if (home) setHome(home.timeZone, home.revision);
      if (latest) applyWeather(latest);
    },
  };
}
