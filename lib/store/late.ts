import type { Clock } from "../base/clock.ts";
import type { HomeEvent } from "../event/index.ts";
import type { EventStore, LateDays } from "./ports.ts";

export interface NoteLateDaysOptions {
  readonly lateDays: LateDays;
  readonly clock: Pick<Clock, "nowMs">;
  /** Local time at which a home's day begins: `03:00`. */
  readonly analysisTime: string;
}

/** The store, whose writes also note the days of which events come after they have ended; after the write, so that a note never speaks of events that are not there. */
export function noteLateDays(store: EventStore, options: NoteLateDaysOptions): EventStore {
  const { lateDays, clock, analysisTime } = options;
  return {
    ...store,
    write: async (events) => {
      await store.write(events);
      for (const [homeId, own] of Map.groupBy(events, (event) => event.homeId)) {
        const dates = lateDatesOf(own, { nowMs: clock.nowMs(), analysisTime });
        if (dates.length > 0) await lateDays.note(homeId, dates);
      }
    },
  };
}

/** What says that an event came too late for its night. */
export interface NightRule {
  readonly nowMs: number;
  /** Local time at which a home's day begins: `03:00`. */
  readonly analysisTime: string;
}

/**
 * The home's days, ascending, of those events that came after their day had ended: the nightly job may have read it by then. By the event's own offset, which
 * is that of its moment: within an hour of a change of the clocks a day may be named that had not ended, which costs one more reading.
 */
export function lateDatesOf(events: readonly Pick<HomeEvent, "atUs" | "localTime">[], rule: NightRule): string[] {
  const [hour = 0, minute = 0] = rule.analysisTime.split(":").map(Number);
  const shiftMs = (hour * 60 + minute) * 60_000;
  const dates = new Set<string>();
  for (const { atUs, localTime } of events) {
    const atMs = Math.floor(atUs / 1000);
    const offsetMs = offsetOf(localTime) - shiftMs;
    const date = dateOf(atMs + offsetMs);
    if (date !== undefined && date < (dateOf(rule.nowMs + offsetMs) ?? "")) dates.add(date);
  }
  return [...dates].sort();
}

/** undefined: beyond the years that have four digits. */
function dateOf(ms: number): string | undefined {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) || date.getUTCFullYear() < 1 || date.getUTCFullYear() > 9999
    ? undefined
    : date.toISOString().slice(0, 10);
}

/** Milliseconds of `+01:00` at the end; none of ours lacks it, an event made elsewhere counts as UTC then. */
function offsetOf(localTime: string): number {
  const match = /([+-])(\d\d):(\d\d)$/.exec(localTime);
  if (!match) return 0;
  const ms = (Number(match[2]) * 60 + Number(match[3])) * 60_000;
  return match[1] === "-" ? -ms : ms;
}
