import { HearthlineError } from "../base/errors.ts";
import type { Microseconds } from "../base/time.ts";
import { SIMPLE_COMMAND } from "./explain.ts";
import { CREDIT_MAX_US, judge, waitsFor } from "./judge.ts";
import {
  gateBefore,
  isBeforeCleanup,
  isStarted,
  isUntouched,
  type Place,
  placeAfter,
  REQUIRED,
  STARTED,
  wordsOf,
} from "./places.ts";
import { changed } from "./row.ts";
import { type Actor, ENDED, type Migration, type Verdict } from "./types.ts";

/** Who changes it, when and why. */
export interface By {
  readonly actor: Actor;
  readonly nowUs: Microseconds;
  readonly reason?: string;
  /** Over a verdict that says no; wants a reason. */
  readonly force?: boolean;
}

/**
 * A plan of the simple way has no steps: its command does everything, and what it has begun only it brings to an end, forwards or back. (Nobody but it sets the pointer of a migration that is not started.)
 */
function refuseSimple(migration: Migration, what: string): void {
  if (migration.plan.way !== "simple") return;
  throw new HearthlineError(
    "migration_state_wrong",
    `Cannot ${what} migration "${migration.id}": it is ${wordsOf(migration)}, planned for the simple way, which has no steps; wanted is: ${SIMPLE_COMMAND}.`,
  );
}

/** @throws HearthlineError `migration_state_wrong` unless it is prepared and not started, and not of the simple way */
export function start(migration: Migration, by: By): Migration {
  refuseSimple(migration, "start");
  if (migration.state !== "prepared" || isStarted(migration))
    throw stateWrong(migration, "start", "prepared, and not started yet");
  return changed(migration, {
    ...by,
    reason: by.reason ?? "Started.",
    row: { opened: [...migration.opened, STARTED], sinceUs: by.nowUs },
  });
}

/** Nothing runs any more, and readers stay where they are. @throws HearthlineError `migration_state_wrong` when it is paused, going back, in clean-up or has ended */
export function pause(migration: Migration, by: By): Migration {
  const { state } = migration;
  if (!isStarted(migration) || !isBeforeCleanup(migration) || state === "paused" || state === "rolling_back")
    throw stateWrong(migration, "pause", "started, before cleanup, and not on its way back");
  const reason = by.reason ?? "Paused by hand.";
  return changed(migration, { ...by, reason, state: "paused", row: { pausedFrom: state, reason } });
}

/** Goes on where it was paused; what it had soaked is to be soaked again. @throws HearthlineError `migration_state_wrong` unless it is paused */
export function resume(migration: Migration, by: By): Migration {
  if (migration.state !== "paused" || !migration.pausedFrom) throw stateWrong(migration, "resume", "paused");
  const { reason: _, ...rest } = migration;
  return changed(rest, { ...by, reason: by.reason ?? "Resumed by hand.", state: migration.pausedFrom });
}

/**
 * A person says: on. Opens the gate that it waits at, and goes on at once where all else is well (otherwise the step does, as soon as it is).
 * With `force` and a reason: one state or stage on, whatever the checks say.
 * @throws HearthlineError `migration_state_wrong` where nothing can be advanced, `migration_refused` where the verdict says no and neither force nor reason was given
 */
export function advance(migration: Migration, by: By): Migration {
  const next = placeAfter(migration);
  if (!isStarted(migration) || !next)
    throw stateWrong(migration, "advance", "started, not paused, going back or ended");
  const gate = gateBefore(migration, next);
  const open = gate ? { ...migration, opened: [...migration.opened, gate] } : migration;
  const { verdict, isFresh } = lastLook(open, by.nowUs);
  const wait = isFresh
    ? waitsFor({ migration: open, results: open.checks, nowUs: by.nowUs, verdict, goodSinceUs: open.goodSinceUs })
    : `No check has looked at ${wordsOf(migration)} in the last ${CREDIT_MAX_US / 60e6} minutes.`;
  const evidence = isFresh ? migration.checks : [];
  const row = { opened: open.opened };
  if (wait === undefined)
    return changed(migration, {
      ...by,
      ...next,
      row,
      evidence,
      reason: by.reason ?? `On to ${wordsOf(next)}, by hand.`,
    });
  if (by.force === true && by.reason)
    return changed(migration, { ...by, ...next, row, evidence, reason: by.reason, isForced: true });
  if (gate && verdict !== "fail" && by.force !== true)
    return changed(migration, {
      ...by,
      row,
      evidence,
      reason: by.reason ?? `The gate before ${gate} was opened by hand. It waits for: ${wait}`,
    });
  throw new HearthlineError(
    "migration_refused",
    `Migration "${migration.id}" cannot be advanced from ${wordsOf(migration)} to ${wordsOf(next)}: ${wait} ` +
      `${by.force === true ? "Force wants a reason, which the audit keeps." : "Wanted is a look that passes, or force and a reason, which the audit keeps."}`,
  );
}

