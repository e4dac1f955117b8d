import {
  type Conflict,
  type ConflictRow,
  type ConflictStore,
  emptyConflictRow,
  noteInRow,
  pageOfConflicts,
  settleInConflicts,
} from "../../devices/ports.ts";
import { compareAndSet, nextVersion, unchangedSince } from "./compare-and-set.ts";
import { conflictsKey } from "./keys.ts";
import { pack, unpack } from "./packed.ts";
import type { Table } from "./table.ts";
import type { Item } from "./wire-item.ts";

/** One packed item holds a home's conflicts: they are few, seldom change, and are read together. */
export function createDynamodbConflictStore(table: Table): ConflictStore {
  async function read(homeId: string): Promise<{ readonly item: Item | undefined; readonly row: ConflictRow }> {
    const item = await table.get(conflictsKey(homeId));
    if (!item) return { item, row: emptyConflictRow };
    return { item, row: { conflicts: unpack(item.packed) as Conflict[], dropped: Number(item.dropped) } };
  }

  const write = (homeId: string, { conflicts, dropped }: ConflictRow, before: Item | undefined): Promise<void> =>
    table.put(
      { ...conflictsKey(homeId), packed: pack(conflicts), dropped, version: nextVersion(before) },
      unchangedSince(before),
    );

  return {
    note: (homeId, comparison) =>
      compareAndSet(table, async () => {
        const before = await read(homeId);
        const { row, tally } = noteInRow(before.row, comparison);
        if (row !== before.row) await write(homeId, row, before.item);
        return tally;
      }),
    async list(homeId, query) {
      return pageOfConflicts((await read(homeId)).row, query);
    },
    settle: (homeId, id, choice) =>
      compareAndSet(table, async () => {
        const before = await read(homeId);
        const { row, conflict } = settleInConflicts(before.row, id, choice);
        if (row !== before.row) await write(homeId, row, before.item);
        return conflict;
      }),
  };
}
