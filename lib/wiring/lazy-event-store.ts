import type { EventStore } from "../store/ports.ts";

/**
 * A store that is opened by its first use, and only then loaded: a function that never touches it does not pay for it in its cold start, and one whose store
 * cannot be opened fails the call, not the import. An opening that failed is tried again by the next call.
 */
export function lazyEventStore(open: () => Promise<EventStore>): EventStore {
  let opening: Promise<EventStore> | undefined;
  function opened(): Promise<EventStore> {
    if (!opening) {
      const attempt = open();
      attempt.catch(() => {
        if (opening === attempt) opening = undefined;
      });
      opening = attempt;
    }
    return opening;
  }
  return {
    write: async (events) => (await opened()).write(events),
    range: async (query) => (await opened()).range(query),
    scan: async function* (query) {
      yield* (await opened()).scan(query);
    },
    stats: async (query) => (await opened()).stats(query),
    aggregate: async (query) => (await opened()).aggregate(query),
    tiles: async (query) => (await opened()).tiles(query),
    prune: async (homeId, beforeUs) => (await opened()).prune(homeId, beforeUs),
    compact: async (homeId, beforeUs) => (await opened()).compact(homeId, beforeUs),
    setUp: async (options) => (await opened()).setUp(options),
    retention: async (homeId) => (await opened()).retention(homeId),
    drop: async () => (await opened()).drop(),
    check: async () => (await opened()).check(),
    close: async () => {
      if (!opening) return;
      const closing = opening;
      opening = undefined;
      await (await closing).close();
    },
  };
}
