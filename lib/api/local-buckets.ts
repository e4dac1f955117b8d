import type { Clock } from "../base/clock.ts";
import { type Bucket, giveUnits, takeUnits } from "./rate-bucket.ts";

export interface LocalBucketsOptions {
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly perMinute: number;
  /** Beyond it, the one that has been silent longest is forgotten, and begins with a full bucket when it comes again. */
  readonly subjectsMax: number;
}

/** A bucket for each of many subjects, in this process alone. */
export function createLocalBuckets({ clock, perMinute, subjectsMax }: LocalBucketsOptions) {
  const buckets = new Map<string, Bucket>();
  return {
    /** Takes a unit; how long until there is one, in ms; 0: it was taken. */
    take(subject: string): number {
      const rule = { capacity: perMinute, perMinute, nowMs: clock.monotonicMs() };
      const { bucket, waitMs } = takeUnits(buckets.get(subject), { wanted: 1, atLeast: 1 }, rule);
      buckets.delete(subject);
      buckets.set(subject, bucket);
      if (buckets.size > subjectsMax) for (const oldest of buckets.keys()) if (buckets.delete(oldest)) break;
      return waitMs;
    },
    /** Gives back a unit that was taken. */
    giveBack(subject: string): void {
      const bucket = buckets.get(subject);
      if (bucket) buckets.set(subject, giveUnits(bucket, 1));
    },
  };
}

/** Whoever has one IPv6 address has 2^64 of them: they count as one. An IPv4 address stays as it is, also written as IPv6. */
export function addressGroup(address: string): string {
  const text = address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, "");
  if (!text.includes(":")) return text;
  const [head = "", tail] = text.split("::");
  const front = head === "" ? [] : head.split(":");
  const missing = tail === undefined ? 0 : 8 - front.length - (tail === "" ? 0 : tail.split(":").length);
  const groups = [...front, ...Array.from({ length: Math.max(0, missing) }, () => "0"), ...(tail?.split(":") ?? [])];
  return groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ""))
    .join(":");
}
