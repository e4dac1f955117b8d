import { type Clock, systemClock } from "../../base/clock.ts";
import {
  boundChanges,
  type DeviceIndex,
  diffRows,
  HISTORY_CHANGES_MAX,
  HISTORY_KEPT_SECONDS,
  HISTORY_REVISIONS_MAX,
  type IndexedRows,
  isLaterStatus,
  RELAY_KEPT_SECONDS,
  type RegistryParts,
  type RegistryRows,
  type RelayStatus,
  type RevisionChanges,
  type Seen,
  uniqueRows,
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
  /** By registry, oldest first. */
  readonly history: Map<IndexedRows, (RevisionChanges & { readonly expiresAtMs: number })[]>;
  readonly seen: Map<string, Seen>;
  readonly relays: Map<string, { readonly status: RelayStatus; readonly expiresAtMs: number }>;
  weather?: { readonly weather: Weather; readonly atUs: number };
}

/** A device index that lives as long as its process. */
export interface MemoryDeviceIndex extends DeviceIndex {
  /** Drops a home's whole index. */
  forget(homeId: string): void;
}

type Part<N extends IndexedRows> = Omit<RegistryParts<N>, "rowsByPart"> & {
  readonly part: number;
  readonly rows: readonly RegistryRows[N][];
};

const rowsOf = ({ parts }: Revision): unknown[] => [...parts].sort(([a], [b]) => a - b).flatMap(([, rows]) => rows);

export function createMemoryDeviceIndex(clock: Pick<Clock, "nowMs"> = systemClock): MemoryDeviceIndex {
  const homes = new Map<string, HomeIndex>();
  const homeOf = (homeId: string): HomeIndex => {
    const home = homes.get(homeId) ?? {
      complete: new Map(),
      pending: new Map(),
      history: new Map(),
      seen: new Map(),
      relays: new Map(),
    };
    homes.set(homeId, home);
    return home;
  };

  function writeHistory(homeId: string, registry: IndexedRows, before: Revision, next: Revision): void {
    const rows = (revision: Revision) => rowsOf(revision) as RegistryRows[IndexedRows][];
    const changes = diffRows(registry, rows(before), rows(next));
    if (changes.length === 0) return;
    const { history } = homeOf(homeId);
    const entry = {
      registry,
      revision: next.revision,
      from: before.revision,
      expiresAtMs: clock.nowMs() + HISTORY_KEPT_SECONDS * 1000,
      ...boundChanges(changes),
    };
    history.set(registry, [...(history.get(registry) ?? []), entry].slice(-HISTORY_REVISIONS_MAX));
  }

  function applyPart<N extends IndexedRows>(homeId: string, { registry, revision, part, parts, rows }: Part<N>): void {
    const { complete, pending } = homeOf(homeId);
    const known = pending.get(registry);
    if (revision <= (complete.get(registry)?.revision ?? -1) || revision < (known?.revision ?? -1)) return;
    const current = known?.revision === revision ? known : { revision, of: parts, parts: new Map() };
    if (!current.parts.has(part)) current.parts.set(part, structuredClone(rows));
    if (current.parts.size < current.of) {
      pending.set(registry, current);
      return;
    }
    const before = complete.get(registry);
    if (before) writeHistory(homeId, registry, before, current);
    complete.set(registry, current);
    pending.delete(registry);
  }

  return {
    forget: (homeId) => void homes.delete(homeId),

    applyRegistry: async (homeId, part) => applyPart(homeId, part),
    async applyRegistryParts(homeId, { rowsByPart, ...revision }) {
      for (const [part, rows] of rowsByPart) applyPart(homeId, { ...revision, part, rows });
    },

    async list<N extends IndexedRows>(homeId: string, registry: N) {
      const { complete, pending } = homeOf(homeId);
      const shown = complete.get(registry) ?? pending.get(registry);
      return uniqueRows(registry, (shown ? rowsOf(shown) : []) as RegistryRows[N][]);
    },

    async history(homeId, registries) {
      const { history } = homeOf(homeId);
      const found = registries.flatMap((registry) => {
        let changes = 0;
        return (history.get(registry) ?? []).toReversed().flatMap(({ expiresAtMs, ...entry }) => {
          if (expiresAtMs <= clock.nowMs() || changes >= HISTORY_CHANGES_MAX) return [];
          changes += entry.changes.length;
          return [entry];
        });
      });
      return found.sort((a, b) => b.revision - a.revision);
    },

    async revisions(homeId, of = REGISTRIES) {
      const { complete } = homeOf(homeId);
      return Object.fromEntries(
        of.flatMap((registry) => {
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
      if (known && known.expiresAtMs > clock.nowMs() && !isLaterStatus(status, known.status)) return;
      relays.set(status.relayId, { status, expiresAtMs: clock.nowMs() + RELAY_KEPT_SECONDS * 1000 });
    },
    relayStatuses: async (homeId) =>
      [...homeOf(homeId).relays.values()]
        .filter(({ expiresAtMs }) => expiresAtMs > clock.nowMs())
        .map(({ status }) => status)
        .sort((a, b) => (a.relayId < b.relayId ? -1 : 1)),
  };
}
