import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ledgerKey, ledgerNotesKey } from "../../../lib/adapters/dynamodb/keys.ts";
import { createDynamodbLedger } from "../../../lib/adapters/dynamodb/ledger.ts";
import type { Table } from "../../../lib/adapters/dynamodb/table.ts";
import { GAP_REASONS } from "../../../lib/event/index.ts";
import { type GapNote, type LedgerEntry, noteOfGap } from "../../../lib/ingest/index.ts";
import { startDynaliteServer, tableAt } from "../../support/dynalite.ts";

let server: Awaited<ReturnType<typeof startDynaliteServer>>;
beforeAll(async () => {
  server = await startDynaliteServer();
});
afterAll(() => server.stop());

const gap = (n: number): GapNote =>
  noteOfGap({
    ...{ t: "gap", n, from: "2026-11-22T05:00:00Z", to: "2026-11-22T05:10:00Z", cause: "disconnected" },
    ...{ entities: 9, recovered: 3, statistics: 0, complete: false },
    missing: GAP_REASONS.map((reason) => ({ reason, entities: 20, examples: Array(20).fill("€".repeat(255)) })),
  });

/** Sort keys of what is written, in order. */
function noting(table: Table, fails: (sk: string) => boolean = () => false): { table: Table; written: string[] } {
  const written: string[] = [];
  const put: Table["put"] = async (item, condition) => {
    if (fails(String(item.sk))) throw new Error("killed");
    await table.put(item, condition);
    written.push(String(item.sk));
  };
  return { table: { ...table, put }, written };
}

describe("a ledger in the table", () => {
  it("writes its notes only when there are new ones: every batch pays for what it writes", async () => {
    const { table, written } = noting(await tableAt(server.url, "writes"));
    const ledger = createDynamodbLedger(table);
    await ledger.record("home", "relay", [{ range: [1, 5], gaps: [gap(3)] }]);
    for (let n = 6; n < 10; n++) await ledger.record("home", "relay", [{ range: [n, n], gaps: [] }]);
    const [row, notes] = [ledgerKey("home", "relay").sk, ledgerNotesKey("home", "relay").sk];
    expect(written).toEqual([notes, row, row, row, row, row]);
    expect(JSON.stringify(await table.get(ledgerKey("home", "relay"))).length).toBeLessThan(1_024);
  });

  it("records upon the row that it has just read, and reads again when somebody was there between", async () => {
    const plain = await tableAt(server.url, "reads");
    const reads: string[] = [];
    const ledger = createDynamodbLedger({
      ...plain,
      get: async (key, reading) => {
        reads.push(key.sk);
        return plain.get(key, reading);
      },
    });
    const other = createDynamodbLedger(plain);
    await other.record("home", "relay", [{ range: [1, 5] }]);
    expect(await ledger.arrived("home", "relay", [4, 9])).toEqual([[4, 5]]);
    await ledger.record("home", "relay", [{ range: [6, 9] }]);
    expect(reads).toHaveLength(1);
    // The row is good for one write only.
    await ledger.record("home", "relay", [{ range: [10, 10] }]);
    expect(reads).toHaveLength(2);
    await ledger.arrived("home", "relay", [11, 11]);
    await other.record("home", "relay", [{ range: [20, 21] }]);
    await ledger.record("home", "relay", [{ range: [11, 12] }]);
    expect(reads).toHaveLength(4);
    const wanted = [
      [1, 12],
      [20, 21],
    ];
    expect(await other.rows("home")).toMatchObject([{ ranges: wanted }]);
  });

  it("counts once what it was killed over, between the notes and the row", async () => {
    const plain = await tableAt(server.url, "killed");
    const entry: LedgerEntry = { range: [1, 5], gaps: [gap(3)] };
    const row = ledgerKey("home", "relay").sk;
    const killed = createDynamodbLedger(noting(plain, (sk) => sk === row).table);
    await expect(killed.record("home", "relay", [entry])).rejects.toThrow("killed");
    const ledger = createDynamodbLedger(plain);
    expect(await ledger.rows("home")).toEqual([]);
    await ledger.record("home", "relay", [entry]);
    expect(await ledger.rows("home")).toMatchObject([
      { ranges: [[1, 5]], notes: { interruptions: { totals: { count: 1, recovered: 3 } } } },
    ]);
  });

  it("takes the longest notes that there may be", async () => {
    const table = await tableAt(server.url, "longest");
    const gaps = Array.from({ length: 1_200 }, (_, at) => gap(Number.MAX_SAFE_INTEGER - 10_000 + at * 2));
    const row = await createDynamodbLedger(table).record("home", "relay", [{ range: [1, 1], gaps }]);
    const item = await table.get(ledgerNotesKey("home", "relay"));
    expect(JSON.stringify(item).length).toBeLessThan(400 * 1024);
    expect(await createDynamodbLedger(table).rows("home")).toEqual([row]);
  });

  it("reads a row from before there were notes and times, and goes on with it", async () => {
    const table = await tableAt(server.url, "older");
    const older = {
      ...{ relayId: "relay", ranges: [[1, 9]], lost: [], updatedAt: "2026-11-01T00:00:00.000Z" },
      counts: { records: 9, rejected: 1, duplicates: 0 },
    };
    await table.put({ ...ledgerKey("home", "relay"), data: JSON.stringify(older), version: 4 });
    const ledger = createDynamodbLedger(table);
    expect(await ledger.arrived("home", "relay", [8, 12])).toEqual([[8, 9]]);
    const sentAt = "2026-11-02T00:00:00.000Z";
    const row = await ledger.record("home", "relay", [{ range: [10, 10], gaps: [gap(10)], sentAt }]);
    expect(row).toMatchObject({ ranges: [[1, 10]], counts: { records: 10, rejected: 1 }, lastSentAt: sentAt });
    // Nobody knows when it was heard first.
    expect(row).not.toHaveProperty("firstAt");
    expect(await ledger.rows("home")).toEqual([row]);
  });
});
