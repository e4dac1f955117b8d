import { parentPort, workerData } from "node:worker_threads";
import type { PatternKind } from "../lib/analysis/patterns/types.ts";
import { loadDetectors } from "./detectors.ts";
import { type Job, runJob } from "./job.ts";

const { kinds } = workerData as { readonly kinds: readonly PatternKind[] };
const detectors = await loadDetectors(kinds);

parentPort?.on("message", (job: Job) => {
  try {
    parentPort?.postMessage({ job, result: runJob(job, detectors) });
  } catch (thrown) {
    parentPort?.postMessage({
      job,
      error: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown),
    });
  }
});
parentPort?.postMessage({ ready: detectors.map(({ kind }) => kind) });
