import { emptyLedgerRow, hasArrived, type Ledger, type LedgerRow, mergeLedgerEntries } from "../../ingest/ports.ts";
import { compareAndSet, nextVersion, unchangedSince } from "./compare-and-set.ts";
import { homePartition, ledgerKey, prefixOf } from "./keys.ts";
import type { Table } from "./table.ts";
import type { Item } from "./wire-item.ts";

const readRow = (item: Item): LedgerRow => JSON.parse(String(item.data)) as LedgerRow;

/** One item a relay, merged by compare-and-set. */
export function createDynamodbLedger(table: Table): Ledger {
  return {
    async has(homeId, relayId, range) {
      const item = await table.get(ledgerKey(homeId, relayId));
      return item !== undefined && hasArrived(readRow(item), range);
    },
    record: (homeId, relayId, entries) =>
      compareAndSet(table, async () => {
        const key = ledgerKey(homeId, relayId);
        const item = await table.get(key);
        const before = item ? readRow(item) : emptyLedgerRow(relayId);
        const row = mergeLedgerEntries(before, entries, new Date(table.clock.nowMs()).toISOString());
        await table.put({ ...key, data: JSON.stringify(row), version: nextVersion(item) }, unchangedSince(item));
        return row;
      }),
    async rows(homeId) {
      const rows: LedgerRow[] = [];
      for await (const item of table.query({ pk: homePartition(homeId), prefix: prefixOf("LEDGER") }))
        rows.push(readRow(item));
      return rows.sort((a, b) => (a.relayId < b.relayId ? -1 : 1));
    },
  };
}
