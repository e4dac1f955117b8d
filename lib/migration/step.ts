import type { Clock } from "../base/clock.ts";
import { isHearthlineError, messageOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import { afterStep, decide, goesBackAnyway } from "./decide.ts";
import type { Decision } from "./judge.ts";
import { isStarted, wordsOf } from "./places.ts";
import { pointerOf } from "./pointer.ts";
import type { Check, MigrationStore } from "./ports.ts";
import { type Run, type RunOptions, runChecks } from "./run-checks.ts";
import { ENDED, type Migration } from "./types.ts";

export interface StepperOptions {
  readonly store: MigrationStore;
  /** In the order in which they run: what takes what is left of the time comes last. */
  readonly checks: readonly Check[] | ((migration: Migration) => OpenChecks);
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** The checks of one migration, with what they hold open. */
export interface OpenChecks {
  readonly checks: readonly Check[];
  close(): Promise<void>;
}

/** - `idle`: not started, or paused. - `stale`: somebody else wrote the row meanwhile; what this step found is dropped. - `ended`: it had ended. - `gone`: there is none. */
export type StepOutcome = Decision["action"] | "idle" | "stale" | "ended" | "gone";

export interface Steps {
  readonly homes: number;
  readonly stepped: number;
  readonly failed: number;
  /** For which there was no time: they come first by chance the next time. */
  readonly left: number;
}

export interface Stepper {
  /**
   * One step: at most one state or stage on. Killed at any moment, run twice at once or late: the row changes once or not at all.
   * @throws HearthlineError `store_incompatible` for a row of another version; fate-`retry` service errors
   */
  step(homeId: string, id: string, budgetMs: number): Promise<StepOutcome>;
  /** One step of each migration under way, in the order of chance; one that fails does not stop the others. */
  stepAll(budgetMs: number): Promise<Steps>;
}

/** Kept back of the time for what follows the checks: the commit, the pointer. */
const COMMIT_MS = 5_000;
/** Of many homes each has at least so much of the time, and some have their turn the next time: a step without time looks at nothing. */
const STEP_MIN_MS = 30_000;

export function createStepper(options: StepperOptions): Stepper {
  const { store, clock, random, log } = options;

  /** What is worth nothing without the row: done anew by each step, so that whoever was killed before it leaves nothing undone. */
  async function point(migration: Migration): Promise<void> {
    await store.setPointer(migration.homeId, pointerOf(migration));
  }

  /** What cannot be closed is the next one's to see: what was found counts. */
  async function look(migration: Migration, budgetMs: number): Promise<Run> {
    const isEnough: RunOptions["isEnough"] = (results) =>
      goesBackAnyway({ migration, results, nowUs: clock.nowMs() * 1000 });
    const run = { store, clock, budgetMs, isEnough };
    if (typeof options.checks !== "function") return runChecks(migration, { ...run, checks: options.checks });
    const open = options.checks(migration);
    try {
      return await runChecks(migration, { ...run, checks: open.checks });
    } finally {
      await open.close().catch((thrown) => log.warn("checks not closed", { error: messageOf(thrown) }));
    }
  }

  async function lookAndDecide(migration: Migration, budgetMs: number): Promise<StepOutcome> {
    const { homeId, id, revision } = migration;
    const startedMs = clock.monotonicMs();
    const run = await look(migration, budgetMs);
    const found = { migration, results: run.results, nowUs: clock.nowMs() * 1000 };
    const decision = decide(found);
    const next = afterStep(found, decision);
    try {
      await store.commit(next, { expected: revision, memories: run.memories });
    } catch (thrown) {
      if (!isHearthlineError(thrown) || thrown.code !== "migration_stale") throw thrown;
      log.info("migration step dropped", { homeId, migration: id, reason: thrown.message });
      return "stale";
    }
    await point(next);
    const { action, verdict, reason, alerts, trigger } = decision;
    const isQuiet = alerts.length === 0 && action !== "rollback";
    log[isQuiet ? "info" : "warn"]("migration step", {
      ...{ homeId, migration: id, action, verdict, from: wordsOf(migration), to: wordsOf(next), reason, trigger },
      ...{ epoch: next.epoch, alerts: alerts.map(({ name }) => name), checksMs: run.tookMs },
      durationMs: Math.round(clock.monotonicMs() - startedMs),
    });
    return action;
  }

  async function step(homeId: string, id: string, budgetMs: number): Promise<StepOutcome> {
    const migration = await store.get(homeId, id);
    if (!migration) return "gone";
    // Before it is started it has no say in who answers, and none when it ends so.
    if (isStarted(migration)) await point(migration);
    if (ENDED.has(migration.state)) {
      await store.settle(homeId, id);
      return "ended";
    }
    if (!isStarted(migration) || migration.state === "paused") return "idle";
    return lookAndDecide(migration, budgetMs - COMMIT_MS);
  }

  async function stepAll(budgetMs: number): Promise<Steps> {
    const endMs = clock.monotonicMs() + budgetMs;
    const all = shuffled(await store.underWay(), random);
    let [stepped, failed] = [0, 0];
    for (const [index, { homeId, id }] of all.entries()) {
      const leftMs = endMs - clock.monotonicMs();
      if (leftMs <= 2 * COMMIT_MS) break;
      const shareMs = Math.max(STEP_MIN_MS, leftMs / (all.length - index));
      try {
        await step(homeId, id, Math.min(leftMs, shareMs));
        stepped++;
      } catch (thrown) {
        failed++;
        const code = isHearthlineError(thrown) ? thrown.code : "unexpected";
        log.error("migration step failed", { homeId, migration: id, code, error: messageOf(thrown) });
      }
    }
    return { homes: all.length, stepped, failed, left: all.length - stepped - failed };
  }

  return { step, stepAll };
}

/** So that where the time is not enough for all, none is always the last. */
function shuffled<T>(values: readonly T[], random: Random): T[] {
  return values
    .map((value) => ({ value, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ value }) => value);
}
