import type { Microseconds } from "../base/time.ts";
import type { HomeEvent } from "../event/index.ts";

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

/**
 * The time-series port. Upserts by natural key: any order, any number of times; of two events at one key the higher `rankOf` stays,
 * of equal ranks the later write. Ranges are half-open, ordered by `compareEvents`, and pages stay stable while writes go on.
 */
export interface EventStore {
  /** Durable when it resolves; all or nothing. @throws fate-`retry` service errors: safe to write all again */
  write(events: readonly HomeEvent[]): Promise<void>;
  range(query: RangeQuery): Promise<EventPage>;
  /**
   * Per entity, ordered by entity id. Reads every event of the range once, in slices between which the thread is free: what is written or pruned
   * meanwhile may be counted or not.
   */
  stats(query: Pick<RangeQuery, "homeId" | "entityIds" | "fromUs" | "toUs">): Promise<readonly EntityStats[]>;
  /** Deletes the home's events before the moment; how many. */
  prune(homeId: string, beforeUs: Microseconds): Promise<number>;
  /** Resolves when the store answers. @throws fate-`retry` service errors */
  check(): Promise<void>;
  close(): Promise<void>;
}
