import type { Check, CheckResult, ReadPair, State } from "../../../lib/migration/ports.ts";
import { HOME } from "./happened.ts";
import { oldSystem } from "./old.ts";
import { pastOf } from "./past.ts";
import type { Life } from "./scheduler.ts";
import { isIn, MINUTE_MS } from "./weather.ts";
import { KEY, quiet, type World } from "./world.ts";

export const ID = "m1";
const STEP_MS = MINUTE_MS;
const BUDGET_MS = 240_000;

const COMPARING: ReadonlySet<State> = new Set(["shadow", "ramp", "stabilise", "final_validation"]);
export const ALL: ReadonlySet<State> = new Set([...COMPARING, "prepared", "dual_write", "backfill", "rampdown"]);

const pass = (name: string): CheckResult => ({ name, verdict: "pass", sampleSize: 1, explanation: "Well." });

/** What other tests prove stands here in one word. */
export const always = (name: string, states: ReadonlySet<State>): Check => ({
  name,
  states,
  run: async () => ({ results: [pass(name)] }),
});

/** Measures, and at its first look in a stage has nothing to say yet. Where NEW is not bad the real checks say no more, and take hundreds of pairs. */
const measuring: Check = {
  name: "performance",
  states: COMPARING,
  async run({ migration, memory }) {
    const stage = `${migration.state} ${migration.stagePercent} ${migration.sinceUs}`;
    return { results: memory === stage ? [pass("performance.range")] : [], memory: stage };
  },
};

const PAIRS_A_STEP = 40;

/** What asking both sides would have measured. */
const probesOf = (world: World, store: ReturnType<World["store"]>): Check => ({
  name: "probes",
  states: COMPARING,
  async run({ migration: { homeId, id }, nowUs }) {
    const { sim, weather } = world;
    const isBad = isIn(weather.bad, sim.nowMs);
    const pairs = Array.from({ length: PAIRS_A_STEP }, (): ReadPair => {
      const [oldMs, ms] = [sim.between(30, 60), sim.between(30, 60)];
      const isError = isBad && weather.badHow === "errors" && sim.chance(0.5);
      const ours = isError
        ? { newError: "service_timeout" }
        : { newMs: isBad && weather.badHow === "slow" && sim.chance(0.6) ? 5 * ms : ms };
      world.probedUs = Math.max(world.probedUs + 1, nowUs);
      return { atUs: world.probedUs, by: "probe", query: "range", oldMs, ...ours, rows: 1 };
    });
    await store.addPairs(homeId, id, pairs);
    return { results: [] };
  },
});

/** What the relay has said, and what is asked of it. */
export function askedOf(world: World, life: Life) {
  const relays = { of: () => world.call(life, "new", () => [...world.statuses.values()]) };
  const sinks = {
    turn: (_home: string, state: "on" | "off") =>
      world.call(life, "table", () => {
        const waiting = [...world.outbox].find(([, item]) => item.status === "pending" && item.state === state);
        const itemId = waiting?.[0] ?? `item-${world.outbox.size}`;
        if (!waiting) world.outbox.set(itemId, { state, status: "pending" });
        return { itemId };
      }),
    outcome: (_home: string, itemId: string) => world.call(life, "table", () => world.outbox.get(itemId)),
  };
  return { relays, sinks };
}

export const partsOfNew = (world: World, life: Life) => ({
  look: () =>
    world.call(life, "new", () => [
      { name: "store", ...(isIn(world.weather.illNew, world.sim.nowMs) && { problem: "it does not answer" }) },
    ]),
});

function checksOf(world: World, life: Life): Check[] {
  const { parts, sim, weather } = world;
  const clock = sim.clock(life);
  const store = world.store(life);
  const events = world.events(life);
  const old = oldSystem(world, life);
  const { relays, sinks } = askedOf(world, life);
  const ledger = {
    ...world.ledger,
    rows: (homeId: string) => world.call(life, "new", () => world.ledger.rows(homeId)),
  };
  const nowUs = () => clock.nowMs() * 1000;
  const oldLagSeconds = async () => parts.oldLagSecondsNow(await relays.of(), clock.nowMs());
  return [
    parts.createHealthOldCheck({ old, clock }),
    parts.createHealthNewCheck({ parts: partsOfNew(world, life), clock }),
    always("canary", ALL),
    parts.createDualWriteCheck({ relays, sinks, store: events, old, clock }),
    parts.createLossCheck({ ledger, deadLetters: { of: async () => ({ count: 0, examples: [] }) } }),
    ...(weather.kind === "bad-new"
      ? [probesOf(world, store), parts.createPerformanceCheck({ store }), parts.createErrorsCheck({ store })]
      : [measuring, always("errors", COMPARING)]),
    ...["api-compare", "devices"].map((name) => always(name, COMPARING)),
    ...["stability.memory", "stability.availability"].map((name) => always(name, new Set(["stabilise"]))),
    ...["feature-parity", "benchmark", "final"].map((name) => always(name, new Set(["final_validation"]))),
    parts.createQuietCheck({
      use: { lastRead: async () => (world.lastOldReadMs > 0 ? { atUs: world.usOf(world.lastOldReadMs) } : undefined) },
      ...{ store: events, old },
    }),
    parts.createCleanupCheck({ relays, sinks, store: events, old }),
    parts.createHandoverCheck({ store: events, old, relays, clock }),
    parts.createConsistencyCheck({
      ...{ old, events, store, clock },
      facts: parts.createLedgerFacts({ ledger, nowUs, ...(weather.fedBy === "relay" && { oldLagSeconds }) }),
    }),
    parts.createBackfillCheck({
      ...pastOf(world, life),
      ...{ clock, random: sim.random, key: async () => KEY, rowsPerStep: 25 },
      isInNew: async (homeId, { entityId, atUs }) =>
        (await events.range({ homeId, entityIds: [entityId], fromUs: atUs, toUs: atUs + 1, order: "asc", limit: 1 }))
          .events.length > 0,
    }),
  ];
}

/** One process makes one step; it may die at any of its calls, before the first as well. */
export async function stepOnce(world: World, isCalm: boolean): Promise<void> {
  const { parts, sim } = world;
  const life = sim.life(
    isCalm ? "calm step" : "step",
    !isCalm && sim.chance(0.3) ? sim.int(1, sim.chance(0.3) ? 40 : 400) : undefined,
  );
  const stepper = parts.createStepper({
    ...{
      store: world.store(life),
      checks: checksOf(world, life),
      clock: sim.clock(life),
      random: sim.random,
      log: quiet,
    },
  });
  try {
    await stepper.step(HOME, ID, BUDGET_MS);
  } catch (thrown) {
    if (!parts.isHearthlineError(thrown)) throw thrown;
  }
}

/** The schedule: each minute, now and then late, now and then two at once. */
export function schedule(world: World, isCalm: () => boolean): void {
  const { sim } = world;
  const fail = (thrown: unknown) => world.wrong("no step throws what is not its own", String(thrown));
  const go = () => {
    const calm = isCalm();
    for (let count = !calm && sim.chance(0.2) ? 2 : 1; count > 0; count--)
      sim.at(sim.between(0, calm ? 10 : 2_000), () => void stepOnce(world, calm).catch(fail));
    sim.at(!calm && sim.chance(0.12) ? sim.between(3, 8) * STEP_MS : sim.between(0.8, 1.2) * STEP_MS, go);
  };
  sim.at(STEP_MS, go);
}
