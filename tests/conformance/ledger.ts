import { describe, expect, it } from "vitest";
import type { GapNote } from "../../lib/ingest/index.ts";
import type { Ledger } from "../../lib/ingest/ports.ts";

/** What every `Ledger` does. `make` gives one whose homes are its own; `reopen` the same data through another one, as after a restart or from another function. */
export function ledgerConformance(make: () => Promise<{ ledger: Ledger; reopen: () => Promise<Ledger> }>): void {
  describe("ledger", () => {
    it("has nothing of a relay or home that it never heard of", async () => {
      const { ledger } = await make();
      expect(await ledger.arrived("home", "relay", [1, 1])).toEqual([]);
      expect(await ledger.rows("home")).toEqual([]);
    });

    it("merges ranges in any order and gives the row as it is then", async () => {
      const { ledger, reopen } = await make();
      await ledger.record("home", "relay", [{ range: [11, 20] }]);
      expect((await ledger.record("home", "relay", [{ range: [31, 40], rejected: [31, 40] }])).ranges).toEqual([
        [11, 20],
        [31, 40],
      ]);
      const row = await ledger.record("home", "relay", [{ range: [21, 30] }, { range: [1, 10], rejected: [4] }]);
      expect(row).toMatchObject({
        relayId: "relay",
        ranges: [[1, 40]],
        lost: [],
        counts: { records: 40, rejected: 3, duplicates: 0 },
      });
      expect(Date.parse(row.updatedAt)).not.toBeNaN();
      expect(await (await reopen()).rows("home")).toEqual([row]);
    });

    it("says which parts of a range have arrived", async () => {
      const { ledger } = await make();
      await ledger.record("home", "relay", [{ range: [1, 10] }, { range: [12, 20] }]);
      for (const [first, last, ...wanted] of [
        [1, 10, [1, 10]],
        [3, 4, [3, 4]],
        [12, 20, [12, 20]],
        [9, 13, [9, 10], [12, 13]],
        [11, 11],
        [20, 21, [20, 20]],
        [0, 99, [1, 10], [12, 20]],
      ] as const) {
        expect([first, last, ...(await ledger.arrived("home", "relay", [first, last]))]).toEqual([
          first,
          last,
          ...wanted,
        ]);
      }
    });

    it("has not what was only reported as lost: an envelope that was under way then is no duplicate when it comes", async () => {
      const { ledger } = await make();
      await ledger.record("home", "relay", [
        { range: [101, 110], lost: [{ first: 1, last: 100, count: 100, reason: "the spool was full" }] },
      ]);
      expect(await ledger.arrived("home", "relay", [51, 60])).toEqual([]);
      expect(await ledger.arrived("home", "relay", [100, 102])).toEqual([[101, 102]]);
      expect(await ledger.arrived("home", "relay", [101, 110])).toEqual([[101, 110]]);
      expect((await ledger.record("home", "relay", [{ range: [51, 60] }])).ranges).toEqual([[1, 110]]);
    });

    it("changes no range when the same is recorded again, and counts the duplicates", async () => {
      const { ledger } = await make();
      const first = await ledger.record("home", "relay", [{ range: [1, 10], rejected: [3] }]);
      const again = await ledger.record("home", "relay", [{ range: [1, 10], rejected: [3] }]);
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
      expect(await ledger.arrived("home", "relay", [5, 9])).toEqual([]);
    });

    it("counts of an envelope that overlaps only what is new", async () => {
      const { ledger } = await make();
      await ledger.record("home", "relay", [{ range: [1, 10], rejected: [3, 9] }]);
      const row = await ledger.record("home", "relay", [{ range: [8, 15], rejected: [9, 12] }]);
      expect(row.counts).toEqual({ records: 15, rejected: 3, duplicates: 3 });
    });

    it("notes interruptions and the losses of other sinks by their numbers, once, and none of them as missing", async () => {
      const { ledger, reopen } = await make();
      const gap = (n: number, recovered: number): GapNote => ({
        ...{ n, from: "2026-11-22T05:00:00Z", to: "2026-11-22T05:10:00Z", cause: "disconnected" },
        ...{ entities: 2, recovered, statistics: 1, complete: recovered > 0 },
        missing: recovered > 0 ? [] : [{ reason: "not_recorded", entities: 2, examples: ["light.a"] }],
      });
      const loss = (n: number) => ({ n, first: n - 1, last: n - 1, count: 4, reason: "full" });
      await ledger.record("home", "relay", [
        { range: [1, 9], gaps: [gap(8, 7)], otherSinksLost: [{ ...loss(9), sink: "old" }] },
      ]);
      // The first again, in an envelope that overlaps, beside a new one; and put back from the dead letters.
      await ledger.record("home", "relay", [
        { range: [7, 20], gaps: [gap(8, 7), gap(20, 0)], unnumberedLost: [{ ...loss(19), first: 19, last: 19 }] },
        { gaps: [gap(20, 0)], otherSinksLost: [{ ...loss(9), sink: "old" }] },
      ]);
      await ledger.record("home", "relay", [{ range: [21, 25] }]);
      const [row] = await (await reopen()).rows("home");
      expect(row).toMatchObject({
        ranges: [[1, 25]],
        lost: [],
        notes: {
          interruptions: {
            recent: [gap(8, 7), gap(20, 0)],
            totals: { count: 2, recovered: 7, statistics: 2, incomplete: 1 },
          },
          otherSinksLost: { recent: [{ ...loss(9), sink: "old" }], totals: { count: 1, events: 4 } },
          unnumberedLost: { totals: { count: 1, events: 4 } },
        },
      });
      expect((await ledger.rows("home")).map(({ relayId }) => relayId)).toEqual(["relay"]);
    });

    it("notes everything once also when many record at once", async () => {
      const { ledger, reopen } = await make();
      const other = await reopen();
      const loss = (n: number) => ({ n, first: n, last: n, count: 2, reason: "no disk" });
      await Promise.all(
        Array.from({ length: 8 }, (_, at) =>
          (at % 2 ? ledger : other).record("home", "relay", [
            { range: [at + 1, at + 2], unnumberedLost: [loss(at + 1), loss(at + 2)] },
          ]),
        ),
      );
      expect(await ledger.rows("home")).toMatchObject([
        { ranges: [[1, 9]], notes: { unnumberedLost: { totals: { count: 9, events: 18 } } } },
      ]);
    });

    it("says when a relay was first heard, and when it spoke last by its own clock", async () => {
      const { ledger } = await make();
      const { firstAt } = await ledger.record("home", "relay", [{ range: [1, 1], sentAt: "2020-01-01T00:00:00Z" }]);
      await ledger.record("home", "relay", [{ range: [3, 3], sentAt: "2020-01-01T00:05:00Z" }]);
      // One that came late, and one that was put back: neither is a sign of life.
      const row = await ledger.record("home", "relay", [
        { range: [2, 2], sentAt: "2020-01-01T00:01:00Z" },
        { sentAt: "2020-01-01T00:09:00Z" },
      ]);
      expect([row.firstAt, row.lastSentAt]).toEqual([firstAt, "2020-01-01T00:05:00.000Z"]);
      const ahead = await ledger.record("home", "relay", [{ range: [4, 4], sentAt: "9999-01-01T00:00:00Z" }]);
      expect(ahead.lastSentAt).toBe(ahead.updatedAt);
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
      expect(await ledger.arrived("other", "a", [4, 4])).toEqual([[4, 4]]);
      expect(await ledger.arrived("home", "a", [4, 4])).toEqual([]);
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
