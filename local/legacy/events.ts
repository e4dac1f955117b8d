import { messageOf } from "../../lib/base/errors.ts";
import { formatIsoUs, parseIsoUs } from "../../lib/base/time.ts";
import { type Faults, isHit, wrongState } from "./faults.ts";
import type { LegacyRow, LegacyStore } from "./store.ts";

type Json = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export interface Taking {
  readonly faults: Faults;
  readonly seed: number;
}

/** What one event becomes; a text: why it is rejected. */
export function takeEvent(
  given: unknown,
  { faults, seed }: Taking,
): (LegacyRow & { readonly copies: number }) | string {
  try {
    const event = stateChanged(given);
    const { entity_id: entityId, new_state: state } = event.data;
    const key = `${entityId} ${event.time_fired}`;
    const atUs = parseIsoUs(String(isObject(state) ? state.last_updated : event.time_fired));
    const keptUs = faults.milliseconds ? Math.floor(atUs / 1000) * 1000 : atUs;
    const isWrong = isHit(faults.wrong_values, seed, `wrong ${key}`);
    const at = formatIsoUs(keptUs);
    const kept = isObject(state)
      ? { ...state, last_updated: at, state: isWrong ? wrongState(String(state.state)) : state.state }
      : null;
    return {
      atUs: keptUs,
      entityId: String(entityId),
      isRemoval: kept === null,
      event: JSON.stringify({ ...event, time_fired: at, data: { ...event.data, new_state: kept } }),
      copies: isHit(faults.drops, seed, `drop ${key}`) ? 0 : isHit(faults.duplicates, seed, `twice ${key}`) ? 2 : 1,
    };
  } catch (thrown) {
    return messageOf(thrown).slice(0, 200);
  }
}

interface StateChanged extends Json {
  readonly data: Json & { readonly entity_id: string };
}

/** The plain shape (`{entity_id, state, timestamp or last_updated, attributes?}`) as Home Assistant's own. */
function stateChanged(given: unknown): StateChanged {
  if (!isObject(given)) throw new Error("an event is an object");
  if (isObject(given.data)) {
    const { entity_id: id, new_state: state } = given.data;
    if (typeof id !== "string") throw new Error("an event has an entity_id");
    if (isObject(state) && typeof state.state !== "string") throw new Error("a state is a text");
    return given as StateChanged;
  }
  const { entity_id, state, attributes = {}, timestamp, last_updated = timestamp, last_changed = last_updated } = given;
  if (typeof entity_id !== "string") throw new Error("an event has an entity_id");
  if (typeof state !== "string" && state !== null) throw new Error("a state is a text");
  const new_state = state === null ? null : { entity_id, state, attributes, last_changed, last_updated };
  return {
    event_type: "state_changed",
    data: { entity_id, old_state: null, new_state },
    origin: "LOCAL",
    time_fired: last_updated,
  };
}

export interface Asking {
  readonly faults: Faults;
  readonly nowMs: number;
}

const LIMIT_MAX = 1_000;
const LIMIT_DEFAULT = 100;
/** What a number holds exactly. */
const END_US = 8.64e15;

/** The answer of `GET /api/v1/events`. @throws Error what is wrong with the question */
export function readEvents(store: LegacyStore, url: URL, { faults, nowMs }: Asking): Json {
  const asked = url.searchParams;
  const limit = Number(asked.get("limit") ?? LIMIT_DEFAULT);
  if (!Number.isInteger(limit) || limit < 1 || limit > LIMIT_MAX) throw new Error(`limit is 1 to ${LIMIT_MAX}`);
  const [atUs, id] = Buffer.from(asked.get("cursor") ?? "", "base64url")
    .toString()
    .split(" ")
    .map(Number);
  const rows = store.read({
    fromUs: asked.has("from") ? parseIsoUs(asked.get("from") ?? "") : 0,
    toUs: asked.has("to") ? parseIsoUs(asked.get("to") ?? "") : END_US,
    entityIds: asked.get("entity_id")?.split(","),
    isDescending: asked.get("order") === "desc",
    limit: limit + 1,
    after: atUs !== undefined && id !== undefined ? { atUs, id } : undefined,
    cameBeforeMs: nowMs + 1 - (faults.delays?.ms ?? 0),
  });
  const given = rows.slice(0, limit);
  const last = given.at(-1);
  const events = given.map(({ event }) => shown(JSON.parse(event) as StateChanged, faults));
  return {
    // Every second one first: no order that anybody would ask for, and the same each time.
    events: faults.reordered
      ? [...events.filter((_, at) => at % 2 === 1), ...events.filter((_, at) => at % 2 === 0)]
      : events,
    ...(last && rows.length > limit && { next: Buffer.from(`${last.atUs} ${last.id}`).toString("base64url") }),
  };
}

function shown(event: StateChanged, faults: Faults): Json {
  const { new_state: state } = event.data;
  const time = (text: unknown) => (faults.no_offset ? String(text).replace(/(Z|[+-]\d\d:\d\d)$/, "") : text);
  const number = isObject(state) ? Number(state.state) : Number.NaN;
  const new_state = isObject(state)
    ? {
        ...state,
        last_updated: time(state.last_updated),
        last_changed: time(state.last_changed),
        ...(faults.floats && Number.isFinite(number) && { state: number }),
      }
    : state;
  if (faults.schema) return { entity: event.data.entity_id, was: state, at: event.time_fired };
  return { ...event, time_fired: time(event.time_fired), data: { ...event.data, new_state } };
}
