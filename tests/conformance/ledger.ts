import { describe, expect, it } from "vitest";
import type { Ledger } from "../../lib/ingest/ports.ts";

/** What every `Ledger` does. `make` gives one whose homes are its own; `reopen` the same data through another one, as after a restart or from another function. */
export function ledgerConformance(make: () => Promise<{ ledger: Ledger; reopen: () => Promise<Ledger> }>): void {
  describe("ledger", () => {
    it("has nothing of a relay or home that it never heard of", async () => {
      const { ledger } = await make();
      expect(await ledger.has("home", "relay", [1, 1])).toBe(false);
      expect(await ledger.rows("home")).toEqual([]);
    });

    it("merges ranges in any order and gives the row as it is then", async () => {
      const { ledger, reopen } = await make();
      await ledger.record("home", "relay", [{ range: [11, 20] }]);
      expect((await ledger.record("home", "relay", [{ range: [31, 40], rejected: 2 }])).ranges).toEqual([
        [11, 20],
        [31, 40],
      ]);
      const row = await ledger.record("home", "relay", [{ range: [21, 30] }, { range: [1, 10], rejected: 1 }]);
      expect(row).toMatchObject({
        relayId: "relay",
        ranges: [[1, 40]],
        lost: [],
        counts: { records: 40, rejected: 3, duplicates: 0 },
      });
      expect(Date.parse(row.updatedAt)).not.toBeNaN();
      expect(await (await reopen()).rows("home")).toEqual([row]);
    });

    it("has a range only when every number of it is recorded", async () => {
      const { ledger } = await make();
      await ledger.record("home", "relay", [{ range: [1, 10] }, { range: [12, 20] }]);
      for (const [first, last, wanted] of [
        [1, 10, true],
        [3, 4, true],
        [12, 20, true],
        [10, 12, false],
        [11, 11, false],
        [20, 21, false],
      ] as const) {
        expect([first, last, await ledger.has("home", "relay", [first, last])]).toEqual([first, last, wanted]);
      }
    });

    it("has not what was only reported as lost: an envelope that was under way then is no duplicate when it comes", async () => {
      const { ledger } = await make();
      await ledger.record("home", "relay", [
        { range: [101, 110], lost: [{ first: 1, last: 100, count: 100, reason: "the spool was full" }] },
      ]);
      expect(await ledger.has("home", "relay", [51, 60])).toBe(false);
      expect(await ledger.has("home", "relay", [100, 102])).toBe(false);
      expect(await ledger.has("home", "relay", [101, 110])).toBe(true);
      expect((await ledger.record("home", "relay", [{ range: [51, 60] }])).ranges).toEqual([[1, 110]]);
    });

    it("changes no range when the same is recorded again, and counts the duplicates", async () => {
      const { ledger } = await make();
      const first = await ledger.record("home", "relay", [{ range: [1, 10], rejected: 1 }]);
      const again = await ledger.record("home", "relay", [{ range: [1, 10], rejected: 1 }]);
      expect(again.ranges).toEqual(first.ranges);
      expect(again.counts).toEqual({ records: 10, rejected: 1, duplicates: 10 });
    });

    it("keeps losses and counts them as accounted for, once", async () => {
      const { ledger, reopen } = await make();
      const lost = [{ first: 5, last: 9, count: 5, reason: "spool full" }];
      await ledger.record("home", "relay", [{ range: [10, 12], lost }]);
      await ledger.record("home", "relay", [{ range: [10, 12], lost }, { range: [1, 4] }]);
      const [row] = await (await reopen()).rows("home");
      expect(row).toMatchObject({ ranges: [[1, 12]], lost });
      // Accounted for, but not arrived.
      expect(await ledger.has("home", "relay", [5, 9])).toBe(false);
    });

    it("keeps homes and relays apart, rows by relay id", async () => {
      const { ledger } = await make();
      await ledger.record("home", "b", [{ range: [1, 2] }]);
      await ledger.record("home", "a", [{ range: [1, 3] }]);
      await ledger.record("other", "a", [{ range: [1, 4] }]);
      expect((await ledger.rows("home")).map((row) => [row.relayId, row.ranges])).toEqual([
        ["a", [[1, 3]]],
        ["b", [[1, 2]]],
      ]);
      expect(await ledger.has("other", "a", [4, 4])).toBe(true);
      expect(await ledger.has("home", "a", [4, 4])).toBe(false);
    });

    it("loses nothing when many record at once", async () => {
      const { ledger, reopen } = await make();
      const other = await reopen();
      const work = Array.from({ length: 12 }, (_, at) =>
        (at % 2 ? ledger : other).record("home", "relay", [{ range: [at * 10 + 1, at * 10 + 10] }]),
      );
      await Promise.all(work);
      expect(await ledger.rows("home")).toMatchObject([{ ranges: [[1, 120]], counts: { records: 120 } }]);
    });

    it("refuses a row of more than a thousand ranges and keeps what it had", async () => {
      const { ledger } = await make();
      const holes = Array.from({ length: 1000 }, (_, at) => ({ range: [at * 2 + 1, at * 2 + 1] as const }));
      await ledger.record("home", "relay", holes);
      await expect(ledger.record("home", "relay", [{ range: [5001, 5001] }])).rejects.toMatchObject({
        code: "ledger_full",
      });
      expect((await ledger.rows("home"))[0]?.ranges).toHaveLength(1000);
      expect((await ledger.record("home", "relay", [{ range: [2, 2] }])).ranges).toHaveLength(999);
    });
  });
}
