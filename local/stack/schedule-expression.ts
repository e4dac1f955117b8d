import { Cron } from "croner";
import { Temporal } from "temporal-polyfill";
import { HearthlineError, messageOf } from "../../lib/base/errors.ts";

/** When something is due. */
export interface Schedule {
  /** The first moment after `afterMs` (milliseconds since 1970), or undefined when there is none any more. */
  nextMs(afterMs: number): number | undefined;
}

const UNIT_MS: Readonly<Record<string, number>> = { second: 1_000, minute: 60_000, hour: 3_600_000, day: 86_400_000 };
/** More nonexistent or past wall times in a row than any time zone's change can make at one fire a minute. */
const MAX_SKIPS = 10_000;

/**
 * A schedule in EventBridge's syntax: `rate(5 minutes)` or `cron(minute hour day-of-month month day-of-week year)`; a rate may be of seconds here.
 * A rate counts from `startMs`. A cron speaks of the clock on the wall in `timeZone`: a time that the change to summer time leaves out is skipped,
 * one that the change back shows twice fires once, the first time, as EventBridge Scheduler does it.
 * Source: EventBridge Scheduler user guide, "Schedule types" and "Daylight savings time"; read 2026-09.
 * @throws HearthlineError `setting_invalid` for anything else
 */
export function parseSchedule(expression: string, timeZone: string, startMs: number): Schedule {
  const rate = /^rate\((\d+) (second|minute|hour|day)s?\)$/.exec(expression);
  if (rate) {
    const periodMs = Number(rate[1]) * (UNIT_MS[rate[2] ?? ""] ?? 0);
    if (periodMs > 0)
      return {
        nextMs: (afterMs) => startMs + (Math.max(0, Math.floor((afterMs - startMs) / periodMs)) + 1) * periodMs,
      };
  }
  const cron = /^cron\((.+)\)$/.exec(expression);
  const fields = cron?.[1]?.trim().split(/\s+/) ?? [];
  if (fields.length !== 6)
    throw invalid(expression, "wanted is rate(5 minutes) or cron(minute hour day-of-month month day-of-week year)");
  return wallClockSchedule(toCroner(expression, fields), timeZone);
}

const invalid = (expression: string, why: string) =>
  new HearthlineError("setting_invalid", `The schedule "${expression}" cannot be read: ${why}.`);

function toCroner(expression: string, fields: readonly string[]): Cron {
  const [minute = "", hour = "", dayOfMonth = "", month = "", dayOfWeek = "", year = ""] = fields;
  if ((dayOfMonth === "?") === (dayOfWeek === "?"))
    throw invalid(expression, 'one of day-of-month and day-of-week must be "?", the other not');
  const days = dayOfMonth === "?" ? "*" : withRange(dayOfMonth, 31);
  const weekdays = dayOfWeek === "?" ? "*" : fromZero(expression, dayOfWeek);
  try {
    // The wall clock is walked as if it were UTC, which leaves nothing out and shows nothing twice; time zones come after.
    const pattern = ["0", withRange(minute, 59), withRange(hour, 23), days, withRange(month, 12), weekdays, year];
    return new Cron(pattern.join(" "), { timezone: "UTC", paused: true, mode: "7-part" });
  } catch (thrown) {
    throw invalid(expression, messageOf(thrown));
  }
}

/** AWS writes "every 15 from 5 on" as `5/15`; croner wants the range, `5-59/15`. */
const withRange = (field: string, last: number) => field.replace(/(?<![-\d])(\d+)\//g, `$1-${last}/`);

/** AWS counts the days of the week from 1, Sunday; croner from 0. The number behind `#` or `/` is no day. */
const fromZero = (expression: string, field: string) =>
  withRange(
    field.replace(/(?<![#/\d])\d+/g, (day) => {
      if (!/^[1-7]$/.test(day))
        throw invalid(expression, `the day of the week ${day} is not from 1 (Sunday) to 7 (Saturday)`);
      return String(Number(day) - 1);
    }),
    6,
  );

function wallClockSchedule(cron: Cron, timeZone: string): Schedule {
  return {
    nextMs(afterMs) {
      const wall = Temporal.Instant.fromEpochMilliseconds(afterMs).toZonedDateTimeISO(timeZone).toPlainDateTime();
      let from = wall.toZonedDateTime("UTC").epochMilliseconds;
      for (let tries = 0; tries < MAX_SKIPS; tries++) {
        const next = cron.nextRun(new Date(from));
        if (!next) return undefined;
        from = next.getTime();
        const atMs = instantOf(from, timeZone);
        if (atMs !== undefined && atMs > afterMs) return atMs;
      }
      return undefined;
    },
  };
}

/** The first moment at which the wall shows this time; undefined when it never does. */
function instantOf(wallAsUtcMs: number, timeZone: string): number | undefined {
  const wall = Temporal.Instant.fromEpochMilliseconds(wallAsUtcMs).toZonedDateTimeISO("UTC").toPlainDateTime();
  const there = wall.toZonedDateTime(timeZone, { disambiguation: "earlier" });
  return there.toPlainDateTime().equals(wall) ? there.epochMilliseconds : undefined;
}
