/** What the Parquet store stands on: a place for objects, and a place for the small segments of the days that are still open. */

/** An object that a listing names. */
export interface ObjectInfo {
  readonly name: string;
  readonly bytes: number;
}

/** Half-open, in bytes. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Objects by name: parts of `a-z 0-9 . _ = ~ -` between slashes, ASCII only, of which none begins with a dot. An object has at least one byte, is there whole or not at all, and never changes but by being put again whole.
 * What was put is in every listing and reading that begins afterwards (S3 since December 2020, any file system).
 * All operations throw HearthlineErrors: fate `retry` when the place is away, throttles or is full; `store_read_only`, `store_refused`, `service_refused` when a person must act.
 */
export interface ObjectStore {
  /** Such as `folder "/data/events"` or `bucket "s3://name/prefix"`, for messages. */
  readonly place: string;
  /** Durable when it resolves. */
  put(name: string, bytes: Uint8Array): Promise<void>;
  /** undefined: there is no such object. A range that ends beyond the object is cut. */
  get(name: string, range?: ByteRange): Promise<Uint8Array | undefined>;
  /** Everything whose name begins so and sorts behind `after`, up to and without `until`; ascending by bytes. */
  list(prefix: string, bounds?: { readonly after?: string; readonly until?: string }): Promise<readonly ObjectInfo[]>;
  /** In the order given, as far as the place knows order; those that are not there are as good as removed. */
  remove(names: readonly string[]): Promise<void>;
  /** Makes the place, if it can. */
  setUp(): Promise<void>;
  /** Removes what broken-off writes have left behind an hour ago or longer. */
  tidy(prefix: string): Promise<void>;
  /** The place's own means of deleting by age; absent: it has none. */
  readonly expiry?: ObjectExpiry;
  check(): Promise<void>;
}

/** Deletes objects so many days after they were put. */
export interface ObjectExpiry {
  /** Of all that begins with one of the prefixes; rules of others stay as they are. */
  set(prefixes: readonly string[], days: number): Promise<void>;
  /** The shortest that holds for them, as read back; undefined: not all of them have a rule. */
  read(prefixes: readonly string[]): Promise<number | undefined>;
  clear(prefixes: readonly string[]): Promise<void>;
}

/** Of one home and UTC day; never changed, only removed. */
export interface SegmentName {
  /** Such as `2026-11-22`. */
  readonly day: string;
  /** Sorts by the order of writing. */
  readonly name: string;
}

/** A segment on its way to its place. */
export interface NewSegment {
  readonly homeId: string;
  readonly segment: SegmentName;
  readonly bytes: Uint8Array;
}

/** Segments of events that no day file holds yet. What was appended is in every listing that begins afterwards. Errors as of `ObjectStore`. */
export interface HotSegments {
  /** A segment may have at most so many bytes. */
  readonly maxBytes: number;
  /** All are durable when it resolves; when it throws, any of them may be. Of several homes together, because a place may have one price for all of them. */
  append(segments: readonly NewSegment[]): Promise<void>;
  /** The name that sorts last of a home's day; undefined: it has none. */
  newest(homeId: string, day: string): Promise<string | undefined>;
  /** Of the days from `fromDay` to `toDay`, both included; ascending by day and name. */
  list(homeId: string, fromDay: string, toDay: string): Promise<readonly SegmentName[]>;
  /** Those that are (still) there, by name. */
  get(homeId: string, day: string, names: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>>;
  /** In the order given, as far as the place knows order. */
  remove(homeId: string, day: string, names: readonly string[]): Promise<void>;
  /** Every segment of every home. */
  drop(): Promise<void>;
}
