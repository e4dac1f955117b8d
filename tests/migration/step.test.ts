import { describe, expect, it } from "vitest";
import { createMemoryMigrationStore } from "../../lib/adapters/memory/migration-store.ts";
import { HearthlineError } from "../../lib/base/errors.ts";
import { createLogger, type LogFields } from "../../lib/base/log.ts";
import { seededRandom } from "../../lib/base/random.ts";
import { ENDED, pause, pointerOf, STATES } from "../../lib/migration/index.ts";
import type {
  Check,
  CheckContext,
  CheckOutcome,
  CheckResult,
  Migration,
  MigrationStore,
} from "../../lib/migration/ports.ts";
import { createStepper } from "../../lib/migration/step.ts";
import { manualClock } from "../support/manual-clock.ts";
import { migrationOf, resultOf, resultsFor, START_US, startedOf } from "../support/migrations.ts";

const MINUTE_MS = 60_000;

const checkOf = (name: string, run: (context: CheckContext) => Promise<CheckOutcome>): Check => ({
  ...{ name, states: new Set(STATES), run },
});
const passing = checkOf("all", async ({ migration }) => ({ results: resultsFor(migration.state) }));

async function setUp(
  checks: readonly Check[] = [passing],
  row: Migration = startedOf({}, { gates: [], stabiliseSeconds: 60 }),
) {
  const store = createMemoryMigrationStore();
  const clock = manualClock(START_US / 1000);
  const lines: LogFields[] = [];
  const log = createLogger({ clock, write: (line) => lines.push(JSON.parse(line) as LogFields) });
  await store.create(row);
  const parts = { store, clock, random: seededRandom(1), log };
  const stepper = createStepper({ ...parts, checks });
  const get = async () => {
    const found = await store.get("home", row.id);
    if (!found) throw new Error("gone");
    return found;
  };
  const step = () => stepper.step("home", row.id, MINUTE_MS);
  return { ...parts, lines, stepper, step, get };
}

