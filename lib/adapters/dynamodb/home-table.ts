import { isDeepStrictEqual } from "node:util";
import type { HomeTable, ItemsRestored, TableItem } from "../../backup/ports.ts";
import { HearthlineError } from "../../base/errors.ts";
import { isConflict } from "./compare-and-set.ts";
import { itemOf, kindOf, plain, refuseForeign, tableItemOf } from "./home-items.ts";
import { directoryKey, homePartition, prefixOf, restoreKey, signingKeyKey, tokenHashKey } from "./keys.ts";
import type { Expression, Table } from "./table.ts";
import { isTokenOfAnother } from "./tokens.ts";
import type { Item } from "./wire-item.ts";

/** The arrangement that keys.ts describes. One more when an older program would misread what a newer one wrote. */
const LAYOUT = 1;

/**
 * Of the moment: what a token may still ask in this minute, and the restore itself. And migrations: how far one had come says nothing of a home that was restored, and none goes on by itself.
 */
const PASSING: ReadonlySet<string> = new Set([
  ...["RATE", "RESTORE", "POINTER", "MIGRATION", "MIGRATIONMEMORY", "MIGRATIONAUDIT", "MIGRATIONPAIRS"],
  ...["MIGRATIONDIFFERENCES", "MIGRATIONDIFFERENCEROWS"],
]);
/** What a home that was just made, and asked for its health, has. */
const OF_A_NEW_HOME: ReadonlySet<string> = new Set(["HOME", "KEY", "TOKEN", "HEALTH", "RATE", "RETENTION"]);
/** Items that say where others lie, and so come last when they are put back; and before the home's own record, its keys and tokens. */
const HEADS: ReadonlySet<string> = new Set(["REGISTRY", "AGG", "OUTBOX", "JOB", "PATTERNS"]);
const AT_THE_END = ["KEY", "TOKEN", "HOME"];

const READ_ATTEMPTS = 5;
const PUTS_AT_ONCE = 16;

const IF_NONE: Expression = { expression: "attribute_not_exists(pk)" };

