import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../lib/base/clock.ts";
import { type HomeEvent, isEventsRefused } from "../../lib/event/index.ts";
import type { EventStore } from "../../lib/store/ports.ts";
import { readAll } from "../conformance/event-store-support.ts";
import { buildEvent, manyEvents, SOME_TIME_US } from "../support/events.ts";
import { influxql, LONG_DAYS, openStore } from "../support/influxdb.ts";
import { describePeer, freePort, peerFolder, startPeer, stopPeer } from "../support/peers.ts";

const { dir, remove } = await peerFolder("influxdb-edges");
const DAY_US = 86_400_000_000;
const port = await freePort();
const start = () => startPeer("influxdb", ["--dir", dir, "--port", String(port)]);

/** What others do to a database, a server and its clock. */
await describePeer("the event store at the edges of a real InfluxDB", start, ({ url, version }) =>
  describe(`the event store at the edges of InfluxDB ${version}`, () => {
    let number = 0;
    let database = "";
    let store: EventStore;
    beforeEach(async () => {
      database = `edges_${++number}`;
      store = openStore({ url, database });
      await store.setUp({ rawDays: LONG_DAYS });
    });
    afterEach(() => influxql(url, `DROP DATABASE "${database}"`));
    afterAll(async () => {
      await stopPeer(dir);
      await remove();
    });
    const all = (homeId = "home") => readAll(store, { homeId, order: "asc", limit: 1_000 });
    const writeLine = async (line: string, rp = "hearthline") => {
      const answer = await fetch(`${url}/write?db=${database}&rp=${rp}`, { method: "POST", body: line });
      return `${answer.status} ${await answer.text()}`;
    };

    it("keeps 100 homes in one database apart, page by page, prune by prune", async () => {
      const homes = Array.from({ length: 100 }, (_, at) => (at % 2 ? `Home-${at >> 1}` : `home-${at >> 1}`));
      const of = (homeId: string) => manyEvents(60, { homeId, entities: 5 });
      for (let from = 0; from < 100; from += 10) await store.write(homes.slice(from, from + 10).flatMap(of));
      for (const homeId of homes) {
        const pages = await readAll(store, { homeId, order: "desc", limit: 7 });
        expect(pages).toEqual(of(homeId).toReversed());
      }
      for (const homeId of homes.slice(0, 50)) expect(await store.prune(homeId, Number.MAX_SAFE_INTEGER)).toBe(60);
      for (const homeId of homes.slice(0, 50)) expect(await all(homeId)).toEqual([]);
      for (const homeId of homes.slice(50)) expect(await all(homeId)).toEqual(of(homeId));
    }, 120_000);

    it("tells entities apart that differ in case or in how a letter is composed only", async () => {
      const ids = [
        "sensor.A",
        "sensor.a",
        "Sensor.a",
        "sensor.\u00e9",
        "sensor.e\u0301",
        "sensor.ﬀ",
        "sensor.ff",
        "sensor.K",
        "sensor.\u212a",
      ];
      const events = ids.map((entityId, at) => buildEvent({ entityId, atUs: SOME_TIME_US + at }));
      await store.write(events);
      expect(await all()).toEqual(events);
      for (const event of events) {
        const { entityId } = event;
        expect(await readAll(store, { homeId: "home", entityIds: [entityId], order: "asc", limit: 10 })).toEqual([
          event,
        ]);
      }
      const many = [...ids.slice(0, 4), ...Array.from({ length: 30 }, (_, at) => `sensor.none_${at}`)];
      expect(await readAll(store, { homeId: "home", entityIds: many, order: "asc", limit: 10 })).toEqual(
        events.slice(0, 4),
      );
      expect(await store.stats({ homeId: "home" })).toHaveLength(ids.length);
    });

    it("takes times before 1970, to the microsecond", async () => {
      const events = [-1_200_000_000_000_001, -DAY_US, -1_000_001, -1, 0, 1, 999].map((atUs) => buildEvent({ atUs }));
      await store.write(events);
      expect(await all()).toEqual(events);
      expect(await readAll(store, { homeId: "home", order: "asc", limit: 1, fromUs: -1, toUs: 1 })).toEqual(
        events.slice(3, 5),
      );
      expect(await readAll(store, { homeId: "home", order: "desc", limit: 1, toUs: -1 })).toEqual(
        events.slice(0, 3).toReversed(),
      );
      const [windows] = await store.aggregate({
        homeId: "home",
        entityIds: [buildEvent().entityId],
        edges: [-DAY_US, -1, 0, 1],
      });
      expect(windows?.windows.map(({ count }) => count)).toEqual([2, 1, 1]);
      expect((await store.tiles({ homeId: "home", fromUs: -DAY_US, toUs: DAY_US, widthUs: DAY_US })).length).toBe(2);
      expect((await store.retention("home")).oldestUs).toBe(events[0]?.atUs);
      expect(await store.prune("home", 0)).toBe(4);
      expect(await all()).toEqual(events.slice(4));
    });

    it("reads its own rows in a database in which somebody else writes the same measurement, with tags of our fields' names", async () => {
      const event = buildEvent({ areaId: "bath", deviceId: "d1", atUs: SOME_TIME_US });
      await influxql(url, `CREATE RETENTION POLICY "autogen" ON "${database}" DURATION INF REPLICATION 1`);
      // As Home Assistant's own integration does with `override_measurement`: domain and entity_id as tags, state and value as fields.
      const at = SOME_TIME_US - 5;
      const foreign = [
        `hearthline_events,domain=light,entity_id=kitchen,area=x,device=y,state=z,source=HA value=1,friendly_name_str="Kitchen" ${at}000`,
        `hearthline_events,domain=light,entity_id=kitchen,home_id=home,rank=4,source=HA value=1,state="on" ${at}000`,
        `hearthline_events,domain=light,entity_id=kitchen,source=HA value=1 ${SOME_TIME_US}000`,
      ].join("\n");
      expect(await writeLine(foreign, "autogen")).toMatch(/^204/);
      await store.write([event]);
      const check = async () => {
        expect(await all()).toEqual([event]);
        for (const filter of [{ areaId: "bath" }, { deviceId: "d1" }, { domain: event.domain }])
          expect(await readAll(store, { homeId: "home", ...filter, order: "asc", limit: 5 })).toEqual([event]);
        expect(await store.stats({ homeId: "home" })).toMatchObject([{ entityId: event.entityId, count: 1 }]);
        const edges = [SOME_TIME_US - DAY_US, SOME_TIME_US - 1, SOME_TIME_US + 1];
        const [windows] = await store.aggregate({ homeId: "home", entityIds: [event.entityId], edges });
        expect(windows?.windows.map(({ count }) => count)).toEqual([0, 1]);
        expect((await store.retention("home")).oldestUs).toBe(SOME_TIME_US);
      };
      await check();
      // And into the very retention policy.
      expect(await writeLine(foreign.split("\n")[0] ?? "")).toMatch(/^204/);
      expect(await writeLine(foreign.split("\n")[2] ?? "")).toMatch(/^204/);
      await check();
      expect(await store.prune("home", Number.MAX_SAFE_INTEGER)).toBe(1);
      const { results } = await influxql(
        url,
        `SELECT count("value") FROM "autogen"."hearthline_events" WHERE home_id = ''`,
        { database },
      );
      expect(results[0]?.series?.[0]?.values[0]?.[1]).toBe(2);
    });

    it("does not take somebody else's points of a home for events", async () => {
      const event = buildEvent();
      await store.write([event]);
      await writeLine(`hearthline_events,home_id=home,entity_id=foreign.a,rank=4 state="on" ${SOME_TIME_US}000`);
      await writeLine(`hearthline_events,home_id=home,entity_id=foreign.b state="on",value=3 ${SOME_TIME_US + 1}000`);
      expect(await all()).toEqual([event]);
      expect(await store.stats({ homeId: "home" })).toHaveLength(1);
      const span = { fromUs: Math.floor(SOME_TIME_US / DAY_US) * DAY_US, widthUs: DAY_US };
      expect(await store.tiles({ homeId: "home", ...span, toUs: span.fromUs + DAY_US })).toMatchObject([{ count: 1 }]);
      const edges = [SOME_TIME_US, SOME_TIME_US + 10];
      const found = await store.aggregate({ homeId: "home", entityIds: ["foreign.a", "foreign.b"], edges });
      expect(found.map(({ windows }) => windows[0]?.count)).toEqual([0, 0]);
    });

    it("names what is wrong where somebody else gave a field another type, and writes the rest elsewhere", async () => {
      expect(await writeLine(`hearthline_events,home_id=x,entity_id=x,rank=4 value="text" ${SOME_TIME_US}000`)).toMatch(
        /^204/,
      );
      const [bad, good] = [0, 60 * DAY_US].map((later) =>
        buildEvent({ atUs: SOME_TIME_US + later, state: "3", value: 3 }),
      );
      if (!bad || !good) throw new Error("two events");
      await expect(store.write([bad, good])).rejects.toMatchObject({ code: "store_incompatible" });
      expect(await all()).toEqual([good]);
    });

    it("keeps what lies exactly at the edge of its retention, and tells of what lies beyond", async () => {
      const own = openStore({ url, database: `${database}_edge` });
      await own.setUp({ rawDays: 1 });
      const nowUs = systemClock.nowMs() * 1_000;
      // Three days are kept, in shards of six hours.
      const edge = nowUs - 3 * DAY_US;
      const ages = [3_600_000_000, 60_000_000, 5_000_000, -60_000_000, -7 * 3_600_000_000];
      const events = ages.map((later) => buildEvent({ atUs: edge + later }));
      const refused = await own.write(events).then(
        () => [] as readonly HomeEvent[],
        (thrown: unknown) =>
          isEventsRefused(thrown) ? thrown.refused.map(({ event }) => event) : [thrown as HomeEvent],
      );
      expect(refused).toContainEqual(events[4]);
      for (const event of events.slice(0, 3)) expect(refused).not.toContainEqual(event);
      const kept = await readAll(own, { homeId: "home", order: "desc", limit: 10 });
      // A server that still has the shard keeps what it says that it dropped: until the shard goes.
      expect(events.filter((event) => ![...kept, ...refused].some(({ atUs }) => atUs === event.atUs))).toEqual([]);
      await own.drop();
    });

    it("keeps events of a clock that is ahead of the server's, and finds them", async () => {
      const ahead = [2 * 3_600_000_000, 400 * DAY_US].map((later, at) =>
        buildEvent({ atUs: Math.round(systemClock.nowMs()) * 1_000 + later, state: String(at), value: at }),
      );
      await store.write(ahead);
      expect(await all()).toEqual(ahead);
      expect((await store.range({ homeId: "home", order: "desc", limit: 1 })).events).toEqual([ahead[1]]);
      const edges = ahead.map(({ atUs }) => atUs + 1).concat((ahead[1]?.atUs ?? 0) + DAY_US);
      const [windows] = await store.aggregate({ homeId: "home", entityIds: [ahead[0]?.entityId ?? ""], edges });
      expect(windows?.windows.map(({ count }) => count)).toEqual([1, 0]);
      expect(await store.prune("home", (ahead[1]?.atUs ?? 0) + 1)).toBe(2);
    });

    it("pages over a filter of 10,000 entities", async () => {
      const entityIds = Array.from(
        { length: 10_000 },
        (_, at) => `sensor.with_a_longer_name_${String(at).padStart(5, "0")}`,
      );
      const events = entityIds
        .filter((_, at) => at % 10 === 0)
        .map((entityId, at) => buildEvent({ entityId, atUs: SOME_TIME_US + (at >> 3) }));
      await store.write(events);
      const startedMs = performance.now();
      expect(await readAll(store, { homeId: "home", entityIds, order: "asc", limit: 400 })).toEqual(events);
      expect(await readAll(store, { homeId: "home", entityIds, order: "desc", limit: 1_000 })).toEqual(
        events.toReversed(),
      );
      expect(performance.now() - startedMs).toBeLessThan(60_000);
    }, 120_000);

    it("goes on with a walk over pages when the server was started again in its middle", async () => {
      const events = manyEvents(3_000, { entities: 30 });
      await store.write(events);
      const found: HomeEvent[] = [];
      let after: Parameters<EventStore["range"]>[0]["after"];
      for (let page = 0; ; page++) {
        if (page === 3) {
          await stopPeer(dir);
          await expect(
            store.range({ homeId: "home", order: "asc", limit: 500, ...(after && { after }) }),
          ).rejects.toMatchObject({ fate: "retry" });
          await start();
        }
        const { events: some, next } = await store.range({
          homeId: "home",
          order: "asc",
          limit: 500,
          ...(after && { after }),
        });
        found.push(...some);
        if (!next) break;
        after = next;
      }
      expect(found).toEqual(events);
    }, 120_000);

    it("ends up whole or away when it is dropped and set up by several at once", async () => {
      for (let round = 0; round < 5; round++) {
        const works = [
          store.drop(),
          openStore({ url, database }).setUp({ rawDays: LONG_DAYS }),
          openStore({ url, database }).setUp({ rawDays: 7 }),
          store.drop(),
        ];
        for (const { status, reason } of (await Promise.allSettled(works)) as {
          status: string;
          reason?: { code?: string };
        }[])
          if (status === "rejected") expect(reason).toMatchObject({ code: expect.stringMatching(/^(store|service)_/) });
        await store.setUp({ rawDays: LONG_DAYS });
        await store.write([buildEvent()]);
        expect(await all()).toHaveLength(1);
      }
    }, 60_000);

    it("makes tiles over 300,000 events in bounded memory", async () => {
      const events = manyEvents(300_000, { entities: 200, stepUs: 250_000 });
      for (let from = 0; from < events.length; from += 10_000) await store.write(events.slice(from, from + 10_000));
      globalThis.gc?.();
      const before = process.memoryUsage().rss;
      let most = 0;
      const watch = setInterval(() => {
        most = Math.max(most, process.memoryUsage().rss);
      }, 20);
      const fromUs = Math.floor(SOME_TIME_US / DAY_US) * DAY_US;
      const startedMs = performance.now();
      const tiles = await store.tiles({ homeId: "home", fromUs, toUs: fromUs + 3 * DAY_US, widthUs: 3_600_000_000 });
      clearInterval(watch);
      expect(tiles.reduce((sum, { count }) => sum + count, 0)).toBe(300_000);
      process.stderr.write(
        `tiles over 300,000: ${Math.round(performance.now() - startedMs)} ms, RSS +${Math.round((most - before) / 1e6)} MB\n`,
      );
      expect(most - before).toBeLessThan(400_000_000);
    }, 300_000);
  }),
);
