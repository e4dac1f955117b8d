import type { DisplayStore, Told } from "../../publish/ports.ts";
import { compareAndSet, nextVersion, unchangedSince } from "./compare-and-set.ts";
import { displayKey } from "./keys.ts";
import { pack, unpack } from "./packed.ts";
import type { Table } from "./table.ts";

/** One packed item a home. */
export function createDynamodbDisplayStore(table: Table): DisplayStore {
  async function read(homeId: string) {
    const item = await table.get(displayKey(homeId));
    return { item, told: unpack(item?.packed)[0] as Told | undefined };
  }
  return {
    get: async (homeId) => (await read(homeId)).told,
    change: (homeId, work) =>
      compareAndSet(table, async () => {
        const { item, told } = await read(homeId);
        const after = await work(told);
        const row = { ...displayKey(homeId), packed: pack([after]), version: nextVersion(item) };
        await table.put(row, unchangedSince(item));
      }),
  };
}
