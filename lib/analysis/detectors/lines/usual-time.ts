import { clockTextOf, spreadAround, wrapped } from "../circle.ts";
import { medianOf } from "../statistics.ts";
import type { Finding } from "../types.ts";

/** What is spread wider than this has no time of day. */
const MOST_SPREAD_MINUTES = 60;
/** A day begins at 03:00, so that midnight is never inside an evening. */
export const DAY_BEGINS_MINUTE = 180;

/** Around when something happens, of its times on the local wall clock; nothing if it has no time. */
export function usualTime(minutes: readonly number[]): Pick<Finding, "at" | "spreadMinutes"> {
  const centre = wrapped(medianOf(minutes.map((minute) => wrapped(minute - DAY_BEGINS_MINUTE))) + DAY_BEGINS_MINUTE);
  const spreadMinutes = Math.round(spreadAround(minutes, centre) * 10) / 10;
  return spreadMinutes > MOST_SPREAD_MINUTES ? {} : { at: clockTextOf(centre), spreadMinutes };
}
