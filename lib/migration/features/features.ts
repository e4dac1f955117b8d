import { messageOf } from "../../base/errors.ts";
import type { Microseconds } from "../../base/time.ts";
import type { DeviceIndex } from "../../devices/ports.ts";
import type { HomeEvent } from "../../event/index.ts";
import type { EventPage, EventStore, RangeQuery } from "../../store/ports.ts";
import type { OldDevices, OldSystem } from "../ports.ts";

/** Whether a side has something, and how that is known. `unknown`: there is nothing to try it with, or it did not answer. */
export interface Tried {
  readonly answer: "yes" | "no" | "unknown";
  readonly evidence: string;
}

export interface FeatureParts {
  readonly old: Pick<OldSystem, "range" | "scan" | "counts" | "describe">;
  readonly oldDevices?: OldDevices | undefined;
  readonly events: Pick<EventStore, "range" | "scan" | "aggregate" | "tiles" | "retention" | "check">;
  readonly index: Pick<DeviceIndex, "list" | "seen">;
}

export interface About {
  readonly homeId: string;
  readonly nowUs: Microseconds;
  readonly settleUs: Microseconds;
}

type Try = (parts: FeatureParts, about: About) => Promise<Tried>;

export interface Feature {
  readonly name: string;
  readonly title: string;
  readonly old: Try;
  readonly new: Try;
}

const HOUR_US = 3_600_000_000;
const DAY_US = 24 * HOUR_US;
const SAMPLE = 200;
/** A home in which nothing happens for so long is none (chosen by us). */
const FED_SECONDS = 86_400;

const yes = (evidence: string): Tried => ({ answer: "yes", evidence });
const no = (evidence: string): Tried => ({ answer: "no", evidence });
const unknown = (evidence: string): Tried => ({ answer: "unknown", evidence });

/** Whatever is thrown is no answer: it may be a minute's trouble. */
export async function tryFeature(feature: () => Promise<Tried>): Promise<Tried> {
  try {
    return await feature();
  } catch (thrown) {
    return unknown(messageOf(thrown).slice(0, 200));
  }
}

type Range = (query: RangeQuery) => Promise<EventPage>;

/** The same of both sides, where both have the same door. */
const ofBoth = (of: (range: Range, about: About) => Promise<Tried>): Pick<Feature, "old" | "new"> => ({
  old: ({ old }, about) => of((query) => old.range(query), about),
  new: ({ events }, about) => of((query) => events.range(query), about),
});

/** Some of the newest settled events. */
async function newest(range: Range, { homeId, nowUs, settleUs }: About): Promise<readonly HomeEvent[]> {
  return (await range({ homeId, toUs: nowUs - settleUs, order: "desc", limit: SAMPLE })).events;
}

const NONE = unknown("there are no events to try it with");

async function byEntity(range: Range, about: About): Promise<Tried> {
  const [one] = await newest(range, about);
  if (!one) return NONE;
  const { entityId } = one;
  const { events } = await range({ homeId: about.homeId, entityIds: [entityId], order: "desc", limit: SAMPLE });
  const isOnly = events.length > 0 && events.every((event) => event.entityId === entityId);
  return isOnly
    ? yes(`${events.length} events of ${entityId}`)
    : no(`asked for ${entityId} it gives others or nothing`);
}

async function byTime(range: Range, about: About): Promise<Tried> {
  const events = await newest(range, about);
  const [last, first] = [events[0], events.at(-1)];
  if (!last || !first || last.atUs === first.atUs) return NONE;
  const [fromUs, toUs] = [first.atUs, last.atUs];
  const found = (await range({ homeId: about.homeId, fromUs, toUs, order: "asc", limit: SAMPLE })).events;
  const isWithin = found.length > 0 && found.every(({ atUs }) => atUs >= fromUs && atUs < toUs);
  return isWithin ? yes(`${found.length} events of a span`) : no("events of a span are not those of the span");
}

