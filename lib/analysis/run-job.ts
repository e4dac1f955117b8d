import type { Clock } from "../base/clock.ts";
import { HearthlineError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import type { HomeDirectory } from "../devices/ports.ts";
import type { Queue } from "../ingest/ports.ts";
import { jobMessage } from "./message.ts";
import { jobStatusOf, type Phase, runPhases, unfinishedOf } from "./phases.ts";
import type { Job, JobKind, JobStore } from "./ports.ts";

/** What the jobs of each kind do. */
export type PhasesByKind = Readonly<Record<JobKind, readonly Phase[]>>;

/** Longer than the function may run (900 s, serverless.yml), so that a job whose lease has ended is surely run by nobody. */
export const JOB_LEASE_MS = 16 * 60_000;

/** A job goes on in so many messages at most: a week of raw events of a very large home takes a handful. */
const ROUNDS_MAX = 40;

export interface RunJobOptions {
  readonly jobs: JobStore;
  /** The analysis queue: a job that has more to do than one call has time for sends itself on. */
  readonly queue: Queue;
  readonly homes: HomeDirectory;
  readonly phases: PhasesByKind;
  readonly clock: Clock;
  readonly random: Random;
  /** The most memory that this process has had. */
  readonly peakRssBytes: () => number;
}

/**
 * Runs one job under a lease and saves what came of it, after each phase. A job whose phases have more to do than they had time for is `queued` again, its message
 * sent, and goes on from what they have kept; after ROUNDS_MAX messages it ends `degraded`. undefined: the job was done already, or does not exist any more
 * (its home was removed), so there is nothing to do. After a crash the lease ends and the next call runs the job from its first phase.
 * @throws HearthlineError `conflict` while another runs it (to be tried again: that other may not end well) and when another has begun it meanwhile
 * (our lease has ended: what we did after that is not saved), fate-`retry` errors of the stores
 */
export async function runJob(homeId: string, jobId: string, options: RunJobOptions): Promise<Job | undefined> {
  const { jobs, homes, phases, clock, random } = options;
  const nowMs = clock.nowMs();
  const lease = { startedAt: new Date(nowMs).toISOString(), untilMs: nowMs + JOB_LEASE_MS, nowMs };
  const running = await jobs.claim(homeId, jobId, lease);
  if (!running) return refuseWhileRunning(await jobs.get(homeId, jobId));
  const home = await homes.get(homeId);
  if (!home) return undefined;
  const done = await runPhases(phases[running.kind], running, {
    clock,
    random,
    timeZone: home.timeZone,
    onProgress: (soFar) => jobs.save({ ...running, phases: soFar }),
  });
  const more = unfinishedOf(phases[running.kind], done);
  const rounds = running.attempt - (running.attemptsBefore ?? 0);
  if (more.length > 0 && rounds < ROUNDS_MAX) return goOn({ ...running, phases: done }, options);
  const finished: Job = {
    ...running,
    status: more.length > 0 ? "degraded" : jobStatusOf(done),
    phases: done,
    finishedAt: new Date(clock.nowMs()).toISOString(),
    peakRssBytes: options.peakRssBytes(),
  };
  await jobs.save(finished);
  return finished;
}

/** First the job, then its message: whoever ends between the two leaves a job that `dispatch` sends again. */
async function goOn({ startedAt: _, ...job }: Job, { jobs, queue, clock }: RunJobOptions): Promise<Job> {
  const waiting: Job = { ...job, status: "queued", queuedAt: new Date(clock.nowMs()).toISOString() };
  await jobs.save(waiting);
  await queue.send([jobMessage(waiting)]);
  return waiting;
}

function refuseWhileRunning(job: Job | undefined): undefined {
  if (job?.status !== "running") return undefined;
  throw new HearthlineError(
    "conflict",
    `The job "${job.id}" of home "${job.homeId}" is run by another since ${job.startedAt}; wanted is the end of that or of its lease.`,
  );
}
