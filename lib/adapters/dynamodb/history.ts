import {
  boundChanges,
  type DeviceIndex,
  HISTORY_CHANGES_MAX,
  HISTORY_KEPT_SECONDS,
  HISTORY_REVISIONS_MAX,
  type IndexedRows,
  type RevisionChanges,
  type RowChange,
} from "../../devices/ports.ts";
import { historyKey, homePartition, type Key, keyParts, prefixOf } from "./keys.ts";
import { pack, unpack } from "./packed.ts";
import type { Table } from "./table.ts";

/** One in so many writes also drops what is beyond the bound. */
const WRITES_PER_PRUNE = 32;

export interface HistoryItems extends Pick<DeviceIndex, "history"> {
  /** Written before the revision holds, and again by whoever tries again: the same revision is the same item. */
  write(homeId: string, found: RevisionOf & { readonly changes: readonly RowChange[] }): Promise<void>;
}
type RevisionOf = Pick<RevisionChanges, "registry" | "revision" | "from">;

/** One packed item a revision that changed something; it ends by its time to live. */
export function createHistory(table: Table): HistoryItems {
  async function prune(homeId: string, registry: IndexedRows): Promise<void> {
    const surplus: Key[] = [];
    let items = 0;
    const all = { pk: homePartition(homeId), prefix: prefixOf("HISTORY", registry), descending: true, keysOnly: true };
    for await (const { pk, sk } of table.query(all)) if (++items > HISTORY_REVISIONS_MAX) surplus.push({ pk, sk });
    await table.writeMany({ deletes: surplus });
  }

  async function read(homeId: string, registry: IndexedRows): Promise<RevisionChanges[]> {
    const found: RevisionChanges[] = [];
    let changes = 0;
    let next = Number.POSITIVE_INFINITY;
    const newest = { pk: homePartition(homeId), prefix: prefixOf("HISTORY", registry), descending: true };
    for await (const { sk, packed, from, omitted } of table.query(newest)) {
      if (found.length >= HISTORY_REVISIONS_MAX || changes >= HISTORY_CHANGES_MAX) break;
      const revision = Number(keyParts(sk)[2]);
      // What a revision wrote that was overtaken before it held: the next one was compared with an older one.
      if (revision > next) continue;
      next = Number(from);
      const rows = unpack(packed) as RowChange[];
      changes += rows.length;
      found.push({ registry, revision, from: next, changes: rows, omitted: Number(omitted) });
    }
    return found;
  }

  return {
    async write(homeId, { registry, revision, from, changes: all }) {
      const { changes, omitted } = boundChanges(all);
      await table.put({
        ...historyKey(homeId, registry, revision),
        packed: pack(changes),
        from,
        omitted,
        expires_at: Math.floor(table.clock.nowMs() / 1000) + HISTORY_KEPT_SECONDS,
      });
      if (table.random() < 1 / WRITES_PER_PRUNE) await prune(homeId, registry);
    },
    async history(homeId, registries) {
      const found = await Promise.all(registries.map((registry) => read(homeId, registry)));
      return found.flat().sort((a, b) => b.revision - a.revision);
    },
  };
}
