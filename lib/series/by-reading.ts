import type { Microseconds } from "../base/time.ts";
import type { HomeEvent } from "../event/index.ts";
import { createTiles, type Tile } from "./tiles.ts";
import { createWindows, type WindowAggregate, type Windows } from "./windows.ts";

/** Aggregates, tiles and stats for stores that make them from the events themselves. Memory grows with windows and entities, never with events. */

/** What of a home's events is read. */
export interface Reading {
  readonly homeId: string;
  readonly entityIds?: readonly string[];
  /** Included. */
  readonly fromUs?: Microseconds;
  /** Not included. */
  readonly toUs?: Microseconds;
}

/** Pages of events, ascending as by `compareEvents`, each natural key once. A page may be dropped before the next is asked for. */
export type ReadEvents = (reading: Reading) => AsyncIterable<readonly HomeEvent[]>;

export interface ReadingSource {
  readonly read: ReadEvents;
  /** The entity's last event before the moment. */
  lastBefore(homeId: string, entityId: string, beforeUs: Microseconds): Promise<HomeEvent | undefined>;
}

/** The windows of each entity, in the order of `entityIds` (each once); `edges` as of `createWindows`. */
export async function aggregateByReading(
  query: { readonly homeId: string; readonly entityIds: readonly string[]; readonly edges: readonly Microseconds[] },
  { read, lastBefore }: ReadingSource,
): Promise<{ readonly entityId: string; readonly windows: readonly WindowAggregate[] }[]> {
  const { homeId, edges } = query;
  const [fromUs = 0] = edges;
  const toUs = edges.at(-1) ?? fromUs;
  const builders = new Map<string, Windows>(query.entityIds.map((entityId) => [entityId, createWindows(edges)]));
  const entityIds = [...builders.keys()];
  for await (const page of read({ homeId, entityIds, fromUs, toUs })) {
    for (const event of page) builders.get(event.entityId)?.add(event);
  }
  const found = [];
  for (const [entityId, windows] of builders) {
    found.push({ entityId, windows: windows.finish(await lastBefore(homeId, entityId, fromUs)) });
  }
  return found;
}

/** Tiles from `fromUs` to `toUs`, ascending. */
export async function tilesByReading(
  query: {
    readonly homeId: string;
    readonly fromUs: Microseconds;
    readonly toUs: Microseconds;
    readonly widthUs: Microseconds;
  },
  read: ReadEvents,
): Promise<Tile[]> {
  const { homeId, fromUs, toUs, widthUs } = query;
  const tiles = createTiles(widthUs);
  for await (const page of read({ homeId, fromUs, toUs })) for (const event of page) tiles.add(event);
  return tiles.finish();
}

/** What is stored of one entity; shaped as the store's port wants it. */
export interface EntityFigures {
  readonly entityId: string;
  readonly count: number;
  readonly firstUs: Microseconds;
  readonly lastUs: Microseconds;
  /** Whole; of an event alone `bytesOf` may say a fraction. */
  readonly bytes: number;
  readonly longestGapSeconds: number;
}

/**
 * Per entity, ordered by entity id (code units). `bytesOf`: about what one event takes in this store; `before` is the entity's event before, so that a set of
 * attributes that both have counts once.
 */
export async function statsByReading(
  query: Reading,
  read: ReadEvents,
  bytesOf: (event: HomeEvent, before: HomeEvent | undefined) => number = plainBytesOf,
): Promise<EntityFigures[]> {
  const entities = new Map<string, { figures: EntityFigures; last: HomeEvent }>();
  for await (const page of read(query)) {
    for (const event of page) {
      const { entityId, atUs } = event;
      const so = entities.get(entityId);
      const { count, firstUs, bytes, longestGapSeconds } = so?.figures ?? NO_FIGURES;
      const figures = {
        entityId,
        count: count + 1,
        firstUs: so ? firstUs : atUs,
        lastUs: atUs,
        bytes: bytes + bytesOf(event, so?.last),
        longestGapSeconds: so ? Math.max(longestGapSeconds, (atUs - so.last.atUs) / 1e6) : 0,
      };
      entities.set(entityId, { figures, last: event });
    }
  }
  const all = [...entities.values()].map(({ figures }) => ({ ...figures, bytes: Math.round(figures.bytes) }));
  return all.sort((a, b) => (a.entityId < b.entityId ? -1 : 1));
}

const NO_FIGURES = { count: 0, firstUs: 0, bytes: 0, longestGapSeconds: 0 };
/** Key, times, numbers and names of a row, before any compression. */
const ROW_BYTES = 80;

function plainBytesOf(event: HomeEvent, before: HomeEvent | undefined): number {
  const attributes = before?.attributes === event.attributes ? "" : JSON.stringify(event.attributes);
  const isSame = before !== undefined && attributes !== "" && attributes === JSON.stringify(before.attributes);
  return ROW_BYTES + event.state.length + event.context.id.length + (isSame ? 0 : attributes.length);
}
