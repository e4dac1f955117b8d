import { compareEvents, type HomeEvent, naturalKey, rankOf } from "../../event/index.ts";
import type { EntityStats, EventStore, Position, RangeQuery } from "../../store/ports.ts";

/** One home's events in the order of `compareEvents`. */
type Events = HomeEvent[];

/** About what one event takes beside its texts, so that `stats` says something of the same kind as a file would. */
const EVENT_BYTES = 200;

/**
 * The time-series store in this process's memory: gone with it. For tests, and for a look around that shall leave nothing behind.
 * It never fails.
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
    stats: async (query) => {
      const events = homes.get(query.homeId) ?? [];
      const [from, to] = boundsOf(events, query);
      const found = events.slice(from, to).filter(matcherOf(query));
      const entities = Map.groupBy(found, (event) => event.entityId);
      return [...entities].sort(([a], [b]) => (a < b ? -1 : 1)).map(([entityId, own]) => statsOf(entityId, own));
    },
    prune: async (homeId, beforeUs) => {
      const events = homes.get(homeId) ?? [];
      return events.splice(0, boundsOf(events, { toUs: beforeUs })[1]).length;
    },
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

function statsOf(entityId: string, events: readonly HomeEvent[]): EntityStats {
  const times = events.map((event) => event.atUs);
  const gaps = times.slice(1).map((atUs, index) => atUs - (times[index] ?? atUs));
  const sets = new Set(events.map((event) => JSON.stringify(event.attributes)));
  const shared = [...sets].reduce((sum, text) => sum + text.length, 0);
  return {
    entityId,
    count: events.length,
    firstUs: times[0] ?? 0,
    lastUs: times.at(-1) ?? 0,
    bytes: shared + events.reduce((sum, event) => sum + EVENT_BYTES + naturalKey(event).length + event.state.length, 0),
    longestGapSeconds: gaps.reduce((longest, gap) => Math.max(longest, gap), 0) / 1e6,
  };
}
