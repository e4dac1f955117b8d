import { isHearthlineError } from "../base/errors.ts";
import { deadMessage } from "../ingest/index.ts";
import type { Queue } from "../ingest/ports.ts";
import { readJobMessage } from "./message.ts";
import type { Job } from "./ports.ts";
import { type RunJobOptions, runJob } from "./run-job.ts";

export interface AnalyzeOptions extends RunJobOptions {
  /** Where messages go that name no job, with the reason. */
  readonly dead: Queue;
}

/**
 * One message of the analysis queue: runs the job that it names. undefined: there was nothing to run (done already, gone, or set aside).
 * @throws as `runJob`: then the message shall come again
 */
export async function analyzeMessage(body: string, options: AnalyzeOptions): Promise<Job | undefined> {
  let named: ReturnType<typeof readJobMessage>;
  try {
    named = readJobMessage(body);
  } catch (thrown) {
    if (!isHearthlineError(thrown)) throw thrown;
    await options.dead.send([deadMessage(body, thrown)]);
    return undefined;
  }
  return runJob(named.homeId, named.jobId, options);
}
