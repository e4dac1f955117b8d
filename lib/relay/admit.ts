import { messageOf } from "../base/errors.ts";
import type { EventKind, NewRelayRecord } from "../event/index.ts";
import type { EntityFilter } from "./filter.ts";
import type { HaEvent } from "./ports.ts";
import { noSecrets, type SecretCount, withoutSecretState, withoutSecrets } from "./secrets.ts";

/**
 * What became of one event.
 * - `admitted`: to be spooled. `bytes`: about what it takes as JSON.
 * - `filtered`: the owner's include and exclude keep it at home.
 * - `repeated`: the same event was admitted before.
 * - `rejected`: it cannot be written as JSON at all.
 */
export type Admitted =
  | { readonly outcome: "admitted"; readonly record: NewRelayRecord; readonly bytes: number }
  | { readonly outcome: "filtered" | "repeated" }
  | { readonly outcome: "rejected"; readonly reason: string };

/**
 * Turns what Home Assistant says into records, one at a time. What is malformed (no entity, a state of 300 characters, a bad time) becomes a record as it is:
 * `enrich` judges it once for all sources and sets it aside with its reason. Never throws.
 */
export interface Admission {
  /** A `state_changed` event. */
  event(event: HaEvent): Admitted;
  /** One state of get_states. */
  snapshot(state: unknown): Admitted;
}

/** Attributes that take more as JSON are replaced by their size; the event itself is kept (chosen by us: HA's recorder stops at 16 KiB). */
export const ATTRIBUTES_MAX_BYTES = 65_536;
const DROPPED_ATTRIBUTES = "hearthline_dropped_attributes_bytes";
/** For so many entities the latest record is remembered, to know it again; the oldest is forgotten first. */
const REMEMBERED_MAX_ENTITIES = 100_000;

type Loose = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Loose =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const looseOf = (value: unknown): Loose => (isObject(value) ? value : {});

/** `secrets` counts what is kept back. */
export function createAdmission(isIncluded: EntityFilter, secrets: SecretCount = noSecrets()): Admission {
  const latest = new Map<string, { readonly lastUpdated: unknown; readonly text: string }>();

  /** `make` runs inside the guard: nothing that Home Assistant sends may stop the reader. */
  function admit(entityId: unknown, make: () => Loose, isSame: (text: string, before: string) => boolean): Admitted {
    try {
      if (typeof entityId === "string" && !isIncluded(entityId)) return { outcome: "filtered" };
      const { text, record } = fitted(make());
      const id = String(entityId);
      const lastUpdated = record.last_updated ?? record.time_fired;
      const before = latest.get(id);
      if (before && before.lastUpdated === lastUpdated && isSame(text, before.text)) return { outcome: "repeated" };
      if (!before && latest.size >= REMEMBERED_MAX_ENTITIES) latest.delete(latest.keys().next().value ?? "");
      latest.set(id, { lastUpdated, text });
      // What is malformed travels too, so this is not yet what its type says: `enrich` parses it.
      return { outcome: "admitted", record: record as unknown as NewRelayRecord, bytes: text.length };
    } catch (thrown) {
      return { outcome: "rejected", reason: messageOf(thrown) };
    }
  }

  return {
    event(event) {
      const data = looseOf((event as HaEvent | undefined)?.data);
      const entityId = data.entity_id ?? looseOf(data.new_state).entity_id;
      const make = () =>
        data.new_state === null ? removedOf(event, entityId, secrets) : changedOf(event, entityId, secrets);
      // Two different events with one time stamp both go on: only an event that is the same to the letter is a repetition.
      return admit(entityId, make, (text, before) => text === before);
    },
    snapshot(state) {
      const loose = looseOf(state);
      // A snapshot knows less than the live event of the same moment.
      return admit(
        loose.entity_id,
        () => stateOf(loose, { entityId: loose.entity_id, kind: "snapshot", secrets }),
        () => true,
      );
    },
  };
}

function changedOf(event: HaEvent, entityId: unknown, secrets: SecretCount): Loose {
  const { old_state: before, new_state } = event.data ?? {};
  const after = looseOf(new_state);
  const kind = kindOf(before, after);
  const old = oldOf(before, entityId, secrets);
  return { ...stateOf(after, { entityId, kind, secrets }), origin: event.origin, ...(old && { old }) };
}

function kindOf(before: unknown, after: Loose): EventKind {
  if (before === null || before === undefined || looseOf(after.attributes).restored === true) return "restore";
  return looseOf(before).last_changed === after.last_changed ? "attributes" : "change";
}

interface StateOptions {
  readonly entityId: unknown;
  readonly kind: EventKind;
  readonly secrets: SecretCount;
}

const stateOf = (
  { state, attributes, last_changed, last_updated, context }: Loose,
  { entityId, kind, secrets }: StateOptions,
): Loose => ({
  t: "state",
  kind,
  source: "live",
  entity_id: entityId,
  state: withoutSecretState({ entityId, state, attributes }, secrets),
  attributes: attributesOf(attributes, secrets),
  last_changed,
  last_updated,
  context: contextOf(context),
});

function removedOf(event: HaEvent, entityId: unknown, secrets: SecretCount): Loose {
  const old = oldOf(event.data.old_state, entityId, secrets);
  return {
    t: "removed",
    source: "live",
    entity_id: entityId,
    time_fired: event.time_fired,
    origin: event.origin,
    context: contextOf(event.context),
    ...(old && { old }),
  };
}

/** The old state without its attributes; nothing of an old state that is not whole: the event says enough without it. */
function oldOf(before: unknown, entityId: unknown, secrets: SecretCount): Loose | undefined {
  const { state, last_changed, last_updated, attributes } = looseOf(before);
  const isWhole = [state, last_changed, last_updated].every((text) => typeof text === "string");
  if (!isWhole) return undefined;
  return { state: withoutSecretState({ entityId, state, attributes }, secrets), last_changed, last_updated };
}

const contextOf = (context: unknown): unknown =>
  isObject(context) ? { id: context.id, parent_id: context.parent_id, user_id: context.user_id } : context;

function attributesOf(attributes: unknown, secrets: SecretCount): unknown {
  try {
    return withoutSecrets(attributes, secrets);
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown;
    // Too deep or too long to be read: nothing of it can be trusted to be free of secrets.
    return { [DROPPED_ATTRIBUTES]: sizeOf(attributes) };
  }
}

function sizeOf(value: unknown): number {
  try {
    return Buffer.byteLength(JSON.stringify(value) ?? "");
  } catch {
    // Deeper than JSON.stringify can go.
    return 0;
  }
}

function fitted(record: Loose): { readonly record: Loose; readonly text: string } {
  const text = JSON.stringify(record);
  // No character takes more than three bytes: most records need not be measured.
  if (text.length * 3 <= ATTRIBUTES_MAX_BYTES || record.attributes === undefined) return { record, text };
  const bytes = sizeOf(record.attributes);
  if (bytes <= ATTRIBUTES_MAX_BYTES) return { record, text };
  const smaller = { ...record, attributes: { [DROPPED_ATTRIBUTES]: bytes } };
  return { record: smaller, text: JSON.stringify(smaller) };
}
