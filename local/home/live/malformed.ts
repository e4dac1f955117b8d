import type { Context } from "../generate/day-writer.ts";
import { contextJson } from "./states.ts";

/** Events that are wrong in one way each. */
export const MALFORMED = [
  "no-entity-id",
  "long-state",
  "nan",
  "huge-attributes",
  "nul-character",
  "year-9999",
  "year-1970",
  "no-data",
  "not-a-date",
] as const;
export type Malformed = (typeof MALFORMED)[number];

interface MalformedEvent {
  readonly json: string;
  readonly entityId: string | null;
  readonly lastUpdated: string | null;
  readonly state: string | null;
}

const MEBIBYTE = 1_048_576;
const LONG_STATE = 300;

/** One event in the shape of `state_changed`, wrong as its kind says. Everything about it is JSON that parses (a NaN is the text "NaN"). */
export function malformedEvent(kind: Malformed, now: string, context: Context): MalformedEvent {
  const entityId = kind === "no-entity-id" || kind === "no-data" ? null : "sensor.malformed";
  const state =
    kind === "long-state"
      ? "x".repeat(LONG_STATE)
      : kind === "nan"
        ? "NaN"
        : kind === "nul-character"
          ? "a\u0000b"
          : "1";
  const at =
    kind === "year-9999"
      ? "9999-12-31T23:59:59.999999+00:00"
      : kind === "year-1970"
        ? "1970-01-01T00:00:00.000000+00:00"
        : kind === "not-a-date"
          ? "yesterday"
          : now;
  const attributes = {
    unit_of_measurement: "W",
    friendly_name: "Malformed",
    ...(kind === "huge-attributes" && { blob: "y".repeat(MEBIBYTE) }),
  };
  const newState = {
    ...(entityId !== null && { entity_id: entityId }),
    state,
    attributes,
    last_changed: at,
    last_reported: at,
    last_updated: at,
    context,
  };
  const data =
    kind === "no-data"
      ? {}
      : { ...(entityId !== null && { entity_id: entityId }), old_state: null, new_state: newState };
  return {
    json: `{"event_type":"state_changed","data":${JSON.stringify(data)},"origin":"LOCAL","time_fired":"${at}","context":${contextJson(context)}}`,
    entityId,
    lastUpdated: kind === "no-data" || kind === "not-a-date" ? null : at,
    state: kind === "no-data" ? null : state,
  };
}
