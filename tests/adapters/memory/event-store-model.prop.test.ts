import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createMemoryEventStore } from "../../../lib/adapters/memory/event-store.ts";
import { HearthlineError } from "../../../lib/base/errors.ts";
import type { HomeEvent } from "../../../lib/event/index.ts";
import type { EventStore } from "../../../lib/store/ports.ts";
import type { EventStoreTraits, EventStoreUnderTest } from "../../conformance/event-store.ts";
import { anyCommand } from "../../conformance/event-store-commands.ts";
import { followModel } from "../../conformance/event-store-model.ts";

type Fault = (store: EventStore, events: readonly HomeEvent[], choice: number) => Promise<void>;

/** A store whose writes break as `fault` says. */
function breaking(fault: Fault, wrong: Partial<EventStore> = {}): EventStoreUnderTest {
  const inner = createMemoryEventStore();
  let broken: number | undefined;
  const store: EventStore = {
    ...inner,
    write: async (events) => {
      const choice = broken;
      broken = undefined;
      if (choice === undefined) return inner.write(events);
      await fault(inner, events, choice);
      throw new HearthlineError("store_unavailable", "The store went away in the midst of a write; wanted is it back.");
    },
    ...wrong,
  };
  return {
    store,
    reopen: async () => store,
    breakNext: (choice) => {
      broken = choice;
      return () => {
        broken = undefined;
      };
    },
    dispose: () => store.close(),
  };
}

const follow = (under: () => EventStoreUnderTest, traits: EventStoreTraits = {}) =>
  fc.assert(
    fc.asyncProperty(fc.array(anyCommand, { minLength: 1, maxLength: 25 }), (commands) =>
      followModel(under(), commands, traits),
    ),
    { numRuns: 150, seed: 20_261_122 },
  );

const partly: Fault = (store, events, choice) => store.write(events.slice(0, choice % (events.length + 1)));
const allOrNothing: Fault = (store, events, choice) => store.write(choice % 2 ? events : []);

/** The judge is judged: it lets through what the port allows, and nothing else. */
describe("the model of an event store", () => {
  it("allows a failed write all or nothing, and where a store says so a part", async () => {
    await follow(() => breaking(allOrNothing));
    await follow(() => breaking(partly), { isTransactional: false });
  });

  it("finds a part of a failed write in a store that promises all or nothing", () =>
    expect(follow(() => breaking(partly))).rejects.toThrow());

  const inner = () => createMemoryEventStore();
  const wrong: [string, () => EventStoreUnderTest][] = [
    [
      "a failed write that leaves something else",
      () =>
        breaking((store, events) =>
          store.write(events.map((event) => ({ ...event, state: "something", source: "live" }))),
        ),
    ],
    [
      "a prune that takes one microsecond too much",
      () => spoilt((store) => ({ prune: (homeId, beforeUs) => store.prune(homeId, beforeUs + 1) })),
    ],
    [
      "a write that forgets its last event",
      () => spoilt((store) => ({ write: (events) => store.write(events.slice(0, -1)) })),
    ],
    [
      "windows that forget what was held before them",
      () =>
        spoilt((store) => ({
          aggregate: async (query) =>
            (await store.aggregate(query)).map((entity) => ({
              ...entity,
              windows: entity.windows.map((window) => ({ ...window, secondsOn: Math.min(window.secondsOn, 3_000) })),
            })),
        })),
    ],
    [
      "tiles that miss the last",
      () => spoilt((store) => ({ tiles: async (query) => (await store.tiles(query)).slice(0, -1) })),
    ],
    [
      "a compaction that forgets",
      () => spoilt((store) => ({ compact: async (homeId, beforeUs) => void (await store.prune(homeId, beforeUs)) })),
    ],
  ];
  function spoilt(how: (store: EventStore) => Partial<EventStore>): EventStoreUnderTest {
    const store = inner();
    const wrongStore = { ...store, ...how(store) };
    return { store: wrongStore, reopen: async () => wrongStore, dispose: () => store.close() };
  }
  it.each(wrong)("finds %s", (_, under) => expect(follow(under, { isTransactional: false })).rejects.toThrow());
});
