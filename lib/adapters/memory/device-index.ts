import {
  type DeviceIndex,
  type IndexedRows,
  isLaterStatus,
  type RegistryRows,
  type RelayStatus,
  type Seen,
} from "../../devices/ports.ts";
import { REGISTRIES, type Weather } from "../../event/index.ts";

interface Revision {
  readonly revision: number;
  readonly of: number;
  readonly parts: Map<number, readonly unknown[]>;
}

interface HomeIndex {
  readonly complete: Map<IndexedRows, Revision>;
  readonly pending: Map<IndexedRows, Revision>;
  readonly seen: Map<string, Seen>;
  readonly relays: Map<string, RelayStatus>;
  weather?: { readonly weather: Weather; readonly atUs: number };
}

/** A device index that lives as long as its process. */
export interface MemoryDeviceIndex extends DeviceIndex {
  /** Drops a home's whole index. */
  forget(homeId: string): void;
}

export function createMemoryDeviceIndex(): MemoryDeviceIndex {
  const homes = new Map<string, HomeIndex>();
  const homeOf = (homeId: string): HomeIndex => {
    const home = homes.get(homeId) ?? { complete: new Map(), pending: new Map(), seen: new Map(), relays: new Map() };
    homes.set(homeId, home);
    return home;
  };

  return {
    forget: (homeId) => void homes.delete(homeId),

    async applyRegistry(homeId, { registry, revision, part, parts, rows }) {
      const { complete, pending } = homeOf(homeId);
      const known = pending.get(registry);
      if (revision <= (complete.get(registry)?.revision ?? -1) || revision < (known?.revision ?? -1)) return;
      const current = known?.revision === revision ? known : { revision, of: parts, parts: new Map() };
      if (!current.parts.has(part)) current.parts.set(part, structuredClone(rows));
      if (current.parts.size < current.of) {
        pending.set(registry, current);
        return;
      }
      complete.set(registry, current);
      pending.delete(registry);
    },

    async list<N extends IndexedRows>(homeId: string, registry: N) {
      const { complete, pending } = homeOf(homeId);
      const { parts } = complete.get(registry) ?? pending.get(registry) ?? {};
      return [...(parts ?? [])].sort(([a], [b]) => a - b).flatMap(([, rows]) => rows as RegistryRows[N][]);
    },

    async revisions(homeId) {
      const { complete } = homeOf(homeId);
      return Object.fromEntries(
        REGISTRIES.flatMap((registry) => {
          const revision = complete.get(registry)?.revision;
          return revision === undefined ? [] : [[registry, revision]];
        }),
      );
    },

    async applySeen(homeId, seen) {
      const home = homeOf(homeId);
      for (const [entityId, one] of seen)
        if (one.atUs > (home.seen.get(entityId)?.atUs ?? Number.NEGATIVE_INFINITY)) home.seen.set(entityId, one);
    },
    seen: async (homeId) => new Map(homeOf(homeId).seen),

    async applyWeather(homeId, weather, atUs) {
      const home = homeOf(homeId);
      if (atUs > (home.weather?.atUs ?? Number.NEGATIVE_INFINITY)) home.weather = { weather, atUs };
    },
    weather: async (homeId) => homeOf(homeId).weather,

    async applyRelayStatus(homeId, status) {
      const { relays } = homeOf(homeId);
      const known = relays.get(status.relayId);
      if (!known || isLaterStatus(status, known)) relays.set(status.relayId, status);
    },
    relayStatuses: async (homeId) =>
      [...homeOf(homeId).relays.values()].sort((a, b) => (a.relayId < b.relayId ? -1 : 1)),
  };
}
