import { describe, expect, it } from "vitest";
import { seededRandom } from "../../../lib/base/random.ts";
import type { Seen } from "../../../lib/devices/ports.ts";
import { createProbes } from "../../../lib/migration/checks/probes.ts";
import { type PlanInput, planSchema } from "../../../lib/migration/plan.ts";
import type { CheckContext, Migration, OldSystem, ReadPair } from "../../../lib/migration/ports.ts";
import { buildEvent, SOME_TIME_US } from "../../support/events.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { fakeNew, fakeOld, PLAN, quiet } from "../reads/fakes.ts";

const NOW_US = SOME_TIME_US;
const ENTITIES = Array.from({ length: 12 }, (_, i) => `sensor.s${i}`);

async function setUp(given: { events?: number; seen?: ReadonlyMap<string, Seen> } = {}) {
  const clock = manualClock(NOW_US / 1000);
  const [old, made] = [fakeOld(), fakeNew()];
  const events = Array.from({ length: given.events ?? 500 }, (_, i) =>
    buildEvent({ entityId: ENTITIES[i % 12] ?? "", atUs: NOW_US - 150_000_000 - i * 60_000_000, state: String(i) }),
  );
  await old.write(events);
  await made.store.write(events);
  const written: ReadPair[] = [];
  const order: string[] = [];
  const store = {
    error: undefined as Error | undefined,
    pairs: async (_h: string, _i: string, afterUs: number) => written.filter(({ atUs }) => atUs > afterUs),
    addPairs: async (_h: string, _i: string, pairs: readonly ReadPair[]) => {
      if (store.error) throw store.error;
      written.push(...pairs);
    },
  };
  const range = old.range;
  old.range = async (query) => {
    order.push("old");
    await clock.advance(4);
    return range(query);
  };
  const check = createProbes({
    old: old as unknown as OldSystem,
    events: {
      ...made.events,
      range: async (query) => {
        order.push("new");
        await clock.advance(2);
        return made.events.range(query);
      },
    },
    ...(given.seen && { index: { seen: async () => given.seen ?? new Map() } }),
    store,
    clock,
    random: seededRandom(1),
    log: quiet,
  });
  return { clock, old, made, written, order, store, check };
}

const contextOf = (plan: Partial<PlanInput> = {}, given: Partial<CheckContext> = {}): CheckContext => ({
  migration: {
    id: "m1",
    homeId: "home",
    plan: planSchema.parse({ ...PLAN, ...plan }),
    createdUs: NOW_US - 3_600_000_000,
  } as Migration,
  nowUs: NOW_US,
  memory: undefined,
  signal: new AbortController().signal,
  ...given,
});

