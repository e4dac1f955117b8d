import { parseIsoUs } from "../../base/time.ts";
import type { OldRow } from "../../migration/ports.ts";
import { isObject, malformed, said } from "./old-ask.ts";

export interface HttpPage {
  readonly rows: readonly OldRow[];
  readonly next?: string;
}

/**
 * One page of `GET /api/v1/events`. An event is Home Assistant's `state_changed`, or plain: `{entity_id, state, attributes?, last_updated, last_changed?}`, of a removal with the state null.
 * Nothing is mended: a state that is no text, a time without an offset or that is a number, is no answer.
 * @throws HearthlineError `old_malformed`
 */
export function pageOfAnswer(json: unknown, what: string): HttpPage {
  if (!isObject(json) || !Array.isArray(json.events))
    throw malformed(what, `no list "events": ${said(JSON.stringify(json) ?? "")}`);
  const { events, next } = json as { events: readonly unknown[]; next?: unknown };
  if (next !== undefined && next !== null && (typeof next !== "string" || next === ""))
    throw malformed(what, `a "next" that is no text: ${said(JSON.stringify(next))}`);
  const rows = events.map((event, index) => rowOf(event, { what, index }));
  return { rows, ...(typeof next === "string" && { next }) };
}

interface Place {
  readonly what: string;
  readonly index: number;
}

function rowOf(event: unknown, place: Place): OldRow {
  if (!isObject(event)) throw wrong(place, "which is no object", event);
  if (!isObject(event.data))
    return stateOf({ ...event, last_updated: event.last_updated ?? event.time_fired ?? event.timestamp }, place);
  const { entity_id, new_state } = event.data;
  if (new_state === null || new_state === undefined)
    return stateOf({ entity_id, state: null, last_updated: event.time_fired }, place);
  if (!isObject(new_state)) throw wrong(place, "whose new state is no object", new_state);
  return stateOf({ entity_id, ...new_state }, place);
}

const ENTITY_ID = /^[^.\s]+\.[^.\s]+$/;

function stateOf(fields: Readonly<Record<string, unknown>>, place: Place): OldRow {
  const { entity_id: entityId, state, attributes, last_updated, last_changed } = fields;
  if (typeof entityId !== "string" || !ENTITY_ID.test(entityId)) throw wrong(place, "without an entity id", entityId);
  if (typeof state !== "string" && state !== null) throw wrong(place, "whose state is no text", state);
  if (attributes !== undefined && attributes !== null && !isObject(attributes))
    throw wrong(place, "whose attributes are no object", attributes);
  const lastChangedUs = last_changed === undefined || last_changed === null ? undefined : timeOf(last_changed, place);
  return {
    entityId,
    atUs: timeOf(last_updated, place),
    state,
    ...(isObject(attributes) && { attributes }),
    ...(lastChangedUs !== undefined && state !== null && { lastChangedUs }),
  };
}

/** Any offset is right, none is not: nobody can tell which was meant. */
function timeOf(value: unknown, place: Place): number {
  if (typeof value !== "string") throw wrong(place, "whose time is no text with an offset", value);
  try {
    return parseIsoUs(value);
  } catch (thrown) {
    throw wrong(place, "whose time is no ISO 8601 with an offset", value, thrown);
  }
}

const wrong = ({ what, index }: Place, how: string, value: unknown, cause?: unknown) =>
  malformed(
    what,
    `an event (the ${index + 1}. of its page) ${how}: ${said(JSON.stringify(value) ?? "nothing")}`,
    cause,
  );
