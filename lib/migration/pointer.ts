import type { Migration, Pointer, State } from "./types.ts";

const BEFORE_SHADOW: ReadonlySet<State> = new Set(["prepared", "dual_write", "backfill"]);
const COMPARES: ReadonlySet<State> = new Set(["shadow", "ramp", "stabilise", "final_validation"]);
const GOES_BACK: ReadonlySet<State> = new Set(["rolling_back", "rolled_back"]);
/** Dual write is being stopped, or was. */
const LEAVES_OLD: ReadonlySet<State> = new Set(["cleanup", "complete"]);
const IS_NEWS: ReadonlySet<State> = new Set(["rampdown", "cleanup", "complete"]);

/** In hundredths of a percent, as `hash % 10,000` is. */
const basisPoints = (percent: number): number => Math.round(percent * 100);

/** Who answers reads, by the row. A paused migration points to where it stood. */
export function pointerOf(migration: Migration): Pointer {
  const { id, epoch, plan, salt, stagePercent, pausedFrom, readers } = migration;
  const state = pausedFrom ?? migration.state;
  return {
    migrationId: id,
    epoch,
    authority: stagePercent >= 100 ? "new" : stagePercent > 0 ? "split" : "old",
    basisPoints: basisPoints(stagePercent),
    salt,
    shadowBasisPoints: COMPARES.has(state) ? basisPoints(plan.shadowPercent) : 0,
    // On the way back nobody stays with NEW, and once OLD is to go nobody stays with OLD, whatever was said by hand before.
    readers: GOES_BACK.has(state) || IS_NEWS.has(state) ? {} : readers,
    // Who goes back because NEW is wrong is not to be answered by NEW where OLD is slow.
    isOldComplete: !LEAVES_OLD.has(state),
    isNewComplete: !BEFORE_SHADOW.has(state) && !GOES_BACK.has(state),
    old: plan.old,
  };
}
