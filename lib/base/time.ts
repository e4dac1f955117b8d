import { HearthlineError } from "./errors.ts";

/** Integer microseconds since 1970-01-01T00:00:00Z. Exact in a double until the year 2255. */
export type Microseconds = number;

// Date, "T" or a space, time, up to nine decimals, and an offset: what Home Assistant's isoformat() and JavaScript write.
const ISO = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)$/;

/**
 * ISO 8601 text with an offset to microseconds. Decimals beyond the sixth are cut.
 * @throws HearthlineError `event_time_invalid` for anything else: no offset, a 30th of February, an hour of 25.
 */
export function parseIsoUs(text: string): Microseconds {
  const match = ISO.exec(text);
  if (!match) throw invalid(text);
  const [, year, month, day, hour, minute, second, decimals = "", offset = "Z"] = match;
  // Not Date.UTC, which takes the year 1 (what some devices say before their clock is set) for 1901.
  const read = new Date(0);
  read.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  read.setUTCHours(Number(hour), Number(minute), Number(second));
  const isReal =
    read.getUTCDate() === Number(day) &&
    read.getUTCMonth() === Number(month) - 1 &&
    read.getUTCHours() === Number(hour) &&
    read.getUTCMinutes() === Number(minute) &&
    Number(second) < 60;
  if (!isReal) throw invalid(text);
  return (read.getTime() - offsetMs(offset, text)) * 1000 + Number(decimals.slice(0, 6).padEnd(6, "0"));
}

function offsetMs(offset: string, text: string): number {
  if (offset === "Z") return 0;
  const hours = Number(offset.slice(1, 3));
  const minutes = Number(offset.slice(-2));
  if (hours > 23 || minutes > 59) throw invalid(text);
  return (offset[0] === "-" ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

const invalid = (text: string) =>
  new HearthlineError(
    "event_time_invalid",
    `The time "${text.slice(0, 40)}" cannot be read: wanted is ISO 8601 with an offset, such as "2026-11-22T05:47:09.185382+00:00".`,
  );

/** Microseconds to ISO 8601 in UTC, always with six decimals: `2026-11-22T05:47:09.185382+00:00`, as Home Assistant writes it. */
export function formatIsoUs(atUs: Microseconds): string {
  const ms = Math.floor(atUs / 1000);
  const rest = atUs - ms * 1000;
  return `${new Date(ms).toISOString().slice(0, -1)}${String(rest).padStart(3, "0")}+00:00`;
}

/**
 * Home Assistant's float seconds to microseconds: whole seconds split off first, the fraction rounded half to even, as Python does.
 * (`Math.round(seconds * 1e6)` is wrong by one for about one event in eight of a current Home Assistant, where the product lands on a tie.)
 */
export function floatSecondsToUs(seconds: number): Microseconds {
  const whole = Math.floor(seconds);
  const micro = (seconds - whole) * 1e6;
  const floor = Math.floor(micro);
  const rest = micro - floor;
  const up = rest > 0.5 || (rest === 0.5 && floor % 2 === 1);
  return whole * 1e6 + (up ? floor + 1 : floor);
}
