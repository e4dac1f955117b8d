import type { HomeEvent } from "../../event/index.ts";
import { createWindows, type Rollup, type Windows } from "../../series/index.ts";
import type { AggregateQuery, EntityAggregates } from "../../store/ports.ts";
import { daySpan, FIRST_US } from "./event-store-read.ts";
import { unpackDay } from "./event-store-rollups.ts";
import { readSpan, type Source, type Span } from "./event-store-spans.ts";
import { DAY_US, type Day, dayOf } from "./event-store-tables.ts";

/** The rollups of an entity's day; `none`: it has no events; `unknown`: ask the events. */
type EntityDay = readonly Rollup[] | "none" | "unknown";

/**
 * The windows of each entity: of days that compaction has left rollups for from those, of others from the events. A generator so that each day is a transaction of
 * its own; `next()` is to be called in one.
 */
export function* aggregatesOf(source: () => Source, query: AggregateQuery): Generator<undefined, EntityAggregates[]> {
  const { homeId, edges } = query;
  const span: Span = { fromUs: edges[0] ?? 0, toUs: edges.at(-1) ?? 0 };
  const windows = new Map<string, Windows>(query.entityIds.map((entityId) => [entityId, createWindows(edges)]));
  const home = source().tables.homeOf(homeId);
  const before = new Map<string, HomeEvent>();
  if (home !== undefined) {
    for (const { day: number } of source().tables.days(home, dayOf(span.fromUs), dayOf(span.toUs - 1))) {
      // As it is now: it may have been pruned since, and then has no rollups any more.
      const day = source().tables.day(home, number);
      if (day) addDay(source(), { home, day, span }, { windows, edges });
      yield;
    }
    yield* lastBefore(source, { home, beforeUs: span.fromUs, entityIds: [...windows.keys()] }, before);
  }
  return [...windows].map(([entityId, builder]) => ({ entityId, windows: builder.finish(before.get(entityId)) }));
}

interface DayOfHome {
  readonly home: number;
  readonly day: Day;
  readonly span: Span;
}
interface Builders {
  readonly windows: ReadonlyMap<string, Windows>;
  readonly edges: readonly number[];
}

function addDay(source: Source, of: DayOfHome, { windows, edges }: Builders): void {
  const span = daySpan(of.day.day, of.span);
  const unknown: string[] = [];
  for (const [entityId, builder] of windows) {
    const known = rollupsOf(source, of, entityId);
    if (known === "none") continue;
    if (known === "unknown") unknown.push(entityId);
    else for (const part of known) addPart(source, of, { part, builder, edges, entityId, span });
  }
  if (unknown.length === 0) return;
  for (const event of read(source, of, { span, entityIds: unknown })) windows.get(event.entityId)?.add(event);
}

function rollupsOf({ tables }: Source, { home, day }: Omit<DayOfHome, "span">, entityId: string): EntityDay {
  if (day.state === 0) return "unknown";
  const sql = "SELECT body FROM rollup WHERE home = ? AND entity = ? AND day = ?";
  const [row] = tables.rows<[Uint8Array | null]>(sql, home, entityId, day.day);
  if (!row) return "none";
  return row[0] === null ? "unknown" : unpackDay(row[0]);
}

interface Part {
  readonly part: Rollup;
  readonly builder: Windows;
  readonly edges: readonly number[];
  readonly entityId: string;
  readonly span: Span;
}

/** A part that no edge cuts counts as it is; of another one the events are needed. */
function addPart(source: Source, of: DayOfHome, { part, builder, edges, entityId, span }: Part): void {
  if (part.lastUs < span.fromUs || part.firstUs >= span.toUs) return;
  const edge = firstBehind(edges, part.firstUs);
  if (part.firstUs >= span.fromUs && (edge === undefined || edge > part.lastUs)) {
    builder.addRollup(part);
    return;
  }
  const cut = { fromUs: Math.max(span.fromUs, part.firstUs), toUs: Math.min(span.toUs, part.lastUs + 1) };
  for (const event of read(source, of, { span: cut, entityIds: [entityId] })) builder.add(event);
}

/** The first edge behind the moment. */
function firstBehind(edges: readonly number[], atUs: number): number | undefined {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((edges[middle] ?? 0) > atUs) high = middle;
    else low = middle + 1;
  }
  return edges[low];
}

const read = (
  source: Source,
  { home, day }: DayOfHome,
  of: { span: Span; entityIds: readonly string[] },
): HomeEvent[] =>
  readSpan(source, source.tables.segments(home, day.day), { span: of.span, choice: { entityIds: of.entityIds } });

/** Finds for each entity its last event before the moment; days that do not hold it are passed over by their rollups. */
function* lastBefore(
  source: () => Source,
  { home, beforeUs, entityIds }: { home: number; beforeUs: number; entityIds: readonly string[] },
  found: Map<string, HomeEvent>,
): Generator<undefined> {
  const span = { fromUs: FIRST_US, toUs: beforeUs };
  let endUs = beforeUs;
  for (;;) {
    const day = source().tables.nextDay(home, dayOf(FIRST_US), dayOf(endUs - 1), "desc");
    const missing = entityIds.filter((entityId) => !found.has(entityId));
    if (!day || missing.length === 0) return;
    endUs = day.day * DAY_US;
    const here = missing.filter((entityId) => source().tables.mayHaveEvents(home, day, entityId));
    if (here.length === 0) continue;
    for (const event of read(source(), { home, day, span }, { span: daySpan(day.day, span), entityIds: here })) {
      found.set(event.entityId, event);
    }
    yield;
  }
}
