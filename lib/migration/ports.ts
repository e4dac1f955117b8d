import type { Microseconds } from "../base/time.ts";
import type { HomeEvent } from "../event/index.ts";
import type { EventPage, RangeQuery } from "../store/ports.ts";
import type { OldKind } from "./plan.ts";
import type { AuditEntry, CheckResult, Difference, Migration, Pointer, ReadPair, State } from "./types.ts";

export { type DifferenceBook, emptyDifferenceBook, PAIRS_MAX, withDifferences } from "./differences.ts";
export type * from "./plan.ts";
export { PRECISION_US, type Precision } from "./precision.ts";
export { knownMigration } from "./row.ts";
export type * from "./types.ts";
export { ENDED } from "./types.ts";

/** What OLD says of itself. */
export interface OldDescription {
  /** For people: product and version. */
  readonly product: string;
  /** Its clock minus ours, milliseconds, from its `Date` header; absent: it has none. */
  readonly clockSkewMs?: number;
  /** Changes when measurements change their fields or types, or the API its shape: a migration does not go on over that. */
  readonly schema: string;
  readonly oldestUs?: Microseconds;
  readonly newestUs?: Microseconds;
  /** What it takes now, and how many rows it has ever taken, where it says so. */
  readonly memoryBytes?: number;
  readonly rowsTaken?: number;
}

/** What OLD cannot hold, by design. `comparable` (consistency/) takes these out on both sides before anything is compared. */
export interface OldLimits {
  /** OLD's time stamps are cut to whole multiples: 1, 1,000 or 1,000,000. */
  readonly precisionUs: number;
  /** States that are never written. */
  readonly statesLeftOut: readonly string[];
  /** `13` and `13.0` are one. */
  readonly isNumberTextLost: boolean;
  /** Numbers that are none (nan, infinite) are refused. */
  readonly isFiniteOnly: boolean;
  readonly hasRemovals: boolean;
  /** `none`: attributes are not compared. `full`: they are, as canonical JSON. */
  readonly attributes: "none" | "full";
  /** A line end within a state is one space. */
  readonly isLineEndLost?: boolean;
  /** Of cut time stamps: OLD keeps every row of an entity at one stamp. Absent: the last one may have replaced the others, so a missing one of several is a limit and no loss. */
  readonly keepsAllOfOneStamp?: boolean;
  /** OLD cannot count: `counts` reads every row it counts, and is asked for less at a time. */
  readonly isCountRead?: boolean;
  /** Every row of OLD has `lastChangedUs`, and it is compared. */
  readonly hasLastChanged?: boolean;
  /** For people and the report: each limit in a sentence, by a stable name. */
  readonly words: Readonly<Record<string, string>>;
}

/** One row of OLD, normalised; what OLD does not hold is absent. */
export interface OldRow {
  readonly entityId: string;
  readonly atUs: Microseconds;
  /** The state's text; of a number whose text OLD has lost, the number as JavaScript writes it. null: a removal. */
  readonly state: string | null;
  readonly attributes?: Readonly<Record<string, unknown>>;
  readonly lastChangedUs?: Microseconds;
}

export interface OldScan {
  readonly entityIds?: readonly string[];
  /** Included. */
  readonly fromUs: Microseconds;
  /** Not included. */
  readonly toUs: Microseconds;
}

/**
 * The pipeline that is moved away from. All methods: @throws HearthlineError `service_unreachable|service_timeout|service_failed|service_throttled` (it is down or slow: look again),
 * `old_malformed` (it answers something that is no answer: HTML, an error inside of 200, another schema)
 */
export interface OldSystem {
  readonly kind: OldKind;
  /** For people: the address without credentials. */
  readonly name: string;
  readonly limits: OldLimits;
  describe(): Promise<OldDescription>;
  /** All rows of a span, ascending by time, then entity, in pieces; a row that OLD has twice comes twice. */
  scan(query: OldScan): AsyncIterable<readonly OldRow[]>;
  /** Cheap: how many rows each tile (k * width to (k + 1) * width) holds, ascending, empty ones left out. */
  counts(
    query: OldScan & { readonly widthUs: Microseconds },
  ): Promise<readonly { readonly fromUs: Microseconds; readonly count: number }[]>;
  /** Answers a reader as NEW would, from what OLD holds: what it does not hold is filled as `eventOfRow` says. */
  range(query: RangeQuery): Promise<EventPage>;
  /** Hands events over (after a rollback, as repair, as a canary). Idempotent where OLD's rows have a key. How many OLD took; the others with their reason. */
  write(events: readonly HomeEvent[]): Promise<{
    readonly taken: number;
    readonly refused: readonly { readonly event: HomeEvent; readonly reason: string }[];
  }>;
  close(): Promise<void>;
}

