import type { Microseconds } from "../../base/time.ts";
import { judge, SAMPLES_MIN, withSample } from "./judge.ts";
import type { Trial, Tuning } from "./memory.ts";
import type { Measured } from "./ports.ts";
import type { Proposal } from "./propose.ts";

/** Samples of each window (chosen by us: eight are 40 minutes of steps). */
const SAMPLES = 8;
/** Of the gain that was expected; less, and it was not for the reason that was proposed. */
const GAIN_SHARE_MIN = 0.5;
/** A window that takes longer ends with what there is. */
const WINDOW_MAX_US: Microseconds = 2 * 3_600_000_000;
/** The value goes back by itself so much after the window's end, should nobody be there. */
const MARGIN_US: Microseconds = 1_800_000_000;

/** What a step sees. */
export interface Seen {
  readonly nowUs: Microseconds;
  readonly measured: Measured;
  /** In force, as who uses it says. */
  readonly current: number | undefined;
  /** False: nothing may be tried now (the migration goes back), and what is being tried ends. */
  readonly isAllowed: boolean;
}

/** What is asked for: `untilUs` of a trial, none of what stays. */
export interface Command {
  readonly value: number;
  readonly untilUs?: Microseconds;
}

/**
 * One step of trying; pure. A baseline window, then the value for a window with an end, then a comparison: kept only if the figure became better beyond noise and the other one not worse; else, and
 * whenever anything is in the way, the value before. Commands are carried out before the step is remembered: they come again after a crash, and mean the same.
 */
export function advanceTrial(
  tuning: Tuning,
  seen: Seen,
  proposals: readonly Proposal[],
): { readonly tuning: Tuning; readonly command?: Command } {
  const { trial } = tuning;
  if (!trial) return { tuning: begin(tuning, seen, proposals) };
  if (trial.phase === "baseline") return baseline(tuning, trial, seen);
  if (trial.phase === "reverting") return reverting(tuning, trial, seen);
  if (trial.phase === "keeping") return keeping(tuning, trial, seen);
  return trying(tuning, trial, seen);
}

/** Those that can be tried and were not, as far as is remembered. */
export const untried = ({ outcomes }: Tuning, proposals: readonly Proposal[]): readonly Proposal[] =>
  proposals.filter(
    ({ setting, to, metric }) =>
      metric !== undefined && !outcomes.some((one) => one.setting === setting && one.to === to),
  );

function begin(tuning: Tuning, { nowUs, current, isAllowed }: Seen, proposals: readonly Proposal[]): Tuning {
  const [next] = untried(tuning, proposals);
  if (!isAllowed || !next?.metric || !next.expected || current !== next.from) return tuning;
  const { setting, from, to, metric, allowed = 0 } = next;
  const trial: Trial = {
    phase: "baseline",
    setting,
    from,
    to,
    metric,
    allowed,
    gainMin: (1 - next.expected.to / next.expected.from) * GAIN_SHARE_MIN,
    sinceUs: nowUs,
    untilUs: nowUs + WINDOW_MAX_US,
    isInForce: false,
    before: [],
    during: [],
  };
  return { ...tuning, trial };
}

function baseline(tuning: Tuning, trial: Trial, seen: Seen): { tuning: Tuning; command?: Command } {
  const before = withSample(trial.before, trial, seen.measured);
  const isOver = seen.nowUs >= trial.untilUs;
  if (!seen.isAllowed || seen.current !== trial.from)
    return {
      tuning: ended(tuning, trial, {
        isKept: false,
        reason: "it was not tried: the setting changed, or the migration went back",
        nowUs: seen.nowUs,
      }),
    };
  if (before.length < SAMPLES && !isOver) return { tuning: { ...tuning, trial: { ...trial, before } } };
  if (before.length < SAMPLES_MIN)
    return {
      tuning: ended(tuning, trial, {
        isKept: false,
        reason: "it was not tried: too little happens to compare",
        nowUs: seen.nowUs,
      }),
    };
  const untilUs = seen.nowUs + WINDOW_MAX_US;
  const next: Trial = { ...trial, phase: "trial", before, sinceUs: seen.nowUs, untilUs };
  return { tuning: { ...tuning, trial: next }, command: { value: trial.to, untilUs: untilUs + MARGIN_US } };
}

function trying(tuning: Tuning, trial: Trial, seen: Seen): { tuning: Tuning; command?: Command } {
  // Only what happened while the value was in force.
  const isInForce = seen.current === trial.to;
  const during = isInForce && trial.isInForce ? withSample(trial.during, trial, seen.measured) : trial.during;
  const isOver = seen.nowUs >= trial.untilUs;
  if (seen.isAllowed && during.length < SAMPLES && !isOver) {
    const again = { value: trial.to, untilUs: trial.untilUs + MARGIN_US };
    return {
      tuning: { ...tuning, trial: { ...trial, during, isInForce } },
      ...(seen.current !== trial.to && { command: again }),
    };
  }
  const judged = seen.isAllowed ? judge({ ...trial, during }) : { isKept: false, reason: "the migration went back" };
  const next = ended(tuning, trial, { ...judged, nowUs: seen.nowUs });
  const phase = judged.isKept ? ("keeping" as const) : ("reverting" as const);
  return {
    tuning: { ...next, trial: { ...trial, phase, during } },
    command: { value: judged.isKept ? trial.to : trial.from },
  };
}

/** That the value is in force says nothing while the trial holds it: it is kept when it is in force after the time at which it would have gone back by itself. */
function keeping(tuning: Tuning, trial: Trial, { current, nowUs }: Seen): { tuning: Tuning; command?: Command } {
  const { trial: _, ...rest } = tuning;
  const endUs = trial.untilUs + MARGIN_US;
  if (current === trial.to) return { tuning: nowUs < endUs ? tuning : rest };
  if (nowUs < endUs + WINDOW_MAX_US) return { tuning, command: { value: trial.to } };
  const outcomes = rest.outcomes.map((one, index) =>
    index === rest.outcomes.length - 1
      ? { ...one, isKept: false, reason: `${one.reason}; but the relay did not keep it` }
      : one,
  );
  return { tuning: { ...rest, outcomes } };
}

/** Asked for until it is in force; after the time at which it goes back by itself nobody needs to. */
function reverting(tuning: Tuning, trial: Trial, { current, nowUs }: Seen): { tuning: Tuning; command?: Command } {
  if (current !== trial.from && nowUs < trial.untilUs + MARGIN_US) return { tuning, command: { value: trial.from } };
  const { trial: _, ...rest } = tuning;
  return { tuning: rest };
}

function ended(
  tuning: Tuning,
  { setting, from, to }: Trial,
  { isKept, reason, nowUs }: { readonly isKept: boolean; readonly reason: string; readonly nowUs: Microseconds },
): Tuning {
  const { trial: _, ...rest } = tuning;
  return { ...rest, outcomes: [...tuning.outcomes, { setting, from, to, isKept, reason, atUs: nowUs }].slice(-20) };
}
