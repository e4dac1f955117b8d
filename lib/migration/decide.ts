import { type Decision, goodSince, judge, type Look, waitsFor } from "./judge.ts";
import { isBeforeCleanup, isStarted, isUntouched, placeAfter, REQUIRED, wordsOf } from "./places.ts";
import type { Trigger } from "./plan.ts";
import { changed } from "./row.ts";
import { type CheckResult, ENDED, type Migration, STEP } from "./types.ts";
import { decideOnTheWayBack, START_OF_RETURN } from "./way-back.ts";

/** Where several fail at once, the first of these is named: what is down also makes errors, and what is lost also differs. */
const CAUSES: readonly Trigger[] = ["part-down", "loss", "inconsistency", "errors", "performance"];

/** Pure: what the step does. Takes at most one state or stage. */
export function decide(look: Look): Decision {
  const { migration, results } = look;
  const { state } = migration;
  const evidence = results;
  if (!isStarted(migration) || state === "paused" || ENDED.has(state))
    return { action: "hold", verdict: "inconclusive", reason: stillnessOf(migration), evidence, alerts: [] };
  if (state === "rolling_back") return decideOnTheWayBack(look);

  const verdict = judge(REQUIRED[state], results);
  const alerts = results.filter((result) => result.verdict === "fail" || result.isAlert === true);
  const goodSinceUs = goodSince(look, verdict);
  const said = { verdict, evidence, alerts, ...(goodSinceUs !== undefined && { goodSinceUs }) };
  const back = causeOfReturn(look);
  if (back) return { ...said, ...back, action: "rollback", to: START_OF_RETURN };

  const wait = waitsFor({ ...look, verdict, goodSinceUs });
  if (wait !== undefined) return { ...said, action: alerts.length > 0 ? "alert" : "hold", reason: wait };
  const to = placeAfter(migration);
  if (!to) return { ...said, action: "hold", reason: `Nothing follows ${state}.` };
  return { ...said, action: "next", to, reason: `All checks of ${wordsOf(migration)} pass: on to ${wordsOf(to)}.` };
}

function stillnessOf(migration: Migration): string {
  if (ENDED.has(migration.state)) return `It has ended: ${migration.state}.`;
  if (migration.state === "paused")
    return `Paused in ${migration.pausedFrom}${migration.reason ? `: ${migration.reason}` : ""}. Nothing runs until it is resumed.`;
  return "It has not been started.";
}

/**
 * OLD does not answer, or not as it did. Whoever were taken back to it would have no answer at all, where NEW, whatever is wrong with it, may have one: it goes back with the first step that finds OLD well.
 */
const isOldAway = (results: readonly CheckResult[]): boolean =>
  results.some(({ name, verdict }) => name === "health.old" && verdict !== "pass");

/** Why it goes back by itself; undefined: it does not. */
function causeOfReturn({
  migration,
  results,
}: Look): { readonly reason: string; readonly trigger?: Trigger } | undefined {
  if (!isBeforeCleanup(migration) || isUntouched(migration) || isOldAway(results)) return undefined;
  const failed = results.filter(({ verdict }) => verdict === "fail");
  for (const trigger of CAUSES) {
    const first = failed.find((result) => result.trigger === trigger);
    if (first && migration.plan.triggers[trigger])
      return { trigger, reason: `${first.name} failed (${trigger}): ${first.explanation}` };
  }
  return undefined;
}

/** Whatever the checks that are still to come find, it goes back, and for this: the cause that is named before all others. Asked before each, so that what asks a part that is down does not keep its readers waiting. */
export const goesBackAnyway = (look: Look): boolean =>
  look.migration.state !== "rolling_back" && causeOfReturn(look)?.trigger === CAUSES[0];

/** The row as the step leaves it: one revision on, and one epoch where it changed its place. */
export function afterStep(look: Look, decision: Decision): Migration {
  const { migration, results, nowUs } = look;
  const { goodSinceUs: _, ...rest } = migration;
  const looked: Migration = {
    ...rest,
    checks: results,
    verdict: decision.verdict,
    lastStepUs: nowUs,
    ...(decision.goodSinceUs !== undefined && { goodSinceUs: decision.goodSinceUs }),
  };
  const { to, trigger, reason, evidence } = decision;
  if (!to) return { ...looked, revision: migration.revision + 1 };
  const isBack = decision.action === "rollback";
  return changed(looked, {
    ...to,
    nowUs,
    actor: STEP,
    reason,
    evidence,
    ...(trigger && { trigger }),
    ...(isBack && { row: { reason, ...(trigger && { trigger }) } }),
  });
}
