import type { Check, CheckContext, CheckOutcome, CheckResult, MigrationStore, State } from "../ports.ts";
import { arrivalsSince } from "../statistics/arrivals.ts";
import {
  type ErrorJudgement,
  type ErrorSums,
  errorsOf,
  judgeErrors,
  mergeErrors,
  NO_ERRORS,
} from "../statistics/errors.ts";
import { begunIn, type PairMemory, type PairMemoryShape } from "./pair-memory.ts";
import { failed, passed, someOf, undecided } from "./results.ts";

const NAME = "errors";
const STATES: ReadonlySet<State> = new Set(["shadow", "ramp", "stabilise", "final_validation"]);
const REASONS_MAX = 10;
const REASON_CHARACTERS = 80;

interface Memory extends PairMemory {
  readonly past: ErrorSums;
  readonly own: ErrorSums;
  /** What NEW said, and how often, in this stage. */
  readonly reasons: Readonly<Record<string, number>>;
}

const SHAPE: PairMemoryShape<Memory> = {
  version: 1,
  nothing: { past: NO_ERRORS, own: NO_ERRORS, reasons: {} },
  isCounted: ({ past, own }) => past !== undefined && own !== undefined,
  withNewStage: ({ past, own }) => ({ past: mergeErrors(past, own), own: NO_ERRORS, reasons: {} }),
};

/** `errors`: the share of reads that NEW did not answer, of probes and of users' reads alike, in percent. OLD's own errors are told and do not count against NEW. */
export const createErrorsCheck = ({ store }: { readonly store: Pick<MigrationStore, "pairs"> }): Check => ({
  name: NAME,
  states: STATES,
  async run(context: CheckContext): Promise<CheckOutcome> {
    const { migration } = context;
    const known = begunIn(context, SHAPE);
    const { fresh, cursor } = await arrivalsSince(store, migration, known.cursor);
    const pairs = fresh.map(({ pair }) => pair);
    const before = errorsOf(pairs.filter(({ atUs }) => atUs < migration.sinceUs));
    const here = pairs.filter(({ atUs }) => atUs >= migration.sinceUs);
    const memory: Memory = {
      ...known,
      cursor,
      past: mergeErrors(known.past, before),
      own: mergeErrors(known.own, errorsOf(here)),
      reasons: withReasons(
        known.reasons,
        here.flatMap(({ newError }) => newError ?? []),
      ),
    };
    const { errorPercent, alpha } = migration.plan.thresholds;
    return { memory, results: [resultOf(judgeErrors(memory.past, memory.own, { errorPercent, alpha }), memory)] };
  },
});

/** Bounded: reasons that nobody has seen before find no place once there are enough. */
function withReasons(known: Memory["reasons"], more: readonly string[]): Memory["reasons"] {
  const reasons: Record<string, number> = { ...known };
  for (const text of more) {
    const reason = text.slice(0, REASON_CHARACTERS);
    if (reason in reasons || Object.keys(reasons).length < REASONS_MAX) reasons[reason] = (reasons[reason] ?? 0) + 1;
  }
  return reasons;
}

const percent = (share: number): number => Math.round(share * 1e5) / 1e3;

function resultOf(judged: ErrorJudgement, { reasons }: Memory): CheckResult {
  const { verdict, isRollback, isAlert, span, sums, low, high, limit, pairsWanted } = judged;
  const { pairs, newErrors, oldErrors, steps } = sums;
  const where = span === "stage" ? "this stage" : "the migration";
  const often = Object.entries(reasons).toSorted(([, a], [, b]) => b - a);
  const why =
    often.length > 0
      ? ` NEW said: ${someOf(
          often.map(([text, count]) => `"${text}" (${count})`),
          3,
        )}.`
      : "";
  const held =
    verdict === "fail" && !isRollback
      ? " OLD errs as often, so going back helps nobody."
      : verdict === "inconclusive" && low > limit
        ? " All of it was in one step: another one has to confirm it."
        : "";
  const make = { pass: passed, fail: failed, inconclusive: undecided }[verdict];
  const text = `${newErrors} of ${pairs} reads of ${where} had no answer from NEW, in ${steps} steps: between ${percent(low)} and ${percent(high)} percent, every look counted; the limit is ${percent(limit)} percent. OLD: ${oldErrors}.${held}${why}`;
  return make(NAME, text, {
    ...(pairs > 0 && { observed: percent(newErrors / pairs) }),
    ...{ low: percent(low), high: percent(high), limit: percent(limit), sampleSize: pairs, samplesWanted: pairsWanted },
    ...(isRollback && { trigger: "errors" }),
    ...(isAlert && { isAlert }),
  });
}
