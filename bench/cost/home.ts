import { formatIsoUs } from "../../lib/base/time.ts";
import type { HomeEvent } from "../../lib/event/index.ts";
import { createAdmission } from "../../lib/relay/admit.ts";
import type { HaEvent } from "../../lib/relay/ports.ts";
import { STATUS_AT_LEAST_MS } from "../../lib/relay/status-news.ts";
import { batches, EVENTS_PER_DAY, START_US, writeLines } from "../store/events.ts";

/** A record on its way into the spool. */
export interface TimedRecord {
  readonly atMs: number;
  readonly text: string;
}

/** A forecast service is asked so often as a rule; bench/store/events.ts has no weather entity. */
const WEATHER_EVERY_MS = 3_600_000;
/** By then every entity has been seen. */
const ENTITIES_SEEN_EVENTS = 20_000;
const READ_EVENTS = 1_000;

export const START_MS = START_US / 1000;

/** A night's job and the UTC day before it: a home's day ends at 02:00 UTC, which is 03:00 in Amsterdam. */
export const HOURS = 26;

/** Events of HOURS hours of a busy home, for `homeRecords`; of a quiet one they last longer. */
export const writeEvents = (path: string): void => writeLines(path, Math.ceil((EVENTS_PER_DAY * (HOURS + 1)) / 24));

export interface HomeOptions {
  /** What `writeEvents` has written. */
  readonly path: string;
  readonly eventsPerDay: number;
}

/** What happens in a home and comes into the spool of its relay in HOURS hours, in order of time, from START_MS on. */
export function* homeRecords({ path, eventsPerDay }: HomeOptions): Generator<TimedRecord> {
  const endMs = START_MS + HOURS * 3_600_000;
  const streams = [
    eventRecords(path, eventsPerDay, endMs),
    every(STATUS_AT_LEAST_MS, endMs, statusAt),
    every(WEATHER_EVERY_MS, endMs, weatherAt),
  ].map((stream) => ({ stream, next: stream.next() }));
  for (;;) {
    let first: (typeof streams)[number] | undefined;
    for (const one of streams) {
      if (!one.next.done && (!first || one.next.value.atMs < (first.next.value as TimedRecord).atMs)) first = one;
    }
    if (!first) return;
    yield first.next.value as TimedRecord;
    first.next = first.stream.next();
  }
}

function* eventsOf(path: string, count: number): Generator<HomeEvent> {
  for (const some of batches(path, count, READ_EVENTS)) yield* some;
}

/** Real admission: what a relay would spool of what Home Assistant says. */
function* eventRecords(path: string, eventsPerDay: number, endMs: number): Generator<TimedRecord, undefined> {
  const admission = createAdmission(() => true);
  const stretch = EVENTS_PER_DAY / eventsPerDay;
  const at = (us: number): number => START_US + Math.floor((us - START_US) * stretch);
  const before = new Map<string, object>();
  for (const event of eventsOf(path, Number.MAX_SAFE_INTEGER)) {
    const atUs = at(event.atUs);
    if (atUs >= endMs * 1000) return;
    const state = stateOf(event, { atUs, changedUs: at(event.lastChangedUs) });
    const old_state = before.get(event.entityId) ?? { ...state, state: event.oldState };
    before.set(event.entityId, state);
    const data = { entity_id: event.entityId, old_state, new_state: state };
    const said = { event_type: "state_changed", data, origin: "LOCAL", time_fired: state.last_updated };
    const admitted = admission.event({ ...said, context: state.context } as unknown as HaEvent);
    if (admitted.outcome === "admitted") yield { atMs: atUs / 1000, text: admitted.text };
  }
}

function stateOf({ entityId, state, attributes, context }: HomeEvent, at: { atUs: number; changedUs: number }) {
  const last_updated = formatIsoUs(at.atUs);
  return {
    entity_id: entityId,
    state,
    attributes,
    last_changed: formatIsoUs(at.changedUs),
    last_updated,
    last_reported: last_updated,
    context: { id: context.id, parent_id: context.parentId ?? null, user_id: context.userId ?? null },
  };
}

function* every(stepMs: number, endMs: number, textAt: (atMs: number) => object): Generator<TimedRecord, undefined> {
  for (let atMs = START_MS + stepMs / 2; atMs < endMs; atMs += stepMs)
    yield { atMs, text: JSON.stringify(textAt(atMs)) };
}

const statusAt = (atMs: number): object => ({
  t: "relay",
  at: new Date(atMs).toISOString(),
  connected: true,
  since: new Date(START_MS - 3_600_000).toISOString(),
  ha_state: "RUNNING",
  ha_version: "2026.11.0",
  spool_bytes: 1_048_576,
  spool_records: 70,
  oldest_seconds: 31,
  rejected: 0,
  clock_offset_ms: 12,
  flush_seconds: 60,
});

const weatherAt = (atMs: number): object => {
  const at = new Date(atMs).toISOString();
  const temperature = 7 + ((atMs / 3_600_000) % 9);
  return {
    ...{ t: "state", kind: "attributes", source: "live", entity_id: "weather.home", state: "cloudy" },
    attributes: { temperature, humidity: 80, wind_speed: 11, pressure: 1013, friendly_name: "Home" },
    ...{ last_changed: at, last_updated: at, origin: "LOCAL", context: { id: "01KAMC7H5JPQ3V2Z9X8W7T6S5R" } },
  };
};

/** What the relay sends first: the home and its registries. */
export function registryRecords(path: string): string[] {
  const entities = new Map<string, HomeEvent>();
  for (const event of eventsOf(path, ENTITIES_SEEN_EVENTS)) entities.set(event.entityId, event);
  const part = { t: "registry", revision: START_MS, part: 1, parts: 1 };
  const known = [...entities.values()];
  const areas = [...new Set(known.map(({ areaId = "" }) => areaId))];
  const devices = known.map(({ deviceId = "", areaId, attributes }, index) => ({
    ...{ id: deviceId, area_id: areaId, name: attributes.friendly_name, manufacturer: "Shelly", model: "Plus 1PM" },
    ...{ sw_version: "1.4.4", labels: [], identifiers: [["shelly", `a8032ab${index}`]], connections: [] },
  }));
  const rows = known.map(({ entityId, deviceId, attributes }, index) => ({
    ...{ entity_id: entityId, device_id: deviceId, platform: "shelly", unique_id: `a8032ab${index}-0`, labels: [] },
    original_name: attributes.friendly_name,
  }));
  const home = { location_name: "Home", time_zone: "Europe/Amsterdam", version: "2026.11.0" };
  return [
    { t: "home", revision: START_MS, ...home },
    { ...part, registry: "areas", rows: areas.map((id) => ({ area_id: id, name: id, labels: [] })) },
    { ...part, registry: "floors", rows: [] },
    { ...part, registry: "devices", rows: devices },
    { ...part, registry: "entities", rows },
  ].map((record) => JSON.stringify(record));
}