describe("the probes", () => {
  it("ask both sides as often as the plan says, a mix of reads, and all are equal", async () => {
    const { check, written } = await setUp();
    const { results } = await check.run(contextOf({ probesPerStep: 100 }));
    expect(results).toMatchObject([{ name: "probes", verdict: "pass", observed: 100, sampleSize: 100 }]);
    expect(written).toHaveLength(100);
    const counts = Object.fromEntries(
      Object.entries(Object.groupBy(written, ({ query }) => query)).map(([query, pairs]) => [
        query,
        pairs?.length ?? 0,
      ]),
    );
    expect(Object.keys(counts).sort()).toEqual(["aggregate", "latest", "range"]);
    for (const [query, share] of [
      ["latest", 40],
      ["range", 40],
      ["aggregate", 20],
    ] as const)
      expect(Math.abs((counts[query] ?? 0) - share)).toBeLessThan(15);
    expect(
      written.every(
        ({ by, isEqual, oldMs, newMs }) => by === "probe" && isEqual && oldMs !== undefined && newMs !== undefined,
      ),
    ).toBe(true);
    expect(written.filter(({ query }) => query === "latest").every(({ rows }) => rows === 1)).toBe(true);
    expect(new Set(written.map(({ atUs }) => atUs)).size).toBe(100);
  });

  it("measure each side alone, by the clock that never goes backwards", async () => {
    const { check, written } = await setUp();
    await check.run(contextOf());
    for (const { query, oldMs, newMs } of written) if (query !== "aggregate") expect([oldMs, newMs]).toEqual([4, 2]);
  });

  it("ask either side first, by chance", async () => {
    const { check, order } = await setUp();
    await check.run(contextOf({ probesPerStep: 200 }));
    const firsts = order.filter((side, at) => order[at - 1] !== side);
    expect(firsts.length).toBeGreaterThan(order.length / 4);
    expect(firsts.length).toBeLessThan(order.length);
  });

  it("measure only what is missing when a step is killed and run again", async () => {
    const { check, written, store, clock } = await setUp();
    const killed = new AbortController();
    const { addPairs } = store;
    store.addPairs = async (...args) => {
      await addPairs(...args);
      killed.abort();
    };
    const first = await check.run(contextOf({}, { signal: killed.signal }));
    expect(first.results).toMatchObject([{ verdict: "inconclusive", observed: 25, samplesWanted: 25 }]);
    store.addPairs = addPairs;
    // Its memory was never committed.
    await clock.advance(60_000);
    const second = await check.run(contextOf());
    expect(second.results).toMatchObject([{ verdict: "pass", observed: 50 }]);
    expect(written).toHaveLength(50);
    // This one was: the next step measures anew.
    await clock.advance(60_000);
    await check.run(contextOf({}, { memory: second.memory }));
    expect(written).toHaveLength(100);
    await clock.advance(60_000);
    await check.run(contextOf({}, { memory: { of: "another version" } }));
    expect(written).toHaveLength(100);
  });

  it("count a side that fails, and find one that differs", async () => {
    const failing = await setUp();
    failing.old.error = new Error("down");
    const { results } = await failing.check.run(contextOf());
    expect(results[0]?.explanation).toContain("50 of them had no answer");
    expect(
      failing.written.every(
        ({ oldError, newMs, isEqual }) => oldError === "Error" && newMs !== undefined && isEqual === undefined,
      ),
    ).toBe(true);
    const wrong = await setUp();
    const { events } = await wrong.made.store.range({ homeId: "home", order: "desc", limit: 100 });
    await wrong.made.store.write(events.map((event) => ({ ...event, state: "wrong" })));
    await wrong.check.run(contextOf());
    expect(wrong.written.filter(({ isEqual }) => isEqual === false).length).toBeGreaterThan(40);
  });

  it("are inconclusive where there is nothing to read, or only what has not settled", async () => {
    const empty = await setUp({ events: 0 });
    expect((await empty.check.run(contextOf())).results).toMatchObject([{ verdict: "inconclusive", observed: 0 }]);
    const fresh = await setUp({ events: 1 });
    const { results } = await fresh.check.run(contextOf({ settleSeconds: 151 }));
    expect(results).toMatchObject([{ verdict: "inconclusive", observed: 0 }]);
    expect(fresh.written).toEqual([]);
  });

  it("read what has been so quiet that no event of it is among the newest, where the index knows it", async () => {
    for (const [isIndexed, atUs, isRead] of [
      [true, NOW_US - 80_000_000_000, true],
      [false, NOW_US - 80_000_000_000, false],
      [true, NOW_US - 90_000_000_000, false],
      [true, NOW_US - 1_000_000, false],
    ] as const) {
      const asked = new Set<string>();
      const seen = new Map([["light.quiet", { atUs, state: "on" }]]);
      const { check, old } = await setUp({ events: 1_100, ...(isIndexed && { seen }) });
      const { range } = old;
      old.range = async (query) => {
        for (const entityId of query.entityIds ?? []) asked.add(entityId);
        return range(query);
      };
      await check.run(contextOf({ probesPerStep: 200 }));
      expect(asked.has("light.quiet"), `${isIndexed} ${atUs}`).toBe(isRead);
      expect(asked.has("sensor.s0")).toBe(true);
    }
  });
});
