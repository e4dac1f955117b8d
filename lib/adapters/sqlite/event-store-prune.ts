import type { HomeEvent } from "../../event/index.ts";
import { encodeBlock } from "../../series/index.ts";
import { isDamage } from "./event-store-blocks.ts";
import { type DayPlan, isAsPlanned } from "./event-store-compact.ts";
import { daySpan, FIRST_US, stepsOf } from "./event-store-read.ts";
import type { Source, Span } from "./event-store-spans.ts";
import { DAY_US, type NewSegment, type Segment, type Tables } from "./event-store-tables.ts";
import { spanOf } from "./event-store-write.ts";

type ReadingOf = <T>(work: (source: Source) => T) => T;

/** What is to become of a day: how many events go, and, where some stay, the segments that take the place of those that are cut. */
export interface PrunedDay {
  readonly events: number;
  readonly removed: readonly number[];
  readonly added: readonly NewSegment[];
}

/** Of the part of the plan's day before the moment. Yields between steps of some 50 ms; memory holds the segments that are cut, one after the other. */
export function* prunedDay(reading: ReadingOf, plan: DayPlan, beforeUs: number): Generator<undefined, PrunedDay> {
  const { homeId, home, day } = plan;
  const segments = reading(({ tables }) => tables.segments(home, day)).filter(({ minUs }) => minUs < beforeUs);
  const whole = segments.filter(({ maxUs }) => maxUs < beforeUs);
  const cut = segments.filter(({ maxUs }) => maxUs >= beforeUs);
  const rows = whole.reduce((sum, it) => sum + it.count, 0);
  // Segments of compaction hold no key twice; of others only the events themselves say how many there are.
  const isKnown = cut.length === 0 && whole.every(({ isClosed }) => isClosed);
  const span = daySpan(day, { fromUs: FIRST_US, toUs: beforeUs });
  const events = isKnown ? rows : ((yield* countOf(reading, { homeId, span })) ?? rows);
  const added: NewSegment[] = [];
  for (const segment of cut) {
    const left = reading((source) => source.blocks.open(source.tables, segment)?.events({ fromUs: beforeUs }) ?? []);
    if (left.length > 0) added.push(shortened(segment, left));
    yield;
  }
  return { events, removed: segments.map(({ id }) => id), added };
}

/** undefined: something there is damaged. It goes all the same: nobody can read it, and old it is. */
function* countOf(
  reading: ReadingOf,
  of: { readonly homeId: string; readonly span: Span },
): Generator<undefined, number | undefined> {
  let events = 0;
  try {
    for (const step of stepsOf(reading, of)) {
      events += step.events.length;
      yield;
    }
    return events;
  } catch (thrown) {
    if (!isDamage(thrown)) throw thrown;
    return undefined;
  }
}

/** All of it in one write transaction, in which it is to be called: nobody can come between. How many events went. */
export function pruneAtOnce(source: Source, plan: DayPlan, beforeUs: number): number {
  const work = prunedDay((reading) => reading(source), plan, beforeUs);
  for (;;) {
    const step = work.next();
    if (!step.done) continue;
    putPruned(source.tables, plan, step.value);
    return step.value.events;
  }
}

const shortened = (segment: Segment, left: readonly HomeEvent[]): NewSegment => ({
  ...segment,
  ...spanOf(left),
  body: encodeBlock(left),
});

/** To be called in a write transaction. False: the day is another one by now; nothing was done. */
export function putPruned(tables: Tables, plan: DayPlan, { removed, added }: PrunedDay): boolean {
  if (!isAsPlanned(tables, plan)) return false;
  const { home, day } = plan;
  tables.remove(removed);
  for (const segment of added) tables.add(home, day, segment);
  // Rollups speak of whole days.
  tables.run("DELETE FROM rollup WHERE home = ? AND day = ?", home, day);
  const isEmpty = tables.tail(home, day, 1).length === 0;
  if (isEmpty) tables.run("DELETE FROM day WHERE home = ? AND day = ?", home, day);
  else tables.run("UPDATE day SET state = 0 WHERE home = ? AND day = ?", home, day);
  return true;
}

/** Whether the day has anything before the moment. */
export const hasBefore = (tables: Tables, { home, day }: { home: number; day: number }, beforeUs: number): boolean =>
  (day + 1) * DAY_US <= beforeUs || tables.segments(home, day).some(({ minUs }) => minUs < beforeUs);
