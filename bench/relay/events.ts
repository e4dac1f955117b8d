import type { Random } from "../../lib/base/random.ts";
import type { HaEvent } from "../../lib/relay/ports.ts";

const ENTITIES = 300;
const ULID = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

const ulid = (random: Random): string =>
  `01KAMC${Array.from({ length: 20 }, () => ULID[Math.floor(random() * 32)]).join("")}`;
const iso = (atUs: number): string =>
  `${new Date(Math.floor(atUs / 1e6) * 1000).toISOString().slice(0, 19)}.${String(atUs % 1e6).padStart(6, "0")}+00:00`;

function stateOf(entity: number, random: Random): { state: string; attributes: Record<string, unknown> } {
  const kind = entity % 10;
  const name = { friendly_name: `Upstairs number ${entity}` };
  if (kind < 7) {
    const unit = { state_class: "measurement", unit_of_measurement: "W", device_class: "power" };
    return { state: String(Math.round(random() * 40_000) / 10), attributes: { ...unit, ...name } };
  }
  const state = random() < 0.5 ? "on" : "off";
  if (kind < 9) return { state, attributes: { device_class: "motion", ...name } };
  const light = { brightness: Math.floor(random() * 255), color_mode: "brightness", supported_features: 44 };
  return { state, attributes: { supported_color_modes: ["brightness"], ...light, ...name } };
}

const DOMAINS = [
  "sensor",
  "sensor",
  "sensor",
  "sensor",
  "sensor",
  "sensor",
  "sensor",
  "binary_sensor",
  "binary_sensor",
];

/** `state_changed` events as Home Assistant sends them, already parsed: chatty meters, motion, lights; the attributes of one entity repeat. */
export function homeEvents(count: number, random: Random): HaEvent[] {
  const latest = new Map<string, unknown>();
  return Array.from({ length: count }, (_, index) => {
    const entity = Math.floor(random() ** 2 * ENTITIES);
    const entityId = `${DOMAINS[entity % 10] ?? "light"}.upstairs_number_${entity}`;
    const at = iso(1_795_316_400_000_000 + index * 997);
    const context = { id: ulid(random), parent_id: null, user_id: null };
    const times = { last_changed: at, last_reported: at, last_updated: at };
    const state = { entity_id: entityId, ...stateOf(entity, random), ...times, context };
    const event = {
      event_type: "state_changed",
      data: { entity_id: entityId, old_state: latest.get(entityId) ?? state, new_state: state },
      origin: "LOCAL",
      time_fired: at,
      context,
    };
    latest.set(entityId, state);
    // As from a socket: nothing is shared between two events.
    return JSON.parse(JSON.stringify(event)) as HaEvent;
  });
}
