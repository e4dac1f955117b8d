import type { Context } from "../generate/day-writer.ts";
import type { Attributes } from "../house/attributes.ts";
import type { Flavour } from "../protocol/flavours.ts";
import type { Bus } from "./bus.ts";
import type { Recorder } from "./recorder.ts";
import type { SentLog } from "./sent-log.ts";
import { type StateRecord, sameAttributes, stateJson } from "./states.ts";

export interface NewState {
  readonly entityId: string;
  readonly state: string;
  readonly attributes: Attributes;
  readonly at: number;
  readonly context: Context;
  /** An event even when nothing is different. */
  readonly isForced?: boolean;
}

/** Home Assistant's states: says what changed on the bus, to the recorder and to the log of what was sent. */
export interface StateMachine {
  get(entityId: string): StateRecord | undefined;
  all(): Iterable<StateRecord>;
  readonly size: number;
  /** Gives what stands there now; no event when state and attributes are the same as before. */
  set(wanted: NewState): StateRecord;
  /** False when there was none. */
  remove(entityId: string, at: number, context: Context): boolean;
  /** A state that was there before this process looked: no event, no row. */
  seed(record: StateRecord): void;
  /** Every state gone, without an event: Home Assistant has stopped. */
  clear(): void;
  /** Events fired by entity. */
  readonly counts: ReadonlyMap<string, number>;
}

interface Parts {
  readonly bus: Bus;
  readonly recorder: Recorder;
  readonly sent: SentLog;
  readonly flavour: Flavour;
}

type Teller = (
  entityId: string,
  change: { readonly old: StateRecord | undefined; readonly now: StateRecord | undefined },
  moment: { readonly at: number; readonly context: Context },
) => void;

/** Says a change to whom it concerns: recorder, log, bus. */
function createTeller({ bus, recorder, sent, flavour }: Parts, counts: Map<string, number>): Teller {
  const json = (record: StateRecord | undefined) => (record ? stateJson(record, flavour) : "null");
  return (entityId, { old, now }, { at, context }) => {
    counts.set(entityId, (counts.get(entityId) ?? 0) + 1);
    const state = now?.state ?? null;
    recorder.add(entityId, { at, changedAt: now?.changedAt ?? at, state, attributes: now?.attributes ?? {}, context });
    sent.add({
      entity_id: entityId,
      last_updated: flavour.isoOf(at),
      state,
      kind: now ? "state_changed" : "removed",
    });
    bus.fire({
      type: "state_changed",
      at,
      context,
      data: () => `{"entity_id":"${entityId}","old_state":${json(old)},"new_state":${json(now)}}`,
    });
  };
}

export function createStateMachine(parts: Parts): StateMachine {
  const { flavour } = parts;
  const states = new Map<string, StateRecord>();
  const counts = new Map<string, number>();
  /** Keys are unique: an entity's second change within a microsecond is stamped a little later. */
  const stampAfter = (entityId: string, at: number): number => {
    const before = states.get(entityId)?.updatedAt ?? 0;
    const stamp = flavour.stamp(at);
    return Math.abs(stamp - before) < 0.000_002 && flavour.isoOf(stamp) === flavour.isoOf(before)
      ? flavour.stamp(before + 0.000_002)
      : stamp;
  };
  const tell = createTeller(parts, counts);
  return {
    get: (entityId) => states.get(entityId),
    all: () => states.values(),
    get size() {
      return states.size;
    },
    set(wanted) {
      const { entityId, state, attributes, context } = wanted;
      const old = states.get(entityId);
      const isSameState = old !== undefined && old.state === state;
      const at = stampAfter(entityId, wanted.at);
      if (isSameState && !wanted.isForced && sameAttributes(old.attributes, attributes)) {
        const reported = { ...old, reportedAt: Math.max(old.reportedAt, at) };
        states.set(entityId, reported);
        return reported;
      }
      const changedAt = isSameState && !wanted.isForced ? old.changedAt : at;
      const now: StateRecord = { entityId, state, attributes, changedAt, updatedAt: at, reportedAt: at, context };
      states.set(entityId, now);
      tell(entityId, { old, now }, { at, context });
      return now;
    },
    remove(entityId, at, context) {
      const old = states.get(entityId);
      if (!old) return false;
      states.delete(entityId);
      tell(entityId, { old, now: undefined }, { at: flavour.stamp(at), context });
      return true;
    },
    seed: (record) => void states.set(record.entityId, record),
    clear: () => states.clear(),
    counts,
  };
}
