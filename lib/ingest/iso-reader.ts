import { type Microseconds, parseIsoUs } from "../base/time.ts";

// "2026-11-22T05:47:09.185382+00:00": Home Assistant's own form, always in UTC and with six decimals.
const FORM_LENGTH = 32;
const HOUR = 11;
const MINUTE = 14;
const SECOND = 17;
const DECIMALS = 20;
const UTC = "+00:00";

/**
 * `parseIsoUs`, with the day that was read last remembered: most events are of the day of the one before, and the rest is digits.
 * The same answers and errors as `parseIsoUs`, several times as fast.
 */
export function createIsoReader(): (text: string) => Microseconds {
  let day = "";
  let dayUs = 0;
  return (text) => {
    if (!isUsual(text)) return parseIsoUs(text);
    const hour = digits(text, HOUR, 2);
    const minute = digits(text, MINUTE, 2);
    const second = digits(text, SECOND, 2);
    const micros = digits(text, DECIMALS, 6);
    const isTime = hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 && second < 60 && micros >= 0;
    if (!isTime) return parseIsoUs(text);
    const inDayUs = ((hour * 60 + minute) * 60 + second) * 1_000_000 + micros;
    if (day === "" || !text.startsWith(day)) {
      dayUs = parseIsoUs(text) - inDayUs;
      day = text.slice(0, HOUR);
    }
    return dayUs + inDayUs;
  };
}

const isUsual = (text: string): boolean =>
  text.length === FORM_LENGTH &&
  text[HOUR - 1] === "T" &&
  text[MINUTE - 1] === ":" &&
  text[SECOND - 1] === ":" &&
  text[DECIMALS - 1] === "." &&
  text.endsWith(UTC);

/** The number that stands there, or -1 when something else than digits does. */
function digits(text: string, from: number, count: number): number {
  let number = 0;
  for (let at = from; at < from + count; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return -1;
    number = number * 10 + digit;
  }
  return number;
}
