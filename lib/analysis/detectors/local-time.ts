import type { Microseconds } from "../../base/time.ts";
import { zoneOffsetMs } from "../../base/zone-offsets.ts";
import { WEEKDAYS, type Weekday } from "../patterns/types.ts";

const MINUTE_US = 60e6;
const DAY_MINUTES = 1440;

/** Minutes since local midnight, with fractions: what clocks in the home show. */
export function localMinuteOf(atUs: Microseconds, timeZone: string): number {
  const localUs = atUs + zoneOffsetMs(Math.floor(atUs / 1000), timeZone) * 1000;
  const minutes = localUs / MINUTE_US;
  return minutes - Math.floor(minutes / DAY_MINUTES) * DAY_MINUTES;
}

export function weekdayOf(date: string): Weekday {
  const fromSunday = new Date(`${date}T00:00:00Z`).getUTCDay();
  return WEEKDAYS[(fromSunday + 6) % 7] ?? "mon";
}
