import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  completeUpTo,
  countOfRanges,
  coversRange,
  gapsOf,
  mergeRanges,
  normalRanges,
  type SequenceRange,
} from "../../lib/ingest/index.ts";
import { splitRange } from "../../lib/ingest/ranges.ts";

const range = fc
  .tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 12 }))
  .map(([first, length]): SequenceRange => [first, first + length]);
const ranges = fc.array(range, { maxLength: 12 });

const numbersOf = (list: readonly SequenceRange[]): Set<number> =>
  new Set(list.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, at) => first + at)));
const sorted = (numbers: Iterable<number>) => [...numbers].sort((a, b) => a - b);

describe("ranges are a set of whole numbers", () => {
  it("the union is the union of the sets, ascending, disjoint and not touching", () => {
    fc.assert(
      fc.property(ranges, ranges, (a, b) => {
        const merged = mergeRanges(normalRanges(a), normalRanges(b));
        expect(sorted(numbersOf(merged))).toEqual(sorted(new Set([...numbersOf(a), ...numbersOf(b)])));
        for (const [at, [first, last]] of merged.entries()) {
          expect(first).toBeLessThanOrEqual(last);
          const before = merged[at - 1];
          if (before) expect(first).toBeGreaterThan(before[1] + 1);
        }
        expect(countOfRanges(merged)).toBe(numbersOf(merged).size);
      }),
    );
  });

  it("a range is split into what is in the set and what is not, both in order and whole", () => {
    fc.assert(
      fc.property(ranges, range, (list, asked) => {
        const set = numbersOf(list);
        const { inside, outside } = splitRange(asked, normalRanges(list));
        const of = (isIn: boolean) => [...numbersOf([asked])].filter((n) => set.has(n) === isIn);
        expect([...numbersOf(inside)]).toEqual(of(true));
        expect([...numbersOf(outside)]).toEqual(of(false));
        for (const part of [inside, outside]) expect(normalRanges(part)).toEqual(part);
      }),
    );
  });

  it("merging is free of order and of repetition", () => {
    fc.assert(
      fc.property(ranges, fc.infiniteStream(fc.nat()), (list, chance) => {
        const shuffled = list.toSorted(() => (Number(chance.next().value) % 3) - 1);
        const oneByOne = [...shuffled, ...list].reduce<SequenceRange[]>((sum, next) => mergeRanges(sum, [next]), []);
        expect(oneByOne).toEqual(normalRanges(list));
      }),
    );
  });

  it("covers exactly the ranges whose every number it has", () => {
    fc.assert(
      fc.property(ranges, range, (list, wanted) => {
        const has = [...numbersOf([wanted])].every((number) => numbersOf(list).has(number));
        expect(coversRange(normalRanges(list), wanted)).toBe(has);
      }),
    );
  });

  it("gaps are what is missing from 1 to the highest; complete up to the number before the first gap", () => {
    fc.assert(
      fc.property(ranges, (list) => {
        const own = normalRanges(list);
        const highest = own.at(-1)?.[1] ?? 0;
        const all = Array.from({ length: highest }, (_, at) => at + 1);
        const missing = all.filter((number) => !numbersOf(own).has(number));
        expect(sorted(numbersOf(gapsOf(own)))).toEqual(missing);
        expect(completeUpTo(own)).toBe((missing[0] ?? highest + 1) - 1);
      }),
    );
  });
});
