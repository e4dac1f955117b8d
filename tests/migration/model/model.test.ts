import { afterAll, describe, expect, it } from "vitest";
import { runs } from "../../support/depth.ts";
import { BUGS } from "./bugs.ts";
import * as parts from "./parts.ts";
import { runOnce } from "./run.ts";
import { Variants } from "./variants.ts";
import { type Kind, WEATHERS } from "./weather.ts";

/** A bug that this many runs do not show has found a way past the model. */
const SEEDS_MAX = 40;
/** Of each weather, however soon its bugs are found. */
const SEEDS_MIN = runs(3);

const variants = new Variants();
afterAll(() => variants.close());

/** By weather: how many seeds it took until all bugs that show in it were found. */
const needed = new Map<Kind, number>();
/** How the runs of the code as it is ended, and what was seen on the way. */
const ends = new Set<string>();
const seen = { byNew: 0, byOld: 0, pairs: 0, looks: 0 };

describe("a bug that somebody has had is found", () => {
  it.each(BUGS)("$name", async ({ changes, weather }) => {
    const variant = await variants.build(changes);
    let seed = 1;
    while ((await runOnce(variant, weather, seed)).violations.length === 0 && seed < SEEDS_MAX) seed += 1;
    needed.set(weather, Math.max(seed, needed.get(weather) ?? 0));
    expect(seed, "seeds").toBeLessThan(SEEDS_MAX);
  });
});

describe("the code as it is keeps every rule over the same seeds", () => {
  it.each(WEATHERS)("%s", async (weather) => {
    const seeds = Math.max(SEEDS_MIN, needed.get(weather) ?? 0);
    for (let seed = 1; seed <= seeds; seed++) {
      const { violations, end, stats } = await runOnce(parts, weather, seed);
      expect(violations, `seed ${seed}`).toEqual([]);
      ends.add(end);
      for (const name of ["byNew", "byOld", "pairs", "looks"] as const) seen[name] += stats[name];
    }
  });

  it("and that was not nothing: some complete, some are taken back, both sides have answered", () => {
    const wanted = ["complete", "rolled_back (inconsistency)", "rolled_back (part-down)"];
    expect([...ends]).toEqual(expect.arrayContaining(wanted));
    expect(Math.min(seen.byNew, seen.byOld, seen.pairs, seen.looks)).toBeGreaterThan(200);
  });

  it("the same seed is the same run", async () => {
    expect(await runOnce(parts, "operators", 2)).toEqual(await runOnce(parts, "operators", 2));
  });
});
