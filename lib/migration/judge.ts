import type { Microseconds } from "../base/time.ts";
import { answersFor, gateBefore, type Place, placeAfter, REQUIRED, soakSecondsOf, wordsOf } from "./places.ts";
import type { Trigger } from "./plan.ts";
import type { CheckResult, Migration, Verdict } from "./types.ts";

/**
 * What a step does with what it found.
 * - `next`: one state, or one stage, on (on the way back: one stage down, or to its end).
 * - `rollback`: all readers to OLD, at once.
 * - `alert`: it holds, and somebody should be told. - `hold`: it holds.
 */
export interface Decision {
  readonly action: "hold" | "alert" | "next" | "rollback";
  /** Of all checks together. */
  readonly verdict: Verdict;
  /** A sentence: why, and what it waits for. */
  readonly reason: string;
  readonly evidence: readonly CheckResult[];
  /** What people should hear of, whatever is done. */
  readonly alerts: readonly CheckResult[];
  readonly trigger?: Trigger;
  /** Of `next` and `rollback`. */
  readonly to?: Place;
  readonly goodSinceUs?: Microseconds;
}

export interface Look {
  readonly migration: Migration;
  readonly results: readonly CheckResult[];
  readonly nowUs: Microseconds;
}

/**
 * Between two looks at most so much counts as watched: three times the interval of the scheduled step. An hour of which only the two ends were seen is no hour of stability.
 */
export const CREDIT_MAX_US = 15 * 60 * 1_000_000;

/** Of the checks that are required here, and of any other that failed. */
export function judge(required: readonly string[], results: readonly CheckResult[]): Verdict {
  if (results.some(({ verdict }) => verdict === "fail")) return "fail";
  return unsettled(required, results).length > 0 ? "inconclusive" : "pass";
}

/** What is required and has not passed, by name: no result at all, or one that is inconclusive. */
export const unsettled = (required: readonly string[], results: readonly CheckResult[]): readonly string[] =>
  required.filter((name) => {
    const own = results.filter((result) => answersFor(name, result));
    return own.length === 0 || own.some(({ verdict }) => verdict === "inconclusive");
  });

/**
 * The soak's clock: begins with the first look that passes, stands still over looks that are inconclusive (what was watched stays watched), begins anew after one that failed.
 * Kept as a moment that is moved on by what does not count, so that `now - goodSinceUs` is always the time that does.
 */
export function goodSince({ migration, nowUs }: Look, verdict: Verdict): Microseconds | undefined {
  if (verdict === "fail") return undefined;
  const { goodSinceUs, lastStepUs = nowUs } = migration;
  if (goodSinceUs === undefined) return verdict === "pass" ? nowUs : undefined;
  const passedUs = nowUs - lastStepUs;
  // A clock that was set back takes the moment with it: nothing that was watched is lost or waited for again.
  const countedUs = Math.min(Math.max(0, passedUs), CREDIT_MAX_US);
  return goodSinceUs + passedUs - (verdict === "pass" ? countedUs : 0);
}

export interface Readiness extends Look {
  readonly verdict: Verdict;
  readonly goodSinceUs: Microseconds | undefined;
}

/** What it waits for before the next state or stage, in words; undefined: nothing. */
export function waitsFor({ migration, results, nowUs, verdict, goodSinceUs }: Readiness): string | undefined {
  const { state, readers } = migration;
  if (verdict === "fail") {
    const failed = results.filter((result) => result.verdict === "fail");
    return `${failed.map(({ name, explanation }) => `${name} failed: ${explanation}`).join(" ")} It holds.`;
  }
  if (verdict === "inconclusive")
    return unsettled(REQUIRED[state], results)
      .map((name) => {
        const open = results.find((result) => answersFor(name, result) && result.verdict === "inconclusive");
        return open ? `${open.name} is inconclusive: ${open.explanation}` : `${name} has no result yet.`;
      })
      .join(" ");
  const wantedSeconds = soakSecondsOf(migration);
  const goodSeconds = Math.floor((nowUs - (goodSinceUs ?? nowUs)) / 1e6);
  if (goodSeconds < wantedSeconds)
    return `All checks pass, for ${goodSeconds} of ${wantedSeconds} seconds in ${wordsOf(migration)}.`;
  const next = placeAfter(migration);
  const onOld = Object.keys(readers).filter((name) => readers[name] === "old");
  if (next?.state === "rampdown" && onOld.length > 0)
    return `All checks pass; moved to OLD by hand and still there: ${onOld.map((name) => `"${name}"`).join(", ")}.`;
  const gate = next && gateBefore(migration, next);
  return gate && `All checks pass; the gate before ${gate} is opened by hand (advance).`;
}
