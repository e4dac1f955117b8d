import type { Clock } from "../base/clock.ts";
import { HearthlineError, messageOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { parseIsoUs } from "../base/time.ts";
import type { Home, HomeDirectory } from "../devices/ports.ts";
import type { Queue } from "../ingest/ports.ts";
import { dueJobs, jobIdOf, LOOK_BACK_NIGHTS, newJob } from "./due.ts";
import { jobMessage } from "./message.ts";
import { JOB_KINDS, type Job, type JobKind, type JobStore } from "./ports.ts";
import { JOB_LEASE_MS } from "./run-job.ts";

/** How often the schedule calls `dispatch` (serverless.yml). */
export const TICK_MS = 15 * 60_000;
/** A job that nobody has begun (or ended) after so many ticks is sent again: 7 times in all, the last time 16 hours after it was made (or begun). */
const SEND_AGAIN_TICKS: readonly number[] = [1, 2, 4, 8, 16, 32, 64];
/** Homes looked at at the same time. */
const HOMES_AT_ONCE = 8;
/** Enough for every kind of every night that is looked back at, and for as many that a person has asked for. */
const JOBS_READ = 2 * LOOK_BACK_NIGHTS * JOB_KINDS.length;

export interface DispatchOptions {
  readonly homes: HomeDirectory;
  readonly jobs: JobStore;
  readonly queue: Queue;
  readonly clock: Clock;
  readonly log: Logger;
  /** `03:00` */
  readonly analysisTime: string;
  /** Kinds that have a phase. A kind without any is never made. */
  readonly kinds: readonly JobKind[];
}

export interface DispatchOutcome {
  readonly homes: number;
  readonly created: number;
  readonly sentAgain: number;
  readonly failedHomes: number;
}

/**
 * Makes the jobs whose night has come, in each home's time zone, and sends each to the analysis queue. To be called every TICK_MS; calling it more often,
 * or by two at once, makes nothing twice. A job whose message was not taken stays `queued` and is sent again at later ticks (`SEND_AGAIN_TICKS`); so is one that
 * was begun by a function that is gone.
 * @throws HearthlineError `service_failed` after all homes were tried, when some failed: safe to call again
 */
export async function dispatch(options: DispatchOptions): Promise<DispatchOutcome> {
  const outcome = { homes: 0, created: 0, sentAgain: 0, failedHomes: 0 };
  const homes = options.homes.list()[Symbol.asyncIterator]();
  const worker = async (): Promise<void> => {
    for (let next = await homes.next(); !next.done; next = await homes.next()) {
      outcome.homes++;
      try {
        const { created, sentAgain } = await dispatchHome(next.value, options);
        outcome.created += created;
        outcome.sentAgain += sentAgain;
      } catch (thrown) {
        outcome.failedHomes++;
        options.log.error("the jobs of a home could not be dispatched", {
          homeId: next.value.homeId,
          error: messageOf(thrown),
        });
      }
    }
  };
  await Promise.all(Array.from({ length: HOMES_AT_ONCE }, worker));
  if (outcome.failedHomes > 0) {
    const { failedHomes, homes: all } = outcome;
    throw new HearthlineError("service_failed", `Dispatching the jobs of ${failedHomes} of ${all} homes failed.`);
  }
  return outcome;
}

async function dispatchHome(home: Home, options: DispatchOptions): Promise<{ created: number; sentAgain: number }> {
  const { jobs, queue, clock, analysisTime, kinds } = options;
  const nowMs = clock.nowMs();
  const { homeId, timeZone } = home;
  const due = dueJobs(nowMs * 1000, { timeZone, analysisTime, kinds, sinceUs: parseIsoUs(home.createdAt) });
  // One read a tick instead of a refused write for each job that is there already.
  const known = new Map((await jobs.list(homeId, JOBS_READ)).map((job) => [jobIdOf(job), job]));
  const fresh: Job[] = [];
  for (const each of due) {
    if (known.has(jobIdOf(each))) continue;
    const { job, created } = await jobs.create(newJob(homeId, each, nowMs));
    if (created) fresh.push(job);
  }
  const waiting = [...known.values()].filter((job) => isSentAgain(job, nowMs));
  const messages = [...fresh, ...waiting].map(jobMessage);
  if (messages.length > 0) await queue.send(messages);
  return { created: fresh.length, sentAgain: waiting.length };
}

/**
 * A queued job whose message was perhaps never taken, and a running one whose lease has ended: its function was killed, and its message may have been
 * received too often meanwhile and been set aside. Sending once too often does nothing: a job is run under a lease, and once.
 */
function isSentAgain(job: Job, nowMs: number): boolean {
  const since = job.status === "queued" ? job.queuedAt : job.status === "running" ? job.startedAt : undefined;
  if (since === undefined) return false;
  const ageMs = nowMs - Date.parse(since);
  if (job.status === "running" && ageMs < JOB_LEASE_MS) return false;
  return SEND_AGAIN_TICKS.includes(Math.floor(ageMs / TICK_MS));
}
