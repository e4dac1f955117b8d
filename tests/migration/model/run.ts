import { clocks, live, past } from "./home.ts";
import { People } from "./people.ts";
import { Relay } from "./relay.ts";
import { Rules } from "./rules.ts";
import { Scheduler } from "./scheduler.ts";
import { runSimpleOnce } from "./simple.ts";
import { schedule, stepOnce } from "./steps.ts";
import { lookOften } from "./users.ts";
import { FAULTS_END_MS, type Kind, MINUTE_MS, weatherOf } from "./weather.ts";
import { type Parts, World } from "./world.ts";

export const START_MS = Date.UTC(2026, 10, 22, 6);
/** With faults over it must have ended by then. */
export const LIMIT_MS = FAULTS_END_MS + 100 * MINUTE_MS;
const AFTER_MS = 2 * MINUTE_MS;

export interface Ran {
  readonly violations: readonly string[];
  readonly end: string;
  readonly minutes: number;
  readonly turns: number;
  readonly stats: Readonly<Record<"byNew" | "byOld" | "pairs" | "moved" | "looks", number>>;
}

/** One life of a home and its migration. The same seed, the same run. */
export async function runOnce(parts: Parts, kind: Kind, seed: number): Promise<Ran> {
  if (kind === "simple") return runSimpleOnce(parts, seed);
  const sim = new Scheduler(seed * 7_919 + kind.length, START_MS);
  const world = new World(parts, sim, weatherOf(kind, sim));
  const people = new People(world);
  const rules = new Rules(world, people);
  past(world);
  clocks(world);
  const relay = new Relay(world);
  live(world, relay);
  people.begin();
  schedule(world, () => sim.nowMs > FAULTS_END_MS);
  lookOften(world, rules);
  // What waits for an hour waits longer where the clock is set back meanwhile.
  await sim.run(
    LIMIT_MS + 2 * world.weather.skewMaxMs,
    () => world.violations.length > 0 || rules.rows.endedMs !== undefined,
  );
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
