import {
  arrivedParts,
  emptyLedgerRow,
  hasNotes,
  type Ledger,
  type LedgerNotes,
  type LedgerRow,
  mergeLedgerEntries,
  NO_NOTES,
} from "../../ingest/ports.ts";
import { compareAndSet, nextVersion, unchangedSince } from "./compare-and-set.ts";
import { homePartition, keyParts, ledgerKey, ledgerNotesKey, prefixOf } from "./keys.ts";
import type { Table } from "./table.ts";
import type { Item } from "./wire-item.ts";

const dataOf = (item: Item): unknown => JSON.parse(String(item.data));
const rowOf = (relayId: string, item: Item | undefined, notes?: Item): LedgerRow => ({
  ...(item ? (dataOf(item) as Omit<LedgerRow, "notes">) : emptyLedgerRow(relayId)),
  notes: notes ? (dataOf(notes) as LedgerNotes) : NO_NOTES,
});

/**
 * Two items a relay, each changed by compare-and-set: the row, which every batch writes, and its notes, which are long and seldom change (DynamoDB bills by the
 * KB written). Notes come first: each knows which numbers it has taken, so that a crash between the two costs nothing but merging them again.
 */
export function createDynamodbLedger(table: Table): Ledger {
  return {
    async arrived(homeId, relayId, range) {
      const item = await table.get(ledgerKey(homeId, relayId));
      return item ? arrivedParts(rowOf(relayId, item), range) : [];
    },
    record: (homeId, relayId, entries) =>
      compareAndSet(table, async () => {
        const key = ledgerKey(homeId, relayId);
        const notesKey = ledgerNotesKey(homeId, relayId);
        const isNoted = entries.some(hasNotes);
        const [item, notesItem] = await Promise.all([table.get(key), isNoted ? table.get(notesKey) : undefined]);
        const row = mergeLedgerEntries(
          rowOf(relayId, item, notesItem),
          entries,
          new Date(table.clock.nowMs()).toISOString(),
        );
        const { notes, ...rest } = row;
        if (isNoted) {
          const data = JSON.stringify(notes);
          await table.put({ ...notesKey, data, version: nextVersion(notesItem) }, unchangedSince(notesItem));
        }
        await table.put({ ...key, data: JSON.stringify(rest), version: nextVersion(item) }, unchangedSince(item));
        return row;
      }),
    async rows(homeId) {
      const rows = new Map<string, Item>();
      const notes = new Map<string, Item>();
      for await (const item of table.query({ pk: homePartition(homeId), prefix: prefixOf("LEDGER") })) {
        const [, relayId = "", kind] = keyParts(String(item.sk));
        (kind === undefined ? rows : notes).set(relayId, item);
      }
      return [...rows]
        .map(([relayId, item]) => rowOf(relayId, item, notes.get(relayId)))
        .sort((a, b) => (a.relayId < b.relayId ? -1 : 1));
    },
  };
}
