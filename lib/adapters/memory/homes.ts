import { HearthlineError } from "../../base/errors.ts";
import type { Home, HomeDirectory } from "../../devices/ports.ts";
import type { HomeKey } from "../../event/index.ts";
import type { HomeKeys } from "../../ingest/ports.ts";

/** Homes that live as long as their process, with their keys. */
export interface MemoryHomeDirectory extends HomeDirectory {
  readonly keys: HomeKeys;
}

/** `forget` is called for a removed home: for what other adapters hold of it. */
export function createMemoryHomeDirectory(forget: (homeId: string) => void = () => {}): MemoryHomeDirectory {
  const homes = new Map<string, { home: Home; readonly keys: HomeKey[] }>();
  return {
    keys: {
      find: async (homeId, keyId) => homes.get(homeId)?.keys.find(({ id }) => id === keyId),
      current: async (homeId) => homes.get(homeId)?.keys.at(-1),
    },
    get: async (homeId) => homes.get(homeId)?.home,
    async *list() {
      for (const { home } of [...homes.values()]) yield home;
    },
    async add(home, key) {
      if (homes.has(home.homeId))
        throw new HearthlineError("conflict", `The home "${home.homeId}" was to be added and exists already.`);
      homes.set(home.homeId, { home, keys: [key] });
    },
    async update(homeId, facts) {
      const known = homes.get(homeId);
      if (known && facts.revision > known.home.revision) known.home = { ...known.home, ...facts };
    },
    async remove(homeId) {
      homes.delete(homeId);
      forget(homeId);
    },
  };
}
