import { expect, it } from "vitest";
import { createBenchmark } from "../../../lib/migration/checks/benchmark.ts";
import { manyEvents } from "../../support/events.ts";
import { migrationOf } from "../../support/migrations.ts";
import { bothSides } from "./both-sides.ts";

const slow = (sides: Awaited<ReturnType<typeof bothSides>>, ms: number) => {
  const { range } = sides.old;
  let monotonicMs = 0;
  sides.old.range = async (query) => {
    monotonicMs += ms;
    return range(query);
  };
  return { monotonicMs: () => monotonicMs };
};

it("measures the same queries of both sides, beside each other, once a state", async () => {
  const sides = await bothSides(manyEvents(500, { stepUs: 20_000_000 }));
  const check = createBenchmark({ old: sides.old, events: sides.fresh, clock: slow(sides, 10) });
  const migration = migrationOf({ state: "final_validation" });
  const { results, memory } = await check.run(sides.context(migration));
  expect(results[0]).toMatchObject({ name: "benchmark", verdict: "pass", sampleSize: 200 });
  const { rows } = memory as {
    rows: { name: string; old: { medianMs: number; count: number }; new: { p95Ms: number } }[];
  };
  expect(rows.map(({ name }) => name)).toEqual(["latest", "entity-hour", "entity-day", "home-page", "day-counts"]);
  expect(rows[0]?.old).toMatchObject({ count: 20, failed: 0 });
  expect(rows[0]?.old.medianMs).toBeGreaterThanOrEqual(10);
  expect(rows[0]?.new.p95Ms).toBe(0);
  const again = await check.run(sides.context(migration, memory));
  expect(again).toEqual({ results });
  expect((await check.run(sides.context({ ...migration, state: "stabilise" }, memory))).memory).toBeDefined();
});

it("is inconclusive without events, and while a side does not answer", async () => {
  const empty = await bothSides([]);
  const clock = { monotonicMs: () => 0 };
  const migration = migrationOf({ state: "stabilise" });
  const none = await createBenchmark({ old: empty.old, events: empty.fresh, clock }).run(empty.context(migration));
  expect(none.results[0]?.verdict).toBe("inconclusive");
  const sides = await bothSides(manyEvents(500, { stepUs: 20_000_000 }));
  sides.old.counts = () => Promise.reject(new Error("down"));
  const down = await createBenchmark({ old: sides.old, events: sides.fresh, clock }).run(sides.context(migration));
  expect(down.results[0]).toMatchObject({ verdict: "inconclusive" });
  expect(down.results[0]?.explanation).toContain("day-counts: OLD no answer of 20");
  expect(down.memory).toBeUndefined();
});
