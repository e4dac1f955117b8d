import fc from "fast-check";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { isEventsRefused } from "../../lib/event/index.ts";
import type { EventStore } from "../../lib/store/ports.ts";
import { eventStoreConformance } from "../conformance/event-store.ts";
import { readAll } from "../conformance/event-store-support.ts";
import { buildEvent, fullEvent, manyEvents, SOME_TIME_US } from "../support/events.ts";
import { asVersion2, asVersion3, influxql, LONG_DAYS, openConformanceStore, openStore } from "../support/influxdb.ts";
import { describePeer, freePort, type PeerLine, peerFolder, startPeer, stopPeer } from "../support/peers.ts";

const { dir, remove } = await peerFolder("influxdb");
const { dir: ownDir, remove: removeOwn } = await peerFolder("influxdb-auth");
const DAY_US = 86_400_000_000;
const ALL = { homeId: "home", order: "asc", limit: 1_000 } as const;

await describePeer(
  "the event store in a real InfluxDB",
  () => startPeer("influxdb", ["--dir", dir]),
  ({ url, version }) =>
    describe(`the event store in InfluxDB ${version}`, () => {
      afterAll(async () => {
        await stopPeer(dir);
        await remove();
      });
      const traits = { isTransactional: false, share: 0.25 };
      eventStoreConformance("influxdb", () => openConformanceStore(url), traits);
      eventStoreConformance(
        "influxdb, as 2.x would be spoken to",
        () => openConformanceStore(url, asVersion2(url)),
        traits,
      );
      eventStoreConformance(
        "influxdb, as 3.x would be spoken to",
        () => openConformanceStore(url, asVersion3(url)),
        traits,
      );

      let databases = 0;
      let database = "";
      let store: EventStore;
      beforeEach(() => {
        database = `own_${++databases}`;
        store = openStore({ url, database });
      });
      afterEach(() => influxql(url, `DROP DATABASE "${database}"`));

      const nowUs = () => Date.now() * 1_000;
      const policies = async () => {
        const { results } = await influxql(url, `SHOW RETENTION POLICIES ON "${database}"`);
        return results[0]?.series?.[0]?.values;
      };

      it("makes a database of its own with a retention policy, lengthens it, and never shortens it", async () => {
        await store.setUp({ rawDays: 7 });
        expect(await policies()).toEqual([["hearthline", "216h0m0s", "6h0m0s", 1, true]]);
        expect(await store.retention("home")).toEqual({ means: ["job", "retention-policy"], storeDays: 9 });
        await store.setUp({ rawDays: 100 });
        await store.setUp({ rawDays: 7 });
        expect(await policies()).toEqual([["hearthline", "2448h0m0s", "168h0m0s", 1, true]]);
        await influxql(url, `ALTER RETENTION POLICY "hearthline" ON "${database}" DURATION INF`);
        await store.setUp({ rawDays: 7 });
        expect(await store.retention("home")).toEqual({ means: ["job"] });
      });

      it("leaves what others have in the same database alone", async () => {
        await influxql(url, `CREATE DATABASE "${database}"`);
        const line = `hearthline_events,home_id=home,entity_id=x,rank=4 flags="text" 7`;
        await fetch(`${url}/write?db=${database}`, { method: "POST", body: `${line}\nW,entity_id=power value=1 7` });
        await store.setUp({ rawDays: LONG_DAYS });
        await store.write([fullEvent]);
        expect(await readAll(store, ALL)).toEqual([fullEvent]);
        await store.drop();
        expect((await policies())?.map(([name]) => name)).toEqual(["autogen"]);
        const { results } = await influxql(url, "SELECT * FROM W", { database });
        expect(results[0]?.series).toHaveLength(1);
      });

      it("tells of events alone that are older than the server keeps them, and keeps the rest", async () => {
        await store.setUp({ rawDays: 7 });
        const ages = [1, 8.9, 11, 400, 8, 20_800].map((days, step) =>
          buildEvent({ atUs: Math.round(nowUs() - days * DAY_US) + step }),
        );
        const thrown = await store.write(ages).then(
          () => undefined,
          (error: unknown) => error,
        );
        expect(isEventsRefused(thrown) && thrown.refused.map(({ event, code }) => [event, code])).toEqual(
          [ages[5], ages[3], ages[2]].map((event) => [event, "event_time_out_of_range"]),
        );
        expect(await readAll(store, ALL)).toEqual([ages[1], ages[4], ages[0]]);
      });

      it("tells of them also where the server does not (3.x)", async () => {
        store = openStore({ url, database, fetch: asVersion3(url)(fetch) });
        await store.setUp({ rawDays: 7 });
        const events = [8, 10].map((days) => buildEvent({ atUs: Math.round(nowUs() - days * DAY_US) }));
        await expect(store.write(events)).rejects.toMatchObject({
          code: "events_refused",
          refused: [{ event: events[1] }],
        });
        expect(await readAll(store, ALL)).toEqual([events[0]]);
      });

      it("says what is missing before it is set up, and after somebody has dropped it", async () => {
        const missing = { code: "store_incompatible", message: expect.stringContaining("set-up") };
        for (const missed of [
          () => store.check(),
          () => store.write([fullEvent]),
          () => readAll(store, ALL),
          () => store.retention("home"),
        ])
          await expect(missed()).rejects.toMatchObject(missing);
        await influxql(url, `CREATE DATABASE "${database}"`);
        for (const missed of [
          () => store.check(),
          () => store.write([fullEvent]),
          () => readAll(store, ALL),
          () => store.prune("home", 7),
        ])
          await expect(missed()).rejects.toMatchObject(missing);
      });

      it("refuses a database in which the fields have other types", async () => {
        await store.setUp({ rawDays: LONG_DAYS });
        const line = `hearthline_events,home_id=home,entity_id=x,rank=4 flags="text" ${SOME_TIME_US}000`;
        await fetch(`${url}/write?db=${database}&rp=hearthline`, { method: "POST", body: line });
        await expect(store.write([fullEvent])).rejects.toMatchObject({
          code: "store_incompatible",
          message: expect.stringContaining("field type conflict"),
        });
      });

      it("keeps whichever of two writers knows more, whoever is first", async () => {
        await store.setUp({ rawDays: LONG_DAYS });
        const live = manyEvents(2_000, { entities: 10 });
        const past = live.map((event) => ({ ...event, source: "import" as const, state: "past", areaId: "old" }));
        const other = openStore({ url, database });
        const parts = (events: typeof live) =>
          Array.from({ length: 20 }, (_, part) => events.slice(part * 100, part * 100 + 100));
        await Promise.all(
          parts(live).flatMap((part, index) => [store.write(part), other.write(parts(past)[index] ?? [])]),
        );
        expect(await readAll(store, ALL)).toEqual(live);
        expect(await readAll(store, { ...ALL, areaId: "old" })).toEqual([]);
        expect((await store.stats({ homeId: "home" })).reduce((sum, { count }) => sum + count, 0)).toBe(2_000);
        expect(await store.prune("home", SOME_TIME_US + 1e12)).toBe(2_000);
        expect(await readAll(store, ALL)).toEqual([]);
      }, 60_000);

      it("takes attributes of a megabyte, and shorter and longer ones in their place", async () => {
        await store.setUp({ rawDays: LONG_DAYS });
        for (const length of [59_000, 1_000_000, 10, 200_000, 130_000, 0]) {
          const event = buildEvent({ attributes: { text: 'é\\"🏠x'.repeat(length / 5) } });
          await store.write([event]);
          expect(await readAll(store, ALL)).toEqual([event]);
          const span = { fromUs: Math.floor(SOME_TIME_US / DAY_US) * DAY_US, widthUs: DAY_US };
          expect(await store.tiles({ homeId: "home", ...span, toUs: span.fromUs + DAY_US })).toHaveLength(1);
        }
      }, 60_000);

      it("pages over 12,000 entities of one microsecond", async () => {
        await store.setUp({ rawDays: LONG_DAYS });
        const events = Array.from({ length: 12_000 }, (_, step) =>
          buildEvent({ entityId: `sensor.e${String(step).padStart(5, "0")}` }),
        );
        await store.write(events);
        expect((await store.range(ALL)).events).toEqual(events.slice(0, 1_000));
        const middle = { atUs: SOME_TIME_US, entityId: "sensor.e06000", removed: false };
        const { events: down } = await store.range({ ...ALL, order: "desc", limit: 3, after: middle });
        expect(down.map(({ entityId }) => entityId)).toEqual(["sensor.e05999", "sensor.e05998", "sensor.e05997"]);
        expect(await store.stats({ homeId: "home" })).toHaveLength(12_000);
        expect(await store.prune("home", SOME_TIME_US + 1)).toBe(12_000);
      }, 120_000);

      it("keeps every text apart and as it is, whatever it holds, and no text reaches another home", async () => {
        await store.setUp({ rawDays: LONG_DAYS });
        const own = buildEvent({ homeId: "other", entityId: "light.mine" });
        await store.write([own]);
        const evil = fc.oneof(
          fc.string({ unit: "binary", minLength: 1, maxLength: 40 }).filter((text) => text.isWellFormed()),
          fc.constantFrom(
            ...[
              "'; DROP MEASUREMENT hearthline_events; --",
              "home' OR '1'='1",
              'x"; DROP DATABASE',
              "\\",
              "\\'",
              "a\\",
              "/.*/",
              "$",
              "(.*)",
            ],
            ...[
              "a,home_id=other",
              "a home_id=other",
              "a\nhearthline_events,home_id=other flags=1i 1",
              "#",
              "%",
              "%27",
              "time",
              "\u0000",
              "\r\n",
            ],
          ),
        );
        await fc.assert(
          fc.asyncProperty(
            fc.record({
              homeId: evil,
              entityId: evil,
              areaId: evil,
              deviceId: evil,
              state: evil,
              unit: evil,
              key: evil,
            }),
            async (texts) => {
              fc.pre(texts.homeId !== "other");
              const { key, ...members } = texts;
              const event = buildEvent({
                ...members,
                oldState: key,
                deviceClass: key,
                domain: key,
                attributes: { [`k${key}`]: [key] },
              });
              await store.write([event]);
              const { homeId, entityId, areaId, deviceId } = texts;
              const query = { ...ALL, homeId };
              for (const filter of [{}, { entityIds: [entityId] }, { areaId }, { deviceId }, { domain: key }])
                expect(await readAll(store, { ...query, ...filter })).toEqual([event]);
              const edges = [SOME_TIME_US, SOME_TIME_US + 1];
              expect((await store.aggregate({ homeId, entityIds: [entityId], edges }))[0]?.windows[0]?.count).toBe(1);
              expect(await store.prune(homeId, SOME_TIME_US + 1)).toBe(1);
              expect(await readAll(store, query)).toEqual([]);
              expect(await readAll(store, { ...ALL, homeId: "other" })).toEqual([own]);
            },
          ),
          { numRuns: 150 },
        );
      }, 120_000);
    }),
);

