import { beforeEach, describe, expect, it } from "vitest";
import { createMemoryEventStore } from "../../../lib/adapters/memory/event-store.ts";
import type { HomeEvent } from "../../../lib/event/index.ts";
import { type ConsistencyCheckOptions, createConsistencyCheck } from "../../../lib/migration/consistency/check.ts";
import type { LossFacts } from "../../../lib/migration/consistency/classify.ts";
import { planSchema } from "../../../lib/migration/plan.ts";
import type { CheckResult, Difference, Migration, State } from "../../../lib/migration/ports.ts";
import type { LateDay } from "../../../lib/store/ports.ts";
import { manyEvents, SOME_TIME_US } from "../../support/events.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { type FakeOld, fakeOld, rowOf } from "./support.ts";

const MINUTE_US = 60_000_000;
const HOUR_US = 60 * MINUTE_US;
const ROWS = 2_000;
/** One row in 10 s: about five and a half hours, five tiles. */
const PAST = manyEvents(ROWS, { stepUs: 10_000_000 });
const END_US = SOME_TIME_US + ROWS * 10_000_000;
const plan = planSchema.parse({ old: { kind: "influxdb", url: "http://127.0.0.1:8086" } });

function migrationIn(state: State, sinceUs = 1): Migration {
  return {
    ...{ version: 1, id: "m1", homeId: "home", plan, state, stage: 0, stagePercent: 0, epoch: 1, revision: 1 },
    ...{ createdUs: 0, sinceUs, verdict: "inconclusive", checks: [], opened: [], readers: {}, salt: "s" },
  };
}

