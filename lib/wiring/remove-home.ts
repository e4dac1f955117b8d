import { createDynamodbHomeDirectory, shutOut } from "../adapters/dynamodb/homes.ts";
import { directoryKey, homePartition, segmentHomeKey, segmentPartition } from "../adapters/dynamodb/keys.ts";
import type { EventStore } from "../store/ports.ts";
import type { Cloud } from "./aws.ts";
import { createEventStore } from "./event-store.ts";

/** Behind every moment of an event: microseconds that are exact. */
const BEHIND_ALL_US = Number.MAX_SAFE_INTEGER;

export interface HomeRemoval {
  /** Whether anything of it is left, in the table or in the store: also what a removal that was broken off has left. */
  isThere(homeId: string): Promise<boolean>;
  /** Removes the home, its keys, tokens, index, aggregates and events; how many events went. Broken off, it is safe to run again. */
  remove(homeId: string): Promise<{ readonly events: number }>;
}

export function createHomeRemoval(cloud: Cloud): HomeRemoval {
  const { table, config } = cloud;
  const directory = createDynamodbHomeDirectory(table);

  async function withStore<T>(work: (store: EventStore) => Promise<T>): Promise<T> {
    const store = createEventStore(config, cloud);
    try {
      return await work(store);
    } finally {
      await store.close();
    }
  }

  async function hasItems(homeId: string): Promise<boolean> {
    for (const key of [directoryKey(homeId), segmentHomeKey(homeId)]) if (await table.get(key)) return true;
    for (const pk of [homePartition(homeId), segmentPartition(homeId)])
      for await (const _ of table.query({ pk, keysOnly: true, pageSize: 1, withExpired: true })) return true;
    return false;
  }

  return {
    isThere: async (homeId) =>
      (await hasItems(homeId)) ||
      withStore(async (store) => (await store.range({ homeId, order: "asc", limit: 1 })).events.length > 0),

    remove: (homeId) =>
      withStore(async (store) => {
        // Before anything goes: a store that is away must not leave events of which nobody knows any more.
        await store.range({ homeId, order: "asc", limit: 1 });
        // From here on nothing more comes in; the home itself stays until its events have gone.
        await shutOut(table, homeId);
        const before = await store.prune(homeId, BEHIND_ALL_US);
        await directory.remove(homeId);
        // What was at work at that moment, in the store and in the table.
        const after = await store.prune(homeId, BEHIND_ALL_US);
        if (await hasItems(homeId)) await directory.remove(homeId);
        return { events: before + after };
      }),
  };
}
