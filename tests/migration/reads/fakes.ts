import { createMemoryEventStore } from "../../../lib/adapters/memory/event-store.ts";
import type { HomeEvent } from "../../../lib/event/index.ts";
import { planSchema } from "../../../lib/migration/plan.ts";
import type { OldLimits, OldSystem, Pointer } from "../../../lib/migration/ports.ts";

export const PLAN = planSchema.parse({ old: { kind: "http", url: "http://127.0.0.1:9/" } });

export const pointer = (given: Partial<Pointer> = {}): Pointer => ({
  migrationId: "m1",
  epoch: 1,
  authority: "old",
  basisPoints: 0,
  salt: "salt",
  shadowBasisPoints: 0,
  readers: {},
  isNewComplete: true,
  isOldComplete: true,
  old: PLAN.old,
  ...given,
});

export const limits = (given: Partial<OldLimits> = {}): OldLimits => ({
  precisionUs: 1,
  statesLeftOut: [],
  isNumberTextLost: false,
  isFiniteOnly: false,
  hasRemovals: true,
  attributes: "none",
  words: {},
  ...given,
});

/** An OLD that holds what it can in memory; faults are switched on by hand. */
export function fakeOld(given: Partial<OldLimits> = {}) {
  const held = limits(given);
  const store = createMemoryEventStore();
  const old = {
    asked: 0,
    error: undefined as Error | undefined,
    hangs: false,
    limits: held,
    store,
    /** As OLD gives it back: without what it does not keep. */
    write: async (events: readonly HomeEvent[]) => {
      const kept = events.filter(({ state, kind }) =>
        kind === "removed" ? held.hasRemovals : !held.statesLeftOut.includes(state),
      );
      await store.write(
        kept.map((event) => ({
          ...event,
          atUs: event.atUs - (event.atUs % held.precisionUs),
          source: "import" as const,
          attributes: {},
        })),
      );
      return { taken: kept.length, refused: [] };
    },
    range: async (query: Parameters<OldSystem["range"]>[0]) => {
      old.asked++;
      if (old.hangs) return new Promise<never>(() => {});
      if (old.error) throw old.error;
      return store.range(query);
    },
  };
  return old;
}

/** A store that can be made to fail. */
export function fakeNew() {
  const store = createMemoryEventStore();
  const made = {
    asked: 0,
    error: undefined as Error | undefined,
    store,
    events: {
      ...store,
      range: async (query: Parameters<OldSystem["range"]>[0]) => {
        made.asked++;
        if (made.error) throw made.error;
        return store.range(query);
      },
      aggregate: async (query: Parameters<typeof store.aggregate>[0]) => {
        made.asked++;
        if (made.error) throw made.error;
        return store.aggregate(query);
      },
    },
  };
  return made;
}

export const quiet = { debug() {}, info() {}, warn() {}, error() {}, with: () => quiet };
