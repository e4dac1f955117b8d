import { parseIsoUs } from "../base/time.ts";
import type { LastKnownEntity } from "./ports.ts";

/** No state of Home Assistant is longer; a longer one is malformed and no knowledge. */
const STATE_MAX_CHARACTERS = 255;

/** What one record says of its entity. */
export interface Noted {
  readonly entityId: string;
  readonly entity: LastKnownEntity;
}

/** What an event's record says of its entity; undefined for any other record, and for one that is malformed. Runs for each event: times are not looked into. */
export function knownOf(record: Readonly<Record<string, unknown>>): Noted | undefined {
  const { t, entity_id: entityId, state, last_changed, last_updated, time_fired } = record;
  if (typeof entityId !== "string") return undefined;
  if (t === "removed") {
    const { old } = record as { readonly old?: { readonly state: string; readonly last_changed: string } };
    if (typeof time_fired !== "string") return undefined;
    const before = { state: old?.state ?? "", lastChanged: old?.last_changed ?? time_fired };
    return { entityId, entity: { ...before, lastUpdated: time_fired, isRemoved: true } };
  }
  const isWhole = typeof state === "string" && typeof last_changed === "string" && typeof last_updated === "string";
  if (t !== "state" || !isWhole || state.length > STATE_MAX_CHARACTERS) return undefined;
  return { entityId, entity: { state, lastChanged: last_changed, lastUpdated: last_updated, isRemoved: false } };
}

/** undefined for what is no time. */
export function usOf(text: string | undefined): number | undefined {
  try {
    return text === undefined ? undefined : parseIsoUs(text);
  } catch {
    return undefined;
  }
}