/** A server that is this file's own to kill. */
await describePeer(
  "the event store and an InfluxDB that asks who it is",
  async () => {
    process.env.HEARTHLINE_PEERS_INFLUXDB_AUTH = "true";
    try {
      return await startPeer("influxdb", ["--dir", ownDir, "--port", String(await freePort())]);
    } finally {
      delete process.env.HEARTHLINE_PEERS_INFLUXDB_AUTH;
    }
  },
  (line: PeerLine) =>
    describe("an InfluxDB that asks who it is", () => {
      const { url } = line;
      let { pid } = line;
      const admin = { user: "admin", password: 'it\'s "long" enough' };
      const authorization = `Basic ${btoa(`${admin.user}:${admin.password}`)}`;
      const ask = (statement: string) => influxql(url, statement, { authorization });
      const open = (who: { user?: string; password?: string; token?: string }) =>
        openStore({ url, database: "homes", attempts: 2, ...who });

      afterAll(async () => {
        await stopPeer(ownDir);
        await removeOwn();
      });

      it("knows right and wrong users, readers and writers", async () => {
        await influxql(url, `CREATE USER "admin" WITH PASSWORD 'it\\'s "long" enough' WITH ALL PRIVILEGES`);
        await open(admin).setUp({ rawDays: LONG_DAYS });
        for (const [user, right] of [
          ["reader", "READ"],
          ["writer", "WRITE"],
          ["both", "ALL"],
          ["nobody", ""],
        ] as const) {
          await ask(`CREATE USER "${user}" WITH PASSWORD 'x'`);
          if (right) await ask(`GRANT ${right} ON "homes" TO "${user}"`);
        }
        const as = (user: string) => open({ user, password: "x" });
        await as("both").write([fullEvent]);
        await as("both").check();
        await as("both").setUp({ rawDays: 7 });
        expect(await readAll(as("reader"), ALL)).toEqual([fullEvent]);
        expect(await as("both").prune("home", SOME_TIME_US + 1)).toBe(1);
        const wrong: [() => Promise<unknown>, string][] = [
          [() => as("reader").write([fullEvent]), "store_read_only"],
          [() => as("reader").prune("home", SOME_TIME_US + 1), "nothing"],
          [() => readAll(as("writer"), ALL), "service_refused"],
          [() => as("both").setUp({ rawDays: LONG_DAYS + 365 }), "store_incompatible"],
          [() => as("both").drop(), "store_incompatible"],
          [() => as("nobody").write([fullEvent]), "store_read_only"],
          [() => readAll(as("nobody"), ALL), "service_refused"],
          [() => open({ user: "both", password: "wrong-secret" }).write([fullEvent]), "service_refused"],
          [() => open({ user: "both", password: "wrong-secret" }).check(), "service_refused"],
          [() => open({ token: "wrong-secret" }).check(), "service_refused"],
          [() => open({}).check(), "service_refused"],
        ];
        for (const [work, code] of wrong) {
          const thrown = await work().then(
            () => ({ code: "nothing", message: "" }),
            (error: unknown) => error as { code: string; message: string },
          );
          expect(thrown.code).toBe(code);
          expect(thrown.message).not.toMatch(/wrong-secret|long/);
        }
      });

      it("loses nothing that it has said was written when it is killed, and takes it all again", async () => {
        const store = open(admin);
        const events = manyEvents(40_000, { homeId: "killed" });
        const parts = Array.from({ length: 40 }, (_, part) => events.slice(part * 1_000, part * 1_000 + 1_000));
        const written: typeof events = [];
        for (const part of parts) {
          if (part === parts[20]) process.kill(pid, "SIGKILL");
          const isWritten = await store.write(part).then(
            () => true,
            () => false,
          );
          if (isWritten) written.push(...part);
        }
        expect(written.length).toBeGreaterThanOrEqual(20_000);
        expect(written.length).toBeLessThan(40_000);
        await stopPeer(ownDir);
        process.env.HEARTHLINE_PEERS_INFLUXDB_AUTH = "true";
        const again = await startPeer("influxdb", ["--dir", ownDir, "--port", new URL(url).port]);
        delete process.env.HEARTHLINE_PEERS_INFLUXDB_AUTH;
        pid = again.pid;
        expect(again.url).toBe(url);
        const query = { homeId: "killed", order: "asc", limit: 1_000 } as const;
        const found = new Set((await readAll(store, query)).map(({ atUs }) => atUs));
        expect(written.filter(({ atUs }) => !found.has(atUs))).toEqual([]);
        for (const part of parts) await store.write(part);
        expect(await readAll(store, query)).toEqual(events);
      }, 120_000);

      it("is away while it is stopped, and slow while it stands still", async () => {
        const store = openStore({ url, database: "homes", ...admin, attempts: 1, timeoutMs: 700 });
        await store.check();
        process.kill(pid, "SIGSTOP");
        await expect(store.write([fullEvent])).rejects.toMatchObject({ code: "service_timeout", fate: "retry" });
        process.kill(pid, "SIGCONT");
        await store.write([fullEvent]);
        await stopPeer(ownDir);
        await expect(store.check()).rejects.toMatchObject({ code: "service_unreachable", fate: "retry" });
      }, 60_000);
    }),
);
