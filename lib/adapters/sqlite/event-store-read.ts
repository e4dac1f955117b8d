import type { HomeEvent } from "../../event/index.ts";
import type { EventPage, Position, RangeQuery } from "../../store/ports.ts";
import { REMEMBERED_ROWS } from "./event-store-blocks.ts";
import { type Choice, partOf, readSpan, type Source, type Span, segmentsIn } from "./event-store-spans.ts";
import { DAY_US, dayOf, type Segment } from "./event-store-tables.ts";

/** The first time that an event can have, and the end behind the last one. */
export const FIRST_US = Number.MIN_SAFE_INTEGER;
export const LAST_US = 2 ** 53;
/** Rows that one step looks at: some 30 ms when all of them are wanted. */
const STEP_ROWS = 16_384;
/** A page is looked for in ever larger parts, from a little more than it holds: the rows are never spread quite evenly. */
const PAGE_MARGIN = 1.25;
const PAGE_MIN_ROWS = 256;
const PAGE_MAX_ROWS = 65_536;

export const daySpan = (day: number, { fromUs, toUs }: Span): Span => ({
  fromUs: Math.max(fromUs, day * DAY_US),
  toUs: Math.min(toUs, (day + 1) * DAY_US),
});

/**
 * One page, looked for in parts: each `next()` is to be called in a transaction, and between two of them others get the thread. (The hundred newest events of an
 * entity that speaks once a day are in a hundred days.)
 */
export function* pageOf(source: () => Source, query: RangeQuery): Generator<undefined, EventPage> {
  const { homeId, order, limit, after } = query;
  if (query.entityIds?.length === 0) return { events: [] };
  const isUp = order === "asc";
  const events: HomeEvent[] = [];
  let left = spanOf(query);
  let rows = Math.max(PAGE_MIN_ROWS, Math.ceil(limit * PAGE_MARGIN));
  let seen = 0;
  while (left.fromUs < left.toUs && events.length < limit) {
    const { tables } = source();
    // Looked for each time: between two steps the home may have been deleted, or the file replaced, and then the number is another home's.
    const home = tables.homeOf(homeId);
    if (home === undefined) break;
    const day = tables.nextDay(home, dayOf(left.fromUs), dayOf(left.toUs - 1), order);
    if (!day) break;
    const span = daySpan(day.day, left);
    const isPossible = query.entityIds?.some((entityId) => tables.mayHaveEvents(home, day, entityId)) ?? true;
    const segments = isPossible ? segmentsIn(tables.segments(home, day.day), span, query.entityIds) : [];
    const part = partOf(segments, span, { rows, order });
    const found = readSpan(source(), segments, { span: part, choice: query });
    take(events, after ? found.filter((event) => isBeyond(event, after, isUp)) : found, { isUp, limit });
    left = isUp ? { ...left, fromUs: part.toUs } : { ...left, toUs: part.fromUs };
    if (part !== span) rows = Math.min(PAGE_MAX_ROWS, rows * 2);
    seen += part === span ? segments.reduce((sum, { count }) => sum + count, 0) : rows;
    if (seen < STEP_ROWS) continue;
    seen = 0;
    yield;
  }
  const last = events.at(-1);
  if (!last || events.length < limit) return { events };
  return { events, next: { atUs: last.atUs, entityId: last.entityId, removed: last.kind === "removed" } };
}

function spanOf({ order, after, fromUs = FIRST_US, toUs = LAST_US }: RangeQuery): Span {
  if (!after) return { fromUs, toUs };
  return order === "asc"
    ? { fromUs: Math.max(fromUs, after.atUs), toUs }
    : { fromUs, toUs: Math.min(toUs, after.atUs + 1) };
}

/** As many of the found events as there is room for, in the page's order. */
function take(
  events: HomeEvent[],
  found: readonly HomeEvent[],
  { isUp, limit }: { isUp: boolean; limit: number },
): void {
  for (let at = 0; at < found.length && events.length < limit; at++) {
    const event = found[isUp ? at : found.length - 1 - at];
    if (event) events.push(event);
  }
}

function isBeyond(event: HomeEvent, after: Position, isUp: boolean): boolean {
  if (event.atUs !== after.atUs) return isUp ? event.atUs > after.atUs : event.atUs < after.atUs;
  if (event.entityId !== after.entityId) return isUp === event.entityId > after.entityId;
  return isUp ? event.kind === "removed" && !after.removed : event.kind !== "removed" && after.removed;
}

/** A part of a home's day: its events, and what they take in the file. */
export interface Step {
  readonly day: number;
  readonly span: Span;
  readonly events: readonly HomeEvent[];
  /** Of all rows of these segments, whatever was chosen of them. */
  readonly bytesARow: number;
}

/**
 * A home's events in time, ascending, in steps that each are read in a transaction of their own (`reading`) and are short enough to let others have the
 * thread between two of them. What is written or pruned meanwhile may be there or not.
 */
export function* stepsOf(
  reading: <T>(work: (source: Source) => T) => T,
  { homeId, span, choice = {}, rows = STEP_ROWS }: { homeId: string; span: Span; choice?: Choice; rows?: number },
): Generator<Step> {
  let left = span;
  while (left.fromUs < left.toUs && choice.entityIds?.length !== 0) {
    const step = reading((source): Step | undefined => {
      const { tables } = source;
      const home = tables.homeOf(homeId);
      if (home === undefined) return undefined;
      const day = tables.nextDay(home, dayOf(left.fromUs), dayOf(left.toUs - 1), "asc")?.day;
      if (day === undefined) return undefined;
      const whole = daySpan(day, left);
      const segments = segmentsIn(tables.segments(home, day), whole, choice.entityIds);
      const part = stepIn(segments, whole, rows);
      return {
        day,
        span: part,
        events: readSpan(source, segments, { span: part, choice }),
        bytesARow: average(segments),
      };
    });
    if (!step) return;
    left = { ...left, fromUs: step.span.toUs };
    yield step;
  }
}

/** So many rows; but where more lie across each other than are remembered, each step opens all of them anew: then the fewer steps the better. */
function stepIn(segments: readonly Segment[], whole: Span, rows: number): Span {
  const part = partOf(segments, whole, { rows, order: "asc" });
  const opened = segmentsIn(segments, part).reduce((sum, { count }) => sum + count, 0);
  return rows >= STEP_ROWS || opened <= REMEMBERED_ROWS
    ? part
    : partOf(segments, whole, { rows: STEP_ROWS, order: "asc" });
}

function average(segments: readonly Segment[]): number {
  const rows = segments.reduce((sum, { count }) => sum + count, 0);
  return rows === 0 ? 0 : segments.reduce((sum, { bytes }) => sum + bytes, 0) / rows;
}
