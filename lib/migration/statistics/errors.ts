import { countFor, proportionBounds } from "./proportion.ts";

/** Answers of a span of time. Additive. */
export interface ErrorSums {
  readonly pairs: number;
  /** Reads that NEW did not answer, and OLD; both count what both did not answer. */
  readonly newErrors: number;
  readonly oldErrors: number;
  /** Steps in which NEW did not answer something. */
  readonly steps: number;
}

export const NO_ERRORS: ErrorSums = { pairs: 0, newErrors: 0, oldErrors: 0, steps: 0 };

export const mergeErrors = (a: ErrorSums, b: ErrorSums): ErrorSums => ({
  pairs: a.pairs + b.pairs,
  newErrors: a.newErrors + b.newErrors,
  oldErrors: a.oldErrors + b.oldErrors,
  steps: a.steps + b.steps,
});

/** Those of one step. */
export function errorsOf(pairs: readonly { readonly oldError?: string; readonly newError?: string }[]): ErrorSums {
  const newErrors = pairs.filter(({ newError }) => newError !== undefined).length;
  const oldErrors = pairs.filter(({ oldError }) => oldError !== undefined).length;
  return { pairs: pairs.length, newErrors, oldErrors, steps: newErrors > 0 ? 1 : 0 };
}

export interface ErrorJudgement {
  readonly verdict: "pass" | "fail" | "inconclusive";
  /** Of a failed one: OLD does better, and it was no single moment. */
  readonly isRollback: boolean;
  readonly isAlert: boolean;
  readonly span: "stage" | "whole";
  readonly sums: ErrorSums;
  /** Shares. */
  readonly low: number;
  readonly high: number;
  readonly limit: number;
  readonly pairsWanted?: number;
}

/** Less than this nobody can show in the life of a stage (it takes 3,000 reads without an error): a stricter limit is judged as this. */
const LIMIT_MIN = 0.001;
const LIMIT_MAX = 0.5;
/** A stage on its own has to be below so many times the limit; the migration as a whole, below the limit. */
const STAGE_TIMES = 2;
const WANTED_MAX = 20_000;

/**
 * NEW's errors against the limit. It fails when the stage or the whole is shown to be above it; that takes the migration back unless OLD errs as often (then going back helps nobody) or all of it was in one step (which a
 * second step has to confirm). It passes when the whole is shown to be below, and the stage below twice the limit.
 */
export function judgeErrors(
  past: ErrorSums,
  stage: ErrorSums,
  { errorPercent, alpha }: { readonly errorPercent: number; readonly alpha: number },
): ErrorJudgement {
  const limit = Math.min(LIMIT_MAX, Math.max(LIMIT_MIN, errorPercent / 100));
  const lookAt = (span: "stage" | "whole", sums: ErrorSums, below: number) => {
    const seen = { hits: sums.newErrors, count: sums.pairs };
    const { low } = proportionBounds(seen, { limit, alpha: alpha / 2 });
    const { high } = proportionBounds(seen, { limit: below, alpha });
    return { span, sums, low, high, limit: below, seen };
  };
  const whole = lookAt("whole", mergeErrors(past, stage), limit);
  const own = lookAt("stage", stage, Math.min(LIMIT_MAX, STAGE_TIMES * limit));
  const failed = [own, whole].find(({ low }) => low > limit);
  if (failed) {
    const { seen: _, ...said } = failed;
    const { sums } = failed;
    const isOldAsBad = sums.oldErrors >= sums.newErrors;
    if (sums.steps < 2)
      return { ...said, limit, verdict: "inconclusive", isRollback: false, isAlert: true, pairsWanted: 1 };
    return { ...said, limit, verdict: "fail", isRollback: !isOldAsBad, isAlert: true };
  }
  const open = [whole, own].find(({ high, limit: below }) => !(high < below));
  const { seen, ...said } = open ?? whole;
  if (!open) return { ...said, verdict: "pass", isRollback: false, isAlert: false };
  const isAlert = own.sums.newErrors > 0 && own.low > limit / 2;
  const pairsWanted = countFor(seen, { limit: said.limit, below: said.limit, alpha, max: WANTED_MAX });
  return { ...said, verdict: "inconclusive", isRollback: false, isAlert, pairsWanted };
}