/** All of a home's partition, item by item. */
export function createDynamodbHomeTable(table: Table): HomeTable {
  /** Which rows hold now: revisions of registries, and aggregates that lie in pieces. Whoever replaces one takes its old rows away. */
  async function controls(homeId: string): Promise<readonly unknown[]> {
    const pk = homePartition(homeId);
    const found: unknown[] = [];
    for await (const { sk, version } of table.query({ pk, prefix: prefixOf("REGISTRY"), keysOnly: ["version"] }))
      found.push([sk, version]);
    for await (const { sk, write_id } of table.query({ pk, prefix: prefixOf("AGG"), keysOnly: ["write_id"] }))
      if (write_id !== undefined) found.push([sk, write_id]);
    return found;
  }

  async function* items(homeId: string): AsyncGenerator<TableItem> {
    for (let attempt = 1; attempt <= READ_ATTEMPTS; attempt++) {
      // Rows may go between the look at what names them and the look at them: then all is read again, and what comes later counts.
      const before = await controls(homeId);
      for await (const item of table.query({ pk: homePartition(homeId) }))
        if (!PASSING.has(kindOf(item.sk))) yield tableItemOf(item);
      if (isDeepStrictEqual(await controls(homeId), before)) return;
    }
    throw new HearthlineError(
      "conflict",
      `The items of home "${homeId}" were read ${READ_ATTEMPTS} times, and each time a registry or an aggregate was replaced meanwhile.`,
    );
  }

  /** `written`, `same`, or `kept`. */
  async function put(item: Item, condition: Expression): Promise<keyof ItemsRestored> {
    try {
      await table.put(item, condition);
      return "written";
    } catch (thrown) {
      if (!isConflict(thrown)) throw thrown;
      const there = await table.get({ pk: item.pk, sk: item.sk });
      return isDeepStrictEqual(there && plain(there), plain(item)) ? "same" : "kept";
    }
  }

  async function putBack(homeId: string, item: Item): Promise<keyof ItemsRestored> {
    switch (kindOf(item.sk)) {
      case "HOME": {
        await table.put({ ...directoryKey(homeId) });
        const isNotNewer = "attribute_not_exists(pk) OR revision <= :revision";
        return put(item, { expression: isNotNewer, values: { ":revision": item.revision ?? 0 } });
      }
      case "TOKEN": {
        const { pk: _pk, sk: _sk, ...content } = item;
        // A row that led to another home's token would end that one when this one is revoked.
        if (await isTokenOfAnother(table, homeId, String(item.hash))) return "kept";
        const result = await put(item, IF_NONE);
        // The same order as when a token is made: one that works can always be listed and revoked.
        if (result !== "kept") await put({ ...tokenHashKey(String(item.hash)), ...content }, IF_NONE);
        return result;
      }
      default:
        return put(item, IF_NONE);
    }
  }

  function checked(homeId: string, item: TableItem): Item {
    const checkedItem = itemOf(homeId, item);
    refuseForeign(homeId, checkedItem, item.isSecret);
    return checkedItem;
  }

  async function putAll(homeId: string, group: readonly TableItem[], counts: Record<keyof ItemsRestored, number>) {
    for (let start = 0; start < group.length; start += PUTS_AT_ONCE) {
      const some = group.slice(start, start + PUTS_AT_ONCE);
      const results = await Promise.all(some.map((item) => putBack(homeId, checked(homeId, item))));
      for (const result of results) counts[result]++;
    }
  }

  return {
    layout: LAYOUT,
    items,
    check: (homeId, item) => void checked(homeId, item),

    async occupied(homeId) {
      const kinds = new Set<string>();
      for await (const { sk } of table.query({ pk: homePartition(homeId), keysOnly: true })) kinds.add(kindOf(sk));
      return [...kinds].filter((kind) => !OF_A_NEW_HOME.has(kind));
    },

    async restoring(homeId) {
      const marker = await table.get(restoreKey(homeId));
      return marker && String(marker.backup);
    },

    async beginRestore(homeId, backupId, { isForced = false } = {}) {
      const item = { ...restoreKey(homeId), backup: backupId };
      const expression = "attribute_not_exists(pk) OR #backup = :backup";
      const isOurs = { expression, names: { "#backup": "backup" }, values: { ":backup": backupId } };
      try {
        await table.put(item, isForced ? undefined : isOurs);
      } catch (thrown) {
        if (!isConflict(thrown)) throw thrown;
        throw new HearthlineError(
          "backup_target_not_empty",
          `Another backup has just begun to be restored into the home "${homeId}". Nothing was changed. Wanted is one at a time.`,
        );
      }
    },

    async restore(homeId, given) {
      const counts = { written: 0, same: 0, kept: 0 };
      const later = new Map<string, TableItem>();
      let group: TableItem[] = [];
      for await (const item of given) {
        const kind = kindOf(item.key);
        if (PASSING.has(kind)) continue;
        // By key: of two, the later one counts.
        if (HEADS.has(kind) || AT_THE_END.includes(kind)) later.set(item.key, item);
        else group.push(item);
        if (group.length < PUTS_AT_ONCE) continue;
        await putAll(homeId, group, counts);
        group = [];
      }
      await putAll(homeId, group, counts);
      const left = [...later.values()];
      await putAll(
        homeId,
        left.filter(({ key }) => HEADS.has(kindOf(key))),
        counts,
      );
      for (const kind of AT_THE_END)
        await putAll(
          homeId,
          left.filter(({ key }) => kindOf(key) === kind),
          counts,
        );
      return counts;
    },

    async ensureKey(homeId, { id, secret }) {
      for await (const item of table.query({ pk: homePartition(homeId), prefix: prefixOf("KEY") }))
        if (item.retired_at === undefined) return false;
      const created_at = new Date(table.clock.nowMs()).toISOString();
      await table.put({ ...signingKeyKey(homeId, id), secret, created_at });
      return true;
    },

    endRestore: async (homeId) => void (await table.remove(restoreKey(homeId))),
  };
}
