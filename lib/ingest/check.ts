import { HearthlineError } from "../base/errors.ts";
import type { Microseconds } from "../base/time.ts";
import type {
  CapabilitiesRecord,
  GapRecord,
  HomeRecord,
  LossRecord,
  RegistryRecord,
  RelayStatusRecord,
  RemovedRecord,
  StateRecord,
} from "../event/index.ts";
import { HA_STATE_MAX_CHARACTERS } from "../limits.ts";
import { createIsoReader } from "./iso-reader.ts";

/** Earlier events come from a clock that was never set: Home Assistant is from 2013, imported histories may be older. */
export const EARLIEST_EVENT_US: Microseconds = Date.UTC(1990, 0, 1) * 1000;
/** Deeper attributes are no attributes: whoever writes them as JSON again, call by call, would run out of stack. */
export const ATTRIBUTES_MAX_DEPTH = 64;
/** Home Assistant: characters of an entity id. Source: core 2026.11.0 const.py MAX_LENGTH_STATE_ENTITY_ID. */
const ENTITY_ID_MAX_CHARACTERS = 255;
/**
 * Wider than core 2026.11.0 core.py VALID_ENTITY_ID, which also wants no "_" at the ends and no "__" in the domain: an imported history may be older than that.
 * Digits are Unicode's, as in Python's \d: `POST /api/states/sensor.room_٣` is taken there.
 */
const ENTITY_ID = /^[a-z_\p{Nd}]+\.[a-z_\p{Nd}]+$/u;

const readIso = createIsoReader();

/** Between which times an event may lie, both ends included. */
export interface EventTimes {
  readonly fromUs: Microseconds;
  readonly toUs: Microseconds;
}

/** The times of an event as numbers, beside its record. */
export interface EventMoment {
  /** `last_updated`, of a removal the time fired. */
  readonly atUs: Microseconds;
  readonly lastChangedUs: Microseconds;
  /** `last_changed` of the old state; absent when there is none, or it lies before EARLIEST_EVENT_US or in the future. */
  readonly oldLastChangedUs?: Microseconds;
}

/**
 * What the schema does not say of an event; gives its times.
 * - U+0000 in the state or the context is refused: no text column can be relied on to keep it. In attributes it stays, escaped as JSON has it.
 * - The natural time must lie within `times`. `last_changed` may be older: an entity that has not changed since the clock was set is no wrong event.
 * @throws HearthlineError `event_entity_id_invalid`, `event_state_invalid`, `event_time_invalid`, `event_time_out_of_range`, `event_attributes_invalid`, `event_malformed`
 */
export function checkEvent(record: StateRecord | RemovedRecord, times: EventTimes): EventMoment {
  checkEntityId(record.entity_id);
  if (record.t === "state") {
    checkState(record.state);
    if (isDeeper(record.attributes, ATTRIBUTES_MAX_DEPTH)) {
      throw new HearthlineError(
        "event_attributes_invalid",
        `The attributes of "${record.entity_id}" are nested deeper than ${ATTRIBUTES_MAX_DEPTH} levels.`,
      );
    }
  }
  if (record.old) checkState(record.old.state);
  checkContext(record);
  const atUs = readIso(record.t === "state" ? record.last_updated : record.time_fired);
  const lastChangedUs = record.t === "state" ? timeOf(record.last_changed, record.last_updated, atUs) : atUs;
  if (atUs < times.fromUs || atUs > times.toUs) throw outOfRange(record, atUs < times.fromUs);
  if (lastChangedUs < 0 || lastChangedUs > times.toUs) throw outOfRange(record, lastChangedUs < 0);
  if (!record.old) return { atUs, lastChangedUs };
  const oldLastChangedUs = readIso(record.old.last_changed);
  timeOf(record.old.last_updated, record.old.last_changed, oldLastChangedUs);
  const isUsable = oldLastChangedUs >= times.fromUs && oldLastChangedUs <= times.toUs;
  return { atUs, lastChangedUs, ...(isUsable && { oldLastChangedUs }) };
}

/** A state that has just changed carries the same text twice, which is read once. */
const timeOf = (text: string, sameAs: string, us: Microseconds): Microseconds => (text === sameAs ? us : readIso(text));

/** Its own number alone: what was lost never had one. */
export const isUnnumberedLoss = ({ n, first, last }: Pick<LossRecord, "n" | "first" | "last">): boolean =>
  first === n && last === n;

/**
 * A loss is of numbers before its own, as nothing else can have been lost when it was written, or of events that never had a number.
 * @throws HearthlineError `record_malformed`
 */
export function checkLoss(loss: LossRecord): void {
  if ((loss.first <= loss.last && loss.last < loss.n) || isUnnumberedLoss(loss)) return;
  throw new HearthlineError(
    "record_malformed",
    `The loss record ${loss.n} reports the numbers ${loss.first} to ${loss.last} lost; wanted is a range below its own number.`,
  );
}

