import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import { type RetryOptions, retry } from "../base/retry.ts";
import type { Job, JobPhase } from "./ports.ts";

/** What a phase did, in numbers: `{ pruned_events: 12 }`. */
export type PhaseCounts = Readonly<Record<string, number>>;

/** One step of a job. Running it twice for the same job leaves the same. */
export interface Phase {
  readonly name: string;
  /** What it throws is this phase's failure alone; errors of fate `retry` are tried again a few times first. */
  run(job: Job, timeZone: string): Promise<PhaseCounts>;
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
      const work = () => phase.run(job, timeZone);
      const counts = await retry(work, { clock, random, attempts: ATTEMPTS, baseMs: 1_000 });
      done.push({ ...begun.phase, status: "succeeded", durationMs: begun.durationMs(), counts });
    } catch (thrown) {
      done.push({ ...begun.phase, status: "failed", durationMs: begun.durationMs(), error: messageOf(thrown) });
    }
  }
  await onProgress(done);
  return done;
}

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