describe("a step", () => {
  it("looks, decides, writes the row and sets the pointer; until the end is settled", async () => {
    const { store, clock, step, get, lines } = await setUp();
    for (let steps = 0; steps < 100 && (await store.underWay()).length > 0; steps++) {
      const before = await get();
      await clock.advance(MINUTE_MS);
      await step();
      const row = await get();
      expect(row.epoch - before.epoch).toBeLessThanOrEqual(1);
      expect(await store.pointer("home")).toEqual(pointerOf(row));
    }
    expect((await get()).state).toBe("complete");
    expect(await step()).toBe("ended");
    const audit = await store.audit("home", "m1");
    expect(audit.map(({ epoch }) => epoch)).toEqual(audit.map((_, at) => at + 1 + 1));
    expect(
      lines.filter(({ message }) => message === "migration step").every(({ durationMs }) => durationMs === 0),
    ).toBe(true);
  });

  it("leaves alone what was not started, is paused or is not there", async () => {
    const seen: string[] = [];
    const spy = checkOf("spy", async () => {
      seen.push("ran");
      return { results: [] };
    });
    const planned = await setUp([spy], migrationOf());
    expect(await planned.step()).toBe("idle");
    expect(await planned.store.pointer("home")).toBeUndefined();
    const paused = pause(startedOf({ state: "ramp", stagePercent: 25 }), { actor: "owner", nowUs: START_US });
    const still = await setUp([spy], paused);
    expect(await still.step()).toBe("idle");
    expect(await still.store.pointer("home")).toMatchObject({ authority: "split", basisPoints: 2_500 });
    expect(await still.stepper.step("home", "nobody", MINUTE_MS)).toBe("gone");
    expect([seen, (await still.get()).revision]).toEqual([[], paused.revision]);
  });

  it("settles what ended before it was started, without a word on who answers", async () => {
    const { store, step } = await setUp([], migrationOf({ state: "rolled_back" }));
    expect(await step()).toBe("ended");
    expect([await store.underWay(), await store.pointer("home")]).toEqual([[], undefined]);
  });

  it("runs the checks of its state alone, each with its own memory", async () => {
    const seen: [string, unknown][] = [];
    const keeping = (name: string, states: readonly (typeof STATES)[number][]): Check => ({
      ...{ name, states: new Set(states) },
      run: async ({ memory }) => {
        seen.push([name, memory]);
        return { results: [], memory: `${name} ${seen.length}` };
      },
    });
    const { step } = await setUp([keeping("a", ["prepared"]), keeping("b", ["prepared"]), keeping("c", ["ramp"])]);
    await step();
    await step();
    expect(seen).toEqual([
      ["a", undefined],
      ["b", undefined],
      ["a", "a 1"],
      ["b", "b 2"],
    ]);
  });

  it("asks nothing more once NEW is down and OLD is well: it goes back at once, whatever hangs behind", async () => {
    const ran: string[] = [];
    const says = (name: string, more: Partial<CheckResult>) =>
      checkOf(name, async () => {
        ran.push(name);
        return { results: [resultOf(name, more.verdict ?? "pass", more)] };
      });
    const down = says("health.new", { verdict: "fail", trigger: "part-down" });
    const ramp = startedOf({ state: "ramp", stagePercent: 25 });
    const gone = await setUp([says("health.old", {}), down, says("canary", {})], ramp);
    expect(await gone.step()).toBe("rollback");
    expect(ran.splice(0)).toEqual(["health.old", "health.new"]);
    expect(await gone.get()).toMatchObject({ state: "rolling_back", trigger: "part-down", stagePercent: 0 });
    // On the way back, and where OLD is away or the plan takes nothing back for it, the others have their turn.
    await gone.step();
    expect(ran.splice(0)).toEqual(["health.old", "health.new", "canary"]);
    const held = await setUp([says("health.old", { verdict: "fail" }), down, says("canary", {})], ramp);
    expect(await held.step()).toBe("alert");
    const { plan } = ramp;
    const unasked = { ...ramp, plan: { ...plan, triggers: { ...plan.triggers, "part-down": false } } };
    const told = await setUp([says("health.old", {}), down, says("canary", {})], unasked);
    expect(await told.step()).toBe("alert");
    expect(ran).toEqual(["health.old", "health.new", "canary", "health.old", "health.new", "canary"]);
  });

  it("takes what is thrown for inconclusive, with its words, and runs the others", async () => {
    const broken = checkOf("canary", async () => {
      throw new HearthlineError("old_schema_changed", "OLD has another schema.");
    });
    const others = checkOf("others", async () => ({
      results: resultsFor("prepared").filter(({ name }) => name !== "canary"),
    }));
    const { step, get } = await setUp([broken, others]);
    expect(await step()).toBe("alert");
    const row = await get();
    expect(row.verdict).toBe("inconclusive");
    expect(row.checks[0]).toMatchObject({
      name: "canary",
      verdict: "inconclusive",
      explanation: "OLD has another schema.",
      isAlert: true,
    });
  });

  it("drops what it found when somebody else wrote the row meanwhile", async () => {
    const parts = await setUp([
      checkOf("slow", async ({ migration }) => {
        const changed = pause(migration, { actor: "owner", nowUs: START_US });
        await parts.store.commit(changed, { expected: migration.revision });
        return { results: resultsFor(migration.state), memory: "lost" };
      }),
    ]);
    expect(await parts.step()).toBe("stale");
    expect((await parts.get()).state).toBe("paused");
    expect(await parts.store.memory("home", "m1", "slow")).toBeUndefined();
  });

  it("refuses too much memory, and long words", async () => {
    const greedy = checkOf("greedy", async () => ({ results: [], memory: "x".repeat(300_001) }));
    const wordy = checkOf("wordy", async () => ({
      results: [resultOf("wordy", "pass", { explanation: "y".repeat(5_000) })],
    }));
    const { step, get, store } = await setUp([greedy, wordy]);
    await step();
    const [first, second] = (await get()).checks;
    expect(first).toMatchObject({
      name: "greedy",
      verdict: "inconclusive",
      explanation: expect.stringContaining("300003 bytes"),
    });
    expect(second?.explanation).toHaveLength(1_000);
    expect(await store.memory("home", "m1", "greedy")).toBeUndefined();
  });

  it("closes what its checks hold open, also when one throws", async () => {
    const { store, clock, log } = await setUp();
    let closed = 0;
    const close = async () => {
      closed++;
      throw new Error("cannot be closed");
    };
    const stepper = createStepper({
      ...{ store, clock, log, random: seededRandom(1) },
      checks: () => ({ checks: [passing], close }),
    });
    expect(await stepper.step("home", "m1", MINUTE_MS)).toBe("next");
    expect(closed).toBe(1);
  });
});

