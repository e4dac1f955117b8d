import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { HomeEvent } from "../../lib/event/index.ts";
import type { EventStore } from "../../lib/store/ports.ts";
import { buildEvent, fullEvent, HOME_IDS, manyEvents, SOME_TIME_US } from "../support/events.ts";
import {
  aggregatesOf,
  type EventStoreTraits,
  type EventStoreUnderTest,
  type OpenEventStore,
  tilesOf,
} from "./event-store-support.ts";

const SECOND_US = 1_000_000;
const HOUR_US = 3_600 * SECOND_US;
const DAY_US = 24 * HOUR_US;
const DAY_START_US = Math.floor(SOME_TIME_US / DAY_US) * DAY_US;

/** What several events of a store make together: windows and tiles, to the last bit as the pure functions have them. */
export function seriesConformance(name: string, open: OpenEventStore, { share = 1 }: EventStoreTraits): void {
  describe(`event store: ${name}: windows and tiles`, () => {
    let under: EventStoreUnderTest;
    let store: EventStore;
    beforeEach(async () => {
      under = await open();
      store = under.store;
    });
    afterEach(() => under.dispose());

    const at = (seconds: number, more: Partial<HomeEvent>) =>
      buildEvent({ entityId: "sensor.power", atUs: SOME_TIME_US + seconds * SECOND_US, ...more });
    const edgesOf = (...seconds: number[]) => seconds.map((second) => SOME_TIME_US + second * SECOND_US);

    it("means over samples and over time, counts, first, last, extremes and seconds on", async () => {
      await store.write([
        at(0, { state: "10", value: 10 }),
        at(5, { state: "40", value: 40 }),
        at(6, { state: "unavailable", quality: "unavailable" }),
        at(10, { state: "20", value: 20, kind: "attributes" }),
        at(12, { state: "", kind: "removed", quality: "unavailable", attributes: {} }),
        at(15, { state: "on", value: true, kind: "restore" }),
      ]);
      const [power] = await store.aggregate({
        homeId: "home",
        entityIds: ["sensor.power"],
        edges: edgesOf(-5, 10, 20),
      });
      const [fromUs, midUs, toUs] = edgesOf(-5, 10, 20);
      expect(power).toEqual({
        entityId: "sensor.power",
        windows: [
          {
            ...{ fromUs, toUs: midUs, count: 3, mean: 25, min: 10, max: 40 },
            ...{ timeMean: 15, heldSeconds: 6, secondsOn: 0 },
            first: { atUs: SOME_TIME_US, state: "10", value: 10 },
            last: { atUs: SOME_TIME_US + 6 * SECOND_US, state: "unavailable" },
          },
          {
            ...{ fromUs: midUs, toUs, count: 2, mean: 20, min: 20, max: 20 },
            ...{ timeMean: 20, heldSeconds: 2, secondsOn: 5 },
            first: { atUs: SOME_TIME_US + 10 * SECOND_US, state: "20", value: 20 },
            last: { atUs: SOME_TIME_US + 15 * SECOND_US, state: "on", value: true },
          },
        ],
      });
    });

    it("lets a state from long before hold on, through windows without any event", async () => {
      await store.write([
        at(-9 * 86_400, { state: "7", value: 7 }),
        at(-8 * 86_400, { entityId: "light.on", state: "on", value: true }),
        at(-7 * 86_400, { entityId: "light.gone", kind: "removed", state: "" }),
      ]);
      await store.compact("home", SOME_TIME_US);
      const entityIds = ["light.on", "sensor.power", "light.gone", "light.none"];
      const found = await store.aggregate({ homeId: "home", entityIds, edges: edgesOf(0, 60, 120) });
      expect(found.map(({ entityId }) => entityId)).toEqual(entityIds);
      const figures = found.map(({ windows }) => windows.map((window) => [window.secondsOn, window.timeMean]));
      const nothing = [0, undefined];
      expect(figures).toEqual([
        [
          [60, undefined],
          [60, undefined],
        ],
        [
          [0, 7],
          [0, 7],
        ],
        [nothing, nothing],
        [nothing, nothing],
      ]);
      expect(found.flatMap(({ windows }) => windows.map(({ count }) => count))).toEqual(Array(8).fill(0));
    });

    it("holds an hour of statistics for an hour, and counts it", async () => {
      const hour = { kind: "snapshot", origin: "STATISTICS", source: "import", state: "21", value: 21 } as const;
      await store.write([buildEvent({ ...hour, entityId: "sensor.power", atUs: DAY_START_US })]);
      const edges = [0, 1, 2].map((hours) => DAY_START_US + hours * HOUR_US);
      const [found] = await store.aggregate({ homeId: "home", entityIds: ["sensor.power"], edges });
      expect(found?.windows.map(({ count, heldSeconds }) => [count, heldSeconds])).toEqual([
        [1, 3600],
        [0, 0],
      ]);
    });

    it("sums exactly, whatever the order of writing: tenths, and numbers of any size beside each other", async () => {
      const values = [0.1, 0.2, 0.3, 1e16, 1, -1e16, 1e-300, 1.7e308, 1.7e308, -1.7e308, 5e-324, 2 ** 53 + 2];
      const events = values.map((value, step) => at(step, { state: String(value), value }));
      for (const event of events.toReversed()) await store.write([event]);
      const query = { homeId: "home", entityIds: ["sensor.power"], edges: edgesOf(-1, 3, 6, 60) };
      const found = await store.aggregate(query);
      expect(found).toEqual(await aggregatesOf(events, query));
      expect(found[0]?.windows[0]?.mean).toBe(0.2);
      expect(found[0]?.windows[1]?.mean).toBe(1 / 3);
    });

    const volume = Math.round(20_000 * share);
    it(`has the same bits over ${volume} events before and after compaction and late events`, async () => {
      const events = manyEvents(volume, { entities: 12, stepUs: Math.round((4 * DAY_US) / volume) }).map(
        (event, step) =>
          event.domain === "sensor"
            ? { ...event, value: Number(event.state) }
            : {
                ...event,
                value: event.state === "on",
                ...(step % 97 === 0 && { kind: "removed" as const, state: "" }),
              },
      );
      const late = events.filter((_, step) => step % 11 === 0);
      const early = events.filter((_, step) => step % 11 !== 0);
      const entityIds = [...new Set(events.map(({ entityId }) => entityId))].sort();
      const [first = 0, last = 0] = [events[0]?.atUs, events.at(-1)?.atUs];
      const hours = (shiftUs: number) =>
        Array.from({ length: 97 }, (_, hour) => Math.floor(first / HOUR_US) * HOUR_US + shiftUs + hour * HOUR_US);
      const queries = [
        hours(0),
        hours(HOUR_US / 2),
        hours(123_456_789),
        [first + 1, first + 2, last - 1, last + DAY_US],
      ].map((edges) => ({ homeId: "home", entityIds, edges }));
      const expectSame = async (written: readonly HomeEvent[]) => {
        for (const query of queries) expect(await store.aggregate(query)).toEqual(await aggregatesOf(written, query));
      };
      await store.write(early);
      await expectSame(early);
      await store.compact("home", first + 3 * DAY_US);
      await expectSame(early);
      await store.write(late);
      await expectSame(events);
      await store.compact("home", first + 3 * DAY_US);
      store = await under.reopen();
      await expectSame(events);
    }, 60_000);

    it("cuts a state into 10,000 windows", async () => {
      await store.write([at(-1, { state: "21.3", value: 21.3 }), at(50_000.5, { state: "22", value: 22 })]);
      const edges = Array.from({ length: 10_001 }, (_, index) => SOME_TIME_US + index * 10 * SECOND_US);
      const query = { homeId: "home", entityIds: ["sensor.power"], edges };
      const found = await store.aggregate(query);
      expect(found[0]?.windows).toHaveLength(10_000);
      expect(found).toEqual(
        await aggregatesOf([at(-1, { value: 21.3 }), at(50_000.5, { state: "22", value: 22 })], query),
      );
    });

    it("asks for 100 entities at once", async () => {
      const events = manyEvents(1_000, { entities: 100 });
      await store.write(events);
      const entityIds = [...new Set(events.map(({ entityId }) => entityId))];
      const query = { homeId: "home", entityIds, edges: edgesOf(0, 100, 300) };
      expect(entityIds).toHaveLength(100);
      expect(await store.aggregate(query)).toEqual(await aggregatesOf(events, query));
    });

    it("makes tiles of a home's rows, whatever was written when, and for no other home", async () => {
      const events = [...manyEvents(500, { stepUs: 60 * SECOND_US }), { ...fullEvent, atUs: SOME_TIME_US + 7 }];
      const wide = { homeId: "home", fromUs: DAY_START_US, toUs: DAY_START_US + 2 * DAY_US };
      await store.write(events.filter((_, step) => step % 2 === 0));
      await store.write(events.toReversed());
      for (const widthUs of [60 * SECOND_US, HOUR_US, DAY_US]) {
        const query = { ...wide, widthUs };
        const wanted = tilesOf(events, query);
        expect(await store.tiles(query)).toEqual(wanted);
        expect(await store.tiles({ ...query, homeId: "home2" })).toEqual([]);
      }
      const query = { ...wide, widthUs: HOUR_US, fromUs: DAY_START_US + 6 * HOUR_US, toUs: DAY_START_US + 8 * HOUR_US };
      expect(await store.tiles(query)).toEqual(tilesOf(events, query));
      expect(await store.tiles({ ...query, toUs: query.fromUs })).toEqual([]);
      await store.compact("home", DAY_START_US + 2 * DAY_US);
      expect(await store.tiles(query)).toEqual(tilesOf(events, query));
      const changed = { ...fullEvent, atUs: SOME_TIME_US + 7, value: 21.000000000000004 };
      await store.write([changed]);
      expect(await store.tiles({ ...wide, widthUs: DAY_US })).not.toEqual(
        tilesOf(events, { ...wide, widthUs: DAY_US }),
      );
    });

    it("keeps windows and tiles of homes apart, whatever their names", async () => {
      for (const [index, homeId] of HOME_IDS.entries()) {
        await store.write([at(0, { homeId, state: String(index), value: index })]);
      }
      const span = { fromUs: DAY_START_US, toUs: DAY_START_US + DAY_US, widthUs: DAY_US };
      for (const [index, homeId] of [...HOME_IDS, "h", "HOME", "home' OR '1'='1", "*", ".*"].entries()) {
        const isThere = index < HOME_IDS.length;
        const query = { homeId, entityIds: ["sensor.power"], edges: edgesOf(0, 1) };
        const [found] = await store.aggregate(query);
        expect(found?.windows.map(({ mean }) => mean)).toEqual([isThere ? index : undefined]);
        expect((await store.tiles({ homeId, ...span })).map(({ count }) => count)).toEqual(isThere ? [1] : []);
      }
    });
  });
}