async function byArea(range: Range, about: About): Promise<Tried> {
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

async function inPages(range: Range, about: About): Promise<Tried> {
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

async function inBothOrders(range: Range, about: About): Promise<Tried> {
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
const member = (what: string, has: (event: HomeEvent) => boolean) => async (range: Range, about: About) => {
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
async function isFed(range: Range, about: About): Promise<Tried> {
  const [one] = await newest(range, about);
  if (!one) return NONE;
  const seconds = Math.round((about.nowUs - one.atUs) / 1e6);
  return seconds <= FED_SECONDS
    ? yes(`its newest settled event is ${seconds} s old`)
    : no(`its newest event is ${seconds} s old`);
}

async function firstPiece<T>(pieces: AsyncIterable<readonly T[]>): Promise<number> {
  for await (const piece of pieces) return piece.length;
  return 0;
}

const exported = (count: number): Tried => (count > 0 ? yes(`the first piece of the past has ${count} rows`) : NONE);

const lastDay = ({ nowUs, settleUs }: About) => {
  const toUs = Math.floor((nowUs - settleUs) / HOUR_US) * HOUR_US;
  return { fromUs: toUs - DAY_US, toUs };
};

/** What people and programs use of such a pipeline. Each is tried on both sides; nothing is answered from a list. */
export const FEATURES: readonly Feature[] = [
  { name: "by-entity", title: "events of an entity", ...ofBoth(byEntity) },
  { name: "by-time", title: "events of a span of time", ...ofBoth(byTime) },
  { name: "by-area", title: "events of an area", ...ofBoth(byArea) },
  { name: "pages", title: "long answers in pages", ...ofBoth(inPages) },
  { name: "orders", title: "oldest first and newest first", ...ofBoth(inBothOrders) },
  {
    name: "attributes",
    title: "attributes of states",
    ...ofBoth(member("attributes", ({ attributes }) => Object.keys(attributes).length > 0)),
  },
  {
    name: "microseconds",
    title: "time stamps to the microsecond",
    ...ofBoth(member("a stamp finer than a millisecond", ({ atUs }) => atUs % 1_000 !== 0)),
  },
  {
    name: "typed-values",
    title: "numbers as numbers",
    ...ofBoth(member("a typed value", ({ value }) => value !== undefined)),
  },
  { name: "write", title: "takes events as they happen", ...ofBoth(isFed) },
  {
    name: "counts",
    title: "how many events each hour had",
    old: async ({ old }, about) => counted((await old.counts({ ...lastDay(about), widthUs: HOUR_US })).length),
    new: async ({ events }, about) =>
      counted((await events.tiles({ homeId: about.homeId, ...lastDay(about), widthUs: HOUR_US })).length),
  },
  {
    name: "aggregates",
    title: "mean, least and most of an hour",
    old: async () => unknown("its door has no question for it; from its events they can be had on both sides"),
    new: aggregated,
  },
  {
    name: "export",
    title: "all of the past, row by row",
    old: async ({ old }, about) => exported(await firstPiece(old.scan(lastDay(about)))),
    new: async ({ events }, about) =>
      exported(await firstPiece(events.scan({ homeId: about.homeId, ...lastDay(about) }))),
  },
  {
    name: "devices",
    title: "a list of devices",
    old: async ({ oldDevices }) => listed((await oldDevices?.list())?.length),
    new: async ({ index }, { homeId }) => listed((await index.list(homeId, "devices")).length),
  },
  {
    name: "health",
    title: "says whether it is well",
    old: async ({ old }) => yes((await old.describe()).product),
    new: async ({ events }) => {
      await events.check();
      return yes("its store answers");
    },
  },
  {
    name: "retention",
    title: "says how long it keeps events",
    old: async ({ old }) => {
      const { oldestUs } = await old.describe();
      return oldestUs === undefined
        ? unknown("it does not say what its oldest event is")
        : yes(`its oldest event is of ${new Date(oldestUs / 1000).toISOString()}`);
    },
    new: async ({ events }, { homeId }) => {
      const { means, oldestUs } = await events.retention(homeId);
      const oldest =
        oldestUs === undefined ? "" : `; its oldest event is of ${new Date(oldestUs / 1000).toISOString()}`;
      return yes(`by ${means.join(", ")}${oldest}`);
    },
  },
];

const counted = (hours: number): Tried => (hours > 0 ? yes(`${hours} hours of the last day`) : NONE);
const listed = (count: number | undefined): Tried =>
  count === undefined ? no("the plan names no list") : count > 0 ? yes(`${count} devices`) : unknown("it is empty");

async function aggregated({ events }: FeatureParts, about: About): Promise<Tried> {
  const recent = await newest((query) => events.range(query), about);
  const one = recent.find(({ value }) => typeof value === "number");
  if (!one) return unknown("there is no number to try it with");
  const edges = [one.atUs, one.atUs + 1];
  const [found] = await events.aggregate({ homeId: about.homeId, entityIds: [one.entityId], edges });
  const count = found?.windows[0]?.count ?? 0;
  return count > 0 ? yes(`${one.entityId} in a window of its own`) : no(`${one.entityId} is not in its window`);
}
