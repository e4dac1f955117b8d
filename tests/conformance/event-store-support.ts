import { expect } from "vitest";
import { compareEvents, type HomeEvent, naturalKey, rankOf } from "../../lib/event/index.ts";
import { aggregateByReading, createTiles, type Reading } from "../../lib/series/index.ts";
import type { AggregateQuery, EventStore, Position, RangeQuery, ScanQuery, TileQuery } from "../../lib/store/ports.ts";

/** A store to test: `reopen` closes it and opens it again with the same data (an adapter without a file gives itself). */
export interface EventStoreUnderTest {
  readonly store: EventStore;
  reopen(): Promise<EventStore>;
  /** Drops it where it stands, as a power cut does: nothing is closed or finished. Opens it again. */
  crash?(): Promise<EventStore>;
  /**
   * The next write (or compaction) meets a fault of the adapter's own choice somewhere on its way: it rejects with a fault of fate `retry`, after having done all,
   * a part, or nothing. `choice` picks one of the places. The answer takes the fault back, if it has not happened.
   */
  breakNext?(choice: number): () => void;
  dispose(): Promise<void>;
}

/** What a store may differ in. */
export interface EventStoreTraits {
  /** The times that it takes, both included. Default: every whole number of microseconds that a double holds exactly. */
  readonly limits?: { readonly minUs: number; readonly maxUs: number };
  /** False: of a write that failed some events may be there. Default: all or none. */
  readonly isTransactional?: boolean;
  /** False: `prune` deletes nothing and says 0; events go by the store's own retention alone. Default: it deletes. */
  readonly isPruned?: boolean;
  /** For a store at the end of a wire: so much of the volume and of the random runs, 0 to 1. Default 1. */
  readonly share?: number;
}

/** Opens an empty store. */
export type OpenEventStore = () => Promise<EventStoreUnderTest>;

export const NEWEST = { order: "desc", limit: 100 } as const;
export const OLDEST = { order: "asc", limit: 1000 } as const;

/** All pages of a query, one after the other. */
export async function readAll(store: EventStore, query: RangeQuery, between = async () => {}): Promise<HomeEvent[]> {
  const events: HomeEvent[] = [];
  let after: Position | undefined = query.after;
  for (;;) {
    const page = await store.range({ ...query, ...(after && { after }) });
    expect(page.events.length).toBeLessThanOrEqual(query.limit);
    events.push(...page.events);
    if (!page.next) return events;
    expect(page.next).not.toEqual(after);
    after = page.next;
    await between();
  }
}

/** All pieces of a scan, one after the other. */
export async function scanAll(store: EventStore, query: ScanQuery): Promise<HomeEvent[]> {
  const events: HomeEvent[] = [];
  for await (const piece of store.scan(query)) {
    expect(piece.length).toBeGreaterThan(0);
    events.push(...piece);
  }
  return events;
}

/** The port's words, as plainly as they can be put: what a store holds after some writes and prunes. */
export interface Model {
  write(events: readonly HomeEvent[]): void;
  /** How many went. */
  prune(homeId: string, beforeUs: number): number;
  /** All of a home's events, in order. */
  events(homeId: string): HomeEvent[];
  get(key: string): HomeEvent | undefined;
  clear(): void;
}

export function createModel(): Model {
  const held = new Map<string, HomeEvent>();
  return {
    write: (events) => {
      for (const event of events) {
        const there = held.get(naturalKey(event));
        if (!there || rankOf(event) >= rankOf(there)) held.set(naturalKey(event), event);
      }
    },
    prune: (homeId, beforeUs) => {
      const old = [...held].filter(([, event]) => event.homeId === homeId && event.atUs < beforeUs);
      for (const [key] of old) held.delete(key);
      return old.length;
    },
    events: (homeId) => [...held.values()].filter((event) => event.homeId === homeId).sort(compareEvents),
    get: (key) => held.get(key),
    clear: () => held.clear(),
  };
}

/** `aggregate`'s answer by the pure functions, over all of a home's events. */
export function aggregatesOf(events: readonly HomeEvent[], query: AggregateQuery) {
  const isIn = ({ entityIds, fromUs = -Infinity, toUs = Infinity }: Reading) =>
    events.filter(
      (event) => event.atUs >= fromUs && event.atUs < toUs && (!entityIds || entityIds.includes(event.entityId)),
    );
  return aggregateByReading(query, {
    read: async function* (reading) {
      yield isIn(reading);
    },
    lastBefore: async (_, entityId, beforeUs) =>
      events.findLast((event) => event.entityId === entityId && event.atUs < beforeUs),
  });
}

/** `tiles`' answer by the pure functions, over all of a home's events. */
export function tilesOf(events: readonly HomeEvent[], { fromUs, toUs, widthUs }: TileQuery) {
  const tiles = createTiles(widthUs);
  for (const event of events) if (event.atUs >= fromUs && event.atUs < toUs) tiles.add(event);
  return tiles.finish();
}

/** What can be read of a home, whatever is asked: equal before and after all that changes nothing. */
export async function readEverything(store: EventStore, homeId: string, events: readonly HomeEvent[]) {
  const times = events.map(({ atUs }) => atUs);
  const [fromUs, toUs] = [Math.min(...times, 0), Math.max(...times, 1) + 1];
  const entityIds = [...new Set(events.map(({ entityId }) => entityId))].slice(0, 100);
  const step = (toUs - fromUs) / 50;
  const edges = [...new Set(Array.from({ length: 51 }, (_, index) => Math.round(fromUs + index * step)))];
  const widthUs = 3_600_000_000;
  const tiles = {
    homeId,
    widthUs,
    fromUs: Math.floor(fromUs / widthUs) * widthUs,
    toUs: Math.ceil(toUs / widthUs) * widthUs,
  };
  return {
    up: await readAll(store, { homeId, ...OLDEST }),
    down: await readAll(store, { homeId, order: "desc", limit: 37 }),
    scanned: await scanAll(store, { homeId }),
    some: await readAll(store, { homeId, ...OLDEST, entityIds: entityIds.slice(0, 2) }),
    counts: (await store.stats({ homeId })).map(({ bytes, ...figures }) => figures),
    aggregates: entityIds.length > 0 ? await store.aggregate({ homeId, entityIds, edges }) : [],
    tiles: await store.tiles(tiles),
    retention: await store.retention(homeId),
  };
}
