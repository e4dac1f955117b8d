import type { Clock } from "../../base/clock.ts";
import { arrivedParts, emptyLedgerRow, type Ledger, type LedgerRow, mergeLedgerEntries } from "../../ingest/ports.ts";

/** A ledger that lives as long as its process. */
export function createMemoryLedger(clock: Pick<Clock, "nowMs">): Ledger {
  const homes = new Map<string, Map<string, LedgerRow>>();
  return {
    arrived: async (homeId, relayId, range) =>
      arrivedParts(homes.get(homeId)?.get(relayId) ?? emptyLedgerRow(relayId), range),
    record: async (homeId, relayId, entries) => {
      const rows = homes.get(homeId) ?? new Map<string, LedgerRow>();
      const before = rows.get(relayId) ?? emptyLedgerRow(relayId);
      const row = mergeLedgerEntries(before, entries, new Date(clock.nowMs()).toISOString());
      homes.set(homeId, rows.set(relayId, row));
      return row;
    },
    rows: async (homeId) => [...(homes.get(homeId)?.values() ?? [])].sort((a, b) => (a.relayId < b.relayId ? -1 : 1)),
  };
}
