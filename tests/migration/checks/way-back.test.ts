import { describe, expect, it } from "vitest";
import { createMemoryMigrationStore } from "../../../lib/adapters/memory/migration-store.ts";
import { HearthlineError } from "../../../lib/base/errors.ts";
import { createHandoverCheck } from "../../../lib/migration/checks/handover.ts";
import { createHealthOldCheck } from "../../../lib/migration/checks/health.ts";
import { createConsistencyCheck } from "../../../lib/migration/consistency/check.ts";
import type { OldSystem } from "../../../lib/migration/ports.ts";
import { decideOnTheWayBack } from "../../../lib/migration/way-back.ts";
import { START_US } from "../../support/migrations.ts";
import { rigOf, sink, statusOf } from "./rig.ts";

const HOUR = 3_600;
const STEP_SECONDS = 300;
/** OLD is healthy, so it ends within so many steps: an hour and a half. */
const STEPS_MAX = 18;

/** A migration of three hours, fed by the relay, whose sink to OLD never reached it; the home goes on. */
async function start() {
  const rig = rigOf(
    { state: "ramp" },
    { old: { kind: "influxdb", url: "http://old.test:8086", fedBy: "relay" }, settleSeconds: 60, recheckSeconds: 30 },
  );
  const store = createMemoryMigrationStore();
  await store.create(rig.migration);
  const counts: OldSystem["counts"] = async ({ fromUs, toUs, widthUs }) => {
    const tiles = new Map<number, number>();
    for await (const rows of rig.old.scan({ fromUs, toUs }))
      for (const { atUs } of rows) {
        const tileUs = Math.floor(atUs / widthUs) * widthUs;
        tiles.set(tileUs, (tiles.get(tileUs) ?? 0) + 1);
      }
    return [...tiles].map(([from, count]) => ({ fromUs: from, count })).sort((one, other) => one.fromUs - other.fromUs);
  };
  Object.assign(rig.old, { counts });
  const facts = { settledUs: async () => ({ old: START_US }), account: async () => ({ spans: [] }) };
  const checks = [
    createHealthOldCheck(rig),
    createHandoverCheck(rig),
    createConsistencyCheck({ old: rig.old, events: rig.store, clock: rig.clock, facts, store }),
  ];
  const broken = () => sink("old", { acknowledged: 0, lagRecords: 811, lagSeconds: 200, breaker: "open", messages: 0 });
  const speak = (old = broken()) => {
    rig.statuses = [statusOf(rig.nowUs(), [sink("cloud", { acknowledged: 900 }), old], 900)];
  };
  const describeOld = async (oldestUs: number) => {
    rig.old.description = { ...rig.old.description, oldestUs, newestUs: rig.nowUs() };
  };
  speak();
  await rig.pass(3 * HOUR);

  /** One step, and what it decides. Meanwhile the home goes on, and OLD gets nothing of it. */
  async function step({ isFed = false } = {}) {
    const results = [];
    for (const check of checks) {
      const outcome = await rig
        .step(check)
        .catch((thrown: Error) => [
          { name: check.name, verdict: "inconclusive" as const, sampleSize: 0, explanation: thrown.message },
        ]);
      results.push(...outcome);
    }
    const decision = decideOnTheWayBack({ migration: rig.migration, results, nowUs: rig.nowUs() });
    rig.migration = { ...rig.migration, checks: results, lastStepUs: rig.nowUs() };
    await rig.happen(rig.at(30), { state: String(rig.at(0)), inOld: isFed });
    await rig.pass(STEP_SECONDS);
    return { decision, results };
  }
  async function goBack(options = {}) {
    rig.migration = { ...rig.migration, state: "rolling_back", stagePercent: 0, epoch: 9, sinceUs: rig.nowUs() };
    for (let count = 1; count <= STEPS_MAX; count++) {
      const done = await step(options);
      if (done.decision.action === "next") return { ...done, steps: count };
    }
    throw new Error(`It does not end: ${JSON.stringify(rig.migration.checks, null, 1)}`);
  }
  const inOld = async () => (await rig.old.range({ homeId: "home", order: "asc", limit: 10_000 })).events.length;
  return { rig, goBack, inOld, speak, describeOld };
}

const LACKING = 811;
type World = Awaited<ReturnType<typeof start>>;
const onlyInNew = async ({ rig }: World, count = LACKING) => {
  for (let at = 0; at < count; at++)
    await rig.happen(START_US + (at + 1) * 13_000_000, { state: String(at), inOld: false });
};
const textOf = ({ results }: { readonly results: readonly { name: string; explanation: string }[] }, name: string) =>
  results.find((result) => result.name === name)?.explanation ?? "";

