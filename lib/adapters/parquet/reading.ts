import type { Clock } from "../../base/clock.ts";
import { HearthlineError } from "../../base/errors.ts";
import type { Random } from "../../base/random.ts";
import { backoffMs } from "../../base/retry.ts";
import type { Microseconds } from "../../base/time.ts";
import { compareEvents, type HomeEvent } from "../../event/index.ts";
import type { Reading } from "../../series/index.ts";
import type { EventPage, Position, RangeQuery } from "../../store/ports.ts";
import { atOnce } from "./at-once.ts";
import type { DayReader, DayWindow, Wanted } from "./day-reader.ts";
import { type DaySources, type DayState, daysOf, FIRST_DAY, LAST_DAY } from "./day-state.ts";
import { dayOf, dayStartUs } from "./names.ts";
import { ObjectGone } from "./part-files.ts";

export interface ReadingParts {
  readonly sources: DaySources;
  readonly reader: DayReader;
  readonly clock: Clock;
  readonly random: Random;
}

/** So often somebody may replace what was just listed; each time the listing is made again. */
const ATTEMPTS = 8;
const DAYS_AHEAD = 8;
/** Windows of few entities are read ahead: each is a request or two. */
const WINDOWS_AHEAD = 6;

/** Does work that stands on a listing; again with a new listing when an object of it is gone. @throws HearthlineError `conflict` after bounded attempts */
export async function onFreshListing<T>(
  { clock, random }: Pick<ReadingParts, "clock" | "random">,
  work: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (thrown) {
      if (!(thrown instanceof ObjectGone)) throw thrown;
      if (attempt >= ATTEMPTS) throw goneAgain(thrown);
      // The first time somebody has just compacted a day; only who is unlucky again waits.
      if (attempt > 2) await clock.sleep(backoffMs(attempt - 2, random, { baseMs: 20, maxMs: 500 }));
    }
  }
}

const goneAgain = (thrown: ObjectGone): HearthlineError => {
  const what = `The object "${thrown.message}" was listed and gone, ${ATTEMPTS} times in a row; wanted is that it is read again later.`;
  return new HearthlineError("conflict", what, { cause: thrown });
};

interface Bounds {
  readonly fromUs: Microseconds;
  readonly toUs: Microseconds;
}

const EARLIEST_US = dayStartUs(FIRST_DAY);
const BEHIND_US = dayStartUs(LAST_DAY);

function boundsOf({ fromUs, toUs }: Partial<Bounds>): Bounds {
  return { fromUs: Math.max(fromUs ?? EARLIEST_US, EARLIEST_US), toUs: Math.min(toUs ?? BEHIND_US, BEHIND_US) };
}

const daysBetween = (sources: DaySources, homeId: string, { fromUs, toUs }: Bounds): Promise<readonly DayState[]> =>
  daysOf(sources, homeId, { fromDay: dayOf(fromUs), toDay: dayOf(toUs - 1) });

/** One page. Days are looked at one after the other, until the page is full; a filter first asks each day whether it has such events at all. */
export function readPage({ sources, reader }: ReadingParts, query: RangeQuery): () => Promise<EventPage> {
  const { homeId, order, limit, after } = query;
  const isAscending = order === "asc";
  const asked = boundsOf(query);
  const bounds = {
    fromUs: after && isAscending ? Math.max(asked.fromUs, after.atUs) : asked.fromUs,
    toUs: after && !isAscending ? Math.min(asked.toUs, after.atUs + 1) : asked.toUs,
  };
  const wanted = wantedOf(query);
  const isWanted = matcherOf(wanted);
  return async () => {
    if (bounds.fromUs >= bounds.toUs || wanted?.entityIds?.size === 0) return { events: [] };
    const ascending = await daysBetween(sources, homeId, bounds);
    const days = isAscending ? ascending : ascending.toReversed();
    const page: HomeEvent[] = [];
    for await (const state of daysThatMayHold(reader, days, wanted)) {
      const windows = (await reader.windows(state)).filter((window) => isWithin(window, bounds));
      for (const window of isAscending ? windows : windows.toReversed()) {
        const events = await reader.events(window, wanted?.entityIds);
        for (const event of walk(events, isAscending, startOf(events, query, bounds))) {
          if (isAscending ? event.atUs >= bounds.toUs : event.atUs < bounds.fromUs) break;
          if (!isWanted(event)) continue;
          page.push(event);
          if (page.length === limit) return { events: page, next: positionOf(event) };
        }
      }
    }
    return { events: page };
  };
}

/** The index of the first event of the page, in its order. */
function startOf(events: readonly HomeEvent[], { order, after }: RangeQuery, { fromUs, toUs }: Bounds): number {
  const beyond = after && placeOf(after);
  if (order === "asc") {
    return partition(events, (event) => event.atUs < fromUs || (!!beyond && comparePlaces(event, beyond) <= 0));
  }
  return partition(events, (event) => event.atUs < toUs && (!beyond || comparePlaces(event, beyond) < 0)) - 1;
}

