import { describe, expect, it } from "vitest";
import { createDynamodbOutboxStore } from "../../../lib/adapters/dynamodb/outbox.ts";
import { pack } from "../../../lib/adapters/dynamodb/packed.ts";
import type { Table } from "../../../lib/adapters/dynamodb/table.ts";
import type { Item } from "../../../lib/adapters/dynamodb/wire-item.ts";
import { addToRow, emptyOutboxRow, type NewOutboxItem, OUTBOX_PENDING_MAX } from "../../../lib/publish/ports.ts";
import { manualClock } from "../../support/manual-clock.ts";

const ask = (at: number): NewOutboxItem => ({
  homeId: "home",
  kind: "mqtt",
  unique: `u${at}`,
  createdAtMs: 0,
  expiresAtMs: 1e12,
  message: { topic: `hearthline/${at}`, payload: "x".repeat(131_072), qos: 1, retain: false },
});

describe("the outbox's items of the table", () => {
  it("whoever is refused because it is full has written nothing: a payload costs 128 write units", async () => {
    let row = emptyOutboxRow;
    for (let at = 0; at < OUTBOX_PENDING_MAX; at++) row = addToRow(row, ask(at)).row;
    const puts: Item[] = [];
    const table: Pick<Table, "clock" | "random" | "get" | "put"> = {
      clock: manualClock(),
      random: () => 0.5,
      get: async (key) => ({ ...key, made: row.made, packed: pack(row.entries), version: 1 }),
      put: async (item) => void puts.push(item),
    };
    const store = createDynamodbOutboxStore(table as Table);
    await expect(store.add(ask(OUTBOX_PENDING_MAX))).rejects.toMatchObject({ code: "outbox_full" });
    expect(puts).toEqual([]);
  });
});
