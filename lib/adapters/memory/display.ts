import type { DisplayStore, Told } from "../../publish/ports.ts";

/** What was told, as long as its process lives. */
export function createMemoryDisplayStore(): DisplayStore {
  const homes = new Map<string, Told>();
  return {
    get: async (homeId) => homes.get(homeId),
    async change(homeId, work) {
      for (;;) {
        const before = homes.get(homeId);
        const after = await work(before);
        if (homes.get(homeId) !== before) continue;
        homes.set(homeId, after);
        return;
      }
    },
  };
}
