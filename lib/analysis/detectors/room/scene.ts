import type { HomeDay } from "../types.ts";
import type { DayGroup } from "./day-groups.ts";

/** A set of things that people switch together in a room. */
export interface Scene {
  readonly area: string;
  /** Most frequent beginning first, the others ascending. */
  readonly tokens: readonly string[];
  /** Minutes from 03:00 of its bursts on the days of its group, ascending. */
  readonly minutes: readonly number[];
  readonly group: DayGroup;
  /** Days of the group on which the room was in use at that time of day; and those with the scene. */
  readonly opportunities: readonly HomeDay[];
  readonly hits: ReadonlySet<string>;
  readonly reliability: number;
  readonly q: number;
}

export interface DatedBurst {
  readonly day: HomeDay;
  /** From 03:00, when a home's day begins. */
  readonly minute: number;
  readonly tokens: readonly string[];
}

/** How many dates there are among bursts that ascend by them. */
export function daysOf(bursts: readonly DatedBurst[]): number {
  let days = 0;
  for (let index = 0; index < bursts.length; index++)
    if (bursts[index]?.day.date !== bursts[index - 1]?.day.date) days++;
  return days;
}

/** What is a little earlier or later than the hits is still at that time of day. */
export const MARGIN_MINUTES = 30;
