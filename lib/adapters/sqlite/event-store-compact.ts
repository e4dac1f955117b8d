import type { HomeEvent } from "../../event/index.ts";
import { encodeBlock } from "../../series/index.ts";
import { stepsOf } from "./event-store-read.ts";
import { createDayRollups } from "./event-store-rollups.ts";
import type { Source } from "./event-store-spans.ts";
import { DAY_US, type NewSegment, type Tables } from "./event-store-tables.ts";
import { spanOf } from "./event-store-write.ts";

/** Events whose entities are sorted apart together: a page over all entities has to look into all blocks of one chunk, one entity's month into one of each. */
const CHUNK_ROWS = 16_384;
/** An entity with more has a block of its own. */
const BLOCK_ROWS = 2_048;
/** Of blocks that are read many times and written once. */
const LEVEL = 3;

/** A day of a home as it was when its compaction or its pruning began. */
export interface DayPlan {
  readonly homeId: string;
  readonly home: number;
  readonly day: number;
  readonly ids: string;
}

export function planOf({ tables }: Source, homeId: string, day: number): DayPlan | undefined {
  const home = tables.homeOf(homeId);
  return home === undefined ? undefined : { homeId, home, day, ids: idsOf(tables, home, day) };
}

/** False when somebody has written to the day since, or merged, or deleted: what was made of it is worth nothing. To be asked in the write transaction. */
export const isAsPlanned = (tables: Tables, { home, day, ids }: DayPlan): boolean => idsOf(tables, home, day) === ids;

const idsOf = (tables: Tables, home: number, day: number): string =>
  tables
    .segments(home, day)
    .map(({ id }) => id)
    .join();

export interface CompactedDay {
  readonly segments: readonly Omit<NewSegment, "seq">[];
  readonly rollups: ReadonlyMap<string, Uint8Array | null>;
}

/** The day's new segments and rollups. Yields between steps of some 50 ms; memory holds one chunk of events, and the day as it will be in the file. */
export function* compactedDay(
  reading: <T>(work: (source: Source) => T) => T,
  { homeId, day }: DayPlan,
): Generator<undefined, CompactedDay> {
  const segments: Omit<NewSegment, "seq">[] = [];
  const rollups = createDayRollups();
  let chunk: HomeEvent[] = [];
  const span = { fromUs: day * DAY_US, toUs: (day + 1) * DAY_US };
  for (const { events } of stepsOf(reading, { homeId, span })) {
    yield;
    for (const event of events) rollups.add(event);
    chunk = chunk.concat(events);
    if (chunk.length < CHUNK_ROWS) continue;
    segments.push(...blocksOf(chunk));
    chunk = [];
    yield;
  }
  segments.push(...blocksOf(chunk));
  return { segments, rollups: rollups.finish() };
}

/** Entities that are neighbours by id come into one block, each entity whole. Within a block rows are ordered by time, as everywhere. */
function blocksOf(chunk: readonly HomeEvent[]): Omit<NewSegment, "seq">[] {
  const blocks: Omit<NewSegment, "seq">[] = [];
  const counts = new Map<string, number>();
  for (const { entityId } of chunk) counts.set(entityId, (counts.get(entityId) ?? 0) + 1);
  const sorted = [...counts.keys()].sort();
  const groups: string[][] = [];
  let rows = Number.POSITIVE_INFINITY;
  for (const entityId of sorted) {
    const own = counts.get(entityId) ?? 0;
    if (rows + own > BLOCK_ROWS) {
      groups.push([]);
      rows = 0;
    }
    groups.at(-1)?.push(entityId);
    rows += own;
  }
  const groupOf = new Map(groups.flatMap((group, at) => group.map((entityId) => [entityId, at] as const)));
  const byGroup: HomeEvent[][] = groups.map(() => []);
  for (const event of chunk) byGroup[groupOf.get(event.entityId) ?? 0]?.push(event);
  for (const [at, events] of byGroup.entries()) {
    const [firstEntity, lastEntity] = [groups[at]?.[0], groups[at]?.at(-1)];
    // Text that UTF-8 cannot hold would not come back as it was.
    const isKnown = firstEntity?.isWellFormed() && lastEntity?.isWellFormed();
    const range = isKnown ? { firstEntity, lastEntity } : { firstEntity: undefined, lastEntity: undefined };
    blocks.push({ ...spanOf(events), isClosed: true, ...range, body: encodeBlock(events, { level: LEVEL }) });
  }
  return blocks;
}

/** Puts the new segments into the place of all that the day had. To be called in the write transaction in which the plan was found to hold. */
export function putCompacted(tables: Tables, { home, day }: DayPlan, compacted: CompactedDay): void {
  const [newest] = tables.tail(home, day, 1);
  tables.run("DELETE FROM segment WHERE home = ? AND day = ?", home, day);
  for (const segment of compacted.segments) tables.add(home, day, { ...segment, seq: newest?.seq });
  tables.run("DELETE FROM rollup WHERE home = ? AND day = ?", home, day);
  for (const [entityId, body] of compacted.rollups) {
    tables.run("INSERT INTO rollup (home, entity, day, body) VALUES (?, ?, ?, ?)", home, entityId, day, body);
  }
  tables.run("UPDATE day SET state = 1 WHERE home = ? AND day = ?", home, day);
}
