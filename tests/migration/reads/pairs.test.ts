import { describe, expect, it } from "vitest";
import type { ReadPair } from "../../../lib/migration/ports.ts";
import { createPairGatherer, FLUSH_MS, KEPT_MAX } from "../../../lib/migration/reads/pairs.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { quiet } from "./fakes.ts";

const pair = (atUs: number): ReadPair => ({ atUs, by: "shadow", query: "range", oldMs: 1, newMs: 1, rows: 1 });

function setUp() {
  const clock = manualClock();
  const store = {
    isAway: false,
    calls: 0,
    written: [] as [string, string, number][],
    addPairs: async (homeId: string, id: string, pairs: readonly ReadPair[]) => {
      store.calls++;
      if (store.isAway) throw new Error("away");
      for (const { atUs } of pairs) store.written.push([homeId, id, atUs]);
    },
  };
  return { clock, store, gatherer: createPairGatherer({ store, clock, log: quiet }) };
}

describe("pairs", () => {
  it("are written together, a little later, each to its migration", async () => {
    const { clock, store, gatherer } = setUp();
    for (let i = 0; i < 10; i++) gatherer.add("home", "m1", pair(i));
    gatherer.add("other", "m2", pair(99));
    expect(store.calls).toBe(0);
    await clock.advance(FLUSH_MS);
    expect(store.calls).toBe(2);
    expect(store.written).toHaveLength(11);
    expect(store.written).toContainEqual(["other", "m2", 99]);
    expect(clock.sleeping()).toBe(0);
    gatherer.add("home", "m1", pair(10));
    await clock.advance(FLUSH_MS);
    expect(store.written).toHaveLength(12);
  });

  it("are kept while the store is away, and written once when it is back", async () => {
    const { clock, store, gatherer } = setUp();
    store.isAway = true;
    gatherer.add("home", "m1", pair(1));
    await clock.advance(FLUSH_MS);
    gatherer.add("home", "m1", pair(2));
    await clock.advance(FLUSH_MS);
    store.isAway = false;
    await clock.advance(FLUSH_MS);
    expect(store.written.map(([, , atUs]) => atUs)).toEqual([1, 2]);
    await gatherer.flush();
    expect(store.written).toHaveLength(2);
  });

  it("are given up, and counted, when they are too many or the store stays away", async () => {
    const { clock, store, gatherer } = setUp();
    store.isAway = true;
    for (let i = 0; i < KEPT_MAX + 5; i++) gatherer.add("home", "m1", pair(i));
    expect(gatherer.dropped()).toBe(5);
    await clock.advance(FLUSH_MS);
    gatherer.add("home", "m1", pair(1));
    await clock.advance(FLUSH_MS * 20);
    expect(gatherer.dropped()).toBe(KEPT_MAX + 6);
    expect(clock.sleeping()).toBe(0);
  });
});
