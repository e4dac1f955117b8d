import { HearthlineError } from "../../base/errors.ts";
import type { Home, HomeDirectory } from "../../devices/ports.ts";
import { isConflict } from "./compare-and-set.ts";
import {
  directoryKey,
  directoryPartitions,
  homeKey,
  homeOfDirectoryKey,
  homePartition,
  type Key,
  prefixOf,
  segmentHomeKey,
  segmentPartition,
  signingKeyKey,
} from "./keys.ts";
import type { Reading, Table } from "./table.ts";
import { removeToken } from "./tokens.ts";
import type { Item } from "./wire-item.ts";

const readHome = (item: Item): Home => JSON.parse(String(item.data)) as Home;
const toHomeItem = (home: Home): Item => ({
  ...homeKey(home.homeId),
  data: JSON.stringify(home),
  revision: home.revision,
});

/**
 * The homes. A home exists when its record does: the directory row and the key are written before it, and it is deleted first,
 * so that an interrupted `add` or `remove` can be called again. `reading`: how `get` reads.
 */
export function createDynamodbHomeDirectory(table: Table, reading: Reading = {}): HomeDirectory {
  const read = async (homeId: string, how?: Reading): Promise<Home | undefined> => {
    const item = await table.get(homeKey(homeId), how);
    return item && readHome(item);
  };
  const get = (homeId: string): Promise<Home | undefined> => read(homeId);

  async function* list(): AsyncGenerator<Home> {
    for (const pk of directoryPartitions) {
      const homeIds: string[] = [];
      for await (const row of table.query({ pk })) homeIds.push(homeOfDirectoryKey(row));
      const homes = (await table.getMany(homeIds.map(homeKey))).map(readHome);
      yield* homes.sort((a, b) => (a.homeId < b.homeId ? -1 : 1));
    }
  }

  return {
    get: (homeId) => read(homeId, reading),
    list,

    async add(home, key) {
      // Looked at before anything is written: adding twice must not give a home a second key.
      if (await get(home.homeId)) throw exists(home.homeId);
      await table.put({ ...directoryKey(home.homeId) });
      await table.put({ ...signingKeyKey(home.homeId, key.id), secret: key.secret, created_at: home.createdAt });
      try {
        await table.put(toHomeItem(home), { expression: "attribute_not_exists(pk)" });
      } catch (thrown) {
        if (!isConflict(thrown)) throw thrown;
        await table.remove(signingKeyKey(home.homeId, key.id));
        throw exists(home.homeId);
      }
    },

    async update(homeId, facts) {
      const home = await get(homeId);
      if (!home || home.revision >= facts.revision) return;
      try {
        await table.put(toHomeItem({ ...home, ...facts }), {
          expression: "attribute_exists(pk) AND revision < :revision",
          values: { ":revision": facts.revision },
        });
      } catch (thrown) {
        // A newer record was first, or the home was removed meanwhile: both are as wanted.
        if (!isConflict(thrown)) throw thrown;
      }
    },

    async remove(homeId) {
      await table.remove(homeKey(homeId));
      await shutOut(table, homeId);
      for (const pk of [homePartition(homeId), segmentPartition(homeId)]) {
        const keys: Key[] = [];
        for await (const { sk } of table.query({ pk, keysOnly: true, withExpired: true })) keys.push({ pk, sk });
        await table.writeMany({ deletes: keys });
      }
      await table.remove(segmentHomeKey(homeId));
      await table.remove(directoryKey(homeId));
    },
  };
}

/** Ends the home's tokens and keys: from now on nobody speaks for it, and what is on its way behind `enrich` is dropped. Where they had expired, too. */
export async function shutOut(table: Table, homeId: string): Promise<void> {
  const pk = homePartition(homeId);
  for await (const token of table.query({ pk, prefix: prefixOf("TOKEN"), withExpired: true }))
    await removeToken(table, homeId, token);
  for await (const { sk } of table.query({ pk, prefix: prefixOf("KEY"), keysOnly: true, withExpired: true }))
    await table.remove({ pk, sk });
}

const exists = (homeId: string) =>
  new HearthlineError("conflict", `The home "${homeId}" was to be added and exists already.`);
