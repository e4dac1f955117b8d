import { messageOf } from "../base/errors.ts";
import type { EventKind } from "../event/index.ts";
import type { AttributeFilter } from "./attribute-filter.ts";
import type { EntityFilter } from "./filter.ts";
import type { HaEvent } from "./ports.ts";
import { noSecrets, type SecretCount, withoutSecretState, withoutSecrets } from "./secrets.ts";

type Loose = Readonly<Record<string, unknown>>;

/**
 * What became of one event.
 * - `admitted`: to be spooled; `text` is the record as JSON. What is malformed travels too, so the record is not sure to be what its type says: `enrich` parses it.
 * - `filtered`: the owner's include and exclude keep it at home.
 * - `repeated`: the same event was admitted before.
 * - `rejected`: it cannot be written as JSON at all.
 */
export type Admitted =
  | { readonly outcome: "admitted"; readonly record: Loose; readonly text: string }
  | { readonly outcome: "filtered" | "repeated" }
  | { readonly outcome: "rejected"; readonly reason: string };

/**
 * Turns what Home Assistant says into records, one at a time. What is malformed (no entity, a state of 300 characters, a bad time) becomes a record as it is:
 * `enrich` judges it once for all sources and sets it aside with its reason. Never throws.
 */
export interface Admission {
  /** A `state_changed` event. `isStarting`: Home Assistant does not run yet, so nothing that it says is a change. */
  event(event: HaEvent, isStarting?: boolean): Admitted;
  /** One state of get_states. */
  snapshot(state: unknown): Admitted;
  /** What the recorder says of the past: never a repetition, and what comes live afterwards is not compared with it. */
  past(event: PastEvent): Admitted;
  /** What was admitted may not have arrived: nothing that comes from now on is a repetition of it. */
  forget(): void;
}

/** An event of the past. Times as Home Assistant writes them. */
export interface PastEvent {
  readonly entityId: string;
  /** `removed` has no state, no attributes, and happened at `lastUpdated`. */
  readonly kind: EventKind;
  readonly state: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly lastChanged: string;
  readonly lastUpdated: string;
  /** History has none; a state that Home Assistant still holds has. */
  readonly context?: unknown;
  readonly origin?: string;
  /** Attributes that tell whether the state is a secret, where the recorder has not kept its own. */
  readonly judgedBy?: Readonly<Record<string, unknown>>;
  /** Looked through as `state` is. */
  readonly old?: { readonly state: string; readonly last_changed: string; readonly last_updated: string };
}

/** Attributes that take more as JSON are replaced by their size; the event itself is kept (chosen by us: HA's recorder stops at 16 KiB). */
export const ATTRIBUTES_MAX_BYTES = 65_536;
/** The only attribute of an event whose own were too large: how many bytes they took. */
export const DROPPED_ATTRIBUTES = "hearthline_dropped_attributes_bytes";
/** For so many entities the latest record is remembered, to know it again; the oldest is forgotten first. */
const REMEMBERED_MAX_ENTITIES = 100_000;

const isObject = (value: unknown): value is Loose =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const looseOf = (value: unknown): Loose => (isObject(value) ? value : {});

/** `secrets` counts what is kept back; `travelling` leaves out the attributes that the owner wants to keep at home. */
export function createAdmission(
  isIncluded: EntityFilter,
  secrets: SecretCount = noSecrets(),
  travelling: AttributeFilter = (_entityId, attributes) => attributes,
): Admission {
  /** Without what must stay at home. */
  function made(entityId: unknown, whole: Loose): { readonly record: Loose; readonly text: string } {
    const attributes = travelling(entityId, whole.attributes);
    return fitted(attributes === whole.attributes ? whole : { ...whole, attributes });
  }

  const latest = new Map<string, { readonly lastUpdated: unknown; readonly text: string }>();

  /** `make` runs inside the guard: nothing that Home Assistant sends may stop the reader. */
  function admit(entityId: unknown, make: () => Loose, isSame: (text: string, before: string) => boolean): Admitted {
    try {
      if (typeof entityId === "string" && !isIncluded(entityId)) return { outcome: "filtered" };
      const { text, record } = made(entityId, make());
      const id = String(entityId);
      const lastUpdated = record.last_updated ?? record.time_fired;
      const before = latest.get(id);
      if (before && before.lastUpdated === lastUpdated && isSame(text, before.text)) return { outcome: "repeated" };
      if (!before && latest.size >= REMEMBERED_MAX_ENTITIES) latest.delete(latest.keys().next().value ?? "");
      latest.set(id, { lastUpdated, text });
      return { outcome: "admitted", record, text };
    } catch (thrown) {
      return { outcome: "rejected", reason: messageOf(thrown) };
    }
  }

  return {
    forget: () => latest.clear(),
    event(event, isStarting = false) {
      const data = looseOf((event as HaEvent | undefined)?.data);
      const entityId = data.entity_id ?? looseOf(data.new_state).entity_id;
      const make = () =>
        data.new_state === null
          ? removedOf(event, entityId, secrets)
          : changedOf(event, { entityId, isStarting, secrets });
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
    past(event) {
      const { entityId } = event;
      try {
        if (!isIncluded(entityId)) return { outcome: "filtered" };
        const { text, record } = made(entityId, pastOf(event, secrets));
        return { outcome: "admitted", record, text };
      } catch (thrown) {
        return { outcome: "rejected", reason: messageOf(thrown) };
      }
    },
  };
}

const NO_CONTEXT = { id: "" };

function pastOf(event: PastEvent, secrets: SecretCount): Loose {
  const { entityId, kind, attributes, lastChanged, lastUpdated, context = NO_CONTEXT, origin } = event;
  const judged = event.judgedBy ?? attributes;
  const old = event.old && {
    ...event.old,
    state: withoutSecretState({ entityId, state: event.old.state, attributes: judged }, secrets),
  };
  const rest = { source: "backfill", ...(origin && { origin }), ...(old && { old }) };
  if (kind === "removed") {
    return { t: "removed", entity_id: entityId, time_fired: lastUpdated, context: contextOf(context), ...rest };
  }
  const state = withoutSecretState({ entityId, state: event.state, attributes: judged }, secrets);
  const whole = { state, attributes, last_changed: lastChanged, last_updated: lastUpdated, context };
  return { ...stateOf(whole, { entityId, kind, secrets }), ...rest };
}

interface ChangeOptions {
  readonly entityId: unknown;
  readonly isStarting: boolean;
  readonly secrets: SecretCount;
}

function changedOf(event: HaEvent, { entityId, isStarting, secrets }: ChangeOptions): Loose {
  const { old_state: before, new_state } = event.data ?? {};
  const after = looseOf(new_state);
  const kind = isStarting ? "restore" : kindOf(before, after);
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

/** The attributes without secrets; in place of those that cannot be looked through their size. */
export function attributesOf(attributes: unknown, secrets: SecretCount): unknown {
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
