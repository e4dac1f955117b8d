import { compareEvents, type HomeEvent } from "../../event/index.ts";
import { mergeRuns } from "../../series/index.ts";
import type { Blocks } from "./event-store-blocks.ts";
import type { Segment, Tables } from "./event-store-tables.ts";

/** A time from `fromUs`, included, to `toUs`, not included. */
export interface Span {
  readonly fromUs: number;
  readonly toUs: number;
}

/** What is wanted beside the time. */
export interface Choice {
  readonly entityIds?: readonly string[] | undefined;
  readonly areaId?: string | undefined;
  readonly deviceId?: string | undefined;
  readonly domain?: string | undefined;
}

export interface Source {
  readonly tables: Tables;
  readonly blocks: Blocks;
}

/** Those of the segments that may hold something of it, in their order. */
export function segmentsIn(segments: readonly Segment[], span: Span, entityIds?: readonly string[]): Segment[] {
  return segments.filter(
    (segment) =>
      segment.minUs < span.toUs &&
      segment.maxUs >= span.fromUs &&
      (entityIds === undefined || entityIds.some((entityId) => mayHold(segment, entityId))),
  );
}

const mayHold = ({ firstEntity, lastEntity }: Segment, entityId: string): boolean =>
  firstEntity === undefined || lastEntity === undefined || (entityId >= firstEntity && entityId <= lastEntity);

/**
 * The events of a span, from segments of one day in the order of `seq`: sorted, one event a key. To be called in the transaction in which the segments were listed,
 * so that none is missing.
 */
export function readSpan(source: Source, segments: readonly Segment[], { span, choice = {} }: Reading): HomeEvent[] {
  const hasTags = choice.areaId !== undefined || choice.deviceId !== undefined || choice.domain !== undefined;
  const blocks = segmentsIn(segments, span, choice.entityIds).flatMap(
    (segment) => source.blocks.open(source.tables, segment) ?? [],
  );
  // Tags may not be asked of a single segment: a newer one may hold the same event with others. Its entity is the same in both.
  const tagged = hasTags ? new Set(blocks.flatMap((block) => block.entityIds(choice))) : undefined;
  const entityIds = tagged ? (choice.entityIds?.filter((id) => tagged.has(id)) ?? [...tagged]) : choice.entityIds;
  if (entityIds?.length === 0) return [];
  const filter = { ...span, ...(entityIds && { entityIds }) };
  const events = mergeRuns(blocks.map((block) => block.events(filter)));
  return hasTags ? events.filter((event) => hasAll(event, choice)) : events;
}

interface Reading {
  readonly span: Span;
  readonly choice?: Choice;
}

const hasAll = (event: HomeEvent, { areaId, deviceId, domain }: Choice): boolean =>
  (areaId === undefined || event.areaId === areaId) &&
  (deviceId === undefined || event.deviceId === deviceId) &&
  (domain === undefined || event.domain === domain);

/** The part of a span, from its beginning or its end, in which about so many rows lie; the rows of a segment are taken as evenly spread over its time. */
export function partOf(
  segments: readonly Segment[],
  span: Span,
  { rows, order }: { rows: number; order: "asc" | "desc" },
): Span {
  const inside = segmentsIn(segments, span);
  const fromUs = inside.reduce((least, { minUs }) => Math.min(least, minUs), span.toUs - 1);
  const toUs = inside.reduce((most, { maxUs }) => Math.max(most, maxUs + 1), span.fromUs + 1);
  // Outside of these there is nothing to read, but the part has to reach to the span's end for the reader to get on.
  let low = Math.max(span.fromUs, fromUs);
  let high = Math.min(span.toUs, toUs);
  const begin = low;
  const end = high;
  if (rowsIn(inside, { fromUs: low, toUs: high }) <= rows) return span;
  while (high - low > 1) {
    const middle = low + Math.floor((high - low) / 2);
    const part = order === "asc" ? { fromUs: begin, toUs: middle } : { fromUs: middle, toUs: end };
    const isEnough = rowsIn(inside, part) >= rows;
    if (order === "asc" ? isEnough : !isEnough) high = middle;
    else low = middle;
  }
  return order === "asc" ? { fromUs: span.fromUs, toUs: high } : { fromUs: low, toUs: span.toUs };
}

function rowsIn(segments: readonly Segment[], { fromUs, toUs }: Span): number {
  let rows = 0;
  for (const { count, minUs, maxUs } of segments) {
    const shared = Math.min(toUs, maxUs + 1) - Math.max(fromUs, minUs);
    if (shared > 0) rows += (count * shared) / (maxUs + 1 - minUs);
  }
  return rows;
}

/** Sorted, one event a key; of equal ranks the later in the batch stays. */
export function sortedRun(events: readonly HomeEvent[]): readonly HomeEvent[] {
  return isSorted(events) ? events : mergeRuns([events.toSorted(compareEvents)]);
}

/** A plain loop: this is a tenth of what a large write costs. */
function isSorted(events: readonly HomeEvent[]): boolean {
  let before: HomeEvent | undefined;
  for (const event of events) {
    if (before && before.atUs >= event.atUs && compareEvents(before, event) >= 0) return false;
    before = event;
  }
  return true;
}