/** One device as OLD's list has it. */
export interface OldDevice {
  readonly id: string;
  readonly name?: string;
  readonly manufacturer?: string;
  readonly model?: string;
  readonly swVersion?: string;
  readonly area?: string;
  readonly labels?: readonly string[];
  readonly capabilities?: readonly string[];
  readonly changedAtMs?: number;
}

/** A list of devices beside OLD's events. Errors as of `OldSystem`. */
export interface OldDevices {
  readonly name: string;
  list(): Promise<readonly OldDevice[]>;
  /** Creates or changes these, by id; those that the list cannot take, with their reason. */
  put(
    devices: readonly OldDevice[],
  ): Promise<{ readonly refused: readonly { readonly id: string; readonly reason: string }[] }>;
}

/** What a commit writes beside the row. */
export interface Commit {
  /** The revision that was read. */
  readonly expected: number;
  /** What checks keep from step to step, by name: JSON. Absent names stay as they are; they and the row change together or not at all. */
  readonly memories?: Readonly<Record<string, unknown>>;
}

/** When OLD last answered a reader (to about a minute), and by the name of whose token. */
export interface OldRead {
  readonly atUs: Microseconds;
  readonly reader?: string;
}

/**
 * Where migrations live. A row changes by compare-and-set alone. Every method: @throws fate-`retry` service errors.
 * Conformance suite: tests/conformance/migration-store.ts
 */
export interface MigrationStore {
  /** @throws HearthlineError `migration_exists` when the home has one that has not ended */
  create(migration: Migration): Promise<void>;
  get(homeId: string, id: string): Promise<Migration | undefined>;
  /** Newest first, ended ones included. */
  list(homeId: string): Promise<readonly Migration[]>;
  /** Homes with a migration that has not ended, or that has and was not settled yet, in no order. */
  underWay(): Promise<readonly { readonly homeId: string; readonly id: string }[]>;
  /**
   * Writes `next` (its revision is `expected` + 1) if nobody has written since; the audit has `next.lastChange` from then on, exactly once an epoch, whatever crashes.
   * @throws HearthlineError `migration_stale` when somebody was first
   */
  commit(next: Migration, commit: Commit): Promise<void>;
  /** One that has ended is not under way any more: its last pointer is set. Others stay. */
  settle(homeId: string, id: string): Promise<void>;
  /** As the last commit that named it left it. */
  memory(homeId: string, id: string, name: string): Promise<unknown>;
  /** Ascending by epoch. */
  audit(homeId: string, id: string): Promise<readonly AuditEntry[]>;
  /** Undefined: no migration, NEW answers. */
  pointer(homeId: string): Promise<Pointer | undefined>;
  /** Sets it unless a later epoch (of this or of a later migration) has set it already: an old step never takes a rollback back. undefined: NEW answers all from now on. */
  setPointer(homeId: string, pointer: Pointer | undefined): Promise<void>;
  /** Bounded: the newest 20,000 a migration stay. */
  addPairs(homeId: string, id: string, pairs: readonly ReadPair[]): Promise<void>;
  /** Ascending by time, those after a moment. */
  pairs(homeId: string, id: string, afterUs: Microseconds): Promise<readonly ReadPair[]>;
  /** The last one that was noted takes the place of those before it. */
  noteOldRead(homeId: string, id: string, read: OldRead): Promise<void>;
  /** As it was noted last; undefined: never. */
  oldRead(homeId: string, id: string): Promise<OldRead | undefined>;
  /** By class, entity and time: the same difference is one. Bounded: the first 10,000 stay, `count` goes on. */
  addDifferences(homeId: string, id: string, found: readonly Difference[]): Promise<void>;
  differences(
    homeId: string,
    id: string,
  ): Promise<{
    readonly count: Readonly<Record<Difference["class"], number>>;
    readonly examples: readonly Difference[];
  }>;
}

export interface CheckContext {
  readonly migration: Migration;
  readonly nowUs: Microseconds;
  /** What the last run of this check gave back; undefined at first. Of another shape (an older version wrote it): begin anew. */
  readonly memory: unknown;
  /** Aborted when the step's time is over: end soon, with what is there. */
  readonly signal: AbortSignal;
}

export interface CheckOutcome {
  readonly results: readonly CheckResult[];
  /** JSON, at most 300 KB; absent: stays as it is. Counts only when the step's commit does. */
  readonly memory?: unknown;
}

/**
 * One thing that a step looks at or works on: also work that takes many steps (back-fill, hand-over) is a check, `inconclusive` until it is done. What it does to the outside is idempotent: a step may be
 * killed after it and run again. A check that throws counts as `inconclusive` with what it threw, never as a pass.
 */
export interface Check {
  readonly name: string;
  /** The states in which it runs. */
  readonly states: ReadonlySet<State>;
  run(context: CheckContext): Promise<CheckOutcome>;
}
