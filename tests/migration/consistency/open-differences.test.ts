import { describe, expect, it } from "vitest";
import { TILE_US } from "../../../lib/migration/consistency/kept-tiles.ts";
import { newMemory, writeMemory } from "../../../lib/migration/consistency/memory.ts";
import { type OpenOptions, openDifferences } from "../../../lib/migration/consistency/open-differences.ts";
import type { OpenList } from "../../../lib/migration/consistency/open-list.ts";
import type { Difference, DifferenceClass } from "../../../lib/migration/ports.ts";
import { buildEvent } from "../../support/events.ts";
import { sidesOf } from "./support.ts";

const START_US = 1_000 * TILE_US;
const differenceAt = (n: number, more: Partial<Difference> = {}): Difference => ({
  ...{ class: "missing-in-new", entityId: "light.a", atUs: START_US + n, foundUs: 1, explanation: "" },
  ...more,
});
const crowd = { fromUs: START_US, toUs: START_US + 2 * TILE_US, count: 30, foundUs: 1, lookedUs: 1, isCounted: true };
/** OLD alone has thirty rows, half of them in each of two tiles. */
const LOST = Array.from({ length: 30 }, (_, n) => ({
  entityId: "light.crowd",
  atUs: START_US + n * (TILE_US / 15),
  state: `${n}`,
}));
const both = buildEvent({ entityId: "light.both", atUs: START_US + 5 });

const found = (open: OpenList, more: Partial<OpenOptions> = {}) =>
  openDifferences({
    memory: writeMemory({ ...newMemory("ordinary", START_US, TILE_US), open }),
    examples: [],
    classes: new Set<DifferenceClass>(["missing-in-new", "missing-in-old", "different"]),
    sides: sidesOf({ old: [...LOST, { entityId: both.entityId, atUs: both.atUs, state: both.state }], new: [both] }),
    account: { spans: [] },
    ...{ nowUs: START_US, max: 100, ...more },
  });

describe("differences that are open", () => {
  it("are those that were told and those that are kept, each once, without what was repaired or does not count yet", async () => {
    const rows = [
      { difference: differenceAt(1), isCounted: true },
      { difference: differenceAt(2), isCounted: false },
      { difference: differenceAt(3, { entityId: "light.B", class: "missing-in-old" }), isCounted: true },
    ];
    const told = [
      differenceAt(1),
      differenceAt(4, { isRepaired: true }),
      differenceAt(5, { class: "late" }),
      differenceAt(6),
    ];
    const { differences, isAll } = await found({ rows, crowds: [] }, { examples: told });
    expect(differences.map(({ entityId, atUs }) => [entityId, atUs - START_US])).toEqual([
      ["light.B", 3],
      ["light.a", 1],
      ["light.a", 6],
    ]);
    expect(isAll).toBe(true);
    expect((await found({ rows, crowds: [] }, { classes: new Set(["missing-in-old"]) })).differences).toHaveLength(1);
  });

  it("are read again where there were too many to keep each", async () => {
    const { differences, isAll } = await found({ rows: [], crowds: [crowd] });
    expect([differences.length, isAll]).toEqual([30, true]);
    expect(differences[29]).toMatchObject({ class: "missing-in-new", entityId: "light.crowd", old: "29" });
    expect(await found({ rows: [], crowds: [{ ...crowd, isCounted: false }] })).toEqual({
      differences: [],
      isAll: true,
    });
  });

  it.each([
    ["in the first tile", 10],
    ["between two", 15],
    ["in the second", 20],
  ])("are bounded %s, and say so", async (_name, max) => {
    const { differences, isAll } = await found({ rows: [], crowds: [crowd] }, { max });
    expect([differences.length, isAll]).toEqual([max, false]);
  });

  it("of a memory that nobody can read are those that were told", async () => {
    expect(await found({ rows: [], crowds: [] }, { memory: { v: 9 }, examples: [differenceAt(1)] })).toEqual({
      differences: [differenceAt(1)],
      isAll: true,
    });
  });
});
