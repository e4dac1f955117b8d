import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  coarsen,
  type KeptTile,
  keep,
  packTiles,
  TILE_US,
  totalOf,
  unpackTiles,
} from "../../../lib/migration/consistency/kept-tiles.ts";
import { createRowHasher } from "../../../lib/migration/consistency/row-hash.ts";
import {
  addRow,
  addSums,
  areEqual,
  digestOf,
  noSums,
  type Sums,
  without,
} from "../../../lib/migration/consistency/sums.ts";
import { SOME_TIME_US } from "../../support/events.ts";

type Row = readonly [entityId: string, atUs: number, text: string];

const hasher = createRowHasher();
function sumsOf(rows: readonly Row[]): Sums {
  const sums = noSums();
  for (const row of rows) {
    hasher.hash(...row);
    addRow(sums, hasher.lanes);
  }
  return sums;
}

const anyText = fc.string({ unit: "grapheme", maxLength: 12 });
const anyTime = fc.integer({ min: -(2 ** 50), max: 2 ** 52 });
const anyRow: fc.Arbitrary<Row> = fc.tuple(anyText, anyTime, anyText);
const anyRows = fc.array(anyRow, { maxLength: 30 });

describe("sums of row hashes", () => {
  it("add up in any order and any split, and a part can be taken away again", () =>
    fc.assert(
      fc.property(anyRows, fc.nat(), (rows, cut) => {
        const at = cut % (rows.length + 1);
        const [a, b] = [sumsOf(rows.slice(0, at)), sumsOf(rows.slice(at).toReversed())];
        const whole = sumsOf(rows);
        const merged = noSums();
        addSums(merged, b);
        addSums(merged, a);
        expect(merged).toEqual(whole);
        expect(without(whole, a)).toEqual(b);
      }),
    ));

  it("are those of 64-bit integers", () =>
    fc.assert(
      fc.property(anyRows, (rows) => {
        let [a, b] = [0n, 0n];
        for (const row of rows) {
          const { aLow, aHigh, bLow, bHigh } = sumsOf([row]);
          a = BigInt.asUintN(64, a + BigInt(aLow) + (BigInt(aHigh) << 32n));
          b = BigInt.asUintN(64, b + BigInt(bLow) + (BigInt(bHigh) << 32n));
        }
        expect(digestOf(sumsOf(rows))).toBe(a.toString(16).padStart(16, "0") + b.toString(16).padStart(16, "0"));
      }),
    ));

  it("change with one bit of a text, one microsecond, a row less, a row twice, and texts that change places", () =>
    fc.assert(
      fc.property(anyRow, anyRow, fc.nat(), (row, other, pick) => {
        const [entityId, atUs, text] = row;
        const at = text === "" ? 0 : pick % text.length;
        const bit =
          text === ""
            ? "\u0001"
            : text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ (1 << (pick % 16))) + text.slice(at + 1);
        const base = sumsOf([row, other]);
        const others = [
          sumsOf([[entityId, atUs, bit], other]),
          sumsOf([[entityId, atUs + 1, text], other]),
          sumsOf([[entityId, atUs + 3_600_000_000, text], other]),
          sumsOf([other]),
          sumsOf([row, row, other]),
        ];
        for (const changed of others) expect(areEqual(base, changed)).toBe(false);
        if (text !== other[2] && (entityId !== other[0] || atUs !== other[1]))
          expect(
            areEqual(
              base,
              sumsOf([
                [entityId, atUs, other[2]],
                [other[0], other[1], text],
              ]),
            ),
          ).toBe(false);
      }),
    ));

  it("keep entity, time and text apart", () => {
    const rows: Row[] = [
      ["a", 1, "bc"],
      ["ab", 1, "c"],
      ["", 1, "abc"],
      ["a", 1, "bc\u0000"],
      ["a\u0000", 1, "bc"],
      ["a", 2 ** 32 + 1, "bc"],
      ["a", 1 - 2 ** 32, "bc"],
    ];
    expect(new Set(rows.map((row) => digestOf(sumsOf([row])))).size).toBe(rows.length);
  });

  it("differ in each half for 200,000 rows that are nearly alike: no two hashes share 64 bits", () => {
    const first = new Set<string>();
    const second = new Set<string>();
    for (let index = 0; index < 200_000; index++) {
      hasher.hash(`sensor.part_${index % 7}`, SOME_TIME_US + (index >> 3), String(index & 7));
      const [a, b, c, d] = hasher.lanes;
      first.add(`${a} ${b}`);
      second.add(`${c} ${d}`);
    }
    expect([first.size, second.size]).toEqual([200_000, 200_000]);
  });
});

const anyTiles = fc.array(fc.record({ gap: fc.integer({ min: 1, max: 5 }), rows: anyRows, isAsked: fc.boolean() }), {
  maxLength: 60,
});
function tilesOf(made: readonly { gap: number; rows: readonly Row[]; isAsked: boolean }[]): KeptTile[] {
  let number = 400_000;
  return made.map(({ gap, rows, isAsked }) => {
    number += gap;
    const counts = isAsked ? { oldCount: rows.length + 1 } : {};
    return { fromUs: number * TILE_US, widthUs: TILE_US, sums: sumsOf(rows), oldRows: rows.length, ...counts };
  });
}

describe("kept tiles", () => {
  it("come back from their text, also when they were merged", () =>
    fc.assert(
      fc.property(anyTiles, fc.integer({ min: 2, max: 40 }), (made, max) => {
        const tiles = coarsen(tilesOf(made), max);
        expect(unpackTiles(packTiles(tiles))).toEqual(tiles);
      }),
    ));

  it("merged keep their total, their order and their room apart, and are few", () =>
    fc.assert(
      fc.property(anyTiles, fc.integer({ min: 2, max: 40 }), (made, max) => {
        const tiles = tilesOf(made);
        const few = coarsen(tiles, max);
        expect(few.length).toBeLessThanOrEqual(Math.max(max, 2));
        expect(totalOf(few)).toEqual(totalOf(tiles));
        for (const [index, { fromUs, widthUs }] of few.entries()) {
          expect([fromUs % TILE_US, widthUs % TILE_US]).toEqual([0, 0]);
          expect(fromUs).toBeGreaterThanOrEqual((few[index - 1]?.fromUs ?? 0) + (few[index - 1]?.widthUs ?? 0));
        }
      }),
    ));

  it("take 100 KB for fifty years of a busy home, and the newest weeks stay as fine as they were", () => {
    let tiles: readonly KeptTile[] = [];
    const sums = sumsOf([["a", 1, "b"]]);
    for (let number = 0; number < 385_000; number += 1_925) {
      const read = Array.from({ length: 1_925 }, (_, i) => ({
        fromUs: (400_000 + number + i) * TILE_US,
        sums: { ...sums, count: 1e6 },
        oldRows: 1e6,
      }));
      tiles = keep(tiles, { fromUs: read[0]?.fromUs ?? 0, toUs: (401_925 + number) * TILE_US, isNew: true }, read);
    }
    expect(totalOf(tiles).count).toBe(385_000e6);
    expect(packTiles(tiles).length).toBeLessThan(110_000);
    expect(tiles.slice(-500).every(({ widthUs }) => widthUs === TILE_US)).toBe(true);
  });
});
