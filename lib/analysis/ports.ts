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
  readonly status: "queued" | "running" | "succeeded" | "degraded" | "failed";
  readonly phases: readonly JobPhase[];
  readonly queuedAt: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
  readonly peakRssBytes?: number;
}

export interface JobStore {
  /** Makes the job unless there is one for (home, kind, date): then gives that one, with `created: false`. */
  create(job: Job): Promise<{ readonly job: Job; readonly created: boolean }>;
  get(homeId: string, id: string): Promise<Job | undefined>;
  /** Takes the job for running by compare-and-set: false when another runs it (its lease has not ended) or it is done. */
  claim(homeId: string, id: string, startedAt: string, leaseUntilMs: number, nowMs: number): Promise<boolean>;
  save(job: Job): Promise<void>;
  /** Newest date first. */
  list(homeId: string, limit: number): Promise<readonly Job[]>;
}
