import { formatIsoUs } from "../../lib/base/time.ts";
import type { HomeKey } from "../../lib/event/index.ts";
import type { WireEvent } from "../support/pipeline.ts";
import { removedRecord, stateRecord } from "../support/records.ts";

/** 2026-11-22T05:47:09Z, a morning in Amsterdam. */
export const AT_US = 1_795_326_429_000_000;

/** A home of the pipeline. */
export interface Journey {
  readonly homeId: string;
  readonly key: HomeKey;
  readonly token: string;
}

/** What the relay sends first: the home, its registries (the entities in two parts), its own state. Seven records. */
export function registryRecords(): Record<string, unknown>[] {
  const part = { t: "registry", revision: 1_795_326_000_000, part: 1, parts: 1 };
  const entity = { platform: "demo", labels: [] };
  return [
    { t: "home", revision: part.revision, location_name: "Home", time_zone: "Europe/Amsterdam", version: "2026.11.0" },
    {
      ...part,
      registry: "areas",
      rows: [
        { area_id: "garden", name: "Garden", labels: [] },
        { area_id: "study", name: "Study", labels: [] },
      ],
    },
    {
      ...part,
      registry: "devices",
      rows: [
        { id: "station", name: "Weather station", area_id: "garden", labels: [], identifiers: [], connections: [] },
        { id: "lamp", name: "Lamp", area_id: "garden", labels: [], identifiers: [], connections: [] },
      ],
    },
    {
      ...part,
      parts: 2,
      registry: "entities",
      rows: [{ ...entity, entity_id: "sensor.outside", device_id: "station" }],
    },
    {
      ...part,
      part: 2,
      parts: 2,
      registry: "entities",
      rows: [{ ...entity, entity_id: "light.desk", device_id: "lamp", area_id: "study" }],
    },
    { ...part, registry: "floors", rows: [] },
    {
      t: "relay",
      at: formatIsoUs(AT_US),
      connected: true,
      since: formatIsoUs(AT_US - 60_000_000),
      ha_state: "RUNNING",
      spool_bytes: 100,
      spool_records: 1,
      oldest_seconds: 0.5,
      rejected: 0,
    },
  ];
}

type Made = ReturnType<typeof stateRecord> | ReturnType<typeof removedRecord>;

/** Records of all kinds, ascending in time with odd microseconds, each with text of its own. */
export function manyRecords(count: number, fromUs = AT_US): Made[] {
  return Array.from({ length: count }, (_, n) => {
    const atUs = fromUs + n * 250_001;
    const shared = { entity_id: `sensor.s${n % 37}`, context: { id: `context-${n}`, user_id: n % 5 ? null : "ida" } };
    if (n % 50 === 49) return removedRecord({ ...shared, atUs });
    const kind = (["change", "attributes", "restore", "snapshot"] as const)[n % 4] ?? "change";
    const record = stateRecord({
      ...shared,
      atUs,
      kind,
      state: n % 11 ? `${n / 8}` : "unavailable",
      attributes: { n, text: `ü "${n}" \u{1f525}`, ...(n % 3 === 0 && { list: [n, [null, { deep: n }]] }) },
      last_changed: formatIsoUs(kind === "change" ? atUs : atUs - 5_000_003),
    });
    return kind === "change" || kind === "attributes" ? record : { ...record, old: undefined };
  });
}

/** What the API must say of a record, in the words of the record. */
export function wanted(record: Made) {
  const { id, user_id } = record.context;
  const shared = {
    entity_id: record.entity_id,
    old_state: record.old?.state,
    context: { id, ...(user_id != null && { user_id }) },
  };
  if (record.t === "removed")
    return {
      ...shared,
      kind: "removed",
      state: "",
      last_changed: record.time_fired,
      last_updated: record.time_fired,
      attributes: {},
    };
  const { kind, state, last_changed, last_updated, attributes } = record;
  return { ...shared, kind, state, last_changed, last_updated, attributes };
}

/** The same members of an event of the API. */
export const told = (event: WireEvent) => ({
  entity_id: event.entity_id,
  old_state: event.old_state,
  context: event.context,
  kind: event.kind,
  state: event.state,
  last_changed: event.last_changed,
  last_updated: event.last_updated,
  attributes: event.attributes,
});
