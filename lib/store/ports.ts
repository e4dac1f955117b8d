import type { Microseconds } from "../base/time.ts";
import type { HomeEvent } from "../event/index.ts";
import type { Tile, WindowAggregate } from "../series/index.ts";

/** Where a page ends: the natural key of its last event within the home. */
export interface Position {
  readonly atUs: Microseconds;
  readonly entityId: string;
  readonly removed: boolean;
}

export interface RangeQuery {
  readonly homeId: string;
  readonly entityIds?: readonly string[];
  readonly areaId?: string;
  readonly deviceId?: string;
  readonly domain?: string;
  /** Included. */
  readonly fromUs?: Microseconds;
  /** Not included. */
  readonly toUs?: Microseconds;
  readonly order: "asc" | "desc";
  /** 1 to 1,000. */
  readonly limit: number;
  /** Only events beyond this one, in the given order. */
  readonly after?: Position;
}

/** Half-open in time; absent members: all. */
export type ScanQuery = Pick<RangeQuery, "homeId" | "entityIds" | "fromUs" | "toUs">;

export interface EventPage {
  readonly events: readonly HomeEvent[];
  /** Set when there may be more. */
  readonly next?: Position;
}

export interface EntityStats {
  readonly entityId: string;
  readonly count: number;
  readonly firstUs: Microseconds;
  readonly lastUs: Microseconds;
  /** About what its rows take; shared attribute sets are counted once for each entity that uses them. */
  readonly bytes: number;
  /** The longest time between two neighbouring events, in seconds. */
  readonly longestGapSeconds: number;
}

export interface AggregateQuery {
  readonly homeId: string;
  /** 1 to 100. */
  readonly entityIds: readonly string[];
  /** Ascending, 2 to 10,001: window i is half-open from edge i to edge i + 1. The caller makes them, in the home's time zone. */
  readonly edges: readonly Microseconds[];
}

/** The windows of one entity, one for each pair of edges, empty ones included. */
export interface EntityAggregates {
  readonly entityId: string;
  readonly windows: readonly WindowAggregate[];
}

export interface TileQuery {
  readonly homeId: string;
  /** Included; a multiple of `widthUs`. */
  readonly fromUs: Microseconds;
  /** Not included; a multiple of `widthUs`. */
  readonly toUs: Microseconds;
  /** A tile's width: tile k holds the events from k * width to (k + 1) * width. */
  readonly widthUs: Microseconds;
}

/**
 * By which means raw events go when they are old: `job` (the nightly prune of each home), and what the store does by itself:
 * `retention-policy` (InfluxDB), `lifecycle` (S3), `retention-period` (Timestream).
 */
export type RetentionMeans = "job" | "retention-policy" | "lifecycle" | "retention-period";

/** What the store does about age, as read back from it. */
export interface StoreRetention {
  readonly means: readonly RetentionMeans[];
  /** What the store's own means is set to; absent: it has none. Never less than what was asked for in `setUp`. */
  readonly storeDays?: number;
  /** The home's oldest event; absent: it has none. */
  readonly oldestUs?: Microseconds;
}

/**
 * The time-series port. Upserts by natural key: any order, any number of times; of two events at one key the higher `rankOf` stays,
 * of equal ranks the later write. Ranges are half-open, ordered by `compareEvents`, and pages stay stable while writes go on.
 */
export interface EventStore {
  /**
   * Durable when it resolves; all or nothing, or, where the store knows no transactions, safe to write again as a whole.
   * @throws fate-`retry` service errors: safe to write all again; `EventsRefused` (lib/event): some can never be kept here, all others are
   */
  write(events: readonly HomeEvent[]): Promise<void>;
  range(query: RangeQuery): Promise<EventPage>;
  /**
   * Every event of a span once, ascending, in pieces as they lie in the store: some thousands of events each, none empty. For who wants all of a day or a home: it costs much less than the pages
   * of `range`, which look for their beginning again each time. What is written or pruned meanwhile may be there or not. Nothing is read before the first piece is asked for, and nothing is kept
   * open when no more is asked for. Errors as of `range`, at any piece.
   */
  scan(query: ScanQuery): AsyncIterable<readonly HomeEvent[]>;
  /**
   * Per entity, ordered by entity id. Reads every event of the range once, in slices between which the thread is free: what is written or pruned
   * meanwhile may be counted or not.
   */
  stats(query: ScanQuery): Promise<readonly EntityStats[]>;
  /** In the order of `entityIds` (each once). Exact sums, rounded once: every store gives the same bits. A state from before the first edge holds on into the first window. */
  aggregate(query: AggregateQuery): Promise<readonly EntityAggregates[]>;
  /** Ascending, tiles without events left out. Two stores hold the same rows of a tile if, and but for chance of 2^-64 only if, their tiles are equal. */
  tiles(query: TileQuery): Promise<readonly Tile[]>;
  /** Deletes the home's events before the moment; how many. */
  prune(homeId: string, beforeUs: Microseconds): Promise<number>;
  /** Makes the home's days before the moment smaller and faster to read; nothing that can be read changes. Safe to break off, to repeat and to do twice at once. */
  compact(homeId: string, beforeUs: Microseconds): Promise<void>;
  /**
   * Makes what the store needs (database, table, bucket's rules). Afterwards its own means of retention keeps events for at least `rawDays`, whatever it was set to before. Asked for
   * less than there is, a means beside the nightly job may stay longer or follow: the job deletes by the setting anyway. Where there is no job it follows to the day, because
   * nothing else would make a lower setting hold. Idempotent.
   * @throws HearthlineError `store_incompatible` (another version, a foreign schema, no right to), `store_unavailable`
   */
  setUp(options: { readonly rawDays: number }): Promise<void>;
  retention(homeId: string): Promise<StoreRetention>;
  /** Drops every event of every home, and what `setUp` made. For the operator's fresh start. */
  drop(): Promise<void>;
  /** Resolves when the store answers. @throws fate-`retry` service errors */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** A day of the home of which events came after it had ended. */
export interface LateDay {
  /** YYYY-MM-DD, as the home's days are named. */
  readonly date: string;
  /** Differs each time the day is noted. */
  readonly mark: string;
}

/** Which of a home's days are to be aggregated again. Every method: @throws fate-`retry` service errors, safe to repeat. */
export interface LateDays {
  note(homeId: string, dates: readonly string[]): Promise<void>;
  /** Ascending. */
  list(homeId: string): Promise<readonly LateDay[]>;
  /** Forgets those that were not noted again since they were listed. */
  clear(homeId: string, days: readonly LateDay[]): Promise<void>;
}
