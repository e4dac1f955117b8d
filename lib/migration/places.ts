import type { Gate, Plan } from "./plan.ts";
import { GATES } from "./plan.ts";
import { type CheckResult, type Migration, STATES, type State } from "./types.ts";

/** Where a migration stands: its state, and how much of reading is NEW's. */
export interface Place {
  readonly state: State;
  readonly stage: number;
  readonly stagePercent: number;
}

const RUNNING = ["health.old", "health.new", "canary", "dual-write"] as const;
const COMPARED = [...RUNNING, "consistency", "performance", "errors", "api-compare", "devices"] as const;

/**
 * What must have passed before a state is left. `performance` stands for all of its parts (`performance.range`, ...), of which there must be one. A check without a result has not passed, so a check that
 * was not run is never skipped.
 */
export const REQUIRED: Readonly<Record<State, readonly string[]>> = {
  prepared: ["health.old", "health.new", "canary"],
  dual_write: RUNNING,
  backfill: [...RUNNING, "backfill"],
  shadow: COMPARED,
  ramp: [...COMPARED, "loss"],
  stabilise: [...COMPARED, "loss", "stability.memory", "stability.availability"],
  final_validation: [...COMPARED, "loss", "feature-parity", "benchmark", "final"],
  rampdown: ["health.new", "canary", "loss", "quiet"],
  cleanup: ["health.new", "cleanup"],
  complete: [],
  paused: [],
  rolling_back: ["handover", "health.old", "consistency"],
  rolled_back: [],
};

/** On the way back stage by stage, while NEW still answers some: the rest is looked at when OLD answers all. */
export const REQUIRED_STEPWISE = ["health.old"] as const;

/** Before it is started, nothing runs; the mark among `opened` that says so. */
export const STARTED = "start";

export const isStarted = ({ opened }: Migration): boolean => opened.includes(STARTED);

/** Nothing of ours has touched OLD or a reader yet: there is nothing to take back, so a check that fails holds. */
export const isUntouched = ({ state, pausedFrom }: Migration): boolean => (pausedFrom ?? state) === "prepared";

const STAGED: readonly State[] = STATES.slice(0, STATES.indexOf("complete") + 1);

/** From here on nothing is taken back: OLD may be gone. */
const LAST: ReadonlySet<State> = new Set(["cleanup", "complete", "rolled_back"]);
export const isBeforeCleanup = ({ state, pausedFrom }: Migration): boolean => !LAST.has(pausedFrom ?? state);

/** What follows, one stage at most; undefined: nothing does, or not this way. */
export function placeAfter({ plan, state, stage }: Migration): Place | undefined {
  if (state === "ramp" && stage + 1 < plan.stages.length) return placeIn(plan, "ramp", stage + 1);
  const next = STAGED[STAGED.indexOf(state) + 1];
  return STAGED.includes(state) && next ? placeIn(plan, next, 0) : undefined;
}

function placeIn(plan: Plan, state: State, stage: number): Place {
  if (state === "ramp") return { state, stage, stagePercent: plan.stages[stage] ?? 100 };
  const isAfter = STAGED.indexOf(state) > STAGED.indexOf("ramp");
  return { state, stage: 0, stagePercent: isAfter ? 100 : 0 };
}

/** One stage down, on the way back: the next lower percentage of the plan, or none. */
export function placeBelow({ plan, stagePercent }: Migration): Place {
  const stage = plan.stages.findLastIndex((percent) => percent < stagePercent);
  return { state: "rolling_back", stage: Math.max(0, stage), stagePercent: plan.stages[stage] ?? 0 };
}

/** How long the checks must have passed without interruption before the state (or stage) is left. */
export function soakSecondsOf({ plan, state, stagePercent }: Migration): number {
  if (state === "stabilise") return plan.stabiliseSeconds;
  if (state === "shadow" || state === "ramp") return plan.soakSeconds;
  // On the way back OLD takes its readers again as slowly as it lost them.
  return state === "rolling_back" && stagePercent > 0 ? plan.soakSeconds : 0;
}

/** The gate that a person has to open before `next`; undefined: none, or it is open. */
export function gateBefore({ plan, state, opened }: Migration, next: Place): Gate | undefined {
  if (next.state === state) return undefined;
  const gate = GATES.find((name) => name === next.state);
  return gate && plan.gates.includes(gate) && !opened.includes(gate) ? gate : undefined;
}

export const answersFor = (required: string, { name }: Pick<CheckResult, "name">): boolean =>
  name === required || name.startsWith(`${required}.`);

/** `ramp (25 %)`. */
export const wordsOf = ({ state, stagePercent }: Place): string =>
  state === "ramp" || (state === "rolling_back" && stagePercent > 0) ? `${state} (${stagePercent} %)` : state;
