import { HearthlineError } from "../base/errors.ts";

export const JOB_KINDS = ["daily", "weekly", "monthly"] as const;
export type JobKind = (typeof JOB_KINDS)[number];

export interface JobPhase {
  readonly name: string;
  readonly status: "running" | "succeeded" | "failed";
  readonly startedAt: string;
  readonly durationMs: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly error?: string;
}

/** A job of the nightly batch. There is one for each (home, kind, date); `date` names the local day on which its day began. */
export interface Job {
  readonly id: string;
  readonly homeId: string;
  readonly kind: JobKind;
  /** YYYY-MM-DD */
  readonly date: string;
  /** How often it was begun: 0 while nobody has. Whoever runs it holds the number of his own time and saves with it. */
  readonly attempt: number;
  readonly status: "queued" | "running" | "succeeded" | "degraded" | "failed";
  readonly phases: readonly JobPhase[];
  readonly queuedAt: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
  readonly peakRssBytes?: number;
}

/** For how long a job is taken. */
export interface Lease {
  /** ISO 8601 */
  readonly startedAt: string;
  readonly untilMs: number;
  readonly nowMs: number;
}

/** Every method but `save`: @throws fate-`retry` service errors, safe to repeat. */
export interface JobStore {
  /** Makes the job unless there is one for (home, kind, date): then gives that one, with `created: false`. */
  create(job: Job): Promise<{ readonly job: Job; readonly created: boolean }>;
  get(homeId: string, id: string): Promise<Job | undefined>;
  /**
   * Takes the job for running by compare-and-set and gives it as it is then: `running`, its `attempt` one higher.
   * undefined: there is none, it is done, or another runs it (his lease has not ended).
   */
  claim(homeId: string, id: string, lease: Lease): Promise<Job | undefined>;
  /**
   * Compares and sets: only while the job's `attempt` is still that of the stored one, so that a runner who outlived his lease overwrites nobody.
   * @throws HearthlineError `conflict` when it was begun again meanwhile, `not_found` when there is none; fate-`retry` service errors: safe to repeat
   */
  save(job: Job): Promise<void>;
  /** Newest date first. */
  list(homeId: string, limit: number): Promise<readonly Job[]>;
}

/** What `save` throws: `stored` is the job as it is there. */
export const saveRefused = (job: Job, stored: Job | undefined): HearthlineError =>
  stored
    ? new HearthlineError(
        "conflict",
        `The job "${job.id}" of home "${job.homeId}" was to be saved by its attempt ${job.attempt}, and attempt ${stored.attempt} has begun; wanted is the end of that one.`,
      )
    : new HearthlineError(
        "not_found",
        `The job "${job.id}" of home "${job.homeId}" was to be saved and does not exist.`,
      );
