import type { HomeKey } from "../../event/index.ts";
import { type HomeKeyring, type KeyRecord, RETIRED_KEY_KEPT_DAYS } from "../../ingest/ports.ts";
import { isConflict } from "./compare-and-set.ts";
import { homePartition, keyParts, prefixOf, signingKeyKey } from "./keys.ts";
import type { Reading, Table } from "./table.ts";
import type { Item } from "./wire-item.ts";

const readKey = (item: Item): HomeKey => ({
  id: keyParts(item.sk)[1] ?? "",
  secret: Buffer.from(item.secret as Uint8Array),
});
const readRecord = (item: Item): KeyRecord => ({
  id: keyParts(item.sk)[1] ?? "",
  createdAt: String(item.created_at),
  ...(item.retired_at !== undefined && { retiredAt: String(item.retired_at) }),
});
const isGood = (item: Item): boolean => item.retired_at === undefined;
const byAge = (a: Item, b: Item): number =>
  String(a.created_at) === String(b.created_at)
    ? a.sk < b.sk
      ? -1
      : 1
    : String(a.created_at) < String(b.created_at)
      ? -1
      : 1;

/** The keys of homes; of those that are not retired the newest by its time, then by its id, is current. A retired one goes by the table's expiry. `reading`: how `find` reads. */
export function createDynamodbHomeKeys(table: Table, reading: Reading = {}): HomeKeyring {
  async function all(homeId: string): Promise<Item[]> {
    const items: Item[] = [];
    for await (const item of table.query({ pk: homePartition(homeId), prefix: prefixOf("KEY") })) items.push(item);
    return items.sort(byAge);
  }
  return {
    async find(homeId, keyId) {
      const item = await table.get(signingKeyKey(homeId, keyId), reading);
      return item && isGood(item) ? readKey(item) : undefined;
    },
    async current(homeId) {
      const newest = (await all(homeId)).findLast(isGood);
      return newest && readKey(newest);
    },
    list: async (homeId) => (await all(homeId)).map(readRecord),
    add: (homeId, key, createdAt) =>
      table.put({ ...signingKeyKey(homeId, key.id), secret: key.secret, created_at: createdAt }),
    async setRetired(homeId, keyId, retiredAt) {
      const item = await table.get(signingKeyKey(homeId, keyId));
      if (!item) return false;
      const { retired_at: _at, expires_at: _until, ...kept } = item;
      const expires_at = Math.ceil(Date.parse(retiredAt ?? "") / 1000) + RETIRED_KEY_KEPT_DAYS * 86_400;
      try {
        // Only where it still is: a home that is removed meanwhile must not get a key back.
        await table.put(
          { ...kept, pk: item.pk, sk: item.sk, ...(retiredAt !== undefined && { retired_at: retiredAt, expires_at }) },
          { expression: "attribute_exists(pk)" },
        );
        return true;
      } catch (thrown) {
        if (isConflict(thrown)) return false;
        throw thrown;
      }
    },
  };
}
