import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import { type RetryOptions, retry } from "../base/retry.ts";
import type { Job, JobPhase } from "./ports.ts";

/** What a phase did, in numbers: `{ pruned_events: 12 }`. */
export type PhaseCounts = Readonly<Record<string, number>>;

/** The time that a phase has. */
export interface PhaseTime {
  /** Aborts when it is over. */
  readonly signal: AbortSignal;
  /** Until then; infinite where the phase has no budget. */
  remainingMs(): number;
}

/** One step of a job. Running it twice for the same job leaves the same. */
export interface Phase {
  readonly name: string;
  /** After so long it has failed, its retries included, whatever it is doing; absent: it ends by itself. All of a job's together stay below Lambda's 15 minutes. */
  readonly budgetMs?: number;
  /** What it throws is this phase's failure alone; errors of fate `retry` are tried again a few times first. */
  run(job: Job, timeZone: string, time: PhaseTime): Promise<PhaseCounts>;
  /** By what it counted: there is more to do than one call had time for. The job goes on in its next message then. */
  isUnfinished?(counts: PhaseCounts): boolean;
}

export interface RunPhasesOptions extends Pick<RetryOptions, "clock" | "random"> {
  readonly timeZone: string;
  /** Called before the first phase and after each, with what there is so far. */
  readonly onProgress: (phases: readonly JobPhase[]) => Promise<void>;
}

const ATTEMPTS = 3;

/** Runs the phases in order. One that fails is recorded with its error, and the next ones run all the same. */
export async function runPhases(
  phases: readonly Phase[],
  job: Job,
  options: RunPhasesOptions,
): Promise<readonly JobPhase[]> {
  const { clock, random, timeZone, onProgress } = options;
  const done: JobPhase[] = [];
  for (const phase of phases) {
    const begun = beginPhase(phase.name, clock);
    await onProgress([...done, begun.phase]);
    try {
      const work = (time: PhaseTime) =>
        retry(() => phase.run(job, timeZone, time), {
          clock,
          random,
          attempts: ATTEMPTS,
          baseMs: 1_000,
          signal: time.signal,
        });
      const counts = await withinBudget(phase, work, clock);
      done.push({ ...begun.phase, status: "succeeded", durationMs: begun.durationMs(), counts });
    } catch (thrown) {
      done.push({ ...begun.phase, status: "failed", durationMs: begun.durationMs(), error: messageOf(thrown) });
    }
  }
  await onProgress(done);
  return done;
}

async function withinBudget<T>(
  { name, budgetMs }: Pick<Phase, "name" | "budgetMs">,
  work: (time: PhaseTime) => Promise<T>,
  clock: Clock,
): Promise<T> {
  const over = new AbortController();
  const { signal } = over;
  if (budgetMs === undefined) return work({ signal, remainingMs: () => Number.POSITIVE_INFINITY });
  const untilMs = clock.monotonicMs() + budgetMs;
  const ended = new AbortController();
  const late = clock.sleep(budgetMs, ended.signal).then(() => {
    over.abort();
    throw new Error(
      `The phase "${name}" has not ended in the ${budgetMs / 1000} seconds that it has; what it had kept by then stays.`,
    );
  });
  try {
    return await Promise.race([work({ signal, remainingMs: () => Math.max(0, untilMs - clock.monotonicMs()) }), late]);
  } finally {
    late.catch(() => {});
    ended.abort();
  }
}

/** Names of the phases that have more to do. */
export const unfinishedOf = (phases: readonly Phase[], done: readonly JobPhase[]): readonly string[] =>
  phases
    .filter((phase, at) => done[at]?.status === "succeeded" && phase.isUnfinished?.(done[at].counts))
    .map(({ name }) => name);

function beginPhase(name: string, clock: Clock) {
  const startedMs = clock.monotonicMs();
  const startedAt = new Date(clock.nowMs()).toISOString();
  const phase: JobPhase = { name, status: "running", startedAt, durationMs: 0, counts: {} };
  return { phase, durationMs: () => Math.round(clock.monotonicMs() - startedMs) };
}

/** All well: `succeeded`; some: `degraded`; none: `failed`. */
export function jobStatusOf(phases: readonly JobPhase[]): "succeeded" | "degraded" | "failed" {
  const failed = phases.filter((phase) => phase.status === "failed").length;
  if (failed === 0) return "succeeded";
  return failed === phases.length ? "failed" : "degraded";
}
