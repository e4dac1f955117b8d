import { clockTextOf } from "../circle.ts";
import { binomialTail, logGamma } from "../statistics.ts";
import type { Counted } from "./change.ts";
import type { FrequencyRow } from "./rows.ts";

/** So many times on most days. */
export interface Rhythm {
  readonly p: number;
  readonly perDay: number;
  readonly hits: number;
  /** When, if it is always about then. */
  readonly at?: string;
  readonly spreadMinutes?: number;
}

const MIN_DAYS = 10;
const PER_DAY_MAX = 6;
const DAY_MINUTES = 1_440;
/** What is nearer together than this is a clock's doing. */
const MACHINE_MINUTES = 4;
const TELLING_MINUTES = 90;

export function rhythmOf(row: FrequencyRow, counted: readonly Counted[]): Rhythm | undefined {
  if (counted.length < MIN_DAYS) return undefined;
  const days = new Map<number, number>();
  for (const { count } of counted) days.set(count, (days.get(count) ?? 0) + 1);
  const [perDay, hits] = [...days].sort((a, b) => b[1] - a[1] || a[0] - b[0])[0] ?? [0, 0];
  if (perDay < 1 || perDay > PER_DAY_MAX) return undefined;
  const { spreadMinutes, at } = timeOf(row);
  if (spreadMinutes < MACHINE_MINUTES) return undefined;
  // The share of such days if it happened at random as often as it does best.
  const chance = Math.exp(perDay * Math.log(perDay) - perDay - logGamma(perDay + 1));
  const p = Math.min(1, PER_DAY_MAX * binomialTail(hits, counted.length, chance));
  const isTelling = perDay === 1 && spreadMinutes <= TELLING_MINUTES;
  return { p, perDay, hits, ...(isTelling && { at, spreadMinutes: Math.round(spreadMinutes) }) };
}

/** Circular mean and standard deviation of the time of day. */
function timeOf({ n, c, i }: FrequencyRow): { readonly at: string; readonly spreadMinutes: number } {
  const length = Math.min(1, Math.hypot(c, i) / (1_000 * Math.max(1, n)));
  const turn = Math.atan2(i, c) / (2 * Math.PI);
  return {
    at: clockTextOf((((turn % 1) + 1) % 1) * DAY_MINUTES),
    spreadMinutes: (Math.sqrt(-2 * Math.log(Math.max(length, 1e-9))) * DAY_MINUTES) / (2 * Math.PI),
  };
}
