import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LedgerEntry, LedgerRow } from "../../lib/ingest/index.ts";
import { emptyLedgerRow, LEDGER_MAX_LOSSES, mergeLedgerEntries } from "../../lib/ingest/ledger-row.ts";

const empty = emptyLedgerRow("relay");
const merge = (entries: readonly LedgerEntry[], row: LedgerRow = empty) => mergeLedgerEntries(row, entries, "now");

/** Envelopes as a relay cuts them: one after the other, of any lengths, some of them with a loss of numbers before. */
const envelopes = fc
  .array(
    fc.record({
      length: fc.integer({ min: 1, max: 20 }),
      lost: fc.integer({ min: 0, max: 3 }),
      rejected: fc.nat({ max: 1 }),
    }),
    {
      minLength: 1,
      maxLength: 15,
    },
  )
  .map((list) => {
    let next = 1;
    return list.map(({ length, lost, rejected }): LedgerEntry => {
      const from = next;
      const first = from + lost;
      next = first + length;
      const loss = { first: from, last: first - 1, count: lost, reason: "spool full" };
      const bad = rejected ? [first] : [];
      return { range: [first, next - 1], rejected: bad, ...(lost > 0 && { lost: [loss] }) };
    });
  });

describe("the ledger's row", () => {
  it("is the same in any order of envelopes and whatever comes twice, and complete when all have come", () => {
    fc.assert(
      fc.property(
        envelopes,
        fc.array(fc.nat({ max: 14 }), { maxLength: 10 }),
        fc.infiniteStream(fc.nat()),
        (all, again, chance) => {
          const repeated = again.flatMap((at) => all[at] ?? []);
          const shuffled = all.toSorted(() => (Number(chance.next().value) % 3) - 1);
          const row = [...shuffled, ...repeated].reduce((sum, entry) => merge([entry], sum), empty);
          const straight = merge(all);
          expect(row.ranges).toEqual(straight.ranges);
          expect(row.ranges).toEqual([[1, all.at(-1)?.range?.[1]]]);
          const lostCount = (of: LedgerRow) => of.lost.reduce((sum, { count }) => sum + count, 0);
          expect(lostCount(row)).toBe(all.reduce((sum, { lost }) => sum + (lost?.[0]?.count ?? 0), 0));
          expect(row.counts.records).toBe(straight.counts.records);
          expect(row.counts.rejected).toBe(straight.counts.rejected);
          expect(row.counts.duplicates).toBe(
            repeated.reduce((sum, { range = [1, 0] }) => sum + range[1] - range[0] + 1, 0),
          );
        },
      ),
    );
  });

  it("knows the latest four keys that signed, each by when it was seen last, in any order within a batch", () => {
    const keyId = fc.constantFrom("a", "b", "c", "d", "e", "f");
    fc.assert(
      fc.property(fc.array(fc.array(keyId, { maxLength: 4 }), { maxLength: 12 }), (batches) => {
        const entry = (id: string): LedgerEntry => ({ range: [1, 1], keyId: id });
        const timeOf = (at: number) => new Date(1_000 * at).toISOString();
        const rowOf = (order: (ids: readonly string[]) => readonly string[]) =>
          batches.reduce((row, ids, at) => mergeLedgerEntries(row, order(ids).map(entry), timeOf(at)), empty);
        const row = rowOf((ids) => ids);
        expect(rowOf((ids) => ids.toReversed()).keys).toEqual(row.keys);
        const last = new Map<string, string>(batches.flatMap((ids, at) => ids.map((id) => [id, timeOf(at)] as const)));
        const kept = Object.entries(row.keys ?? {});
        expect(kept).toHaveLength(Math.min(4, last.size));
        for (const [id, at] of kept) expect(at).toBe(last.get(id));
        const oldestKept = kept.map(([, at]) => at).sort()[0] ?? "";
        for (const [id, at] of last) if (!row.keys?.[id]) expect(at <= oldestKept).toBe(true);
      }),
    );
  });

  it("says since when its lowest number is missing", () => {
    let row = mergeLedgerEntries(empty, [{ range: [1, 5] }], "08:00");
    expect(row).not.toHaveProperty("gapSince");
    row = mergeLedgerEntries(row, [{ range: [8, 9] }], "08:01");
    expect(row.gapSince).toBe("08:01");
    row = mergeLedgerEntries(row, [{ range: [20, 29] }], "08:02");
    row = mergeLedgerEntries(row, [{ range: [1, 5] }], "08:03");
    expect(row.gapSince).toBe("08:01");
    row = mergeLedgerEntries(row, [{ range: [6, 7] }], "08:04");
    expect(row.gapSince).toBe("08:04");
    row = mergeLedgerEntries(row, [{ range: [10, 19] }], "08:05");
    expect(row).not.toHaveProperty("gapSince");
    expect(mergeLedgerEntries(empty, [{ range: [2, 2] }], "09:00").gapSince).toBe("09:00");
  });

  it("never has more losses than fit, and forgets none of their numbers", () => {
    const losses = Array.from({ length: LEDGER_MAX_LOSSES + 40 }, (_, at) => ({
      first: at * 10 + 1,
      last: at * 10 + 2,
      count: 2,
      reason: `reason ${at % 3}`,
    }));
    const row = merge([{ range: [1, losses.length * 10], lost: losses }]);
    expect(row.lost).toHaveLength(LEDGER_MAX_LOSSES);
    expect(row.lost.reduce((sum, { count }) => sum + count, 0)).toBe(losses.length * 2);
    expect(row.lost[0]).toMatchObject({ first: 1, reason: "several reasons" });
    expect(row.lost.at(-1)).toEqual(losses.at(-1));
    // What lies within the joined one is known already.
    expect(
      merge([{ range: [1, 1], lost: [losses[3] ?? { first: 1, last: 1, count: 1, reason: "" }] }], row).lost,
    ).toEqual(row.lost);
  });

  it("joins losses that follow one another for one reason, and keeps others apart", () => {
    const loss = (first: number, last: number, reason: string) => ({ first, last, count: last - first + 1, reason });
    const row = merge([
      { range: [30, 40], lost: [loss(6, 9, "a"), loss(1, 5, "a"), loss(10, 12, "b"), loss(7, 8, "a")] },
    ]);
    expect(row.lost).toEqual([loss(1, 9, "a"), loss(10, 12, "b")]);
    expect(row.ranges).toEqual([
      [1, 12],
      [30, 40],
    ]);
  });
});
