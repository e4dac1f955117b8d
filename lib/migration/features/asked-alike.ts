import type { Microseconds } from "../../base/time.ts";
import type { HomeEvent } from "../../event/index.ts";
import type { EventPage, RangeQuery } from "../../store/ports.ts";
import { NONE, no, type Tried, yes } from "./tried.ts";

export interface About {
  readonly homeId: string;
  readonly nowUs: Microseconds;
  readonly settleUs: Microseconds;
}

const SAMPLE = 200;
/** A home in which nothing happens for so long is none (chosen by us). */
const FED_SECONDS = 86_400;

/** The door that both sides have alike. */
export type Range = (query: RangeQuery) => Promise<EventPage>;

/** Some of the newest settled events. */
export async function newest(range: Range, { homeId, nowUs, settleUs }: About): Promise<readonly HomeEvent[]> {
  return (await range({ homeId, toUs: nowUs - settleUs, order: "desc", limit: SAMPLE })).events;
}

export async function byEntity(range: Range, about: About): Promise<Tried> {
  const [one] = await newest(range, about);
  if (!one) return NONE;
  const { entityId } = one;
  const { events } = await range({ homeId: about.homeId, entityIds: [entityId], order: "desc", limit: SAMPLE });
  const isOnly = events.length > 0 && events.every((event) => event.entityId === entityId);
  return isOnly
    ? yes(`${events.length} events of ${entityId}`)
    : no(`asked for ${entityId} it gives others or nothing`);
}

export async function byTime(range: Range, about: About): Promise<Tried> {
  const events = await newest(range, about);
  const [last, first] = [events[0], events.at(-1)];
  if (!last || !first || last.atUs === first.atUs) return NONE;
  const [fromUs, toUs] = [first.atUs, last.atUs];
  const found = (await range({ homeId: about.homeId, fromUs, toUs, order: "asc", limit: SAMPLE })).events;
  const isWithin = found.length > 0 && found.every(({ atUs }) => atUs >= fromUs && atUs < toUs);
  return isWithin ? yes(`${found.length} events of a span`) : no("events of a span are not those of the span");
}

export async function byArea(range: Range, about: About): Promise<Tried> {
  const events = await newest(range, about);
  if (events.length === 0) return NONE;
  const areaId = events.find((event) => event.areaId !== undefined)?.areaId;
  if (areaId === undefined) return no("none of its events has an area");
  const found = (await range({ homeId: about.homeId, areaId, order: "desc", limit: SAMPLE })).events;
  const isOnly = found.length > 0 && found.every((event) => event.areaId === areaId);
  return isOnly
    ? yes(`${found.length} events of the area ${areaId}`)
    : no(`asked for the area ${areaId} it gives others or nothing`);
}

export async function inPages(range: Range, about: About): Promise<Tried> {
  const query = { homeId: about.homeId, toUs: about.nowUs - about.settleUs, order: "desc" as const, limit: 2 };
  const first = await range(query);
  if (!first.next) return NONE;
  const second = await range({ ...query, after: first.next });
  const all = [...first.events, ...second.events].map(
    ({ entityId, atUs, kind }) => `${entityId} ${atUs} ${kind === "removed"}`,
  );
  const isOn = second.events.length > 0 && new Set(all).size === all.length;
  return isOn
    ? yes(`${all.length} events in two pages, none twice`)
    : no("the second page does not go on behind the first");
}

export async function inBothOrders(range: Range, about: About): Promise<Tried> {
  const events = await newest(range, about);
  const [last, first] = [events[0], events.at(-1)];
  if (!last || !first || last.atUs === first.atUs) return NONE;
  const query = { homeId: about.homeId, fromUs: first.atUs, toUs: last.atUs + 1, limit: 1 };
  const [asc, desc] = await Promise.all([range({ ...query, order: "asc" }), range({ ...query, order: "desc" })]);
  const [oldest, latest] = [asc.events[0]?.atUs, desc.events[0]?.atUs];
  return oldest !== undefined && latest !== undefined && oldest < latest
    ? yes("oldest first and newest first")
    : no("both orders begin with the same event");
}

/** What only some events have is there when one of them has it. */
export const member = (what: string, has: (event: HomeEvent) => boolean) => async (range: Range, about: About) => {
  const events = await newest(range, about);
  if (events.length === 0) return NONE;
  const found = events.filter(has).length;
  return found > 0
    ? yes(`${found} of ${events.length} events have ${what}`)
    : no(`none of ${events.length} events has ${what}`);
};

/**
 * Seen by what came, not by writing: OLD's row of a rewritten event need not be the same row (another measurement, a table without a key), and a test must not make differences. The canary writes to both
 * by their own ways.
 */
export async function isFed(range: Range, about: About): Promise<Tried> {
  const [one] = await newest(range, about);
  if (!one) return NONE;
  const seconds = Math.round((about.nowUs - one.atUs) / 1e6);
  return seconds <= FED_SECONDS
    ? yes(`its newest settled event is ${seconds} s old`)
    : no(`its newest event is ${seconds} s old`);
}
