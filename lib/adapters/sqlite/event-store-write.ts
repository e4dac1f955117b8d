import type { HomeEvent } from "../../event/index.ts";
import { encodeBlock, mergeRuns } from "../../series/index.ts";
import { isDamage } from "./event-store-blocks.ts";
import { type Source, sortedRun } from "./event-store-spans.ts";
import { dayOf, type Segment, type Tables } from "./event-store-tables.ts";

/** Segments of about one size are merged when there are so many of them. */
const FAN = 8;
/** Sizes go by powers of FAN: tier 0 holds fewer than 8 rows, tier 3 fewer than 4,096. Larger ones wait for compaction. */
const TIERS = 4;
/** A write of more rows merges nothing: who writes so much is in a hurry, and compaction comes anyway. */
const HURRY_ROWS = 512;
/** One merge costs some 50 ms at most. */
const MERGED_ROWS_MAX = 32_768;
const MERGED_SEGMENTS_MAX = 64;

/** The events of one home and one day, ready to be written. */
export interface Prepared {
  readonly homeId: string;
  readonly day: number;
  readonly events: readonly HomeEvent[];
  readonly body: Uint8Array;
}

/** All that can be done before the lock is taken. */
export function prepare(events: readonly HomeEvent[]): Prepared[] {
  return homes(events).flatMap(([homeId, own]) =>
    days(sortedRun(own)).map((run) => ({ homeId, day: dayOf(run[0]?.atUs ?? 0), events: run, body: encodeBlock(run) })),
  );
}

/** Most batches are of one home. */
function homes(events: readonly HomeEvent[]): (readonly [string, readonly HomeEvent[]])[] {
  const [first] = events;
  if (!first) return [];
  const { homeId } = first;
  for (const event of events) if (event.homeId !== homeId) return [...Map.groupBy(events, (each) => each.homeId)];
  return [[homeId, events]];
}

/** A sorted run, a part for each day. */
function days(run: readonly HomeEvent[]): (readonly HomeEvent[])[] {
  const [first, last] = [run[0], run.at(-1)];
  if (!first || !last) return [];
  if (dayOf(first.atUs) === dayOf(last.atUs)) return [run];
  return [...Map.groupBy(run, ({ atUs }) => dayOf(atUs)).values()];
}

/** To be called in a write transaction. */
export function put(source: Source, { homeId, day, events, body }: Prepared): void {
  const { tables } = source;
  const home = tables.makeHome(homeId);
  tables.add(home, day, { ...spanOf(events), seq: undefined, isClosed: false, ...NO_ENTITIES, body });
  touch(tables, { home, day, events });
  if (events.length < HURRY_ROWS) while (mergeTail(source, home, day));
}

export const NO_ENTITIES = { firstEntity: undefined, lastEntity: undefined } as const;

export const spanOf = (events: readonly HomeEvent[]) => ({
  count: events.length,
  minUs: events[0]?.atUs ?? 0,
  maxUs: events.at(-1)?.atUs ?? 0,
});

/** The day has these events now; what its rollups say of their entities is no longer so. */
function touch(
  tables: Tables,
  { home, day, events }: { home: number; day: number; events: readonly HomeEvent[] },
): void {
  tables.run("INSERT INTO day (home, day, state) VALUES (?, ?, 0) ON CONFLICT DO NOTHING", home, day);
  const [row] = tables.rows<[number]>("SELECT state FROM day WHERE home = ? AND day = ?", home, day);
  if (row?.[0] === 0) return;
  tables.run("UPDATE day SET state = 2 WHERE home = ? AND day = ? AND state = 1", home, day);
  const stale = `INSERT INTO rollup (home, entity, day, body) VALUES (?, ?, ?, NULL)
    ON CONFLICT DO UPDATE SET body = NULL WHERE body IS NOT NULL`;
  for (const entityId of new Set(events.map((event) => event.entityId))) tables.run(stale, home, entityId, day);
}

/**
 * Merges the newest segments when FAN or more of one tier and below stand together, so that a row is merged at most once a tier however small the writes are.
 * Only neighbours by `seq` may be merged: what stands between two could not be ordered with the result.
 */
function mergeTail({ tables, blocks }: Source, home: number, day: number): boolean {
  const tail = tables.tail(home, day, MERGED_SEGMENTS_MAX);
  for (let tier = 0; tier < TIERS; tier++) {
    const merged = suffix(tail, FAN ** (tier + 1));
    if (merged.length < FAN) continue;
    const runs = newestRuns({ tables, blocks }, merged);
    if (runs.length < FAN) return false;
    const segments = merged.slice(0, runs.length).reverse();
    replaceByOne(tables, { home, day, segments, events: mergeRuns(runs.reverse()) });
    return true;
  }
  return false;
}

function suffix(tail: readonly Segment[], belowRows: number): Segment[] {
  const found: Segment[] = [];
  let rows = 0;
  for (const segment of tail) {
    rows += segment.count;
    if (segment.isClosed || segment.count >= belowRows || rows > MERGED_ROWS_MAX) break;
    found.push(segment);
  }
  return found;
}

/** The segments' events, up to the first that is damaged: what is read later complains of it, what is written need not wait for a person. */
function newestRuns({ tables, blocks }: Source, segments: readonly Segment[]): HomeEvent[][] {
  const runs: HomeEvent[][] = [];
  for (const segment of segments) {
    try {
      runs.push(blocks.open(tables, segment)?.events() ?? []);
    } catch (thrown) {
      if (!isDamage(thrown)) throw thrown;
      break;
    }
  }
  return runs;
}

interface Replacement {
  readonly home: number;
  readonly day: number;
  /** The oldest first. */
  readonly segments: readonly Segment[];
  readonly events: readonly HomeEvent[];
}

function replaceByOne(tables: Tables, { home, day, segments, events }: Replacement): void {
  tables.remove(segments.map(({ id }) => id));
  tables.add(home, day, {
    ...spanOf(events),
    seq: segments.at(-1)?.seq,
    isClosed: false,
    ...NO_ENTITIES,
    body: encodeBlock(events),
  });
}
