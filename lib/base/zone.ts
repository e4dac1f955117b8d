import { HearthlineError } from "./errors.ts";
import type { Microseconds } from "./time.ts";

/**
 * Local time by IANA zone, on Intl alone. Exact on both sides of every change of the clock: an offset is kept for each UTC day,
 * and of a day with a change also the moment of the change.
 */

/** One UTC day of one zone: `beforeMs` until `changeMs`, `afterMs` from then on. Offsets east of Greenwich are positive. */
interface DayOffsets {
  readonly beforeMs: number;
  readonly changeMs: number;
  readonly afterMs: number;
}
interface Zone {
  readonly format: Intl.DateTimeFormat;
  readonly days: Map<number, DayOffsets>;
}

const DAY_MS = 86_400_000;
/** More zones or days than these are forgotten and worked out again: about 10 MB at most. */
const MAX_ZONES = 128;
const MAX_DAYS_PER_ZONE = 1024;

const zones = new Map<string, Zone>();

function zoneOf(name: string): Zone {
  const known = zones.get(name);
  if (known) return known;
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: name,
      calendar: "iso8601",
      numberingSystem: "latn",
      hourCycle: "h23",
      era: "short",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  } catch (thrown) {
    throw new HearthlineError(
      "setting_invalid",
      `The time zone "${name}" is not known; wanted is an IANA name such as "Europe/Amsterdam".`,
      { cause: thrown },
    );
  }
  if (zones.size >= MAX_ZONES) zones.clear();
  const zone = { format, days: new Map<number, DayOffsets>() };
  zones.set(name, zone);
  return zone;
}

/** True for a name that `Intl` knows as a time zone. */
export function isTimeZone(name: string): boolean {
  try {
    zoneOf(name);
    return true;
  } catch {
    return false;
  }
}

/** What Intl says, for whole seconds: about 2 microseconds a call, so it is asked a few times a day and zone. */
function askOffsetMs(zone: Zone, atMs: number): number {
  const wholeMs = Math.floor(atMs / 1000) * 1000;
  const part: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
  for (const { type, value } of zone.format.formatToParts(wholeMs)) part[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
  return Date.UTC(year, month - 1, day, hour, minute, second) - wholeMs;
}

function dayOffsets(zone: Zone, day: number): DayOffsets {
  const known = zone.days.get(day);
  if (known) return known;
  const startMs = day * DAY_MS;
  const endMs = startMs + DAY_MS;
  const beforeMs = askOffsetMs(zone, startMs);
  const afterMs = askOffsetMs(zone, endMs);
  let changeMs = endMs;
  if (beforeMs !== afterMs) {
    // Halving whole seconds: `low` still has the old offset, `high` has the new one.
    let low = startMs / 1000;
    let high = endMs / 1000;
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (askOffsetMs(zone, middle * 1000) === beforeMs) low = middle;
      else high = middle;
    }
    changeMs = high * 1000;
  }
  if (zone.days.size >= MAX_DAYS_PER_ZONE) zone.days.clear();
  const offsets = { beforeMs, changeMs, afterMs };
  zone.days.set(day, offsets);
  return offsets;
}

/**
 * Milliseconds to add to UTC for the zone's local time at that moment.
 * @throws HearthlineError `setting_invalid` for an unknown zone (all functions here do)
 */
export function zoneOffsetMs(atMs: number, zoneName: string): number {
  const { beforeMs, changeMs, afterMs } = dayOffsets(zoneOf(zoneName), Math.floor(atMs / DAY_MS));
  return atMs < changeMs ? beforeMs : afterMs;
}

/** Local ISO 8601 with the zone's offset and six decimals, and the local hour (0 to 23): `2026-11-22T06:47:09.185382+01:00`. */
export function localTimeOf(atUs: Microseconds, zoneName: string): { readonly text: string; readonly hour: number } {
  const atMs = Math.floor(atUs / 1000);
  const offsetMs = zoneOffsetMs(atMs, zoneName);
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
  const zone = zoneOf(zoneName);
  const [lowMs = 0, highMs = 0] = candidates;
  for (let day = Math.floor(lowMs / DAY_MS); day <= Math.floor(highMs / DAY_MS); day++) {
    const { beforeMs, changeMs, afterMs } = dayOffsets(zone, day);
    if (beforeMs !== afterMs) return changeMs;
  }
  return highMs;
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
