import { createHash } from "node:crypto";
import { type ErrorCode, HearthlineError, isHearthlineError } from "../base/errors.ts";
import { formatIsoUs, type Microseconds } from "../base/time.ts";
import { contextOfRow, type EventKind, type EventRecord } from "../event/index.ts";
import {
  ATTRIBUTES_MAX_BYTES,
  type AttributeFilter,
  attributesOf,
  DROPPED_ATTRIBUTES,
  type EntityFilter,
  noSecrets,
  type SecretCount,
  withoutSecretState,
} from "../relay/index.ts";
import type { LastState, PastRow } from "./ports.ts";

/** Why a row is not sent: the owner's filters, the times asked for, or it is the row before once more. */
export const SKIP_REASONS = ["filtered", "outside_range", "repeated"] as const;
export type SkipReason = (typeof SKIP_REASONS)[number];

/** What became of one row. `text`: the record as JSON, without its number. */
export type TakenRow =
  | { readonly outcome: "taken"; readonly text: string; readonly isOutOfOrder: boolean }
  | { readonly outcome: "skipped"; readonly reason: SkipReason }
  | { readonly outcome: "rejected"; readonly code: ErrorCode; readonly detail: string };

export interface TakeOptions {
  readonly isIncluded: EntityFilter;
  readonly travelling: AttributeFilter;
  /** Half-open, of `last_updated`. */
  readonly fromUs?: Microseconds | undefined;
  readonly toUs?: Microseconds | undefined;
  /**
   * Given for a history that does not keep the attribute `mode` (Home Assistant's recorder leaves it out), by which a password is known:
   * is the state of this text entity one? undefined: nobody knows, then it is taken for one.
   */
  readonly isPassword?: ((entityId: string) => boolean | undefined) | undefined;
  /** What `enrich` would not take. @throws HearthlineError */
  readonly check: (record: EventRecord) => void;
}

/** For so many entities the last state is remembered; the oldest is forgotten first, and its next row is a `restore`. */
const REMEMBERED_MAX_ENTITIES = 100_000;
const LOCAL = "LOCAL";
const TEXT_ENTITY = /^(input_)?text\./;
const PASSWORD = { mode: "password" };

interface CleanAttributes {
  readonly entityId: string;
  readonly kept: Record<string, unknown>;
  readonly text: string;
}

/** Rows to records, one at a time, in the order of the history. Knows of each entity the row before. */
export class Taker {
  readonly secrets: SecretCount = noSecrets();
  /** States of text entities that were taken for passwords because nobody knows. */
  unsure = 0;
  readonly #options: TakeOptions;
  readonly #last: Map<string, LastState>;
  readonly #clean = new WeakMap<object, CleanAttributes>();

  constructor(options: TakeOptions, entities: Readonly<Record<string, LastState>>) {
    this.#options = options;
    this.#last = new Map(Object.entries(entities));
  }

  get entities(): Record<string, LastState> {
    return Object.fromEntries(this.#last);
  }

  take(row: PastRow): TakenRow {
    const { isIncluded, fromUs, toUs, check } = this.#options;
    if (!isIncluded(row.entityId)) return { outcome: "skipped", reason: "filtered" };
    if (toUs !== undefined && row.atUs >= toUs) return { outcome: "skipped", reason: "outside_range" };
    try {
      const before = this.#last.get(row.entityId);
      const state = row.state === null ? null : this.#openState(row);
      if (before && before[2] === row.atUs && before[0] === state) return { outcome: "skipped", reason: "repeated" };
      const isOutOfOrder = before !== undefined && row.atUs < before[2];
      const known = isOutOfOrder || row.isFirst || before?.[0] === null ? undefined : before;
      const clean = this.#attributes(row);
      const record = recordOf({ row, state, known, attributes: clean.kept });
      check(record);
      if (!isOutOfOrder) this.#remember(row, state, known);
      // Rows before the range are read all the same: the first one within it then knows what came before.
      if (fromUs !== undefined && row.atUs < fromUs) return { outcome: "skipped", reason: "outside_range" };
      return { outcome: "taken", text: textOf(record, clean.text), isOutOfOrder };
    } catch (thrown) {
      if (!isHearthlineError(thrown)) throw thrown;
      return { outcome: "rejected", code: thrown.code, detail: thrown.message };
    }
  }

  #openState(row: PastRow): string {
    const { entityId, state } = row;
    const attributes = this.#isPassword(row) ? PASSWORD : row.attributes;
    return String(withoutSecretState({ entityId, state, attributes }, this.secrets));
  }

