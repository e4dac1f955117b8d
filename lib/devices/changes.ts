import { parseIsoUs } from "../base/time.ts";
import type { RegistryName, RegistryRecord, Weather } from "../event/index.ts";
import type { IndexEntry } from "../ingest/index.ts";
import type { RelayStatus, Seen } from "./ports.ts";

type HomeFacts = Extract<IndexEntry, { t: "home" }>;

/** What many index entries of one home come to: of each thing only the latest. */
export interface HomeChanges {
  readonly seen: Map<string, Seen>;
  /** By registry, revision and part. */
  readonly registries: Map<string, RegistryRecord>;
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
  const atUs = parseIsoUs(entry.at);
  const known = relays.get(entry.relay_id);
  if (known && parseIsoUs(known.at) >= atUs) return;
  relays.set(entry.relay_id, {
    relayId: entry.relay_id,
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
    ...(entry.last_error !== undefined && { lastError: entry.last_error }),
  });
}

/** The parts that are of use: of each registry those of its highest revision. */
export function latestRegistries({ registries }: HomeChanges): RegistryRecord[] {
  const highest = new Map<RegistryName, number>();
  for (const { registry, revision } of registries.values())
    highest.set(registry, Math.max(revision, highest.get(registry) ?? 0));
  return [...registries.values()].filter(({ registry, revision }) => revision === highest.get(registry));
}
