import type { Context } from "../generate/day-writer.ts";
import type { Attributes } from "../house/attributes.ts";
import type { Flavour } from "../protocol/flavours.ts";

/** One entity as the state machine has it. Times in seconds since 1970. */
export interface StateRecord {
  readonly entityId: string;
  readonly state: string;
  readonly attributes: Attributes;
  readonly changedAt: number;
  readonly updatedAt: number;
  readonly reportedAt: number;
  readonly context: Context;
}

const attributeTexts = new WeakMap<Attributes, string>();

/** The JSON of attributes, made once for one object. */
export function attributesJson(attributes: Attributes): string {
  const known = attributeTexts.get(attributes);
  if (known !== undefined) return known;
  const text = JSON.stringify(attributes);
  attributeTexts.set(attributes, text);
  return text;
}

export const contextJson = (context: Context): string =>
  `{"id":"${context.id}","parent_id":${text(context.parent_id)},"user_id":${text(context.user_id)}}`;
const text = (value: string | null) => (value === null ? "null" : JSON.stringify(value));

const stateTexts = new WeakMap<StateRecord, string>();

/** A state as it stands in events and in `get_states`. */
export function stateJson(record: StateRecord, flavour: Flavour): string {
  const known = stateTexts.get(record);
  if (known !== undefined) return known;
  const updated = flavour.isoOf(record.updatedAt);
  const changed = record.changedAt === record.updatedAt ? updated : flavour.isoOf(record.changedAt);
  const reported = record.reportedAt === record.updatedAt ? updated : flavour.isoOf(record.reportedAt);
  const json =
    `{"entity_id":"${record.entityId}","state":${JSON.stringify(record.state)},"attributes":${attributesJson(record.attributes)},` +
    `"last_changed":"${changed}",${flavour.hasLastReported ? `"last_reported":"${reported}",` : ""}"last_updated":"${updated}",` +
    `"context":${contextJson(record.context)}}`;
  stateTexts.set(record, json);
  return json;
}

export const sameAttributes = (a: Attributes, b: Attributes): boolean =>
  a === b || attributesJson(a) === attributesJson(b);
