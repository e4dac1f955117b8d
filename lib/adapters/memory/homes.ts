import { HearthlineError } from "../../base/errors.ts";
import type { Home, HomeDirectory } from "../../devices/ports.ts";
import type { HomeKey } from "../../event/index.ts";
import type { HomeKeyring, KeyRecord } from "../../ingest/ports.ts";

/** Homes that live as long as their process, with their keys. */
export interface MemoryHomeDirectory extends HomeDirectory {
  readonly keys: HomeKeyring;
}

interface KeptKey extends KeyRecord {
  readonly key: HomeKey;
}
interface KeptHome {
  home: Home;
  /** Oldest first. */
  keys: readonly KeptKey[];
}

const isGood = ({ retiredAt }: KeyRecord): boolean => retiredAt === undefined;
const byAge = (a: KeyRecord, b: KeyRecord): number =>
  a.createdAt === b.createdAt ? (a.id < b.id ? -1 : 1) : a.createdAt < b.createdAt ? -1 : 1;

/** `forget` is called for a removed home: for what other adapters hold of it. */
export function createMemoryHomeDirectory(forget: (homeId: string) => void = () => {}): MemoryHomeDirectory {
  const homes = new Map<string, KeptHome>();
  return {
    keys: createKeyring(homes),
    get: async (homeId) => homes.get(homeId)?.home,
    async *list() {
      for (const { home } of [...homes.values()]) yield home;
    },
    async add(home, key) {
      if (homes.has(home.homeId))
        throw new HearthlineError("conflict", `The home "${home.homeId}" was to be added and exists already.`);
      homes.set(home.homeId, { home, keys: [{ id: key.id, createdAt: home.createdAt, key }] });
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

const createKeyring = (homes: ReadonlyMap<string, KeptHome>): HomeKeyring => ({
  find: async (homeId, keyId) => homes.get(homeId)?.keys.find((kept) => kept.id === keyId && isGood(kept))?.key,
  current: async (homeId) => homes.get(homeId)?.keys.findLast(isGood)?.key,
  list: async (homeId) => (homes.get(homeId)?.keys ?? []).map(({ key: _, ...record }) => record),
  async add(homeId, key, createdAt) {
    const known = homes.get(homeId);
    if (!known) return;
    const others = known.keys.filter(({ id }) => id !== key.id);
    known.keys = [...others, { id: key.id, createdAt, key }].sort(byAge);
  },
  async setRetired(homeId, keyId, retiredAt) {
    const known = homes.get(homeId);
    if (!known?.keys.some(({ id }) => id === keyId)) return false;
    known.keys = known.keys.map(({ id, createdAt, key, ...rest }) =>
      id === keyId
        ? { id, createdAt, key, ...(retiredAt !== undefined && { retiredAt }) }
        : { id, createdAt, key, ...rest },
    );
    return true;
  },
});
