import { Worker } from "node:worker_threads";
import type { PatternKind } from "../lib/analysis/patterns/types.ts";
import type { Job, JobResult } from "./job.ts";

interface Answer {
  readonly job?: Job;
  readonly result?: JobResult;
  readonly error?: string;
}

export interface PoolOptions {
  readonly kinds: readonly PatternKind[];
  readonly workers: number;
  readonly onDone: (job: Job) => void;
}

/** Lives through all homes, one a worker at a time. Results are in the order of the jobs, whoever was first. */
export async function runAll(
  jobs: readonly Job[],
  { kinds, workers, onDone }: PoolOptions,
): Promise<{ readonly results: readonly JobResult[]; readonly errors: readonly string[] }> {
  const results = new Map<Job, JobResult>();
  const errors: string[] = [];
  // The long homes first: the last one to end alone would keep the others waiting.
  const left = jobs.map((job, index) => ({ job, index })).sort((a, b) => lengthOf(b.job) - lengthOf(a.job));
  const one = () =>
    new Promise<void>((resolve, reject) => {
      const worker = new Worker(new URL("./worker.ts", import.meta.url), { workerData: { kinds } });
      let current: Job | undefined;
      worker.on("error", reject);
      worker.on("message", ({ result, error }: Answer) => {
        if (current && result) results.set(current, result);
        if (current && error) errors.push(`${current.recipe} ${current.seed}: ${error}`);
        if (current) onDone(current);
        current = left.shift()?.job;
        if (current) worker.postMessage(current);
        else worker.terminate().then(() => resolve(), reject);
      });
    });
  await Promise.all(Array.from({ length: Math.min(workers, jobs.length) }, one));
  return { results: jobs.flatMap((job) => results.get(job) ?? []), errors };
}

const LONG: Readonly<Record<string, number>> = { season: 400, sun: 182, ends: 90, drift: 84, changes: 42 };
const lengthOf = ({ recipe, heldOutDays }: Job): number => (LONG[recipe] ?? 28) + heldOutDays;
