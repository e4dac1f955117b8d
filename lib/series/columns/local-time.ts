const DAY_US = 86_400_000_000;
const MINUTE_US = 60_000_000;
/** `2026-11-22T06:47:09.185382+01:00` */
const LENGTH = 32;
const DATE_LENGTH = 11;
const SUFFIX_AT = 26;
/** Microseconds are exact up to here: the years 1684 to 2255. */
const LAST_US = 9_007_000_000_000_000;

/** A local day of one offset: what all its texts begin and end with. */
interface LocalDay {
  readonly startUs: number;
  readonly date: string;
  readonly suffix: string;
}

/** What `offsetMinutesOf` answers for a text that the moment and an offset of whole minutes do not give. */
export const NO_OFFSET = Number.NaN;

/** Most events are of the day and the offset of the one before: remembers that day. One for each block that is written or read. */
export class LocalTimes {
  #day: LocalDay = { startUs: Number.NaN, date: "", suffix: "" };
  #offset = Number.NaN;

  /** The offset in minutes from which `text` follows, or `NO_OFFSET`. */
  offsetOf(atUs: number, text: string): number {
    if (this.#follows(atUs, text)) return this.#offset;
    const offset = offsetOfSuffix(text);
    if (Number.isNaN(offset) || !this.#turnTo(atUs, offset)) return NO_OFFSET;
    return this.#follows(atUs, text) ? offset : NO_OFFSET;
  }

  text(atUs: number, offset: number): string {
    if (offset !== this.#offset || !this.#isToday(atUs)) this.#turnTo(atUs, offset);
    const us = atUs + offset * MINUTE_US - this.#day.startUs;
    const seconds = Math.floor(us / 1e6);
    const micros = us - seconds * 1e6;
    const minutes = Math.floor(seconds / 60);
    const millis = Math.floor(micros / 1000);
    const clock = `${HOURS_MINUTES[minutes]}${TWO[seconds - minutes * 60]}.${THREE[millis]}${THREE[micros - millis * 1000]}`;
    return `${this.#day.date}${clock}${this.#day.suffix}`;
  }

  #isToday(atUs: number): boolean {
    const us = atUs + this.#offset * MINUTE_US - this.#day.startUs;
    return us >= 0 && us < DAY_US;
  }

  #follows(atUs: number, text: string): boolean {
    if (text.length !== LENGTH || !this.#isToday(atUs)) return false;
    const { startUs, date, suffix } = this.#day;
    if (!text.startsWith(date) || !text.endsWith(suffix)) return false;
    const us = atUs + this.#offset * MINUTE_US - startUs;
    return clockUs(text) === us;
  }

  #turnTo(atUs: number, offset: number): boolean {
    const localUs = atUs + offset * MINUTE_US;
    if (!(Math.abs(localUs) < LAST_US)) return false;
    const startUs = Math.floor(localUs / DAY_US) * DAY_US;
    const date = new Date(startUs / 1000).toISOString().slice(0, DATE_LENGTH);
    this.#day = { startUs, date, suffix: suffixOf(offset) };
    this.#offset = offset;
    return true;
  }
}

const TWO = Array.from({ length: 100 }, (_, value) => String(value).padStart(2, "0"));
const THREE = Array.from({ length: 1000 }, (_, value) => String(value).padStart(3, "0"));
const HOURS_MINUTES = Array.from(
  { length: 1440 },
  (_, minute) => `${TWO[Math.floor(minute / 60)]}:${TWO[minute % 60]}:`,
);

/** Below any time of a day, whatever is added to it. */
const NO_DIGITS = -1e15;

/** Of `HH:MM:SS.ffffff` behind the date; something below 0 when it is not written so. */
function clockUs(text: string): number {
  if (text.charCodeAt(13) !== 58 || text.charCodeAt(16) !== 58 || text.charCodeAt(19) !== 46) return NO_DIGITS;
  const hours = twoDigits(text, 11);
  const minutes = twoDigits(text, 14);
  const seconds = twoDigits(text, 17);
  if (hours > 23 || minutes > 59 || seconds > 59) return NO_DIGITS;
  const micros = twoDigits(text, 20) * 10_000 + twoDigits(text, 22) * 100 + twoDigits(text, 24);
  return ((hours * 60 + minutes) * 60 + seconds) * 1e6 + micros;
}

function twoDigits(text: string, at: number): number {
  const ten = text.charCodeAt(at) - 48;
  const one = text.charCodeAt(at + 1) - 48;
  return ten < 0 || ten > 9 || one < 0 || one > 9 ? NO_DIGITS : ten * 10 + one;
}

function offsetOfSuffix(text: string): number {
  const match = /^([+-])(\d\d):(\d\d)$/.exec(text.slice(SUFFIX_AT));
  if (!match) return NO_OFFSET;
  const minutes = Number(match[2]) * 60 + Number(match[3]);
  return match[1] === "-" ? -minutes : minutes;
}

function suffixOf(offset: number): string {
  const away = Math.abs(offset);
  return `${offset < 0 ? "-" : "+"}${TWO[Math.floor(away / 60)]}:${TWO[away % 60]}`;
}
