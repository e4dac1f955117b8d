import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GAP_REASONS, type GapRecord, type LossRecord } from "../../lib/event/index.ts";
import { type LedgerEntry, type LedgerRow, noteOfGap, noteOfLoss } from "../../lib/ingest/index.ts";
import {
  mergeNotes,
  type NewNotes,
  NO_NOTES,
  NOTES_MAX_RANGES,
  NOTES_MAX_RECENT,
} from "../../lib/ingest/ledger-notes.ts";
import {
  emptyLedgerRow,
  LEDGER_MAX_LOSSES,
  LEDGER_MAX_RANGES,
  mergeLedgerEntries,
} from "../../lib/ingest/ledger-row.ts";

/** DynamoDB: bytes of one item, names and values together. Source: developer guide, "Constraints"; read 2026-09. */
const ITEM_MAX_BYTES = 400 * 1024;
/** For keys and the names of attributes. */
const ITEM_REST_BYTES = 4_096;

const gapRecord = (n: number, given: Partial<GapRecord> = {}): GapRecord => ({
  ...{ t: "gap", n, from: "2026-11-22T05:00:00Z", to: "2026-11-22T05:10:00Z", cause: "disconnected" },
  ...{ entities: 3, recovered: n, statistics: 1, complete: n % 3 !== 0, missing: [] },
  ...given,
});
const lossRecord = (n: number, given: Partial<LossRecord> = {}): LossRecord => ({
  ...{ t: "loss", n, first: n, last: n, count: 2, reason: "no disk" },
  ...{ from: "2026-11-22T05:00:00Z", to: "2026-11-22T05:10:00Z" },
  ...given,
});
const newNotes = (n: number): NewNotes => {
  if (n % 2 === 0) return { gaps: [noteOfGap(gapRecord(n))] };
  const loss = [noteOfLoss(lossRecord(n, { sink: "old" }))];
  return n % 3 === 0 ? { otherSinksLost: loss } : { unnumberedLost: loss };
};

describe("the notes of a ledger", () => {
  it("are the same in any order, however often each comes, and count each once", () => {
    const numbers = fc.uniqueArray(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(numbers, fc.infiniteStream(fc.nat()), (list, chance) => {
        const random = () => Number(chance.next().value);
        const again = list.filter(() => random() % 3 === 0);
        const shuffled = [...list, ...again].toSorted(() => (random() % 3) - 1);
        const notes = shuffled.reduce((sum, n) => mergeNotes(sum, newNotes(n)), NO_NOTES);
        expect(notes).toEqual(
          list.toSorted((a, b) => a - b).reduce((sum, n) => mergeNotes(sum, newNotes(n)), NO_NOTES),
        );
        const gaps = list.filter((n) => n % 2 === 0);
        expect(notes.interruptions.totals).toEqual({
          count: gaps.length,
          recovered: gaps.reduce((sum, n) => sum + n, 0),
          statistics: gaps.length,
          incomplete: gaps.filter((n) => n % 3 === 0).length,
        });
        const newest = gaps.toSorted((a, b) => a - b).slice(-NOTES_MAX_RECENT);
        expect(notes.interruptions.recent.map(({ n }) => n)).toEqual(newest);
      }),
    );
  });

  it("forget the oldest when there are too many, but not that they were", () => {
    const total = NOTES_MAX_RANGES + 300;
    const all = Array.from({ length: total }, (_, at) => noteOfGap(gapRecord(at * 5 + 1, { recovered: 1 })));
    const notes = mergeNotes(NO_NOTES, { gaps: all });
    const { noted, recent, totals } = notes.interruptions;
    expect(noted).toHaveLength(NOTES_MAX_RANGES);
    expect(recent).toEqual(all.slice(-NOTES_MAX_RECENT));
    expect(totals).toMatchObject({ count: total, recovered: total });
    expect(mergeNotes(notes, { gaps: all })).toEqual(notes);
  });

  it("join reasons that come twice, and name few entities", () => {
    const names = (from: number) => Array.from({ length: 20 }, (_, at) => `light.l${from + at}`);
    const note = noteOfGap(
      gapRecord(1, {
        missing: [
          { reason: "purged", entities: 40, examples: names(0) },
          { reason: "removed", entities: 1, examples: [`light.${"x".repeat(249)}`] },
          { reason: "purged", entities: 2, examples: names(50) },
        ],
      }),
    );
    expect(note.missing).toEqual([
      { reason: "purged", entities: 42, examples: names(0).slice(0, 5) },
      { reason: "removed", entities: 1, examples: [`light.${"x".repeat(249)}`] },
    ]);
  });

  it.each([
    ["text that JSON writes six times as long", "\u0001"],
    ["text of three bytes a character", "\u20ac"],
    ["halves of surrogate pairs", "\ud800"],
  ])("fit one item with the row, whatever a relay says: %s", (_, character) => {
    const high = Number.MAX_SAFE_INTEGER - 10_000_000;
    const examples = Array.from({ length: 20 }, () => character.repeat(255));
    const missing = Array.from({ length: 20 }, (_one, at) => ({
      reason: GAP_REASONS[at % GAP_REASONS.length] ?? "purged",
      entities: Number.MAX_SAFE_INTEGER,
      examples,
    }));
    const long = `2026-11-22T05:00:00.${"0".repeat(19)}Z`;
    const most = { count: Number.MAX_SAFE_INTEGER, reason: character.repeat(200) };
    const entries = Array.from({ length: NOTES_MAX_RANGES + 50 }, (_one, at): LedgerEntry => {
      const n = high + at * 3;
      const loss = { n, first: n, last: n, ...most };
      const gap = { from: long, to: long, missing, entities: n, recovered: n, statistics: n };
      return {
        ...(at < LEDGER_MAX_RANGES - 1 && { range: [n, n] as const }),
        lost: at < LEDGER_MAX_LOSSES + 50 ? [{ ...loss, reason: `${at}${most.reason}` }] : [],
        gaps: [noteOfGap(gapRecord(n, gap))],
        otherSinksLost: [noteOfLoss(lossRecord(n, { ...loss, sink: character.repeat(32) }))],
        unnumberedLost: [noteOfLoss(lossRecord(n, loss))],
      };
    });
    const row = mergeLedgerEntries(emptyLedgerRow("relay"), entries, "2026-11-22T06:00:00.000Z");
    const bytesOf = (value: unknown) => Buffer.byteLength(JSON.stringify(value));
    const { notes, ...rest } = row;
    expect(row.ranges.length).toBe(LEDGER_MAX_RANGES - 1);
    expect(row.lost).toHaveLength(LEDGER_MAX_LOSSES);
    expect(notes.interruptions.recent).toHaveLength(NOTES_MAX_RECENT);
    expect(bytesOf(rest)).toBeLessThan(ITEM_MAX_BYTES - ITEM_REST_BYTES);
    expect(bytesOf(notes)).toBeLessThan(ITEM_MAX_BYTES - ITEM_REST_BYTES);
    // As text that came back from the table: nothing in it is a number or a text that JSON cannot keep.
    expect(JSON.parse(JSON.stringify(row)) as LedgerRow).toEqual(row);
  });
});
