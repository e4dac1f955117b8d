import { createDynamodbHomeDirectory } from "../adapters/dynamodb/homes.ts";
import { directoryKey, homePartition } from "../adapters/dynamodb/keys.ts";
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
    if (await table.get(directoryKey(homeId))) return true;
    for await (const _ of table.query({ pk: homePartition(homeId), keysOnly: true, pageSize: 1 })) return true;
    return false;
  }

  return {
    isThere: async (homeId) =>
      (await hasItems(homeId)) ||
      withStore(async (store) => (await store.range({ homeId, order: "asc", limit: 1 })).events.length > 0),

    remove: (homeId) =>
      withStore(async (store) => {
        // While the home is still there: a store that is away must not leave events of which nobody knows any more.
        const before = await store.prune(homeId, BEHIND_ALL_US);
        await directory.remove(homeId);
        // What its relay sent meanwhile.
        return { events: before + (await store.prune(homeId, BEHIND_ALL_US)) };
      }),
  };
}
