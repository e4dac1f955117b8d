import {
  addToRow,
  emptyOutboxRow,
  hasPayload,
  itemOfEntry,
  type NewOutboxItem,
  type OutboxEntry,
  type OutboxItem,
  type OutboxRow,
  type OutboxStore,
  pageOfRow,
  payloadOf,
  settleInRow,
} from "../../publish/ports.ts";
import { compareAndSet, nextVersion, unchangedSince } from "./compare-and-set.ts";
import { outboxKey, outboxPayloadKey } from "./keys.ts";
import { pack, unpack } from "./packed.ts";
import type { Table } from "./table.ts";
import type { Item } from "./wire-item.ts";

/** Payloads go a while after their item has expired: a clock of another function may be behind. */
const PAYLOAD_KEPT_SECONDS = 3_600;

/**
 * One packed item holds a home's whole outbox but the payloads, each of which is an item of its own that ends by its time to live. So a relay that asks and finds nothing
 * reads one small item, and ending an item does not write every payload again. The payload is written first: an item that can be seen can be done.
 */
export function createDynamodbOutboxStore(table: Table): OutboxStore {
  async function read(homeId: string): Promise<{ readonly item: Item | undefined; readonly row: OutboxRow }> {
    const item = await table.get(outboxKey(homeId));
    if (!item) return { item, row: emptyOutboxRow };
    return { item, row: { made: Number(item.made), entries: unpack(item.packed) as OutboxEntry[] } };
  }

  const write = (homeId: string, { made, entries }: OutboxRow, before: Item | undefined): Promise<void> =>
    table.put(
      { ...outboxKey(homeId), made, packed: pack(entries), version: nextVersion(before) },
      unchangedSince(before),
    );

  function writePayload(item: NewOutboxItem): Promise<void> | undefined {
    const payload = payloadOf(item);
    if (payload === undefined) return undefined;
    return table.put({
      ...outboxPayloadKey(item.homeId, item.unique),
      packed: pack([payload]),
      expires_at: Math.ceil(item.expiresAtMs / 1000) + PAYLOAD_KEPT_SECONDS,
    });
  }

  async function withPayloads(homeId: string, entries: readonly OutboxEntry[]): Promise<OutboxItem[]> {
    const keyOf = ({ id }: OutboxEntry) => outboxPayloadKey(homeId, uniqueOf(id));
    const waiting = entries.filter(({ status, kind }) => status === "pending" && hasPayload(kind));
    const found = waiting.length > 0 ? await table.getMany(waiting.map(keyOf)) : [];
    const payloads = new Map(found.map(({ sk, packed }) => [sk, unpack(packed)[0]]));
    return entries.flatMap((entry) => {
      const payload = payloads.get(keyOf(entry).sk);
      // Its time to live has ended it between the two readings.
      if (waiting.includes(entry) && typeof payload !== "string") return [];
      return [itemOfEntry(homeId, entry, typeof payload === "string" ? payload : undefined)];
    });
  }

  return {
    async add(item) {
      // Who is refused has written nothing: payloads are what an outbox costs.
      addToRow((await read(item.homeId)).row, item);
      await writePayload(item);
      return compareAndSet(table, async () => {
        const before = await read(item.homeId);
        const { row, entry, added } = addToRow(before.row, item);
        if (added) await write(item.homeId, row, before.item);
        return {
          item: itemOfEntry(item.homeId, entry, payloadOf(item)),
          added,
        };
      });
    },

    async list({ homeId, ...query }) {
      const { row } = await read(homeId);
      const { entries, next } = pageOfRow(row, query);
      return { items: await withPayloads(homeId, entries), ...(next !== undefined && { next }) };
    },

    settle: (homeId, id, outcome) =>
      compareAndSet(table, async () => {
        const before = await read(homeId);
        const { row, entry } = settleInRow(before.row, id, { ...outcome, nowMs: table.clock.nowMs() });
        if (row !== before.row) await write(homeId, row, before.item);
        return entry && itemOfEntry(homeId, entry, undefined);
      }),
  };
}

/** `0000000001-k3j9x` -> `k3j9x` */
const uniqueOf = (id: string): string => id.slice(id.indexOf("-") + 1);
