import type { DatabaseSync } from "node:sqlite";
import { HearthlineError, isHearthlineError } from "../../base/errors.ts";
import { floatSecondsToUs, type Microseconds, parseIsoUs } from "../../base/time.ts";
import type { PastRow, RejectedRow } from "../../history/ports.ts";
import { contextOf } from "./context.ts";
import type { RecorderSchema, StateRow } from "./schema.ts";

type Attributes = Readonly<Record<string, unknown>>;
const NONE: Attributes = Object.freeze({});
const ORIGINS = ["LOCAL", "REMOTE"];
/** Attributes that are kept parsed, and the length of their texts together; then all are forgotten at once. */
const REMEMBERED_MAX = 5_000;
const REMEMBERED_MAX_CHARACTERS = 8_388_608;

/** Rows of the table to rows of history. */
export interface RowReader {
  /** Each by itself: a wrong row costs only itself. */
  read(row: StateRow): PastRow | RejectedRow;
  /** The length of all attributes that were parsed so far: what is read at once is bounded by it. */
  readonly characters: number;
}

export function createRowReader(db: DatabaseSync, schema: RecorderSchema): RowReader {
  const shared = schema.hasSharedAttributes
    ? db.prepare("SELECT shared_attrs FROM state_attributes WHERE attributes_id = ?")
    : undefined;
  const known = new Map<number | string, Attributes>();
  let characters = 0;
  let remembered = 0;

  function parsed(key: number | string, textOf: () => string): Attributes {
    const found = known.get(key);
    if (found) return found;
    const text = textOf();
    characters += text.length;
    const attributes = parseAttributes(text);
    if (known.size >= REMEMBERED_MAX || remembered + text.length > REMEMBERED_MAX_CHARACTERS) {
      known.clear();
      remembered = 0;
    }
    known.set(key, attributes);
    remembered += text.length;
    return attributes;
  }

  function attributesOf(row: StateRow): Attributes {
    const { attributes, attributes_id: id } = row;
    if (id !== null && shared) return parsed(id, () => String(shared.get(id)?.shared_attrs ?? "{}"));
    return attributes === null || attributes === "" ? NONE : parsed(attributes, () => String(attributes));
  }

  function read(row: StateRow): PastRow {
    const { state_id, entity_id, origin_idx, origin } = row;
    if (!entity_id) throw new HearthlineError("event_entity_id_invalid", `The row ${state_id} names no entity.`);
    const atUs = timeOf(row.last_updated_ts, row.last_updated);
    if (atUs === undefined) throw new HearthlineError("event_time_invalid", `The row ${state_id} has no last_updated.`);
    const context = contextOf(row);
    const from = origin_idx === null ? origin : ORIGINS[origin_idx];
    return {
      entityId: entity_id,
      state: isRemoval(row) ? null : stateOf(row),
      attributes: attributesOf(row),
      atUs,
      // Not kept when it is the same as last_updated.
      lastChangedUs: timeOf(row.last_changed_ts, row.last_changed) ?? atUs,
      ...(context && { context }),
      ...(from && { origin: from }),
      isFirst: row.has_old === 0,
      place: state_id,
    };
  }

  return {
    read(row) {
      try {
        return read(row);
      } catch (thrown) {
        if (!isHearthlineError(thrown)) throw thrown;
        return { place: row.state_id, code: thrown.code, detail: thrown.message };
      }
    },
    get characters() {
      return characters;
    },
  };
}

/** Today a removal has no state; once it was an empty one with empty attributes. */
const isRemoval = ({ state, attributes }: StateRow): boolean => state === null || (state === "" && attributes === "{}");

/** SQLite keeps in a column what it was given, of whatever type. */
function stateOf({ state_id, state }: StateRow): string {
  if (typeof state === "string" || typeof state === "number") return String(state);
  throw new HearthlineError("event_state_invalid", `The state of the row ${state_id} is bytes; wanted is a text.`);
}

/** The moment of a row, or undefined where it holds none. @throws HearthlineError `event_time_invalid` */
export function timeOf(seconds: number | null, text: string | null): Microseconds | undefined {
  if (seconds === null) return text === null ? undefined : parseIsoUs(`${text}+00:00`);
  const us = floatSecondsToUs(seconds);
  if (Number.isFinite(us)) return us;
  throw new HearthlineError("event_time_invalid", `The time ${seconds} cannot be read: wanted are seconds since 1970.`);
}

/** Home Assistant before 2022 wrote what Python's json makes of numbers that JSON does not have; later ones write null for them. */
const NO_NUMBERS = /"(?:[^"\\]|\\.)*"|-?Infinity|NaN/g;
const withoutNoNumbers = (text: string): string =>
  text.replace(NO_NUMBERS, (found) => (found.startsWith('"') ? found : "null"));

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    if (!/NaN|Infinity/.test(text)) throw thrown;
    return JSON.parse(withoutNoNumbers(text));
  }
}

function parseAttributes(text: string): Attributes {
  try {
    const value = jsonOf(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Attributes;
    if (value === null) return NONE;
  } catch (thrown) {
    throw notAttributes(thrown);
  }
  throw notAttributes();
}

const notAttributes = (cause?: unknown) =>
  new HearthlineError("event_attributes_invalid", "The attributes of the row are no JSON object.", { cause });
