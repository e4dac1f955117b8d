import { describe, expect, it } from "vitest";
import { changedTiles, lateSpans } from "../../../lib/migration/consistency/changed.ts";
import { type KeptTile, TILE_US } from "../../../lib/migration/consistency/kept-tiles.ts";
import {
  type Memory,
  newMemory,
  readMemory,
  withPending,
  writeMemory,
} from "../../../lib/migration/consistency/memory.ts";
import { noSums } from "../../../lib/migration/consistency/sums.ts";

const FIRST = 400_000;
const at = (number: number): number => (FIRST + number) * TILE_US;
const tileAt = (number: number, width = 1): KeptTile => ({
  fromUs: at(number),
  widthUs: width * TILE_US,
  sums: noSums(),
  oldRows: 10 * width,
});

/** A past of `tiles` tiles with ten rows each, the first eight of them one. */
const memoryOf = (tiles: number, given: Partial<Memory> = {}): Memory => ({
  ...newMemory("ordinary", at(0), TILE_US),
  doneUs: at(tiles),
  tiles: [tileAt(0, 8), ...Array.from({ length: tiles - 8 }, (_, i) => tileAt(8 + i))],
  ...given,
});

/** Counts of ten each, but for those given. */
const counts = (other: Readonly<Record<number, number>> = {}) => {
  const asked: number[] = [];
  const count = async ({ fromUs, toUs }: { readonly fromUs: number; readonly toUs: number }) => {
    const found = [];
    for (let number = Math.floor(fromUs / TILE_US) - FIRST; at(number) < toUs; number++) {
      asked.push(number);
      const rows = other[number] ?? 10;
      if (rows > 0) found.push({ fromUs: at(number), count: rows });
    }
    return found;
  };
  return { count, asked };
};

describe("tiles that are counted again", () => {
  it("are read again when OLD has more or fewer rows, or some where none were, and then not a second time", async () => {
    const old = counts({ 3: 9, 20: 11, 30: 0 });
    const memory = memoryOf(60, { tiles: memoryOf(60).tiles.filter(({ fromUs }) => fromUs !== at(40)) });
    const first = await changedTiles(memory, { old: old.count, isRead: false });
    const wanted = [
      [0, 8],
      [20, 21],
      [30, 31],
      [40, 41],
    ].map(([from = 0, to = 0]) => [at(from), at(to)]);
    expect(first.pending.toSorted(([a], [b]) => a - b)).toEqual(wanted);
    const second = await changedTiles({ ...memory, ...first }, { old: old.count, isRead: false });
    // Nothing has been read in between: the empty tile is empty still.
    expect(second.pending).toEqual([[at(40), at(41)]]);
  });

  it("are all looked at in turn, the newest each time, also while time goes on", async () => {
    let memory = memoryOf(3_000);
    const seen = new Set<number>();
    let first = 0;
    for (let step = 0; step < 8; step++) {
      const old = counts();
      memory = { ...memory, ...(await changedTiles(memory, { old: old.count, isRead: false })), pending: [] };
      for (const number of old.asked) seen.add(number);
      first += old.asked.filter((number) => number === 0).length;
      expect(old.asked).toContain(2_999 + step);
      expect(old.asked.length).toBeLessThan(1_100);
      memory = { ...memory, doneUs: memory.doneUs + TILE_US, tiles: [...memory.tiles, tileAt(3_000 + step)] };
    }
    expect(seen.size).toBe(3_007);
    expect(first).toBe(3);
  });

  it("are few at a time where OLD reads what it counts", async () => {
    const old = counts();
    await changedTiles(memoryOf(3_000), { old: old.count, isRead: true });
    expect(old.asked.length).toBeLessThanOrEqual(40);
  });
});

describe("what is to be read again", () => {
  it("is one ascending list within what was compared, and bounded", () => {
    const span = { fromUs: 100, toUs: 10_000 };
    expect(
      withPending(
        [[500, 600]],
        [
          [590, 700],
          [50, 120],
          [9_990, 20_000],
          [700, 710],
        ],
        span,
      ),
    ).toEqual([
      [100, 120],
      [500, 710],
      [9_990, 10_000],
    ]);
    const many = Array.from({ length: 500 }, (_, i) => [i * 10 + (i % 2), i * 10 + 5] as const);
    const few = withPending([], many, { fromUs: 0, toUs: 5_000 });
    expect(few.length).toBe(200);
    for (const [from, to] of many) expect(few.some(([a, b]) => a <= from && b >= to)).toBe(true);
  });

  it("is a late day once for each mark, wide enough for every time zone", () => {
    const day = { date: "2026-11-22", mark: "1" };
    const first = lateSpans([], [day]);
    const noonUs = Date.UTC(2026, 10, 22, 12) * 1_000;
    expect(first.pending).toEqual([[noonUs - 26 * 3.6e9, noonUs + 26 * 3.6e9]]);
    expect(lateSpans(first.seen, [day]).pending).toEqual([]);
    expect(lateSpans(first.seen, [{ ...day, mark: "2" }]).pending.length).toBe(1);
    expect(lateSpans([], [{ date: "?", mark: "1" }]).pending).toEqual([]);
  });
});

describe("the memory", () => {
  it("comes back from JSON, and is at most 300 KB when everything in it is as large as it can be", () => {
    const difference = {
      class: "missing-in-new",
      entityId: `sensor.${"x".repeat(248)}`,
      atUs: at(1),
      old: "y".repeat(120),
      foundUs: at(2),
      lostBy: "unknown",
      explanation: `OLD has "sensor.${"x".repeat(248)}" at 2026-11-22T05:47:09.185382+00:00 and NEW has not: the ledger cannot say whether it was ever heard.`,
    } as const;
    const crowd = {
      fromUs: at(1),
      toUs: at(2),
      count: 1e9,
      lackedByOld: 1e9,
      lackedByNew: 1e9,
      foundUs: at(3),
      lookedUs: at(3),
      isCounted: true,
    };
    const memory = memoryOf(2_400, {
      tiles: Array.from({ length: 2_400 }, (_, i) => ({
        ...tileAt(i),
        oldCount: 1e6,
        oldRows: 1e6,
        sums: { ...noSums(), count: 1e6 },
      })),
      pending: Array.from({ length: 200 }, (_, i) => [at(i), at(i + 1)] as const),
      open: {
        rows: Array.from({ length: 160 }, () => ({ difference, isCounted: true })),
        crowds: Array.from({ length: 100 }, () => crowd),
      },
      lateDays: Array.from({ length: 64 }, () => `2026-11-22 ${"m".repeat(36)}`),
      limits: { start: 1e9, "left-out": 1e9, duplicate: 1e9, "one-stamp": 1e9 },
    });
    const text = JSON.stringify(writeMemory(memory));
    expect(text.length).toBeLessThan(300_000);
    expect(readMemory(JSON.parse(text))).toEqual(memory);
    expect(readMemory({ ...JSON.parse(text), tiles: "AAAA" })).toBeUndefined();
    expect(readMemory(undefined)).toBeUndefined();
  });
});
