import type { Microseconds } from "../base/time.ts";

/** How fine OLD's time stamps are, by the names of Home Assistant's `influxdb` integration (its option `precision`). */
export const PRECISIONS = ["us", "ms", "s"] as const;
export type Precision = (typeof PRECISIONS)[number];

/** Of a stamp: every one is a multiple of it. */
export const PRECISION_US: Readonly<Record<Precision, number>> = { us: 1, ms: 1_000, s: 1_000_000 };
export const PRECISION_WORDS: Readonly<Record<Precision, string>> = {
  us: "microseconds",
  ms: "milliseconds",
  s: "seconds",
};

/** The first moment of a tick. */
export const tickOf = (atUs: Microseconds, precisionUs: number): Microseconds =>
  Math.floor(atUs / precisionUs) * precisionUs;

/** What some rows of OLD show of its precision. */
export interface ShownPrecision {
  readonly precision: Precision;
  readonly rows: number;
  /** Different ones among them. */
  readonly stamps: number;
}

/** By chance a moment is a whole millisecond once in a thousand; so many different ones never are. */
export const STAMPS_MIN = 20;

/** The coarsest precision that all rows have; undefined: they are too few to tell. Pure. */
export function shownPrecision(stampsUs: readonly Microseconds[]): ShownPrecision | undefined {
  const stamps = new Set(stampsUs);
  if (stamps.size < STAMPS_MIN) return undefined;
  const isOf = (precision: Precision) => [...stamps].every((atUs) => atUs % PRECISION_US[precision] === 0);
  return { precision: PRECISIONS.findLast(isOf) ?? "us", rows: stampsUs.length, stamps: stamps.size };
}
