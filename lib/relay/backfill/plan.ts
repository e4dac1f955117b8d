import type { Microseconds } from "../../base/time.ts";
import type { EntityFilter } from "../filter.ts";
import { usOf } from "../known-of.ts";
import type { HaEvent, LastKnownEntity } from "../ports.ts";

/** A state that Home Assistant holds or held in its memory: with every attribute and its context, which history has not. */
export interface HeldState {
  readonly state: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly lastChanged: string;
  readonly lastUpdated: string;
  readonly atUs: Microseconds;
  readonly context: unknown;
  /** It is in the snapshot, so a record says it already. */
  readonly isTold: boolean;
}

/** The first event of an entity after the subscription. */
export interface FirstHeard {
  readonly atUs: Microseconds;
  /** What it is now; undefined: it went. */
  readonly attributes: Readonly<Record<string, unknown>> | undefined;
  /** What it was before; undefined: it was not there. */
  readonly before: HeldState | undefined;
}

/** What may have happened to one entity while nobody listened. */
export interface Hole {
  readonly entityId: string;
  /** The last that is known; undefined: nothing, or that it was removed. */
  readonly before: LastKnownEntity | undefined;
  /** From here on is asked, this moment included: a row there proves that the recorder reaches so far back. */
  readonly fromUs: Microseconds;
  /** What is known lies here, and is no news. undefined: every row is news. */
  readonly knownUs: Microseconds | undefined;
  /** Here begins what came live. */
  readonly untilUs: Microseconds;
  /** How it was when we had subscribed. undefined: it was not there. */
  readonly target: HeldState | undefined;
  /** The newest attributes of which we know, for what the recorder leaves out. undefined: it is not there, and was not when we had subscribed. */
  readonly attributes: Readonly<Record<string, unknown>> | undefined;
  /** It was there before, is not there now, and no event has said so. */
  readonly isGone: boolean;
  /** Home Assistant's clock was set back meanwhile: the latest row is not how it was at the end. */
  readonly isSetBack: boolean;
  /** It was not there before and is not there now: but it may have come and gone. */
  readonly isAbsent: boolean;
}

export interface PlanOptions {
  readonly known: ReadonlyMap<string, LastKnownEntity>;
  /** As get_states gave them, Home Assistant running. */
  readonly states: readonly unknown[];
  readonly heard: ReadonlyMap<string, FirstHeard>;
  /** When the gap begins. */
  readonly fromUs: Microseconds;
  /** Later than anything that can have happened, by our clock; Home Assistant's own may say more. */
  readonly endUs: Microseconds;
  readonly isIncluded: EntityFilter;
  /** Home Assistant's clock was set back by so much: what happened since may be dated to before what is known. */
  readonly setBackUs: Microseconds;
}

/**
 * Before the gap's beginning: nothing happened there that is not known, but the row of what is known tells that the recorder keeps this entity and reaches back
 * so far. No recorder keeps less than a day.
 */
const MARGIN_US = 86_400_000_000;
/** After a clock that was set back nobody knows how long the gap was: so much is asked for. */
export const CLOCK_SET_BACK_US = 3_600_000_000;

/** What has to be asked. */
export interface Plan {
  readonly holes: readonly Hole[];
  /** Some entity is as it was before the gap: Home Assistant, which adds every entity anew when it starts, has not started since. */
  readonly hasStayed: boolean;
  /** Of what Home Assistant holds, the oldest. */
  readonly oldestUs: Microseconds;
  /** The latest of what it holds or was heard to say first, by its own clock. undefined: it holds nothing. */
  readonly newestUs: Microseconds | undefined;
}

