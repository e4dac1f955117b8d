import type { HomeEvent } from "../../event/index.ts";
import type { EventPage, EventStore, Position, RangeQuery } from "../../store/ports.ts";

/**
 * A page that began on one side goes on at the other: the position is the natural key, which both have. Where OLD's time stamps are cut, its order within one of its ticks (by entity) is not NEW's
 * (by time): there a page that changes sides may show events of that one tick twice rather than leave one out. A position on a whole tick is taken for OLD's. NEW's is there by chance only: one page in as many
 * as a tick has microseconds, and only where sides change behind it and the same tick holds more can something be left out.
 */

const positionOf = ({ atUs, entityId, kind }: HomeEvent): Position => ({ atUs, entityId, removed: kind === "removed" });

/** The query as OLD is asked it: behind a position of NEW's, the whole tick in which that lies is asked for again. */
export function queryForOld(query: RangeQuery, precisionUs: number): RangeQuery {
  const { after, order, fromUs, toUs, ...rest } = query;
  if (!after || after.atUs % precisionUs === 0) return query;
  const tickUs = after.atUs - (after.atUs % precisionUs);
  const [fromTickUs, toTickUs] = order === "asc" ? [tickUs] : [undefined, tickUs + precisionUs];
  const from = latest(fromUs, fromTickUs);
  const to = earliest(toUs, toTickUs);
  return { ...rest, order, ...(from !== undefined && { fromUs: from }), ...(to !== undefined && { toUs: to }) };
}

const latest = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);
const earliest = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);

const TICK_PAGE = 1_000;

/**
 * A page of NEW. Descending behind a position of OLD's, the tick is not over: OLD gave the entities from the last one down, NEW has those below at later moments of the same tick.
 */
export async function rangeOfNew(
  store: Pick<EventStore, "range">,
  query: RangeQuery,
  precisionUs: number,
): Promise<EventPage> {
  const { after, order, limit, toUs } = query;
  if (precisionUs === 1 || !after || order === "asc" || after.atUs % precisionUs !== 0) return store.range(query);
  const inTick: HomeEvent[] = [];
  const tick = {
    ...query,
    fromUs: latest(query.fromUs, after.atUs + 1) ?? 0,
    toUs: earliest(toUs, after.atUs + precisionUs) ?? 0,
  };
  for (let behind: Position | undefined; tick.fromUs < tick.toUs; ) {
    const { after: _, ...whole } = tick;
    const page = await store.range({ ...whole, limit: TICK_PAGE, ...(behind && { after: behind }) });
    inTick.push(...page.events.filter(({ entityId }) => entityId < after.entityId));
    behind = page.next;
    if (!behind || inTick.length >= limit) break;
  }
  const last = inTick[limit - 1];
  if (last) return { events: inTick.slice(0, limit), next: positionOf(last) };
  if (inTick.length === 0) return store.range(query);
  const rest = await store.range({ ...query, limit: limit - inTick.length });
  return { ...rest, events: [...inTick, ...rest.events] };
}
