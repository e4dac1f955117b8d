import type { CheckResult, State } from "../../../lib/migration/types.ts";

/** What the state machine must keep, said a second time and in a list, as a person would who checks it by hand. */

/** Beyond flush, queue and their retries nobody may miss what has happened. */
export const ALLOWED_LAG_MS = 120_000;
/** A change of the pointer is effective: a second's cache, a silence, a slow look. */
export const EFFECTIVE_MS = 30_000;

export const ORDER: readonly State[] = [
  ...(["prepared", "dual_write", "backfill", "shadow", "ramp", "stabilise", "final_validation"] as const),
  ...(["rampdown", "cleanup", "complete"] as const),
];
const RUNNING = ["health.old", "health.new", "canary", "dual-write"];
const COMPARED = [...RUNNING, "consistency", "performance.range", "errors", "api-compare", "devices"];
const STABLE = ["stability.memory", "stability.availability"];
export const WANTED: Readonly<Partial<Record<State, readonly string[]>>> = {
  prepared: ["health.old", "health.new", "canary"],
  dual_write: RUNNING,
  backfill: [...RUNNING, "backfill"],
  shadow: COMPARED,
  ramp: [...COMPARED, "loss"],
  stabilise: [...COMPARED, "loss", ...STABLE],
  final_validation: [...COMPARED, "loss", "feature-parity", "benchmark", "final"],
  rampdown: ["health.new", "canary", "loss", "quiet"],
  cleanup: ["health.new", "cleanup"],
  rolling_back: ["handover", "health.old", "consistency"],
};

export const COMPARES: ReadonlySet<State> = new Set(["shadow", "ramp", "stabilise", "final_validation"]);
/** NEW may answer for OLD here. */
export const HAS_PAST: ReadonlySet<State> = new Set([...COMPARES, "rampdown", "cleanup", "complete"]);
/** Whom a person has moved stays there here; then all go with the others. */
export const MAY_BE_MOVED: ReadonlySet<State> = new Set(["prepared", "dual_write", "backfill", ...COMPARES]);
export const SOAKS: ReadonlySet<State> = new Set(["shadow", "ramp"]);

/** Those that are wanted and have not passed. */
export const lackingOf = (state: State, results: readonly CheckResult[]): readonly string[] =>
  (WANTED[state] ?? []).filter((name) => {
    const own = results.filter((result) => result.name === name);
    return own.length === 0 || own.some(({ verdict }) => verdict !== "pass");
  });

export function verdictOf(state: State, results: readonly CheckResult[]): "pass" | "fail" | "inconclusive" {
  if (results.some(({ verdict }) => verdict === "fail")) return "fail";
  return lackingOf(state, results).length === 0 ? "pass" : "inconclusive";
}