  #isPassword({ entityId, isPassword, attributes }: PastRow): boolean {
    if (isPassword !== undefined) return isPassword;
    const ask = this.#options.isPassword;
    if (!ask || !TEXT_ENTITY.test(entityId) || "mode" in attributes) return false;
    const known = ask(entityId);
    if (known === undefined) this.unsure += 1;
    return known ?? true;
  }

  #remember(row: PastRow, state: string | null, known: LastState | undefined): void {
    const { entityId, atUs } = row;
    const isNew = !this.#last.has(entityId);
    if (isNew && this.#last.size >= REMEMBERED_MAX_ENTITIES)
      this.#last.delete(this.#last.keys().next().value ?? entityId);
    this.#last.set(entityId, [state, lastChangedOf(row, state, known), atUs]);
  }

  #attributes({ entityId, attributes }: PastRow): CleanAttributes {
    const cached = this.#clean.get(attributes);
    // An attribute may be kept at home for one entity and travel for another.
    if (cached?.entityId === entityId) return cached;
    const kept = this.#options.travelling(entityId, attributesOf(attributes, this.secrets));
    const clean = { entityId, ...fitted(kept as Record<string, unknown>) };
    this.#clean.set(attributes, clean);
    return clean;
  }
}

const lastChangedOf = (row: PastRow, state: string | null, known: LastState | undefined): Microseconds =>
  row.lastChangedUs ?? (known && known[0] === state ? known[1] : row.atUs);

interface Parts {
  readonly row: PastRow;
  readonly state: string | null;
  readonly known: LastState | undefined;
  readonly attributes: Record<string, unknown>;
}

function recordOf({ row, state, known, attributes }: Parts): EventRecord {
  const at = formatIsoUs(checkedUs(row.atUs, row.entityId));
  const old = oldOf(known);
  const shared = {
    n: 0,
    source: "import" as const,
    entity_id: row.entityId,
    origin: row.origin ?? LOCAL,
    context: contextOf(row, at),
    ...(old && { old }),
  };
  if (state === null) return { t: "removed", ...shared, time_fired: at };
  const lastChangedUs = lastChangedOf(row, state, known);
  return {
    t: "state",
    ...shared,
    kind: kindOf(row, state, known),
    state,
    attributes,
    last_changed: lastChangedUs === row.atUs ? at : formatIsoUs(checkedUs(lastChangedUs, row.entityId)),
    last_updated: at,
  };
}

function oldOf(known: LastState | undefined): EventRecord["old"] {
  if (!known || known[0] === null) return undefined;
  return { state: known[0], last_changed: formatIsoUs(known[1]), last_updated: formatIsoUs(known[2]) };
}

function kindOf(row: PastRow, state: string, known: LastState | undefined): Exclude<EventKind, "removed"> {
  if (row.kind !== undefined && row.kind !== "removed") return row.kind;
  if (!known || row.attributes.restored === true) return "restore";
  // `force_update` gives the same state again and moves `last_changed` with it: a live event of it is a change too.
  return state !== known[0] || row.lastChangedUs === row.atUs ? "change" : "attributes";
}

const CONTEXT_DIGITS = 28;
/** Events are told to belong together by an equal context id, so a row without one gets an id of its own; the same row gets the same. */
function contextOf({ context, entityId }: PastRow, at: string): EventRecord["context"] {
  if (context) return { id: context.id, parent_id: context.parent_id ?? null, user_id: context.user_id ?? null };
  const hash = createHash("sha256").update(`${entityId} ${at}`).digest("hex");
  return { id: contextOfRow(hash.slice(0, CONTEXT_DIGITS)), parent_id: null };
}

/** What a date can hold: `formatIsoUs` would throw. */
const DATE_MAX_US = 8.64e18;

function checkedUs(us: Microseconds, entityId: string): Microseconds {
  if (Number.isFinite(us) && Math.abs(us) <= Math.min(DATE_MAX_US, Number.MAX_SAFE_INTEGER)) return us;
  throw new HearthlineError(
    "event_time_invalid",
    `A time of "${entityId.slice(0, 80)}" is ${us} microseconds since 1970, which is no time.`,
  );
}

function fitted(kept: Record<string, unknown>): Pick<CleanAttributes, "kept" | "text"> {
  const text = JSON.stringify(kept);
  const bytes = Buffer.byteLength(text);
  if (bytes <= ATTRIBUTES_MAX_BYTES) return { kept, text };
  const size = { [DROPPED_ATTRIBUTES]: bytes };
  return { kept: size, text: JSON.stringify(size) };
}

/** The attributes are text already: they are most of a record, and the same for many rows. */
function textOf(record: EventRecord, attributesText: string): string {
  if (record.t === "removed") return JSON.stringify({ ...record, n: undefined });
  const rest = JSON.stringify({ ...record, n: undefined, attributes: undefined });
  return `${rest.slice(0, -1)},"attributes":${attributesText}}`;
}
