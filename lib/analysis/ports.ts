import { HearthlineError } from "../base/errors.ts";
import type { Microseconds } from "../base/time.ts";
import type { PatternFacts } from "./patterns/types.ts";

// What patterns are made of: other rooms see it through this port.
export * from "./patterns/types.ts";

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
  /** Of these, so many before a person wanted it run once more: they are none of this time's. */
  readonly attemptsBefore?: number;
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
  /**
   * Makes a job that is done wait again, without what it did, when a person wants it run once more; one that waits or runs stays as it is. Gives it as it is then;
   * undefined: there is none.
   */
  requeue(homeId: string, id: string, queuedAt: string): Promise<Job | undefined>;
  /** Newest date first. */
  list(homeId: string, limit: number): Promise<readonly Job[]>;
}

/** A job that is done, waiting again. Whoever ran it last holds a number that is past. */
export const requeued = ({ startedAt: _, finishedAt: __, peakRssBytes: ___, ...job }: Job, queuedAt: string): Job => ({
  ...job,
  attemptsBefore: job.attempt,
  status: "queued",
  phases: [],
  queuedAt,
});

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

/** The layers of aggregates: `daily` is layer 2, `weekly` and `monthly` are layer 3. */
export const AGGREGATE_LAYERS = ["daily", "weekly", "monthly"] as const;
export type AggregateLayer = (typeof AGGREGATE_LAYERS)[number];

/** What one kind of analysis keeps of one home's day, week or month: everything that merging needs. Natural key: (homeId, layer, kind, date). */
export interface Aggregate {
  readonly homeId: string;
  readonly layer: AggregateLayer;
  /** `entities`, or a detector's name. */
  readonly kind: string;
  /** The first local day of the period, YYYY-MM-DD. */
  readonly date: string;
  /** Its beginning, and its end (not included): its days as they were in the home's time zone when it was made. */
  readonly fromUs: Microseconds;
  readonly toUs: Microseconds;
  /** JSON values, as the kind defines them. */
  readonly rows: readonly unknown[];
}

export interface AggregateQuery {
  readonly homeId: string;
  readonly layer: AggregateLayer;
  readonly kind: string;
  /** Included. */
  readonly fromDate: string;
  /** Not included. */
  readonly toDate: string;
}

export type AggregateKey = Pick<Aggregate, "homeId" | "layer" | "kind" | "date">;

/** What is to be kept. `expiresMs`: from then on it is not found any more, whether or not anybody prunes; absent: never. */
export interface KeptAggregate {
  readonly aggregate: Aggregate;
  readonly expiresMs?: number;
}

/** Every method: @throws fate-`retry` service errors, safe to repeat. */
export interface AggregateStore {
  /**
   * Reads what is there, and replaces it as a whole by what `work` makes of it; undefined: it stays as it is. Nobody's write in between is lost: `work` is called
   * again then, and has no other effect.
   * @throws HearthlineError `record_malformed` for one row that is too large to be kept (about 380 KB packed); `conflict` when others were always first
   */
  change(key: AggregateKey, work: (there: Aggregate | undefined) => KeptAggregate | undefined): Promise<void>;
  /** `change` to this, whatever is there. */
  put(aggregate: Aggregate, expiresMs?: number): Promise<void>;
  /** Ascending by date. */
  range(query: AggregateQuery): AsyncIterable<Aggregate>;
  /** The dates of what `range` would give, without reading it. */
  dates(query: AggregateQuery): Promise<readonly string[]>;
  /** The kinds of which the layer has something. */
  kinds(homeId: string, layer: AggregateLayer): Promise<readonly string[]>;
  /** The earliest date of any kind. */
  oldest(homeId: string, layer: AggregateLayer): Promise<string | undefined>;
  /** Deletes what is before the date, of every kind; how many. */
  prune(homeId: string, layer: AggregateLayer, beforeDate: string): Promise<number>;
  /** Gives everything of the layer another end: for when the retention was changed. */
  restamp(homeId: string, layer: AggregateLayer, expiresMsOf: (date: string) => number): Promise<void>;
}

/** What the nightly job enforced last, as it found it afterwards. */
export interface EnforcedRetention {
  /** ISO 8601 */
  readonly enforcedAt: string;
  readonly rawDays: number;
  readonly dailyDays: number;
  readonly weeklyWeeks: number;
}

export interface RetentionRecords {
  get(homeId: string): Promise<EnforcedRetention | undefined>;
  put(homeId: string, enforced: EnforcedRetention): Promise<void>;
  remove(homeId: string): Promise<void>;
}

/** A pattern as layer 4 keeps it: for ever. */
export interface Pattern extends PatternFacts {
  readonly homeId: string;
  /** Of a-z, 0-9 and `-`; the same for the same finding (its kind and key). */
  readonly id: string;
  readonly key: string;
  /** `active`: found last night. `fading`: not found for some nights. `ended`: not found any more; kept. */
  readonly status: "active" | "fading" | "ended";
  /** Local dates: the first and the last day of its evidence that is a hit, ever. */
  readonly firstSeen: string;
  readonly lastSeen: string;
  /** The night that told it first, and the last night that found it. */
  readonly toldOn: string;
  readonly confirmedOn: string;
  /** Its hits on days of which Home Assistant has said who did what: on others an automation's doing may look like a person's. */
  readonly witnessedHits: number;
  /** In plain words, by the templates. */
  readonly title: string;
}

/** Layer 4. Every method: @throws fate-`retry` service errors, safe to repeat. */
export interface PatternStore {
  /** Every pattern of the home, by id. */
  list(homeId: string): Promise<readonly Pattern[]>;
  get(homeId: string, id: string): Promise<Pattern | undefined>;
  /**
   * Reads all, and replaces them by what `work` makes of them; nobody's write in between is lost: `work` is called again then, and has no other effect.
   * @throws HearthlineError `conflict` when others were always first
   */
  change(homeId: string, work: (there: readonly Pattern[]) => readonly Pattern[]): Promise<readonly Pattern[]>;
}

/** An unused feature of a device, as the phase `features` finds it. */
export interface UnusedFeature {
  readonly deviceId: string;
  readonly deviceName: string;
  readonly areaId?: string;
  /** As of the device's capabilities. */
  readonly feature: string;
  readonly label: string;
  /** What of it Home Assistant has as an entity, if any. */
  readonly entityId?: string;
  /** Local date since which it was not used: the last day on which it was, or else the first on which the device was heard. At least 30 days ago. */
  readonly watchedSince: string;
}

/** How much of what a device can is used. */
export interface DeviceUtilisation {
  readonly deviceId: string;
  /** Features that a person or an automation could use: settable, neither configuration nor diagnostic. */
  readonly features: number;
  /** Of these, those that were used on one of the last 30 days. */
  readonly used: number;
  /** In the order of the capabilities; empty while it is watched for less than 30 days, and when it was silent in all of them. */
  readonly unused: readonly UnusedFeature[];
  /** Local date on which it was heard first; absent: never. */
  readonly watchedSince?: string;
  /** Local date of the last use, by feature; those that were never used are missing. */
  readonly lastUsed: Readonly<Record<string, string>>;
}

/** What a night of features found. Key: the home. Every method: @throws fate-`retry` service errors, safe to repeat. */
export interface UtilisationStore {
  get(homeId: string): Promise<{ readonly date: string; readonly devices: readonly DeviceUtilisation[] } | undefined>;
  put(homeId: string, night: { readonly date: string; readonly devices: readonly DeviceUtilisation[] }): Promise<void>;
}
