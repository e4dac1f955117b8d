import type { HaEvent, HaState } from "../../lib/relay/ports.ts";

const CONTEXT = { id: "01ARZ3NDEKTSV4RRFFQ69G5FAV", parent_id: null, user_id: null };

/** A time of Home Assistant, `us` microseconds into a fixed hour. */
export const at = (us: number): string =>
  `2026-11-22T06:00:${String(Math.floor(us / 1e6) % 60).padStart(2, "0")}.${String(us % 1e6).padStart(6, "0")}+00:00`;

export const haState = (entityId: string, us: number, over: Partial<Record<keyof HaState, unknown>> = {}): HaState =>
  ({
    entity_id: entityId,
    state: String(us),
    attributes: { friendly_name: "Name" },
    last_changed: at(us),
    last_updated: at(us),
    last_reported: at(us),
    context: CONTEXT,
    ...over,
  }) as HaState;

/** A state_changed event; without `before` the entity is new. */
export const changed = (after: HaState | null, before: HaState | null = null, firedUs = 0): HaEvent => ({
  event_type: "state_changed",
  data: { entity_id: after?.entity_id ?? before?.entity_id, old_state: before, new_state: after },
  origin: "LOCAL",
  time_fired: after?.last_updated ?? at(firedUs),
  context: CONTEXT,
});

/** The `us`-th change of an entity whose last one was a second before. */
export const change = (entityId: string, us: number): HaEvent =>
  changed(haState(entityId, us), haState(entityId, us - 1_000_000));
