import type { Clock } from "../base/clock.ts";

/** Seconds in 30 days: a month of the prices. */
const MONTH_SECONDS = 2_592_000;
/**
 * What a home of 3 million events a month costs whatever the interval, and what each message adds on its whole way (requests, invocations, writes): a straight line
 * through what `npm run bench -- cost` measured at 60 and at 300 s, for the Parquet store with open days as objects, one home of 10,000 (us-east-1, list prices of
 * November 2026): 0.475 and 0.139 dollars. Below 60 s the line lies up to a sixth above what was measured (4.44 at 5 s, 1.59 at 15 s), so it promises too little rather than too much.
 */
const FIXED_DOLLARS = 0.0543;
const DOLLARS_PER_MESSAGE = 9.74e-6;
/** The longest interval: what a message may be late is bounded, however small the budget. */
const INTERVAL_MAX_SECONDS = 900;

export interface FlushSettings {
  readonly flushSeconds: number;
  /** Dollars a month. Without it the interval alone decides. */
  readonly dollarsMax?: number | undefined;
}

/** When a message goes that is not full. A full one always goes at once: its cost cannot be avoided by waiting. */
export interface FlushPolicy {
  readonly intervalMs: number;
  /** What such an interval costs at most, in dollars a month. */
  readonly dollarsAMonth: number;
  /** Whether the budget made the interval longer than the setting. */
  readonly isByBudget: boolean;
  /** Whether even the longest interval costs more than the budget. */
  readonly isOverBudget: boolean;
}

/** dollars = 0.0543 + 9.74e-6 x 2,592,000 / interval; the interval is the longer one of the setting and of what the budget allows, at most 900 s. */
export function flushPolicy({ flushSeconds, dollarsMax }: FlushSettings): FlushPolicy {
  const forMessages = (dollarsMax ?? Number.POSITIVE_INFINITY) - FIXED_DOLLARS;
  const allowed = forMessages > 0 ? (DOLLARS_PER_MESSAGE * MONTH_SECONDS) / forMessages : Number.POSITIVE_INFINITY;
  const seconds = Math.max(flushSeconds, Math.min(allowed, INTERVAL_MAX_SECONDS));
  return {
    intervalMs: seconds * 1000,
    dollarsAMonth: FIXED_DOLLARS + (DOLLARS_PER_MESSAGE * MONTH_SECONDS) / seconds,
    isByBudget: seconds > flushSeconds,
    isOverBudget: allowed > seconds,
  };
}

/** Records that wait for their message. */
export interface Waiting {
  readonly records: number;
  readonly bytes: number;
  /** When the oldest came into the spool, by the wall clock. */
  readonly oldestAtMs: number;
  /** Since when they wait here, by the clock that nobody sets. */
  readonly sinceMs: number;
}

/** How full a message counts as full: the packer's estimate is never exact. */
const FULL = 0.95;

/** Ms until these records are due; 0 or less: now. */
export function dueInMs(
  { records, bytes, oldestAtMs, sinceMs }: Waiting,
  {
    flushMs,
    targetBytes,
    maxRecords,
    clock,
  }: { flushMs: number; targetBytes: number; maxRecords: number; clock: Clock },
): number {
  if (bytes >= targetBytes * FULL || records >= maxRecords) return 0;
  // By the wall clock, so that a restart does not begin the wait anew; but that clock may have been set back since.
  return Math.min(oldestAtMs + flushMs - clock.nowMs(), sinceMs + flushMs - clock.monotonicMs());
}
