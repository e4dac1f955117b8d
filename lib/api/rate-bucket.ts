/** What is left of a limit: so many units at that moment. They come back evenly, up to the capacity. */
export interface Bucket {
  /** PARTS of them are a unit: what comes back in a millisecond is a whole number of parts, so nothing is ever rounded. */
  readonly parts: number;
  /** Milliseconds since 1970. */
  readonly atMs: number;
}

export interface BucketRule {
  /** What a full bucket holds: so much may be taken at once. Whole, 1 or more. */
  readonly capacity: number;
  /** What comes back in a minute. */
  readonly perMinute: number;
}

export interface UnitsAsked {
  /** Whole; as many as are there are given. */
  readonly wanted: number;
  /** With fewer the asker can do nothing: then none is given. At most the capacity. */
  readonly atLeast: number;
}

export interface UnitsTaken {
  readonly granted: number;
  /** As it is afterwards. */
  readonly bucket: Bucket;
  /** Until `atLeast` units are there; 0 when some were given. */
  readonly waitMs: number;
}

/** Milliseconds in a minute. */
const PARTS = 60_000;
/** A bucket of a moment further ahead (a clock was wrong, or has been set back) is read as full: else nobody could take from it until then. */
const AHEAD_MAX_MS = 5_000;

/** Takes from a bucket; one that nobody has taken from is full. Two clocks that differ a little take no unit twice: time only ever goes on in a bucket. */
export function takeUnits(
  bucket: Bucket | undefined,
  { wanted, atLeast }: UnitsAsked,
  { capacity, perMinute, nowMs }: BucketRule & { readonly nowMs: number },
): UnitsTaken {
  const isKnown = bucket !== undefined && bucket.atMs - nowMs <= AHEAD_MAX_MS;
  const { parts, atMs } = isKnown ? bucket : { parts: capacity * PARTS, atMs: nowMs };
  const there = Math.min(capacity * PARTS, parts + Math.max(0, nowMs - atMs) * perMinute);
  const now = { parts: there, atMs: Math.max(atMs, nowMs) };
  if (there < atLeast * PARTS) {
    return { granted: 0, bucket: now, waitMs: Math.ceil((atLeast * PARTS - there) / perMinute) };
  }
  const granted = Math.min(wanted, unitsOf(now));
  return { granted, bucket: giveUnits(now, -granted), waitMs: 0 };
}

/** The whole units in a bucket, as of its moment. */
export const unitsOf = ({ parts }: Bucket): number => Math.floor(parts / PARTS);

/** The bucket with so many units more. */
export const giveUnits = (bucket: Bucket, units: number): Bucket => ({
  ...bucket,
  parts: bucket.parts + units * PARTS,
});
