import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GroupBuffer } from "../../../lib/adapters/journal/group-buffer.ts";
import { isTorn, recordsIn } from "../../../lib/adapters/journal/tear.ts";
import { stateEntry } from "../../support/relay-records.ts";

const SECTOR_BYTES = 512;
const sizes = fc.array(fc.nat(3_000), { minLength: 1, maxLength: 6 });

function groupOf(paddings: readonly number[]): Buffer {
  const buffer = new GroupBuffer();
  for (const [index, padding] of paddings.entries()) {
    buffer.add({ n: 700 + index, atMs: 1_800_000_000_000, flags: 0, text: stateEntry(`e${index}`, padding).text });
  }
  return Buffer.from(buffer.bytes());
}

describe("what a crash leaves of a group, and what damage does to one", () => {
  it("takes a group that was whole and has one wrong bit for damage, not for a tear", () => {
    fc.assert(
      fc.property(sizes, fc.nat(511), fc.nat(), fc.nat(7), (paddings, position, where, bit) => {
        const group = groupOf(paddings);
        const at = where % group.length;
        group[at] = (group[at] ?? 0) ^ (1 << bit);
        expect(isTorn(group, position)).toBe(false);
      }),
      { numRuns: 3_000 },
    );
  });

  it("takes a group of which a sector is missing for a tear", () => {
    fc.assert(
      fc.property(sizes, fc.nat(511), fc.nat(), (paddings, position, where) => {
        const group = groupOf(paddings);
        const sector = Math.floor((position + (where % group.length)) / SECTOR_BYTES);
        const end = Math.min(group.length, (sector + 1) * SECTOR_BYTES - position);
        const from = Math.max(0, sector * SECTOR_BYTES - position);
        fc.pre(end - from >= 8);
        group.fill(0, from, end);
        expect(isTorn(group, position)).toBe(true);
      }),
    );
  });

  it("takes a group without its end for a tear", () => {
    fc.assert(
      fc.property(sizes, fc.nat(511), fc.nat(), (paddings, position, where) => {
        const group = groupOf(paddings);
        const last = groupOf(paddings.slice(0, -1)).length;
        // Cut within the last record: before it, everything would be whole.
        const to = last + 1 + (where % (group.length - last - 1));
        expect(isTorn(group.subarray(last, to), position)).toBe(true);
      }),
    );
  });

  it("counts what lies in it, and never fewer than can have been there", () => {
    fc.assert(
      fc.property(sizes, (paddings) => {
        const { seen, most } = recordsIn(groupOf(paddings));
        expect(seen).toBe(paddings.length);
        expect(most).toBeGreaterThanOrEqual(paddings.length);
      }),
    );
  });
});
