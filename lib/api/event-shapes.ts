import * as z from "zod";
import { parseIsoUs } from "../base/time.ts";
import { HA_STATE_MAX_CHARACTERS } from "../limits.ts";

/** The shapes in which events are taken; the document describes them, and intake reads by them. Members that are not named here are let be. */

const attributes = z.record(z.string(), z.unknown());
export const contextShape = z.looseObject({
  id: z.string().min(1).max(64),
  parent_id: z.string().max(64).nullish(),
  user_id: z.string().max(64).nullish(),
});
// The bounds that only the document names here are checked with the record, which gives each its own code.
const entityId = z.string().meta({ pattern: "^[a-z0-9_]+\\.[a-z0-9_]+$", maxLength: 255, example: "light.kitchen" });
const stateText = z.string().meta({ maxLength: HA_STATE_MAX_CHARACTERS, example: "on" });
const time = z
  .string()
  .refine(isTime, { error: "wanted is ISO 8601 with an offset", params: { code: "event_time_invalid" } })
  .meta({ format: "date-time", example: "2026-11-22T05:47:09.185382+00:00" });
export const stateShape = z.looseObject({
  state: stateText,
  attributes: attributes.optional(),
  last_changed: time.optional(),
  last_updated: time,
  context: contextShape.optional(),
});
export const changeDataShape = z.looseObject({
  entity_id: entityId,
  old_state: stateShape.nullish(),
  new_state: stateShape.nullish(),
});

/** Home Assistant's event: the `event` member of a frame. */
export const eventFrameShape = z
  .looseObject({
    event_type: z.literal("state_changed"),
    data: changeDataShape,
    origin: z.string().max(16).optional(),
    time_fired: time.optional(),
    context: contextShape.optional(),
  })
  .meta({
    id: "HomeAssistantEvent",
    description: "The `event` member of a state_changed frame, as Home Assistant sends it.",
  });
/** Its `data` alone. */
export const eventDataShape = changeDataShape.safeExtend({ new_state: stateShape }).meta({
  id: "StateChangedData",
  description:
    "The `data` of a state_changed event alone. Without a `new_state` there is no time: send the whole event.",
});
export const plainEventShape = z
  .looseObject({
    event_type: z.literal("state_changed"),
    entity_id: entityId,
    state: stateText,
    timestamp: time,
    attributes: attributes.optional(),
  })
  .meta({ id: "PlainEvent", description: "The plain shape: what an entity is since when." });

function isTime(text: string): boolean {
  try {
    parseIsoUs(text);
    return true;
  } catch {
    return false;
  }
}