/**
 * The ledger knows a gap by its number, and a gap ends before it can be told of.
 * @throws HearthlineError `record_malformed`, `event_time_invalid`, `event_time_out_of_range`
 */
export function checkGap({ n, from, to }: GapRecord, times: EventTimes): void {
  const [fromUs, toUs] = [readIso(from), readIso(to)];
  if (fromUs < times.fromUs || toUs > times.toUs) {
    throw new HearthlineError(
      "event_time_out_of_range",
      `The gap from "${from}" to "${to}" lies too far in the ${fromUs < times.fromUs ? "past" : "future"}.`,
    );
  }
  if (n > 0 && fromUs <= toUs) return;
  throw new HearthlineError(
    "record_malformed",
    `The gap record ${n} reaches from "${from}" to "${to}"; wanted is a number above 0, and an end that is not before the beginning.`,
  );
}

/**
 * A part must be one of its parts, and rows no deeper than attributes may be: they too are written as JSON again.
 * @throws HearthlineError `record_malformed`
 */
export function checkRegistry(record: RegistryRecord | CapabilitiesRecord): void {
  const { part, parts, rows } = record;
  const registry = record.t === "registry" ? record.registry : record.t;
  if (part > parts) {
    throw new HearthlineError(
      "record_malformed",
      `The part ${part} of the registry "${registry}" is beyond its last, ${parts}.`,
    );
  }
  if (isDeeper(rows, ATTRIBUTES_MAX_DEPTH)) {
    throw new HearthlineError(
      "record_malformed",
      `Rows of the registry "${registry}" are nested deeper than ${ATTRIBUTES_MAX_DEPTH} levels.`,
    );
  }
}

/**
 * A revision is the relay's clock, and the highest holds: one that a wrong clock gave far ahead would keep the right ones out until then.
 * @throws HearthlineError `event_time_out_of_range`
 */
export function checkRevision(
  { t, revision }: RegistryRecord | CapabilitiesRecord | HomeRecord,
  times: EventTimes,
): void {
  if (revision * 1000 <= times.toUs) return;
  throw new HearthlineError(
    "event_time_out_of_range",
    `The ${t} record has the revision ${revision} (milliseconds since 1970), which lies too far in the future; wanted is the time at which it was read.`,
  );
}

/** As `checkRevision`, of the time of a relay's status. @throws HearthlineError `event_time_invalid`, `event_time_out_of_range` */
export function checkStatus({ at }: RelayStatusRecord, times: EventTimes): void {
  if (readIso(at) <= times.toUs) return;
  throw new HearthlineError("event_time_out_of_range", `The relay's status of "${at}" lies too far in the future.`);
}

function checkEntityId(entityId: string): void {
  if (entityId.length <= ENTITY_ID_MAX_CHARACTERS && ENTITY_ID.test(entityId)) return;
  throw new HearthlineError(
    "event_entity_id_invalid",
    `The entity id "${entityId.slice(0, 80)}" of ${entityId.length} characters is none; wanted is such as "light.kitchen", at most ${ENTITY_ID_MAX_CHARACTERS}.`,
  );
}

function checkState(state: string): void {
  // Python counts characters, JavaScript UTF-16 units: an emoji is one of the former and two of the latter.
  if (state.length > HA_STATE_MAX_CHARACTERS) {
    const characters = [...state].length;
    if (characters > HA_STATE_MAX_CHARACTERS) {
      throw new HearthlineError(
        "event_state_invalid",
        `The state "${state.slice(0, 40)}..." has ${characters} characters; Home Assistant's states have at most ${HA_STATE_MAX_CHARACTERS}.`,
      );
    }
  }
  if (state.includes("\0")) {
    throw new HearthlineError(
      "event_state_invalid",
      "The state holds the character U+0000; wanted is text without it.",
    );
  }
}

function checkContext({ context, origin }: StateRecord | RemovedRecord): void {
  if (![context.id, context.parent_id, context.user_id, origin].some((text) => text?.includes("\0"))) return;
  throw new HearthlineError(
    "event_malformed",
    "The context or the origin holds the character U+0000; wanted is text without it.",
  );
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (levels === 0) return true;
  for (const inner of Array.isArray(value) ? value : Object.values(value)) {
    if (typeof inner === "object" && isDeeper(inner, levels - 1)) return true;
  }
  return false;
}

function outOfRange(record: StateRecord | RemovedRecord, isEarly: boolean): HearthlineError {
  const text =
    record.t === "state"
      ? `last_updated "${record.last_updated}", last_changed "${record.last_changed}"`
      : `time_fired "${record.time_fired}"`;
  return new HearthlineError(
    "event_time_out_of_range",
    `The event of "${record.entity_id}" lies too far in the ${isEarly ? "past" : "future"}: ${text}.`,
  );
}
