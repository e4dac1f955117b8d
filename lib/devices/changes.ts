import { parseIsoUs } from "../base/time.ts";
import type { RegistryRecord, RelaySinkStatus, Weather } from "../event/index.ts";
import type { IndexEntry } from "../ingest/index.ts";
import { type IndexedRows, isLaterStatus, type RelayStatus, type Seen, type SinkStatus } from "./ports.ts";

type HomeFacts = Extract<IndexEntry, { t: "home" }>;

/** A part of rows that travel whole, as they came. */
type RowsPart = Pick<RegistryRecord, "revision" | "part" | "parts" | "rows"> & { readonly registry: IndexedRows };

/** What many index entries of one home come to: of each thing only the latest. */
export interface HomeChanges {
  readonly seen: Map<string, Seen>;
  /** By registry, revision and part. */
  readonly registries: Map<string, RowsPart>;
  readonly relays: Map<string, RelayStatus>;
  home?: HomeFacts;
  weather?: { readonly weather: Weather; readonly atUs: number };
}

export const noChanges = (): HomeChanges => ({ seen: new Map(), registries: new Map(), relays: new Map() });

/** Adds one entry. The order of entries does not matter, nor does adding one again. @throws HearthlineError `event_time_invalid` */
export function addChange(changes: HomeChanges, entry: IndexEntry): void {
  switch (entry.t) {
    case "seen":
      addSeen(changes, entry);
      return;
    case "registry":
      changes.registries.set(`${entry.registry}/${entry.revision}/${entry.part}`, entry);
      return;
    case "capabilities":
      changes.registries.set(`${entry.t}/${entry.revision}/${entry.part}`, { ...entry, registry: entry.t });
      return;
    case "relay":
      addRelay(changes, entry);
      return;
    case "home":
      if (!changes.home || entry.revision > changes.home.revision) changes.home = entry;
      return;
    case "weather": {
      const { t: _, atUs, ...weather } = entry;
      if (!changes.weather || atUs > changes.weather.atUs) changes.weather = { atUs, weather: weather as Weather };
    }
  }
}

function addSeen({ seen }: HomeChanges, entry: Extract<IndexEntry, { t: "seen" }>): void {
  const { entityId, atUs, state, deviceClass, unit } = entry;
  const known = seen.get(entityId);
  if (known && known.atUs >= atUs) return;
  seen.set(entityId, {
    atUs,
    state,
    ...(deviceClass !== undefined && { deviceClass }),
    ...(unit !== undefined && { unit }),
  });
}

function addRelay({ relays }: HomeChanges, entry: Extract<IndexEntry, { t: "relay" }>): void {
  // Whoever compares it later must be able to read it.
  parseIsoUs(entry.at);
  const known = relays.get(entry.relay_id);
  const status: RelayStatus = {
    relayId: entry.relay_id,
    sequence: entry.n,
    at: entry.at,
    connected: entry.connected,
    since: entry.since,
    ...(entry.ha_state !== undefined && { haState: entry.ha_state }),
    ...(entry.ha_version !== undefined && { haVersion: entry.ha_version }),
    spoolBytes: entry.spool_bytes,
    spoolRecords: entry.spool_records,
    oldestSeconds: entry.oldest_seconds,
    rejected: entry.rejected,
    ...(entry.clock_offset_ms !== undefined && { clockOffsetMs: entry.clock_offset_ms }),
    ...(entry.flush_seconds !== undefined && { flushSeconds: entry.flush_seconds }),
    ...(entry.batch_records !== undefined && { batchRecords: entry.batch_records }),
    ...(entry.publishes !== undefined && { publishes: entry.publishes }),
    ...(entry.last_error !== undefined && { lastError: entry.last_error }),
    ...(entry.sinks && { sinks: entry.sinks.map(sinkOf) }),
  };
  if (!known || isLaterStatus(status, known)) relays.set(entry.relay_id, status);
}

const sinkOf = ({
  name,
  acknowledged,
  lag_records,
  lag_seconds,
  lost,
  messages,
  breaker,
  state,
}: RelaySinkStatus): SinkStatus => ({
  ...{ name, acknowledged, lost, breaker },
  ...(messages !== undefined && { messages }),
  lagRecords: lag_records,
  lagSeconds: lag_seconds,
  isOff: state === "off",
});

/** The parts that are of use: of each registry those of its highest revision. */
export function latestRegistries({ registries }: HomeChanges): RowsPart[] {
  const highest = new Map<IndexedRows, number>();
  for (const { registry, revision } of registries.values())
    highest.set(registry, Math.max(revision, highest.get(registry) ?? 0));
  return [...registries.values()].filter(({ registry, revision }) => revision === highest.get(registry));
}
