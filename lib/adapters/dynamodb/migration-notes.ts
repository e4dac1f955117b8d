import {
  type Difference,
  type DifferenceBook,
  emptyDifferenceBook,
  type MigrationStore,
  PAIRS_MAX,
  type ReadPair,
  withDifferences,
} from "../../migration/ports.ts";
import { compareAndSet } from "./compare-and-set.ts";
import {
  homePartition,
  migrationDifferencePieceKey,
  migrationDifferencesKey,
  migrationPairsAfter,
  migrationPairsKey,
  migrationReadKey,
  prefixOf,
} from "./keys.ts";
import { packPieces, unpack } from "./packed.ts";
import { createPieces } from "./pieces.ts";
import type { Table } from "./table.ts";
import type { Item } from "./wire-item.ts";

/** Old pairs are looked for at one addition in so many: the look reads what is there. */
const CLEARED_EVERY = 8;

/** What is measured and found beside a migration: appended by readers and steps, never part of its row. */
export function createMigrationNotes(
  table: Table,
  uniqueName: () => string,
): Pick<MigrationStore, "addPairs" | "pairs" | "noteOldRead" | "oldRead" | "addDifferences" | "differences"> {
  const pieces = createPieces(table, migrationDifferencePieceKey);

  async function clearPairs(homeId: string, id: string): Promise<void> {
    let newer = 0;
    const deletes: Item[] = [];
    const options = { pk: homePartition(homeId), prefix: prefixOf("MIGRATIONPAIRS", id), keysOnly: ["pairs"] };
    for await (const item of table.query({ ...options, descending: true })) {
      if (newer >= PAIRS_MAX) deletes.push(item);
      newer += Number(item.pairs);
    }
    await table.writeMany({ deletes });
  }

  async function book(
    homeId: string,
    id: string,
  ): Promise<{ readonly item: Item | undefined; readonly book: DifferenceBook }> {
    const key = migrationDifferencesKey(homeId, id);
    const first = await table.get(key);
    const found = first && (await pieces.read(homeId, first, { key, name: "differences" }));
    if (!found) return { item: undefined, book: emptyDifferenceBook };
    const count = { ...emptyDifferenceBook.count, ...(found.head.counts as object) };
    return { item: found.head, book: { count, examples: found.rows as Difference[] } };
  }

  return {
    async addPairs(homeId, id, pairs) {
      if (pairs.length === 0) return;
      const sorted = pairs.toSorted((a, b) => a.atUs - b.atUs);
      const unique = uniqueName();
      const puts = packPieces(sorted).map((packed, piece) => {
        const held = unpack(packed) as ReadPair[];
        const at = { id, atUs: held.at(-1)?.atUs ?? 0, unique: `${unique}-${piece}` };
        return { ...migrationPairsKey(homeId, at), pairs: held.length, packed };
      });
      await table.writeMany({ puts });
      if (Math.floor(table.random() * CLEARED_EVERY) === 0) await clearPairs(homeId, id);
    },

    async pairs(homeId, id, afterUs) {
      const found: ReadPair[] = [];
      const between = migrationPairsAfter(id, afterUs);
      for await (const { packed } of table.query({ pk: homePartition(homeId), between }))
        for (const pair of unpack(packed) as ReadPair[]) if (pair.atUs > afterUs) found.push(pair);
      return found.sort((a, b) => a.atUs - b.atUs).slice(-PAIRS_MAX);
    },

    async noteOldRead(homeId, id, { atUs, reader }) {
      await table.put({ ...migrationReadKey(homeId, id), at_us: atUs, ...(reader !== undefined && { reader }) });
    },

    async oldRead(homeId, id) {
      const item = await table.get(migrationReadKey(homeId, id));
      if (!item) return undefined;
      const { at_us: atUs, reader } = item;
      return { atUs: Number(atUs), ...(reader !== undefined && { reader: String(reader) }) };
    },

    async addDifferences(homeId, id, found) {
      if (found.length === 0) return;
      await compareAndSet(table, async () => {
        const { item, book: before } = await book(homeId, id);
        const { count, examples } = withDifferences(before, found);
        const head = { ...migrationDifferencesKey(homeId, id), counts: count };
        await pieces.replace(homeId, item, { head, rows: examples, write: "differences" });
      });
    },
    differences: async (homeId, id) => (await book(homeId, id)).book,
  };
}