/** The index of the first event for which `isBefore` is no longer true; it must be true for all before that one. */
function partition(events: readonly HomeEvent[], isBefore: (event: HomeEvent) => boolean): number {
  let [low, high] = [0, events.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const event = events[middle];
    if (event && isBefore(event)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function* walk(events: readonly HomeEvent[], isAscending: boolean, start: number): Generator<HomeEvent> {
  const step = isAscending ? 1 : -1;
  for (let at = start; at >= 0 && at < events.length; at += step) {
    const event = events[at];
    if (event) yield event;
  }
}

async function* daysThatMayHold(reader: DayReader, days: readonly DayState[], wanted: Wanted | undefined) {
  if (!wanted) return yield* days;
  for (let at = 0; at < days.length; at += DAYS_AHEAD) {
    const some = days.slice(at, at + DAYS_AHEAD);
    const may = await atOnce(DAYS_AHEAD, some, (state) => reader.mayHold(state, wanted));
    for (const [index, state] of some.entries()) if (may[index]) yield state;
  }
}

const isWithin = (window: Bounds, { fromUs, toUs }: Bounds): boolean => window.toUs > fromUs && window.fromUs < toUs;

/** undefined: everything. */
function wantedOf({ entityIds, areaId, deviceId, domain }: Partial<RangeQuery>): Wanted | undefined {
  if (!entityIds && areaId === undefined && deviceId === undefined && domain === undefined) return undefined;
  return {
    ...(entityIds && { entityIds: new Set(entityIds) }),
    ...(areaId !== undefined && { areaId }),
    ...(deviceId !== undefined && { deviceId }),
    ...(domain !== undefined && { domain }),
  };
}

function matcherOf(wanted: Wanted | undefined) {
  const { entityIds, areaId, deviceId, domain } = wanted ?? {};
  return (event: HomeEvent): boolean =>
    (!entityIds || entityIds.has(event.entityId)) &&
    (areaId === undefined || event.areaId === areaId) &&
    (deviceId === undefined || event.deviceId === deviceId) &&
    (domain === undefined || event.domain === domain);
}

/** What orders an event: enough of it for `compareEvents`. */
type Place = Pick<HomeEvent, "atUs" | "entityId" | "kind">;
const comparePlaces = compareEvents as (a: Place, b: Place) => number;
const placeOf = ({ atUs, entityId, removed }: Position): Place => ({
  atUs,
  entityId,
  kind: removed ? "removed" : "change",
});
const positionOf = (event: HomeEvent): Position => ({
  atUs: event.atUs,
  entityId: event.entityId,
  removed: event.kind === "removed",
});

/** All events of a reading, ascending, window by window. When something is replaced meanwhile, it goes on where it was from a new listing. */
export async function* readAll(parts: ReadingParts, reading: Reading): AsyncGenerator<readonly HomeEvent[]> {
  const { homeId } = reading;
  const { toUs, ...asked } = boundsOf(reading);
  const wanted = wantedOf(reading);
  if (wanted?.entityIds?.size === 0) return;
  let { fromUs } = asked;
  let failures = 0;
  while (fromUs < toUs) {
    try {
      for await (const { window, events } of windowsOf(parts, homeId, { bounds: { fromUs, toUs }, wanted })) {
        const bounds = { fromUs, toUs };
        const found = events.filter(
          ({ atUs, entityId }) =>
            atUs >= bounds.fromUs && atUs < toUs && (!wanted?.entityIds || wanted.entityIds.has(entityId)),
        );
        if (found.length > 0) yield found;
        fromUs = window.toUs;
        failures = 0;
      }
      return;
    } catch (thrown) {
      if (!(thrown instanceof ObjectGone)) throw thrown;
      if (++failures >= ATTEMPTS) throw goneAgain(thrown);
    }
  }
}

async function* windowsOf(
  { sources, reader }: ReadingParts,
  homeId: string,
  { bounds, wanted }: { readonly bounds: Bounds; readonly wanted: Wanted | undefined },
) {
  const days = await daysBetween(sources, homeId, bounds);
  const ahead = wanted?.entityIds ? WINDOWS_AHEAD : 1;
  let under: Promise<{ readonly window: DayWindow; readonly events: readonly HomeEvent[] }>[] = [];
  for await (const state of daysThatMayHold(reader, days, wanted)) {
    for (const window of await reader.windows(state)) {
      if (!isWithin(window, bounds)) continue;
      const one = reader.events(window, wanted?.entityIds).then((events) => ({ window, events }));
      // Whoever waits for it hears of it; until then it is not unhandled.
      one.catch(() => {});
      under.push(one);
      if (under.length < ahead) continue;
      const [first, ...rest] = under;
      under = rest;
      if (first) yield await first;
    }
  }
  for (const one of under) yield await one;
}

/** The last event before the moment of each of these entities that has one. */
export async function lastBefore(
  { sources, reader }: ReadingParts,
  homeId: string,
  { entityIds, beforeUs }: { readonly entityIds: readonly string[]; readonly beforeUs: Microseconds },
): Promise<ReadonlyMap<string, HomeEvent>> {
  const found = new Map<string, HomeEvent>();
  const missing = new Set(entityIds);
  const bounds = boundsOf({ toUs: beforeUs });
  if (missing.size === 0 || bounds.fromUs >= bounds.toUs) return found;
  const days = (await daysBetween(sources, homeId, bounds)).toReversed();
  for await (const state of daysThatMayHold(reader, days, { entityIds: missing })) {
    for (const window of (await reader.windows(state)).toReversed()) {
      if (window.fromUs >= beforeUs) continue;
      for (const event of (await reader.events(window, new Set(missing))).toReversed()) {
        if (event.atUs >= beforeUs || !missing.delete(event.entityId)) continue;
        found.set(event.entityId, event);
      }
      if (missing.size === 0) return found;
    }
  }
  return found;
}