function lastLook({ state, checks, sinceUs, lastStepUs }: Migration, nowUs: Microseconds) {
  const isFresh = lastStepUs !== undefined && lastStepUs > sinceUs && nowUs - lastStepUs <= CREDIT_MAX_US;
  const verdict: Verdict = isFresh ? judge(REQUIRED[state], checks) : "inconclusive";
  return { isFresh, verdict };
}

/**
 * All readers back to OLD: `once`, by one change, or `stepwise`, down the stages of the plan. One that goes back stepwise can still be sent back at once.
 * @throws HearthlineError `migration_state_wrong` in clean-up and afterwards, and when it is on its way back already
 */
export function rollback(migration: Migration, by: By & { readonly at: "once" | "stepwise" }): Migration {
  if (!isUntouched(migration)) refuseSimple(migration, "roll back");
  const { state, stagePercent } = migration;
  const isHurried = state === "rolling_back" && stagePercent > 0 && by.at === "once";
  if (!isBeforeCleanup(migration) || (state === "rolling_back" && !isHurried))
    throw stateWrong(migration, "rollback", "before cleanup, and not on its way back");
  const reason = by.reason ?? "Rolled back by hand.";
  const evidence = migration.checks;
  if (isUntouched(migration)) return changed(migration, { ...by, ...ROLLED_BACK, reason, evidence, row: { reason } });
  const to: Place =
    by.at === "stepwise"
      ? { state: "rolling_back", stage: migration.stage, stagePercent }
      : { state: "rolling_back", stage: 0, stagePercent: 0 };
  return changed(migration, { ...by, ...to, reason, evidence, row: { reason } });
}

const ROLLED_BACK: Place = { state: "rolled_back", stage: 0, stagePercent: 0 };

/**
 * Ends it where it is, with all readers at OLD. Where NEW has answered anybody this leaves out the hand-over and the checks of a rollback, so it wants force and a reason.
 * @throws HearthlineError `migration_state_wrong` in clean-up and afterwards, `migration_refused`
 */
export function abort(migration: Migration, by: By): Migration {
  if (!isUntouched(migration)) refuseSimple(migration, "abort");
  const { state, stagePercent, readers } = migration;
  if (!isBeforeCleanup(migration)) throw stateWrong(migration, "abort", "before cleanup");
  const hasAnswered = stagePercent > 0 || state === "rolling_back" || Object.values(readers).includes("new");
  if (hasAnswered && !(by.force === true && by.reason))
    throw new HearthlineError(
      "migration_refused",
      `Migration "${migration.id}" is in ${wordsOf(migration)}: readers depend on NEW, and aborting hands nothing over to OLD and checks nothing. Wanted is rollback, or force and a reason.`,
    );
  const reason = by.reason ?? "Aborted by hand.";
  return changed(migration, {
    ...by,
    ...ROLLED_BACK,
    reason,
    evidence: migration.checks,
    row: { reason },
    isForced: hasAnswered,
  });
}

/**
 * Moves one reader by the name of its token; `to` undefined: it goes with the others again.
 * @throws HearthlineError `migration_state_wrong` when it is going back, in ramp-down or later; `migration_refused` to NEW before NEW has the past, unless with force and a reason
 */
export function moveReader(
  migration: Migration,
  by: By & { readonly reader: string; readonly to: "old" | "new" | undefined },
): Migration {
  refuseSimple(migration, "move a reader of");
  const state = migration.pausedFrom ?? migration.state;
  if (ENDED.has(state) || ["rolling_back", "rampdown", "cleanup"].includes(state))
    throw stateWrong(migration, "move a reader of", "before rampdown, and not on its way back");
  const isEarly = ["prepared", "dual_write", "backfill"].includes(state);
  if (by.to === "new" && isEarly && !(by.force === true && by.reason))
    throw new HearthlineError(
      "migration_refused",
      `The reader "${by.reader}" cannot be moved to NEW in ${state}: NEW does not have the past yet. Wanted is shadow or later, or force and a reason.`,
    );
  // A token may have any name, also one that every object has a member of.
  const before = Object.hasOwn(migration.readers, by.reader) ? migration.readers[by.reader] : undefined;
  const { [by.reader]: _, ...others } = migration.readers;
  return changed(migration, {
    ...by,
    reason:
      by.reason ??
      `The reader "${by.reader}" goes ${by.to === undefined ? "with the others" : `to ${by.to.toUpperCase()}`} (was: ${before ?? "with the others"}).`,
    ...(by.to === "new" && isEarly && { isForced: true }),
    row: { readers: by.to === undefined ? others : { ...others, [by.reader]: by.to } },
  });
}

const stateWrong = (migration: Migration, what: string, wanted: string) =>
  new HearthlineError(
    "migration_state_wrong",
    `Cannot ${what} migration "${migration.id}": it is ${wordsOf(migration)}${migration.state === "prepared" && !isStarted(migration) ? ", not started" : ""}; wanted is one that is ${wanted}.`,
  );
