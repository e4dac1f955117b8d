import { compareEvents, type HomeEvent, rankOf } from "../../event/index.ts";
import { aggregateByReading, type Reading, statsByReading, tilesByReading } from "../../series/index.ts";
import type { EventStore, Position, RangeQuery } from "../../store/ports.ts";

const PIECE_EVENTS = 4_096;

/** One home's events in the order of `compareEvents`. */
type Events = HomeEvent[];

/**
 * The time-series store in this process's memory: gone with it. For tests, and for a look around that shall leave nothing behind.
 * It never fails. Days are never compacted, and only the nightly job deletes.
 */
export function createMemoryEventStore(): EventStore {
  const homes = new Map<string, Events>();

  function put(event: HomeEvent): void {
    let events = homes.get(event.homeId);
    if (!events) {
      events = [];
      homes.set(event.homeId, events);
    }
    const index = firstNotBefore(events, event);
    const there = events[index];
    if (!there || compareEvents(there, event) !== 0) events.splice(index, 0, event);
    else if (rankOf(event) >= rankOf(there)) events[index] = event;
  }

  async function* read({ homeId, entityIds, fromUs, toUs }: Reading): AsyncGenerator<readonly HomeEvent[]> {
    const events = homes.get(homeId) ?? [];
    const span = { ...(fromUs !== undefined && { fromUs }), ...(toUs !== undefined && { toUs }) };
    const [from, to] = boundsOf(events, span);
    const found = events.slice(from, to).filter(matcherOf({ ...(entityIds && { entityIds }) }));
    for (let at = 0; at < found.length; at += PIECE_EVENTS) yield found.slice(at, at + PIECE_EVENTS);
  }

  async function lastBefore(homeId: string, entityId: string, beforeUs: number): Promise<HomeEvent | undefined> {
    const events = homes.get(homeId) ?? [];
    return events.slice(0, boundsOf(events, { toUs: beforeUs })[1]).findLast((event) => event.entityId === entityId);
  }

  return {
    write: async (batch) => batch.forEach(put),
    range: async (query) => {
      const events = homes.get(query.homeId) ?? [];
      const [from, to] = boundsOf(events, query);
      const matches = matcherOf(query);
      const page: HomeEvent[] = [];
      const step = query.order === "asc" ? 1 : -1;
      for (let at = step > 0 ? from : to - 1; at >= from && at < to && page.length < query.limit; at += step) {
        const event = events[at];
        if (event && matches(event)) page.push(event);
      }
      const last = page.at(-1);
      return last && page.length === query.limit ? { events: page, next: positionOf(last) } : { events: page };
    },
    scan: read,
    stats: (query) => statsByReading(query, read),
    aggregate: (query) => aggregateByReading(query, { read, lastBefore }),
    tiles: (query) => tilesByReading(query, read),
    prune: async (homeId, beforeUs) => {
      const events = homes.get(homeId) ?? [];
      return events.splice(0, boundsOf(events, { toUs: beforeUs })[1]).length;
    },
    compact: async () => {},
    setUp: async () => {},
    retention: async (homeId) => {
      const oldest = homes.get(homeId)?.[0];
      return { means: ["job"], ...(oldest && { oldestUs: oldest.atUs }) };
    },
    drop: async () => homes.clear(),
    check: async () => {},
    close: async () => {},
  };
}

const positionOf = (event: HomeEvent): Position => ({
  atUs: event.atUs,
  entityId: event.entityId,
  removed: event.kind === "removed",
});

/** What orders an event: enough of it for `compareEvents`. */
type Place = Pick<HomeEvent, "atUs" | "entityId" | "kind">;

const placeOf = ({ atUs, entityId, removed }: Position): Place => ({
  atUs,
  entityId,
  kind: removed ? "removed" : "change",
});

/** The index of the first event for which `isBefore` is no longer true; it must be true for all before that one. */
function partition(events: Events, isBefore: (event: HomeEvent) => boolean): number {
  let low = 0;
  let high = events.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const event = events[middle];
    if (event && isBefore(event)) low = middle + 1;
    else high = middle;
  }
  return low;
}

const comparePlaces = compareEvents as (a: Place, b: Place) => number;
const firstNotBefore = (events: Events, place: Place): number =>
  partition(events, (event) => comparePlaces(event, place) < 0);
const firstBehind = (events: Events, place: Place): number =>
  partition(events, (event) => comparePlaces(event, place) <= 0);

/** Indexes of the query's time, the second not included; of a page that goes on, what is left of it. */
function boundsOf(events: Events, query: Partial<Pick<RangeQuery, "fromUs" | "toUs" | "after" | "order">>) {
  const { fromUs, toUs, after, order } = query;
  let from = fromUs === undefined ? 0 : partition(events, (event) => event.atUs < fromUs);
  let to = toUs === undefined ? events.length : partition(events, (event) => event.atUs < toUs);
  if (after && order === "asc") from = Math.max(from, firstBehind(events, placeOf(after)));
  if (after && order === "desc") to = Math.min(to, firstNotBefore(events, placeOf(after)));
  return [from, to] as const;
}

function matcherOf(query: Pick<RangeQuery, "entityIds" | "areaId" | "deviceId" | "domain">) {
  const { areaId, deviceId, domain } = query;
  const entityIds = query.entityIds && new Set(query.entityIds);
  return (event: HomeEvent): boolean =>
    (!entityIds || entityIds.has(event.entityId)) &&
    (areaId === undefined || event.areaId === areaId) &&
    (deviceId === undefined || event.deviceId === deviceId) &&
    (domain === undefined || event.domain === domain);
}
