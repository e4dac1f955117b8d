import type { Clock } from "../../base/clock.ts";
import {
  addToRow,
  emptyOutboxRow,
  itemOfEntry,
  type OutboxEntry,
  type OutboxItem,
  type OutboxRow,
  type OutboxStore,
  pageOfRow,
  payloadOf,
  settleInRow,
} from "../../publish/ports.ts";

/** An outbox that lives as long as its process. */
export function createMemoryOutboxStore(clock: Pick<Clock, "nowMs">): OutboxStore {
  const rows = new Map<string, OutboxRow>();
  const payloads = new Map<string, string>();
  const rowOf = (homeId: string) => rows.get(homeId) ?? emptyOutboxRow;
  const itemOf = (homeId: string, entry: OutboxEntry): OutboxItem =>
    itemOfEntry(homeId, entry, entry.status === "pending" ? payloads.get(`${homeId}/${entry.id}`) : undefined);
  return {
    async add(item) {
      const { row, entry, added } = addToRow(rowOf(item.homeId), item);
      rows.set(item.homeId, row);
      const payload = payloadOf(item);
      if (added && payload !== undefined) payloads.set(`${item.homeId}/${entry.id}`, payload);
      return { item: itemOf(item.homeId, entry), added };
    },
    async list({ homeId, ...query }) {
      const { entries, next } = pageOfRow(rowOf(homeId), query);
      return { items: entries.map((entry) => itemOf(homeId, entry)), ...(next !== undefined && { next }) };
    },
    async settle(homeId, id, outcome) {
      const { row, entry } = settleInRow(rowOf(homeId), id, { ...outcome, nowMs: clock.nowMs() });
      rows.set(homeId, row);
      if (entry) payloads.delete(`${homeId}/${id}`);
      return entry && itemOf(homeId, entry);
    },
  };
}
