import type { DeviceIndex } from "../../devices/ports.ts";
import type { EventStore } from "../../store/ports.ts";
import type { OldDevices, OldSystem } from "../ports.ts";
import {
  type About,
  byArea,
  byEntity,
  byTime,
  inBothOrders,
  inPages,
  isFed,
  member,
  newest,
  type Range,
} from "./asked-alike.ts";
import { NONE, no, type Tried, unknown, yes } from "./tried.ts";

export interface FeatureParts {
  readonly old: Pick<OldSystem, "range" | "scan" | "counts" | "describe">;
  readonly oldDevices?: OldDevices | undefined;
  readonly events: Pick<EventStore, "range" | "scan" | "aggregate" | "tiles" | "retention" | "check">;
  readonly index: Pick<DeviceIndex, "list" | "seen">;
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

/** The same of both sides, where both have the same door. */
const ofBoth = (of: (range: Range, about: About) => Promise<Tried>): Pick<Feature, "old" | "new"> => ({
  old: ({ old }, about) => of((query) => old.range(query), about),
  new: ({ events }, about) => of((query) => events.range(query), about),
});

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