describe("the time of a step", () => {
  it("is shared: who is told to end has a few seconds, then the others have their turn", async () => {
    const order: string[] = [];
    const waits = (name: string, obeys: boolean): Check =>
      checkOf(name, ({ signal }) => {
        order.push(name);
        return new Promise((resolve) => {
          if (obeys) signal.addEventListener("abort", () => resolve({ results: [resultOf(name, "inconclusive")] }));
        });
      });
    const quick = checkOf("quick", async () => ({ results: [resultOf("quick", "pass")] }));
    const { step, clock, get } = await setUp([waits("deaf", false), waits("good", true), quick]);
    const done = step();
    await clock.advance(MINUTE_MS);
    await done;
    expect(order).toEqual(["deaf", "good"]);
    const { checks } = await get();
    expect(checks.map(({ name, verdict }) => `${name} ${verdict}`)).toEqual([
      "deaf inconclusive",
      "good inconclusive",
      "quick pass",
    ]);
    expect(checks[0]?.explanation).toContain("had not ended 18 s");
    expect(clock.sleeping()).toBe(0);
  });

  it("leaves who has none for the next step", async () => {
    const { stepper, get } = await setUp();
    await stepper.step("home", "m1", 0);
    expect((await get()).checks[0]).toMatchObject({
      name: "all",
      verdict: "inconclusive",
      explanation: expect.stringContaining("no time left"),
    });
  });
});

describe("all homes", () => {
  const failing = (store: MigrationStore, homeId: string): MigrationStore => ({
    ...store,
    get: (home, id) =>
      home === homeId ? Promise.reject(new HearthlineError("store_incompatible", "Version 9.")) : store.get(home, id),
  });

  it("are stepped, and one that fails does not stop the others", async () => {
    const { store, clock, log, lines } = await setUp();
    for (const homeId of ["a", "b", "c"]) await store.create(startedOf({ homeId }));
    const stepper = createStepper({
      store: failing(store, "b"),
      checks: [passing],
      clock,
      log,
      random: seededRandom(7),
    });
    expect(await stepper.stepAll(MINUTE_MS)).toEqual({ homes: 4, stepped: 3, failed: 1, left: 0 });
    for (const homeId of ["a", "c", "home"])
      expect(await store.get(homeId, "m1")).toMatchObject({ state: "dual_write" });
    expect(lines.filter(({ level }) => level === "error")).toEqual([
      expect.objectContaining({ homeId: "b", code: "store_incompatible", error: "Version 9." }),
    ]);
  });

  it("for which there is no time are left, by chance others each time", async () => {
    const { store, clock, log } = await setUp();
    for (const homeId of ["a", "b", "c", "d"]) await store.create(startedOf({ homeId }));
    const first = new Set<string>();
    const slow = checkOf("slow", async ({ migration, signal }) => {
      first.add(migration.homeId);
      await clock.sleep(1e9, signal);
      return { results: [] };
    });
    const random = seededRandom(3);
    for (let run = 0; run < 20; run++) {
      const stepper = createStepper({ store, checks: [slow], clock, log, random });
      const done = stepper.stepAll(40_000);
      await clock.advance(MINUTE_MS);
      expect((await done).left).toBeGreaterThan(0);
    }
    expect(first.size).toBe(5);
    expect(ENDED.has((await store.get("home", "m1"))?.state ?? "complete")).toBe(false);
  });
});
