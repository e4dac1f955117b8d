import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { compareEvents, type HomeEvent, naturalKey } from "../../lib/event/index.ts";
import type { EventStore } from "../../lib/store/ports.ts";
import { buildEvent, fullEvent, HOME_IDS, manyEvents, SOME_TIME_US } from "../support/events.ts";
import {
  type EventStoreTraits,
  type EventStoreUnderTest,
  NEWEST,
  OLDEST,
  type OpenEventStore,
  readAll,
  readEverything,
} from "./event-store-support.ts";

const HOUR_US = 3_600_000_000;
const DAY_US = 24 * HOUR_US;

/** What a store is and stays: set up, compacted, pruned, crashed, dropped. */
export function upkeepConformance(
  name: string,
  open: OpenEventStore,
  { share = 1, isPruned = true }: EventStoreTraits,
): void {
  describe(`event store: ${name}: upkeep`, () => {
    let under: EventStoreUnderTest;
    let store: EventStore;
    beforeEach(async () => {
      under = await open();
      store = under.store;
    });
    afterEach(() => under.dispose());

    /** Some days of events. */
    const days = (count: number, more: { homeId?: string } = {}) => {
      const total = Math.max(200, Math.round(2_000 * share));
      return manyEvents(total, { entities: 9, stepUs: Math.floor((count * DAY_US) / total), ...more });
    };
    const all = (homeId = "home") => readAll(store, { homeId, ...OLDEST });

    it("changes nothing that can be read when days are compacted, once, again, twice at once, and of a home without events", async () => {
      const events = [...days(3), { ...fullEvent, atUs: SOME_TIME_US + 5 * HOUR_US + 1 }].sort(compareEvents);
      await store.write(events);
      await store.write(days(2, { homeId: "home2" }));
      const before = await readEverything(store, "home", events);
      expect(before.up).toEqual(events);
      for (const beforeUs of [SOME_TIME_US - 9 * DAY_US, SOME_TIME_US + 2 * DAY_US, SOME_TIME_US + 2 * DAY_US + 1]) {
        await store.compact("home", beforeUs);
        expect(await readEverything(store, "home", events)).toEqual(before);
      }
      await Promise.all([1, 2, 3].map((day) => store.compact("home", SOME_TIME_US + day * DAY_US)));
      await store.compact("nobody", SOME_TIME_US + 9 * DAY_US);
      store = await under.reopen();
      expect(await readEverything(store, "home", events)).toEqual(before);
      expect(await all("home2")).toEqual(days(2, { homeId: "home2" }));
    }, 60_000);

    it("takes late events into compacted days: new ones, better ones, worse ones, removals, other areas", async () => {
      const events = days(3);
      await store.write(events);
      await store.compact("home", SOME_TIME_US + 4 * DAY_US);
      const [first, second, third] = events as [HomeEvent, HomeEvent, HomeEvent];
      const added = buildEvent({ entityId: "light.late", atUs: SOME_TIME_US + DAY_US + 3 });
      const removal = { ...first, kind: "removed", state: "", attributes: {} } as const;
      const better = { ...second, state: "better", areaId: "cellar" };
      const worse = { ...third, kind: "snapshot", state: "worse" } as const;
      await store.write([added, removal, better, worse]);
      const kept = events.map((event) => (event === second ? better : event));
      const wanted = [...kept, added, removal].sort(compareEvents);
      expect(await all()).toEqual(wanted);
      const everything = await readEverything(store, "home", wanted);
      await store.compact("home", SOME_TIME_US + 4 * DAY_US);
      expect(await readEverything(store, "home", wanted)).toEqual(everything);
      expect((await store.range({ homeId: "home", areaId: "cellar", ...NEWEST })).events).toEqual([better]);
      const old = await store.range({ homeId: "home", areaId: second.areaId ?? "", ...OLDEST });
      expect(old.events.map(naturalKey)).not.toContain(naturalKey(second));
    }, 60_000);

    it.each(["asc", "desc"] as const)("keeps pages stable while days are compacted (%s)", async (order) => {
      const events = days(3).slice(0, 400);
      await store.write(events);
      let day = 0;
      const read = await readAll(store, { homeId: "home", order, limit: 45 }, async () => {
        day++;
        await store.compact("home", SOME_TIME_US + (day % 5) * DAY_US);
      });
      expect(read).toEqual(order === "asc" ? events : events.toReversed());
    });

    it("loses nothing that is written while days are compacted", async () => {
      const events = days(3);
      const half = events.filter((_, step) => step % 2 === 0);
      const rest = events.filter((_, step) => step % 2 === 1);
      await store.write(half);
      const parts = [0, 1, 2, 3].map((part) => rest.filter((_, step) => step % 4 === part));
      const upTo = SOME_TIME_US + 4 * DAY_US;
      await Promise.all(parts.flatMap((part) => [store.write(part), store.compact("home", upTo)]));
      expect(await all()).toEqual(events);
    }, 60_000);

    it("prunes compacted days, whole ones and the part of one, and says how many events went", async () => {
      const events = days(3);
      await store.write(events);
      await store.write(days(1, { homeId: "home2" }));
      await store.compact("home", SOME_TIME_US + 9 * DAY_US);
      if (!isPruned) {
        expect(await store.prune("home", SOME_TIME_US + 2 * DAY_US)).toBe(0);
        return expect(await all()).toEqual(events);
      }
      for (const beforeUs of [SOME_TIME_US + HOUR_US + 7, SOME_TIME_US + 2 * DAY_US, SOME_TIME_US + 9 * DAY_US]) {
        const old = (await all()).filter(({ atUs }) => atUs < beforeUs);
        expect(await store.prune("home", beforeUs)).toBe(old.length);
        expect(await store.prune("home", beforeUs)).toBe(0);
        const left = events.filter(({ atUs }) => atUs >= beforeUs);
        expect(await all()).toEqual(left);
        store = await under.reopen();
        expect(await all()).toEqual(left);
        const stats = await store.stats({ homeId: "home" });
        expect(stats.reduce((sum, { count }) => sum + count, 0)).toBe(left.length);
      }
      expect(await all("home2")).toEqual(days(1, { homeId: "home2" }));
    }, 60_000);

    it("takes writes of the same and of other events at the same time", async () => {
      const events = days(1).slice(0, 300);
      const halves = [events.slice(0, 200), events.slice(100)];
      await Promise.all([...halves, ...halves.map((half) => half.toReversed())].map((half) => store.write(half)));
      expect(await all()).toEqual(events);
    });

    it("takes an entity that turns from number to text to boolean, within a batch and from one to the next", async () => {
      const turns = [21.5, undefined, true, 3, false, undefined, -7].map((value, step) =>
        buildEvent({
          ...{ entityId: "sensor.turning", atUs: SOME_TIME_US + step, state: String(value ?? "some text") },
          ...(value !== undefined && { value }),
          attributes: { level: step % 2 ? "high" : step, unit_of_measurement: step % 3 ? "W" : null },
        }),
      );
      await store.write(turns.slice(0, 4));
      for (const turn of turns) await store.write([turn]);
      expect(await all()).toEqual(turns);
    });

    it("takes an empty batch, attributes of 16,000 characters, and one batch of 5,000 entities", async () => {
      await store.write([]);
      expect(await all()).toEqual([]);
      const text = Array.from({ length: 4_000 }, (_, step) => String.fromCodePoint(0x4e00 + ((step * 7919) % 20_000)));
      const huge = buildEvent({ attributes: { text: text.join(""), list: Array(1_000).fill('a"\\b\u0001é🏠') } });
      const many = Array.from({ length: 5_000 }, (_, step) =>
        buildEvent({ entityId: `sensor.many_${step}`, atUs: SOME_TIME_US + 1 + (step % 3) }),
      );
      await store.write([huge, ...many]);
      expect(await all()).toEqual([huge, ...many.sort(compareEvents)]);
      expect(await store.stats({ homeId: "home" })).toHaveLength(5_001);
    }, 60_000);

    it("keeps entities apart whose names mean something to a format", async () => {
      const names = [
        "light.a b",
        "light.a,b=c d",
        'light."q"',
        "light.b\\",
        "light.b\\ ",
        "light.#c",
        "light.--",
        "light.a",
      ];
      const events = names.map((entityId, step) =>
        buildEvent({ entityId, atUs: SOME_TIME_US + step, areaId: `${entityId},x=1`, deviceId: `'${entityId}` }),
      );
      await store.write(events);
      expect(await all()).toEqual(events);
      for (const event of events) {
        const { entityId, areaId = "", deviceId = "" } = event;
        for (const filter of [{ entityIds: [entityId] }, { areaId }, { deviceId }]) {
          expect((await store.range({ homeId: "home", ...filter, ...NEWEST })).events).toEqual([event]);
        }
      }
    });

    it("holds after a crash all that it said was stored", async () => {
      const events = days(3);
      for (let step = 0; step < 10; step++) await store.write(events.filter((_, index) => index % 10 === step));
      store = await (under.crash ?? under.reopen)();
      await store.compact("home", SOME_TIME_US + 2 * DAY_US);
      store = await (under.crash ?? under.reopen)();
      expect(await all()).toEqual(events);
    }, 60_000);

    it("is set up any number of times, and keeps its events", async () => {
      await store.setUp({ rawDays: 30 });
      await store.write([fullEvent]);
      await Promise.all([store.setUp({ rawDays: 30 }), store.setUp({ rawDays: 30 })]);
      await store.setUp({ rawDays: 60 });
      store = await under.reopen();
      await store.setUp({ rawDays: 7 });
      expect(await all()).toEqual([fullEvent]);
    });

    it("keeps for at least so many days as it was asked for last, and for no more where no job deletes", async () => {
      for (const rawDays of [30, 90, 14, 45, 10]) {
        // The last time after a fresh start.
        if (rawDays === 10) await store.drop();
        await store.setUp({ rawDays });
        const { means, storeDays = rawDays } = await store.retention("home");
        expect(storeDays).toBeGreaterThanOrEqual(rawDays);
        if (!means.includes("job")) expect(storeDays).toBe(rawDays);
      }
    });

    it("reads back by which means events go, after how many days at least, and how old the oldest is", async () => {
      await store.setUp({ rawDays: 45 });
      const empty = await store.retention("home");
      expect(empty.means.length).toBeGreaterThan(0);
      expect(empty.oldestUs).toBeUndefined();
      expect(empty.storeDays ?? 45).toBeGreaterThanOrEqual(45);
      expect(empty.means.some((means) => means !== "job")).toBe(empty.storeDays !== undefined);
      const events = days(2);
      await store.write([...events, ...manyEvents(3, { homeId: "home2" })]);
      expect((await store.retention("home")).oldestUs).toBe(SOME_TIME_US);
      await store.compact("home", SOME_TIME_US + DAY_US);
      const beforeUs = SOME_TIME_US + HOUR_US;
      await store.prune("home", beforeUs);
      if (isPruned)
        expect((await store.retention("home")).oldestUs).toBe(events.find(({ atUs }) => atUs >= beforeUs)?.atUs);
      expect((await store.retention("nobody")).oldestUs).toBeUndefined();
    });

    it("drops everything of every home, any number of times, and can be set up again", async () => {
      for (const homeId of HOME_IDS) await store.write([buildEvent({ homeId })]);
      await store.write(days(2));
      await store.compact("home", SOME_TIME_US + DAY_US);
      await store.drop();
      await store.drop();
      await store.setUp({ rawDays: 30 });
      for (const homeId of HOME_IDS) {
        expect(await all(homeId)).toEqual([]);
        expect(await store.stats({ homeId })).toEqual([]);
        expect((await store.retention(homeId)).oldestUs).toBeUndefined();
      }
      await store.write([fullEvent]);
      store = await under.reopen();
      expect(await all()).toEqual([fullEvent]);
    });
  });
}
