import {
  arrivedParts,
  emptyLedgerRow,
  type HomePresence,
  hasNotes,
  type Ledger,
  type LedgerEntry,
  type LedgerNotes,
  type LedgerRow,
  mergeLedgerEntries,
  NO_NOTES,
} from "../../ingest/ports.ts";
import { compareAndSet, nextVersion, unchangedSince } from "./compare-and-set.ts";
import { homePartition, type Key, keyParts, ledgerKey, ledgerNotesKey, prefixOf } from "./keys.ts";
import type { Table } from "./table.ts";
import type { Item } from "./wire-item.ts";

/** A batch is of ten relays at most; those that failed after their reading stay a while. */
const LATELY_MAX = 100;

const nameOf = ({ pk, sk }: Key): string => JSON.stringify([pk, sk]);
const dataOf = (item: Item): unknown => JSON.parse(String(item.data));
const rowOf = (relayId: string, item: Item | undefined, notes?: Item): LedgerRow => ({
  ...(item ? (dataOf(item) as Omit<LedgerRow, "notes">) : emptyLedgerRow(relayId)),
  notes: notes ? (dataOf(notes) as LedgerNotes) : NO_NOTES,
});

/**
 * Two items a relay, each changed by compare-and-set: the row, which every batch writes, and its notes, which are long and seldom change (DynamoDB bills by the
 * KB written). Notes come first: each knows which numbers it has taken, so that a crash between the two costs nothing but merging them again.
 * `homes`: a relay's first row, and what came under a key that the row does not know, are written only where the home is there and has the key: `enrich` believes a key for a
 * minute, also of a home that was removed, or removed and made again. What is not written is not an error.
 */
export function createDynamodbLedger(table: Table, homes?: HomePresence): Ledger {
  /** Rows as `arrived` has just read them: what is recorded next stands on one of them, and its condition says whether nobody was there between. */
  const lately = new Map<string, Item>();

  function remember(item: Item): void {
    const name = nameOf(item);
    lately.delete(name);
    lately.set(name, item);
    const [oldest] = lately.keys();
    if (lately.size > LATELY_MAX && oldest !== undefined) lately.delete(oldest);
  }

  /** Once: who was beaten reads again. */
  function recall(key: Key): Item | undefined {
    const item = lately.get(nameOf(key));
    lately.delete(nameOf(key));
    return item;
  }

  return {
    async arrived(homeId, relayId, range) {
      const item = await table.get(ledgerKey(homeId, relayId));
      if (item) remember(item);
      return item ? arrivedParts(rowOf(relayId, item), range) : [];
    },
    record: (homeId, relayId, given) =>
      compareAndSet(table, async () => {
        const key = ledgerKey(homeId, relayId);
        const notesKey = ledgerNotesKey(homeId, relayId);
        const isNoted = given.some(hasNotes);
        const [item, notesItem] = await Promise.all([
          recall(key) ?? table.get(key),
          isNoted ? table.get(notesKey) : undefined,
        ]);
        const entries = homes ? await ofHomeThere(homes, homeId, { relayId, item, entries: given }) : given;
        if (entries.length === 0) return rowOf(relayId, item, notesItem);
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

interface Recorded {
  readonly relayId: string;
  readonly item: Item | undefined;
  readonly entries: readonly LedgerEntry[];
}

/** Without those of a home that was removed: what they tell of is dropped behind `enrich`, too. */
async function ofHomeThere(
  homes: HomePresence,
  homeId: string,
  { relayId, item, entries }: Recorded,
): Promise<readonly LedgerEntry[]> {
  const { keys = {} } = rowOf(relayId, item);
  const isKnown = (keyId: string | undefined) => item && (keyId === undefined || Object.hasOwn(keys, keyId));
  const gone = new Set<string | undefined>();
  for (const keyId of new Set(entries.map((entry) => entry.keyId)))
    if (!isKnown(keyId) && !(await homes.isThere(homeId, keyId))) gone.add(keyId);
  return entries.filter(({ keyId }) => !gone.has(keyId));
}