describe("the consistency check", () => {
  let old: FakeOld;
  let events: ReturnType<typeof createMemoryEventStore>;
  let told: Difference[];
  let memory: unknown;
  let nowUs: number;
  let late: LateDay[];
  let settled: Awaited<ReturnType<LossFacts["settledUs"]>>;
  let extra: Partial<ConsistencyCheckOptions>;

  beforeEach(async () => {
    old = fakeOld(PAST.map(rowOf));
    events = createMemoryEventStore();
    await events.write(PAST);
    [told, memory, nowUs, late, settled, extra] = [[], undefined, END_US + HOUR_US, [], {}, {}];
  });

  async function step(state: State = "shadow", given: Partial<Migration> = {}): Promise<CheckResult> {
    const clock = manualClock();
    const check = createConsistencyCheck({
      ...{ old, events, clock },
      facts: { settledUs: async () => settled, account: async () => ({ spans: [], wholeFromUs: 0 }) },
      store: { addDifferences: async (_home, _id, found) => void told.push(...found) },
      lateDays: { note: async () => {}, clear: async () => {}, list: async () => late },
      ...extra,
    });
    const signal = new AbortController().signal;
    const outcome = await check.run({ migration: { ...migrationIn(state), ...given }, nowUs, memory, signal });
    memory = JSON.parse(JSON.stringify(outcome.memory ?? memory ?? null));
    nowUs += 5 * MINUTE_US;
    const [result] = outcome.results;
    if (!result) throw new Error("no result");
    return result;
  }

  const oneOf = (at: number): HomeEvent => PAST[at] as HomeEvent;
  const loseInOld = (at: number) => {
    old.rows = old.rows.filter(({ atUs }) => atUs !== oneOf(at).atUs);
  };

  it("passes with every row as its sample, and then reads no row again", async () => {
    await step();
    expect(await step()).toMatchObject({ verdict: "pass", sampleSize: ROWS, observed: 0 });
    const { rows } = old.read;
    expect(rows).toBe(ROWS);
    expect(await step()).toMatchObject({ verdict: "pass", sampleSize: ROWS });
    expect(await step()).toMatchObject({ verdict: "pass" });
    expect(old.read.rows).toBe(rows);
    expect(told).toEqual([]);
  });

  it("counts a difference when it is still there at the second look, and names the row and who lost it", async () => {
    loseInOld(700);
    expect(await step()).toMatchObject({ verdict: "inconclusive", observed: 0, isAlert: true });
    expect(told).toEqual([]);
    expect(await step()).toMatchObject({ verdict: "fail", observed: 1, trigger: "inconsistency" });
    const { entityId, atUs } = oneOf(700);
    expect(told).toMatchObject([{ class: "missing-in-old", entityId, atUs, lostBy: "old" }]);
    expect(await step()).toMatchObject({ verdict: "fail", observed: 1 });
    await old.write([oneOf(700)]);
    expect(await step()).toMatchObject({ verdict: "pass", observed: 0, sampleSize: ROWS });
    expect(told.at(-1)).toMatchObject({ entityId, isRepaired: true });
  });

  it("counts again what was away for a while and has come back, although OLD counts as before", async () => {
    // OLD has a hundred rows that NEW lacks, and then, for one step, has not got them.
    const only = PAST.slice(300, 400).map((event) => ({ ...event, entityId: "sensor.of_old_alone" }));
    old.rows.push(...only.map(rowOf));
    await step();
    expect(await step()).toMatchObject({ verdict: "fail", observed: 100 });
    const { rows, counts } = old;
    old.rows = rows.filter(({ entityId }) => entityId !== "sensor.of_old_alone");
    // As long as it is asked for its counts it says what it has always said.
    const kept = (memory as { tiles: string }).tiles;
    old.counts = async (query) => {
      const away = old.rows;
      old.rows = rows;
      const said = await counts(query);
      old.rows = away;
      return said;
    };
    expect(await step()).toMatchObject({ observed: 0 });
    expect((memory as { tiles: string }).tiles).not.toBe(kept);
    [old.rows, old.counts] = [rows, counts];
    for (let more = 0; more < 3; more++) await step();
    expect(await step()).toMatchObject({ verdict: "fail", observed: 100 });
  });

  it("counts nothing that came late to one side", async () => {
    loseInOld(700);
    await step();
    await old.write([oneOf(700)]);
    expect(await step()).toMatchObject({ verdict: "pass", observed: 0 });
    expect(told).toMatchObject([{ class: "late", atUs: oneOf(700).atUs }]);
  });

  it("finds what changes in the past: by OLD's count, and by the days to which NEW got events late", async () => {
    await step();
    await step();
    const { rows } = old.read;
    loseInOld(100);
    await step();
    expect(await step()).toMatchObject({ verdict: "fail", observed: 1 });
    // One tile, and the row again, twice.
    expect(old.read.rows - rows).toBeLessThan(450);
    await old.write([oneOf(100)]);
    expect(await step()).toMatchObject({ verdict: "pass" });
    await events.write([{ ...oneOf(101), atUs: oneOf(101).atUs + 1 }]);
    expect(await step()).toMatchObject({ verdict: "pass" });
    late = [{ date: new Date(oneOf(101).atUs / 1_000).toISOString().slice(0, 10), mark: "1" }];
    await step();
    expect(await step()).toMatchObject({ verdict: "fail", observed: 1 });
    expect(told.at(-1)).toMatchObject({ class: "missing-in-old", atUs: oneOf(101).atUs + 1 });
  });

  it("leaves alone what may be under way: by time, by OLD's lag, and while the home's clock is behind", async () => {
    nowUs = END_US + 60_000_000;
    const early = await step();
    expect(early).toMatchObject({ verdict: "pass" });
    expect(early.sampleSize).toBeLessThan(ROWS);
    expect((await step()).sampleSize).toBe(ROWS);
    [memory, nowUs, settled] = [undefined, END_US + HOUR_US, { old: END_US - HOUR_US }];
    expect((await step()).sampleSize).toBe(ROWS - 360);
    // The clock is an hour behind: the newest rows have just come.
    [memory, nowUs, settled] = [undefined, END_US + HOUR_US, {}];
    expect((await step()).sampleSize).toBeLessThan(ROWS);
    expect((await step()).sampleSize).toBe(ROWS);
  });

  it("needs many steps for a long past, says how far it is, and begins anew for the final validation", async () => {
    extra = { rowsPerStep: 1 };
    const first = await step();
    expect(first).toMatchObject({ verdict: "inconclusive" });
    expect(first.explanation).toMatch(/\(\d+ % of what is settled\)/);
    let steps = 1;
    while ((await step()).verdict !== "pass") steps += 1;
    expect(steps).toBeGreaterThan(1);
    extra = {};
    await step();
    const { rows } = old.read;
    expect(rows).toBe(ROWS);
    // A value that changes under an equal count is what only a cold run finds.
    old.rows = old.rows.map((row) => (row.atUs === oneOf(5).atUs ? { ...row, state: "wrong" } : row));
    expect((await step()).verdict).toBe("pass");
    extra = {};
    await step("final_validation");
    expect(await step("final_validation")).toMatchObject({ verdict: "fail", observed: 1 });
    expect(told).toMatchObject([{ class: "different", field: "state", old: "wrong", new: oneOf(5).state }]);
  });

  it("stops in the middle when its time is over, and loses nothing of what was done", async () => {
    const stop = new AbortController();
    const { scan } = old;
    extra = { rowsPerStep: 1e9 };
    let pieces = 0;
    old.scan = async function* (query) {
      for await (const piece of scan(query)) {
        if (pieces++ === 2) stop.abort();
        yield piece;
      }
    };
    const check = createConsistencyCheck({
      ...{ old, events, clock: manualClock() },
      facts: { settledUs: async () => ({}), account: async () => ({ spans: [] }) },
      store: { addDifferences: async () => {} },
    });
    const run = await check.run({ migration: migrationIn("shadow"), nowUs, memory: undefined, signal: stop.signal });
    expect(run.results).toMatchObject([{ verdict: "inconclusive" }]);
    [memory, old.scan] = [JSON.parse(JSON.stringify(run.memory)), scan];
    await step();
    expect(await step()).toMatchObject({ verdict: "pass", sampleSize: ROWS });
  });

  it("counts all of many differences, keeps few, and lets go when they are gone", async () => {
    const { rows } = old;
    old.rows = rows.map((row) => ({ ...row, atUs: row.atUs + HOUR_US }));
    const shifted = { plan: { ...plan, fromUs: SOME_TIME_US } };
    await step("shadow", shifted);
    const found = await step("shadow", shifted);
    expect(found.verdict).toBe("fail");
    expect(found.observed).toBeGreaterThan(2_000);
    expect(JSON.stringify(memory).length).toBeLessThan(20_000);
    old.rows = rows;
    for (let i = 0; i < 4; i++) await step("shadow", shifted);
    expect(await step("shadow", shifted)).toMatchObject({ verdict: "pass", observed: 0 });
  });

  it("goes on with the rest while everything differs, also when a step may read little", async () => {
    old.rows = old.rows.map((row) => ({ ...row, state: `${row.state}?` }));
    extra = { rowsPerStep: 1_500 };
    let steps = 0;
    while (!(await step()).explanation.includes("(100 %")) if (steps++ > 20) throw new Error("it never ends");
    extra = {};
    await step();
    expect(await step()).toMatchObject({ verdict: "fail", observed: ROWS });
  });

  it("counts all of a long past that differs whole at the step after, and says of which class they are", async () => {
    // More than a year: more stretches than crowds are kept of.
    const past = manyEvents(4_000, { stepUs: 10_000_000_000 });
    old = fakeOld(past.map(rowOf).map((row) => ({ ...row, state: `${row.state}?` })));
    events = createMemoryEventStore();
    await events.write(past);
    nowUs = SOME_TIME_US + 4_001 * 10_000_000_000;
    expect(await step()).toMatchObject({ verdict: "inconclusive", observed: 0 });
    // The newest row was not settled at the first step.
    expect(await step()).toMatchObject({ verdict: "fail", observed: 3_999 });
    const found = await step();
    expect(found).toMatchObject({ verdict: "fail", observed: 4_000 });
    expect(found.explanation).toContain("(0 missing in NEW, 0 missing in OLD, 4000 different)");
    expect(found.explanation).toContain("OLD has 4000 rows of that time, NEW 4000 that OLD can hold.");
  });

  it("fails on the way back for what OLD lacks alone, and takes nothing back", async () => {
    const back = { sinceUs: nowUs };
    await events.prune("home", oneOf(10).atUs);
    await step("rolling_back", back);
    expect(await step("rolling_back", back)).toMatchObject({ verdict: "pass", observed: 0 });
    loseInOld(500);
    await step("rolling_back", back);
    const failed = await step("rolling_back", back);
    expect(failed).toMatchObject({ verdict: "fail", observed: 1 });
    expect(failed.trigger).toBeUndefined();
  });

  it("says that there is nothing to compare when OLD is empty, and begins anew from a memory that it does not know", async () => {
    old.rows = [];
    expect(await step()).toMatchObject({ verdict: "inconclusive", sampleSize: 0 });
    old.rows = PAST.map(rowOf);
    memory = { v: 0, tiles: "?" };
    await step();
    expect(await step()).toMatchObject({ verdict: "pass", sampleSize: ROWS });
  });
});
