import { HearthlineError } from "./errors.ts";
import type { Microseconds } from "./time.ts";
import { clockChangeMs, zoneOffsetMs } from "./zone-offsets.ts";

export { isTimeZone } from "./zone-offsets.ts";

/** Local time by IANA zone. An unknown zone makes every function throw `setting_invalid`. */

const DAY_MS = 86_400_000;
// Events come in order: most are of the minute of the one before.
const MINUTE_MS = 60_000;
const lastMinute = { zoneName: "", startMs: Number.NaN, text: "", offset: "", hour: 0 };

/** Local ISO 8601 with the zone's offset and six decimals, and the local hour (0 to 23): `2026-11-22T06:47:09.185382+01:00`. */
export function localTimeOf(atUs: Microseconds, zoneName: string): { readonly text: string; readonly hour: number } {
  const atMs = Math.floor(atUs / 1000);
  const startMs = Math.floor(atMs / MINUTE_MS) * MINUTE_MS;
  if (startMs !== lastMinute.startMs || zoneName !== lastMinute.zoneName) {
    const offsetMs = zoneOffsetMs(startMs, zoneName);
    // Not of whole minutes (before 1972), or changed within the minute: nothing to remember.
    if (offsetMs % MINUTE_MS !== 0 || offsetMs !== zoneOffsetMs(startMs + MINUTE_MS - 1, zoneName)) {
      return localText(atUs, zoneOffsetMs(atMs, zoneName));
    }
    const { text, hour } = localText(startMs * 1000, offsetMs);
    Object.assign(lastMinute, { zoneName, startMs, text: text.slice(0, MINUTE_LENGTH), offset: text.slice(-6), hour });
  }
  const inMinuteUs = atUs - lastMinute.startMs * 1000;
  const seconds = Math.floor(inMinuteUs / 1e6);
  const micros = String(inMinuteUs - seconds * 1e6).padStart(6, "0");
  const { text, offset, hour } = lastMinute;
  return { text: `${text}${seconds < 10 ? "0" : ""}${seconds}.${micros}${offset}`, hour };
}

/** `2026-11-22T06:47:` */
const MINUTE_LENGTH = 17;

function localText(atUs: Microseconds, offsetMs: number): { readonly text: string; readonly hour: number } {
  const atMs = Math.floor(atUs / 1000);
  const local = new Date(atMs + offsetMs).toISOString();
  const rest = String(atUs - atMs * 1000).padStart(3, "0");
  return { text: `${local.slice(0, -1)}${rest}${offsetText(offsetMs)}`, hour: Number(local.slice(-13, -11)) };
}

/** `+01:00`; offsets of whole minutes only exist since 1972, older ones lose their seconds. */
function offsetText(offsetMs: number): string {
  const minutes = Math.trunc(Math.abs(offsetMs) / 60_000);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${offsetMs < 0 ? "-" : "+"}${two(Math.trunc(minutes / 60))}:${two(minutes % 60)}`;
}

/** The local date at that moment: `2026-11-22`. */
export const localDateOf = (atUs: Microseconds, zoneName: string): string =>
  localTimeOf(atUs, zoneName).text.slice(0, 10);

/** The date `days` after (before, if negative) `date`, by the calendar. */
export function addDays(date: string, days: number): string {
  return new Date(dateMs(date) + days * DAY_MS).toISOString().slice(0, 10);
}

function dateMs(date: string): number {
  const ms = /^\d{4}-\d\d-\d\d$/.test(date) ? Date.parse(`${date}T00:00:00Z`) : Number.NaN;
  // Date.parse takes the 31st of February for the 3rd of March.
  if (Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== date) {
    throw new HearthlineError(
      "request_invalid",
      `The date "${date.slice(0, 40)}" is no day; wanted is such as "2026-11-22".`,
    );
  }
  return ms;
}

/**
 * The moment at which the local clock shows `date` and `time` (`03:00`). A time that comes twice (clocks go back): the first of both.
 * A time that does not come at all (clocks go forward, a skipped date): the moment of the change, the first one beyond it.
 * @throws HearthlineError `request_invalid` for no date or time, `setting_invalid` for an unknown zone
 */
export function zonedDayStartUs(date: string, time: string, zoneName: string): Microseconds {
  const clock = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(time);
  if (!clock) {
    throw new HearthlineError(
      "request_invalid",
      `The time "${time.slice(0, 40)}" is no time of day; wanted is such as "03:00".`,
    );
  }
  const wallMs = dateMs(date) + (Number(clock[1]) * 60 + Number(clock[2])) * 60_000;
  return wallToMs(wallMs, zoneName) * 1000;
}

/**
 * A local date and time without offset (`2026-11-22T03:00:00.5`, up to six decimals) to its moment; what comes twice or never is treated as in `zonedDayStartUs`.
 * @throws HearthlineError `event_time_invalid`, `setting_invalid` for an unknown zone
 */
export function localToUs(local: string, zoneName: string): Microseconds {
  const match = /^(\d{4}-\d\d-\d\d)[T ]([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.(\d{1,6}))?)?$/.exec(local);
  if (!match) {
    throw new HearthlineError(
      "event_time_invalid",
      `The local time "${local.slice(0, 40)}" cannot be read; wanted is such as "2026-11-22T03:00:00".`,
    );
  }
  const [, date = "", hour, minute, second = "0", decimals = ""] = match;
  const wallMs = dateMs(date) + ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1000;
  const wholeMs = wallToMs(wallMs, zoneName);
  const isSkipped = wholeMs + zoneOffsetMs(wholeMs, zoneName) !== wallMs;
  return wholeMs * 1000 + (isSkipped ? 0 : Number(decimals.padEnd(6, "0")));
}

/** `wallMs` is the local clock's reading, taken as if it were UTC. */
function wallToMs(wallMs: number, zoneName: string): number {
  // No offset is as far as a day from UTC, so these two are the offsets on both sides of any change near that reading.
  const earlierMs = zoneOffsetMs(wallMs - DAY_MS, zoneName);
  const laterMs = zoneOffsetMs(wallMs + DAY_MS, zoneName);
  const candidates = [wallMs - earlierMs, wallMs - laterMs].sort((a, b) => a - b);
  const first = candidates.find((atMs) => atMs + zoneOffsetMs(atMs, zoneName) === wallMs);
  if (first !== undefined) return first;
  // Skipped: the change lies between the two readings.
  const [lowMs = 0, highMs = 0] = candidates;
  return clockChangeMs(lowMs, highMs, zoneName) ?? highMs;
}

/**
 * The home's day that holds the moment: days begin at `time` local and are named by the date on which they begin.
 * 02:59 on the 22nd is in the day of the 21st when `time` is 03:00.
 */
export function homeDayOf(atUs: Microseconds, time: string, zoneName: string): string {
  let date = addDays(localDateOf(atUs, zoneName), 1);
  while (zonedDayStartUs(date, time, zoneName) > atUs) date = addDays(date, -1);
  return date;
}
