import type { Happened } from "./happened.ts";
import { People } from "./people.ts";
import { Relay } from "./relay.ts";
import { Rules } from "./rules.ts";
import { Scheduler } from "./scheduler.ts";
import { schedule, stepOnce } from "./steps.ts";
import { ENTITIES, lookOften } from "./users.ts";
import { FAULTS_END_MS, type Kind, MINUTE_MS, SKEW_MAX_MS, touches, weatherOf } from "./weather.ts";
import { type Parts, World } from "./world.ts";

const START_MS = Date.UTC(2026, 10, 22, 6);
/** With faults over it must have ended by then. */
const LIMIT_MS = FAULTS_END_MS + 60 * MINUTE_MS;
const AFTER_MS = 2 * MINUTE_MS;
const PAST = 60;

export interface Ran {
  readonly violations: readonly string[];
  readonly end: string;
  readonly minutes: number;
  readonly turns: number;
  readonly stats: Readonly<Record<"byNew" | "byOld" | "pairs" | "looks", number>>;
}

/** One life of a home and its migration. The same seed, the same run. */
export async function runOnce(parts: Parts, kind: Kind, seed: number): Promise<Ran> {
  const sim = new Scheduler(seed * 7_919 + kind.length, START_MS);
  const world = new World(parts, sim, weatherOf(kind, sim));
  const people = new People(world);
  const rules = new Rules(world, people);
  past(world);
  clocks(sim);
  const relay = new Relay(world);
  live(world, relay);
  people.begin();
  schedule(world, () => sim.nowMs > FAULTS_END_MS);
  lookOften(world, rules);
  await sim.run(LIMIT_MS, () => world.violations.length > 0 || rules.rows.endedMs !== undefined);
  if (world.violations.length === 0 && rules.rows.endedMs !== undefined) {
    sim.at(10_000, () => void stepOnce(world, true));
    await sim.run(sim.nowMs + AFTER_MS, () => world.violations.length > 0);
  }
  if (world.violations.length === 0) await rules.end();
  const { row, looks } = rules.rows;
  return {
    violations: world.violations,
    end: `${row?.state}${row?.trigger ? ` (${row.trigger})` : ""}`,
    ...{ minutes: sim.nowMs / MINUTE_MS, turns: sim.turns, stats: { ...rules.reads.stats, looks } },
  };
}

/** What OLD holds from before NEW was there: some of it microseconds apart. */
function past(world: World): void {
  const { sim, happened } = world;
  let atUs = sim.nowUs - 7_200e6;
  for (let id = 0; id < PAST; id++) {
    atUs += id % 3 === 0 ? sim.int(60, 300) * 1_000_000 : 1;
    const each: Happened = { id, entityId: ENTITIES[id % ENTITIES.length] ?? "", atUs, oldMs: 0 };
    happened.push(each);
    world.oldRows.push(each);
  }
}

/** The home lives on: now and then several things at one moment, now and then on the very second. */
function live(world: World, relay: Relay): void {
  const { sim, happened, weather } = world;
  const happen = () => {
    const isSharp = sim.chance(0.3);
    const nowUs = sim.nowUs;
    const atUs = isSharp ? Math.floor(nowUs / 1e6) * 1e6 : nowUs;
    const first = sim.int(0, ENTITIES.length - 1);
    for (let many = sim.chance(0.2) ? 3 : 1; many > 0; many--) {
      const entityId = ENTITIES[(first + many) % ENTITIES.length] ?? "";
      if (happened.some((each) => each.atUs === atUs && each.entityId === entityId)) continue;
      const each: Happened = { id: happened.length, entityId, atUs };
      happened.push(each);
      relay.hear(each);
      if (weather.fedBy === "home-assistant")
        sim.at(sim.between(50, 2_000), () => {
          if (!world.isOldCutOff) world.putOld(each);
        });
    }
    sim.at(sim.between(2, 30) * 1_000, happen);
  };
  happen();
  const crash = () => {
    // What the recorder gives after a crash is older than its place in the spool says; while OLD takes nothing nobody could tell how far OLD is.
    if (sim.nowMs < FAULTS_END_MS && !touches(weather.cuts.old, sim.nowMs - 30_000, sim.nowMs + 30_000))
      relay.crash(sim.between(1, 20) * 1_000);
    sim.at(sim.between(2, 15) * MINUTE_MS, crash);
  };
  sim.at(sim.between(2, 15) * MINUTE_MS, crash);
}

/** Now and then somebody, or NTP, sets the clock of our side. */
function clocks(sim: Scheduler): void {
  const set = () => {
    sim.skewMs = sim.chance(0.3) ? 0 : Math.round(sim.between(-SKEW_MAX_MS, SKEW_MAX_MS));
    if (sim.nowMs < FAULTS_END_MS) sim.at(sim.between(4, 20) * MINUTE_MS, set);
    else sim.skewMs = 0;
  };
  sim.at(sim.between(4, 20) * MINUTE_MS, set);
}