/** Which entities have moved since they were last known, and between which moments. */
export function planGap(options: PlanOptions): Plan {
  const { known, states, heard, isIncluded } = options;
  const held = new Map<string, HeldState>();
  for (const state of states) {
    const id = (state as { entity_id?: unknown } | null)?.entity_id;
    const read = heldOf(state, true);
    if (typeof id === "string" && read) held.set(id, read);
  }
  const endUs = [...held.values()].reduce((latest, { atUs }) => Math.max(latest, atUs + 1), options.endUs);
  const ids = new Set([...known.keys(), ...held.keys(), ...heard.keys()].filter(isIncluded));
  const holes = [...ids].flatMap((entityId) => holeOf(entityId, held.get(entityId), { ...options, endUs }) ?? []);
  const moved = new Set(holes.map(({ entityId }) => entityId));
  const all = [...held.values(), ...heard.values()];
  return {
    holes,
    hasStayed: [...ids].some((id) => !moved.has(id) && (usOf(known.get(id)?.lastUpdated) ?? endUs) <= options.fromUs),
    oldestUs: all.reduce((oldest, { atUs }) => Math.min(oldest, atUs), endUs),
    newestUs: all.length === 0 ? undefined : all.reduce((newest, { atUs }) => Math.max(newest, atUs), 0),
  };
}

function holeOf(entityId: string, state: HeldState | undefined, options: PlanOptions): Hole | undefined {
  const { known, heard, fromUs: gapUs, endUs } = options;
  const first = heard.get(entityId);
  const last = known.get(entityId);
  const lastUs = usOf(last?.lastUpdated);
  const target = first ? first.before : state;
  if (target !== undefined && target.atUs === lastUs && !last?.isRemoved) return undefined;
  const earliestUs = gapUs - MARGIN_US;
  const isSetBack = target !== undefined && lastUs !== undefined && target.atUs < lastUs;
  const before = last && !last.isRemoved && !isSetBack ? last : undefined;
  const { setBackUs } = options;
  const fromUs = isSetBack
    ? target.atUs - CLOCK_SET_BACK_US
    : Math.max(lastUs ?? gapUs - 1_000_000, earliestUs) - setBackUs;
  return {
    entityId,
    before,
    fromUs,
    knownUs: isSetBack || setBackUs > 0 ? undefined : lastUs,
    // What happened before the clock was set has later times than what happened after.
    untilUs: isSetBack ? endUs : (first?.atUs ?? (target ? target.atUs + 1 : endUs)),
    target,
    attributes: target?.attributes ?? state?.attributes ?? first?.attributes,
    isSetBack,
    isGone: target === undefined && first === undefined && last?.isRemoved === false,
    isAbsent: target === undefined && (last === undefined || last.isRemoved),
  };
}

/** undefined for what is no state. */
export function heldOf(state: unknown, isTold: boolean): HeldState | undefined {
  if (typeof state !== "object" || state === null) return undefined;
  const {
    state: value,
    attributes,
    last_changed: lastChanged,
    last_updated: lastUpdated,
    context,
  } = state as Readonly<Record<string, unknown>>;
  const atUs = typeof lastUpdated === "string" ? usOf(lastUpdated) : undefined;
  if (
    typeof value !== "string" ||
    typeof lastChanged !== "string" ||
    typeof lastUpdated !== "string" ||
    atUs === undefined
  )
    return undefined;
  return { state: value, attributes: attributesOf(attributes), lastChanged, lastUpdated, atUs, context, isTold };
}

const attributesOf = (attributes: unknown): Readonly<Record<string, unknown>> =>
  typeof attributes === "object" && attributes !== null ? (attributes as Record<string, unknown>) : {};

/** undefined for an event that is malformed: it says nothing of what was before. */
export function firstHeardOf(event: HaEvent): FirstHeard | undefined {
  const { old_state, new_state } = (event.data ?? {}) as {
    old_state?: unknown;
    new_state?: { last_updated?: unknown; attributes?: unknown } | null;
  };
  const at = new_state?.last_updated ?? event.time_fired;
  const atUs = typeof at === "string" ? usOf(at) : undefined;
  if (atUs === undefined) return undefined;
  const attributes = new_state ? attributesOf(new_state.attributes) : undefined;
  return { atUs, attributes, before: heldOf(old_state, false) };
}
