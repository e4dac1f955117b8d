import type { Clock } from "../base/clock.ts";
import { isHearthlineError, messageOf } from "../base/errors.ts";
import type { Check, CheckOutcome, Migration, MigrationStore } from "./ports.ts";
import type { CheckResult } from "./types.ts";

export interface RunOptions {
  readonly store: Pick<MigrationStore, "memory">;
  readonly checks: readonly Check[];
  readonly clock: Clock;
  /** For all checks together. */
  readonly budgetMs: number;
  /** What has been found is enough: the rest is not asked. Default: it never is. */
  readonly isEnough?: (results: readonly CheckResult[]) => boolean;
}

export interface Run {
  readonly results: readonly CheckResult[];
  readonly memories: Readonly<Record<string, unknown>>;
  /** Of each check that ran. */
  readonly tookMs: Readonly<Record<string, number>>;
}

/** What a check may keep, as JSON. */
export const MEMORY_MAX_BYTES = 300_000;
/** A check that was told to end has so long to give what it has. */
const GRACE_MS = 5_000;
const EXPLANATION_MAX = 1_000;

/**
 * Runs the checks of the present state, one after the other: they measure, and must not measure each other. Each has its fair share of the time that is left; what it leaves over is the next ones'.
 * Never throws for what a check does.
 */
export async function runChecks(migration: Migration, options: RunOptions): Promise<Run> {
  const { clock } = options;
  const due = options.checks.filter(({ states }) => states.has(migration.state));
  const endMs = clock.monotonicMs() + options.budgetMs;
  const results: CheckResult[] = [];
  const memories: Record<string, unknown> = {};
  const tookMs: Record<string, number> = {};
  for (const [index, check] of due.entries()) {
    if (options.isEnough?.(results)) break;
    const startedMs = clock.monotonicMs();
    const shareMs = (endMs - startedMs) / (due.length - index);
    const outcome = await runOne(check, { ...options, migration, shareMs });
    results.push(...outcome.results.map(bounded));
    if (outcome.memory !== undefined) memories[check.name] = outcome.memory;
    tookMs[check.name] = Math.round(clock.monotonicMs() - startedMs);
  }
  return { results, memories, tookMs };
}

async function runOne(
  check: Check,
  { store, clock, migration, shareMs }: RunOptions & { readonly migration: Migration; readonly shareMs: number },
): Promise<CheckOutcome> {
  if (shareMs <= 0) return inconclusive(check, "The step had no time left for it; it has its turn in the next one.");
  const over = new AbortController();
  const done = new AbortController();
  const timer = clock.sleep(shareMs, done.signal).then(async () => {
    if (done.signal.aborted) return undefined;
    over.abort();
    await clock.sleep(GRACE_MS, done.signal);
    return undefined;
  });
  try {
    const { homeId, id } = migration;
    const work = async () => {
      const memory = await store.memory(homeId, id, check.name);
      return check.run({ migration, nowUs: clock.nowMs() * 1000, memory, signal: over.signal });
    };
    const outcome = await Promise.race([work(), timer]);
    if (!outcome)
      return inconclusive(
        check,
        `It had not ended ${Math.round(shareMs / 1000)} s after it began, and was left alone.`,
      );
    const bytes = outcome.memory === undefined ? 0 : Buffer.byteLength(JSON.stringify(outcome.memory) ?? "");
    if (bytes <= MEMORY_MAX_BYTES) return outcome;
    return inconclusive(check, `It wanted to keep ${bytes} bytes; at most ${MEMORY_MAX_BYTES} are kept.`, true);
  } catch (thrown) {
    // What only a person can mend does not mend itself at the next step.
    const isForPeople = isHearthlineError(thrown) && thrown.fate === "stop";
    return inconclusive(check, messageOf(thrown), isForPeople);
  } finally {
    done.abort();
  }
}

const inconclusive = ({ name }: Check, explanation: string, isAlert = false): CheckOutcome => ({
  results: [{ name, verdict: "inconclusive", sampleSize: 0, explanation, ...(isAlert && { isAlert }) }],
});

const bounded = (result: CheckResult): CheckResult =>
  result.explanation.length <= EXPLANATION_MAX
    ? result
    : { ...result, explanation: `${result.explanation.slice(0, EXPLANATION_MAX - 3)}...` };