describe("a rollback ends whenever OLD is healthy", () => {
  it("though the relay never reached OLD: it gets all of the migration, and that it is not fed is told", async () => {
    const world = await start();
    const { rig, goBack, inOld, describeOld } = world;
    await rig.happen(START_US - 2 * HOUR * 1e6, { state: "old" });
    await describeOld(START_US - 2 * HOUR * 1e6);
    await onlyInNew(world);
    const done = await goBack();
    expect(done.decision.to?.state).toBe("rolled_back");
    expect(await inOld()).toBeGreaterThanOrEqual(LACKING + 1);
    expect(textOf(done, "handover")).toContain("the relay does not feed it: its breaker is open");
    expect(done.decision.alerts.map(({ name }) => name)).toContain("handover");
    expect(done.steps).toBeLessThanOrEqual(4);
  });

  it("though OLD lacked rows before the migration began, and NEW lacks many that OLD has", async () => {
    const world = await start();
    const { rig, goBack, describeOld, inOld } = world;
    await describeOld(START_US - 4 * HOUR * 1e6);
    for (let at = 1; at < 100; at++) {
      await rig.happen(START_US - at * 60_000_000, { state: "a", inOld: false });
      await rig.happen(START_US + at * 60_000_000, { entityId: "sensor.b", state: "b", inNew: false });
    }
    await rig.happen(START_US - 4 * HOUR * 1e6);
    const done = await goBack();
    expect(done.decision.to?.state).toBe("rolled_back");
    expect(textOf(done, "consistency")).toContain("OLD lacks nothing that NEW got since the migration began");
    expect(await inOld()).toBeLessThan(120);
  });

  it.each([
    ["refuses some rows", (rig: World["rig"]) => (rig.old.refuses = ({ state }) => (state === "7" ? "no" : undefined))],
    ["does not keep some rows", (rig: World["rig"]) => (rig.old.drops = ({ state }) => state === "7")],
  ])("though OLD %s: they are named", async (_words, spoil) => {
    const world = await start();
    spoil(world.rig);
    await world.describeOld(START_US);
    await onlyInNew(world, 40);
    const done = await world.goBack();
    expect(textOf(done, "handover")).toMatch(/1 it cannot hold: sensor\.a: no|1 it takes again and again/);
    expect(textOf(done, "consistency")).toContain("OLD lacks 1 rows");
    expect(done.results.find(({ name }) => name === "consistency")).toMatchObject({ verdict: "pass", isAlert: true });
    // Each of the others is there.
    expect(await world.inOld()).toBeGreaterThanOrEqual(39);
  });

  it.each(["service_refused", "service_failed"] as const)(
    "though OLD can be read and not written (%s)",
    async (code) => {
      const world = await start();
      const { rig, goBack, describeOld, inOld } = world;
      await describeOld(START_US);
      await rig.happen(START_US, { state: "first" });
      await onlyInNew(world, 40);
      rig.old.write = async () => {
        throw new HearthlineError(code, "It may be read only.");
      };
      const done = await goBack();
      expect(textOf(done, "handover")).toMatch(/[45]\d it cannot hold: sensor\.a: It may be read only\./);
      expect(await inOld()).toBe(1);
    },
  );

  it("though OLD is empty and stays so", async () => {
    const { goBack } = await start();
    expect((await goBack()).decision.to?.state).toBe("rolled_back");
  });

  it("though its schema is another than before, which is told", async () => {
    const world = await start();
    const { rig, goBack, describeOld } = world;
    await describeOld(START_US);
    await rig.step(createHealthOldCheck(rig));
    rig.old.description = { ...rig.old.description, schema: "v2" };
    const done = await goBack();
    expect(done.results.find(({ name }) => name === "health.old")).toMatchObject({ verdict: "pass", isAlert: true });
  });

  it("with a sink that stands still and has an open way: reading brings the rest, after the lag's time", async () => {
    const world = await start();
    await world.describeOld(START_US);
    await onlyInNew(world, 40);
    world.speak(sink("old", { acknowledged: 500, lagRecords: 400, lagSeconds: 250 }));
    const done = await world.goBack({ isFed: true });
    expect(await world.inOld()).toBeGreaterThanOrEqual(40);
    expect(done.steps).toBeLessThanOrEqual(5);
  });

  it("and not before all is there: OLD that is away is waited for", async () => {
    const world = await start();
    const { rig, goBack, describeOld } = world;
    await describeOld(START_US);
    await onlyInNew(world, 40);
    rig.old.isDown = true;
    await expect(goBack()).rejects.toThrow(/does not end/);
    rig.old.isDown = false;
    expect((await goBack()).decision.to?.state).toBe("rolled_back");
  });
});
