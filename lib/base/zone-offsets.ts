import { HearthlineError } from "./errors.ts";

/**
 * Offsets of IANA zones, from Intl alone. Exact on both sides of every change of the clock: an offset is kept for each UTC day,
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

/** The first change of the zone's clock on the UTC days from `fromMs` to `toMs`, both included; undefined when there is none. */
export function clockChangeMs(fromMs: number, toMs: number, zoneName: string): number | undefined {
  const zone = zoneOf(zoneName);
  for (let day = Math.floor(fromMs / DAY_MS); day <= Math.floor(toMs / DAY_MS); day++) {
    const { beforeMs, changeMs, afterMs } = dayOffsets(zone, day);
    if (beforeMs !== afterMs) return changeMs;
  }
  return undefined;
}
