import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { compareEvents, type HomeEvent, naturalKey } from "../../lib/event/index.ts";
import type { EventStore, RangeQuery } from "../../lib/store/ports.ts";
import { buildEvent, fullEvent, HOME_IDS, manyEvents, SOME_TIME_US } from "../support/events.ts";
import { anyCommand } from "./event-store-commands.ts";
import { followModel } from "./event-store-model.ts";
import { scanConformance } from "./event-store-scan.ts";
import { seriesConformance } from "./event-store-series.ts";
import {
  type EventStoreTraits,
  type EventStoreUnderTest,
  NEWEST,
  OLDEST,
  type OpenEventStore,
  readAll,
} from "./event-store-support.ts";
import { upkeepConformance } from "./event-store-upkeep.ts";

export type { EventStoreTraits, EventStoreUnderTest } from "./event-store-support.ts";

/** What every event store does, whatever it is made of. */
export function eventStoreConformance(name: string, open: OpenEventStore, traits: EventStoreTraits = {}): void {
  const { share = 1, isPruned = true, limits = { minUs: -1, maxUs: Number.MAX_SAFE_INTEGER - 1 } } = traits;
  seriesConformance(name, open, traits);
  upkeepConformance(name, open, traits);
  scanConformance(name, open, traits);
  describe(`event store: ${name}`, () => {
    let under: EventStoreUnderTest;
    let store: EventStore;
    beforeEach(async () => {
      under = await open();
      store = under.store;
    });
    afterEach(() => under.dispose());

    it("gives back every member of an event", async () => {
      const plain = buildEvent({ atUs: SOME_TIME_US + 1 });
      await store.write([fullEvent, plain]);
      expect(await readAll(store, { homeId: "home", ...OLDEST })).toEqual([fullEvent, plain]);
      store = await under.reopen();
      expect(await readAll(store, { homeId: "home", ...OLDEST })).toEqual([fullEvent, plain]);
    });

    it("keeps states of 255 characters, of any script, and empty ones", async () => {
      const states = ["", "🏠".repeat(127), "ü".repeat(255), "a\u0000b", "'; DROP TABLE event; --", "%_\\", "١٢", "\n"];
      const events = states.map((state, index) => buildEvent({ state, oldState: state, atUs: SOME_TIME_US + index }));
      await store.write(events);
      expect(await readAll(store, { homeId: "home", ...OLDEST })).toEqual(events);
    });

    it("tells a value from the state's text", async () => {
      const values = [0, 1, 21.5, -3e-7, 1e21, true, false, undefined];
      const states = ["0", "1.0", "21.50", "x", "on"];
      const events = states.flatMap((state, row) =>
        values.map((value, column) =>
          buildEvent({ state, atUs: SOME_TIME_US + row * 100 + column, ...(value !== undefined && { value }) }),
        ),
      );
      await store.write(events);
      expect(await readAll(store, { homeId: "home", ...OLDEST })).toEqual(events);
    });

    it("is the same after any order and number of writes", async () => {
      const events = manyEvents(60, { entities: 5 });
      await store.write(events);
      await store.write([...events].reverse());
      for (const event of events) await store.write([event, event]);
      expect(await readAll(store, { homeId: "home", ...OLDEST })).toEqual(events);
    });

    it("keeps the event that knows more, and of two that know as much the later", async () => {
      const at = (source: HomeEvent["source"], kind: HomeEvent["kind"], state: string) =>
        buildEvent({ source, kind, state });
      const steps: [HomeEvent, string][] = [
        [at("live", "snapshot", "1"), "1"],
        [at("import", "change", "2"), "2"],
        [at("live", "snapshot", "3"), "2"],
        [at("backfill", "change", "4"), "4"],
        [at("backfill", "attributes", "5"), "5"],
        [at("live", "restore", "6"), "6"],
        [at("api", "change", "7"), "6"],
        [at("live", "change", "8"), "8"],
        [at("backfill", "change", "9"), "8"],
        [at("import", "change", "10"), "8"],
        [at("backfill", "snapshot", "11"), "8"],
      ];
      for (const [event, state] of steps) {
        await store.write([event]);
        const { events } = await store.range({ homeId: "home", ...NEWEST });
        expect(events.map((kept) => kept.state)).toEqual([state]);
      }
    });

    it("keeps states whose context nobody knows any more, and hours of statistics", async () => {
      const events = (["import", "backfill"] as const).flatMap((source, index) => [
        buildEvent({ source, context: { id: "" }, atUs: SOME_TIME_US + 2 * index }),
        buildEvent({
          ...{ source, kind: "snapshot", origin: "STATISTICS", context: { id: "" }, attributes: {} },
          ...{ state: "21.4", value: 21.4, unit: "°C", atUs: SOME_TIME_US + 2 * index + 1 },
        }),
      ]);
      await store.write(events);
      store = await under.reopen();
      expect(await readAll(store, { homeId: "home", ...OLDEST })).toEqual(events);
      // The states themselves, when somebody brings them after all.
      const better = events.map((event) => ({ ...event, kind: "change" as const, source: "backfill" as const }));
      await store.write(better);
      await store.write(events);
      expect(await readAll(store, { homeId: "home", ...OLDEST })).toEqual(better);
    });

    it("moves an event to another area when it is written again", async () => {
      await store.write([buildEvent({ areaId: "kitchen" })]);
      await store.write([buildEvent({ areaId: "hall" })]);
      expect((await store.range({ homeId: "home", areaId: "kitchen", ...NEWEST })).events).toEqual([]);
      expect((await store.range({ homeId: "home", areaId: "hall", ...NEWEST })).events).toHaveLength(1);
    });

    it("keeps a removal beside a state of the same moment, the state first", async () => {
      const state = buildEvent();
      const removal = buildEvent({ kind: "removed", state: "", quality: "unavailable", attributes: {} });
      await store.write([removal, state]);
      expect(await readAll(store, { homeId: "home", order: "asc", limit: 1 })).toEqual([state, removal]);
      expect(await readAll(store, { homeId: "home", order: "desc", limit: 1 })).toEqual([removal, state]);
    });

    it("takes ranges as half-open, to the microsecond", async () => {
      const events = [0, 1, 2].map((step) => buildEvent({ atUs: SOME_TIME_US + step }));
      await store.write(events);
      const times = async (fromUs: number, toUs: number) =>
        (await store.range({ homeId: "home", fromUs, toUs, ...OLDEST })).events.map((event) => event.atUs);
      expect(await times(SOME_TIME_US, SOME_TIME_US + 2)).toEqual([SOME_TIME_US, SOME_TIME_US + 1]);
      expect(await times(SOME_TIME_US + 1, SOME_TIME_US + 1)).toEqual([]);
      expect(await times(SOME_TIME_US + 2, SOME_TIME_US + 1)).toEqual([]);
      expect(await times(SOME_TIME_US + 2, SOME_TIME_US + 3)).toEqual([SOME_TIME_US + 2]);
    });

    it("keeps the first and the last times that there are", async () => {
      const { minUs, maxUs } = limits;
      const events = [minUs, minUs + 1, minUs + 2, maxUs].map((atUs) => buildEvent({ atUs, lastChangedUs: 0 }));
      await store.write(events);
      expect(await readAll(store, { homeId: "home", ...OLDEST })).toEqual(events);
    });

    it("pages through many entities of one moment", async () => {
      // The last two are in another order by code points than by JavaScript's code units.
      const names = [...Array.from({ length: 55 }, (_, index) => `l${index}`), "\u{1d7d8}", "\ufb00"];
      const events = names.map((name) => buildEvent({ entityId: `light.${name}` }));
      await store.write(events);
      const sorted = [...events].sort(compareEvents);
      for (const filter of [{}, { domain: "light" }, { entityIds: events.map((event) => event.entityId) }]) {
        expect(await readAll(store, { homeId: "home", order: "asc", limit: 10, ...filter })).toEqual(sorted);
        expect(await readAll(store, { homeId: "home", order: "desc", limit: 10, ...filter })).toEqual(
          sorted.toReversed(),
        );
      }
    });

    it("pages over several entities of which one is busy and the others are quiet", async () => {
      const busy = Array.from({ length: 300 }, (_, step) => buildEvent({ atUs: SOME_TIME_US + 10 * step }));
      const quiet = [0, 1, 2, 3].map((step) =>
        buildEvent({ entityId: `light.quiet${step}`, atUs: SOME_TIME_US + step * 977 }),
      );
      await store.write([...busy, ...quiet]);
      const sorted = [...busy, ...quiet].sort(compareEvents);
      for (const limit of [7, 60, 1000]) {
        const query = { homeId: "home", domain: "light", limit } as const;
        expect(await readAll(store, { ...query, order: "asc" })).toEqual(sorted);
        expect(await readAll(store, { ...query, order: "desc" })).toEqual(sorted.toReversed());
      }
    });

    it.each(["asc", "desc"] as const)("keeps pages stable while writes go on (%s)", async (order) => {
      const events = manyEvents(300, { entities: 7 });
      await store.write(events);
      let extra = 0;
      const writeOnBothSides = async () => {
        extra++;
        const early = buildEvent({ entityId: "light.early", atUs: SOME_TIME_US - extra });
        const late = buildEvent({ entityId: "light.late", atUs: SOME_TIME_US + 300 * 250_000 + extra });
        await store.write([early, late, ...events.slice(0, 20)]);
      };
      const bounds = { fromUs: SOME_TIME_US, toUs: SOME_TIME_US + 300 * 250_000 };
      const read = await readAll(store, { homeId: "home", order, limit: 17, ...bounds }, writeOnBothSides);
      expect(read).toEqual(order === "asc" ? events : events.toReversed());
      const open = await readAll(store, { homeId: "home", order, limit: 100 });
      expect(open).toHaveLength(300 + 2 * extra);
    });

    it("keeps homes apart, whatever their names", async () => {
      for (const homeId of HOME_IDS) await store.write([buildEvent({ homeId, state: homeId })]);
      for (const homeId of HOME_IDS) {
        const { events } = await store.range({ homeId, ...NEWEST });
        expect(events.map((event) => event.state)).toEqual([homeId]);
        expect((await store.stats({ homeId })).map((row) => row.count)).toEqual([1]);
      }
      for (const homeId of ["", "h", "%", "hom_", "home' OR '1'='1", "HOME"]) {
        expect(await store.range({ homeId, ...NEWEST })).toEqual({ events: [] });
        expect(await store.range({ homeId, entityIds: ["light.bed_light"], ...NEWEST })).toEqual({ events: [] });
        expect(await store.stats({ homeId })).toEqual([]);
        expect(await store.prune(homeId, Number.MAX_SAFE_INTEGER)).toBe(0);
      }
      expect(await store.prune("h%", Number.MAX_SAFE_INTEGER)).toBe(isPruned ? 1 : 0);
      expect((await store.range({ homeId: "home", ...NEWEST })).events).toHaveLength(1);
    });

    it("answers an empty filter, an unknown one and several at once", async () => {
      await store.write(manyEvents(200));
      const count = async (filter: Partial<RangeQuery>) =>
        (await readAll(store, { homeId: "home", ...OLDEST, ...filter })).length;
      expect(await count({ entityIds: [] })).toBe(0);
      expect(await count({ entityIds: ["sensor.none", "sensor.%"] })).toBe(0);
      expect(await count({ areaId: "area_" })).toBe(0);
      expect(await count({ areaId: "area_3" })).toBe(24);
      expect(await count({ areaId: "area_3", domain: "light" })).toBe(8);
      expect(await count({ areaId: "area_3", entityIds: ["sensor.part_3", "sensor.part_6"] })).toBe(4);
      expect(await count({ deviceId: "device_3" })).toBe(12);
    });

    it("counts what it holds", async () => {
      const times = [0, 10, 5_000_000, 5_000_001];
      await store.write(times.map((step) => buildEvent({ atUs: SOME_TIME_US + step })));
      await store.write([buildEvent({ entityId: "light.a", atUs: SOME_TIME_US })]);
      const stats = await store.stats({ homeId: "home" });
      expect(stats.map(({ bytes, ...rest }) => rest)).toEqual([
        { entityId: "light.a", count: 1, firstUs: SOME_TIME_US, lastUs: SOME_TIME_US, longestGapSeconds: 0 },
        {
          entityId: "light.bed_light",
          count: 4,
          firstUs: SOME_TIME_US,
          lastUs: SOME_TIME_US + 5_000_001,
          longestGapSeconds: 4.99999,
        },
      ]);
      for (const { bytes, count } of stats) expect(bytes).toBeGreaterThan(50 * count);
      const some = { homeId: "home", fromUs: SOME_TIME_US + 10, toUs: SOME_TIME_US + 5_000_001 };
      expect((await store.stats(some)).map((row) => row.count)).toEqual([2]);
      expect((await store.stats({ homeId: "home", entityIds: ["light.a"] })).map((row) => row.count)).toEqual([1]);
    });

    it("counts exactly over many events, moved entities and removals of the same moment", async () => {
      const busy = Array.from({ length: 12_000 }, (_, step) =>
        buildEvent({
          atUs: SOME_TIME_US + step * 1_000 + (step > 1_990 ? 7_000_000 : 0) + (step > 9_000 ? 9_000_000 : 0),
          areaId: step % 3000 < 1500 ? "hall" : "attic",
          attributes: { level: step % 7 },
        }),
      );
      const removal = buildEvent({ kind: "removed", state: "", atUs: busy[1_990]?.atUs ?? 0, attributes: {} });
      const quiet = buildEvent({ entityId: "light.quiet" });
      await store.write([...busy, removal, quiet]);
      const [first, second, ...rest] = await store.stats({ homeId: "home" });
      expect(rest).toEqual([]);
      expect(first).toMatchObject({
        entityId: "light.bed_light",
        count: 12_001,
        firstUs: SOME_TIME_US,
        lastUs: busy.at(-1)?.atUs,
        longestGapSeconds: 9.001,
      });
      expect(second).toMatchObject({ entityId: "light.quiet", count: 1 });
      // Seven attribute sets, each counted once however many slices meet them.
      expect(first?.bytes).toBeLessThan(12_001 * 330);
      const part = { homeId: "home", fromUs: busy[100]?.atUs ?? 0, toUs: busy[11_100]?.atUs ?? 0 };
      expect((await store.stats(part)).map(({ count }) => count)).toEqual([11_001]);
    });

    it("prunes what is before the moment, of that home only, and says how many", async () => {
      await store.write([...manyEvents(100), ...manyEvents(10, { homeId: "home2" })]);
      const beforeUs = SOME_TIME_US + 40 * 250_000;
      if (!isPruned) {
        expect(await store.prune("home", beforeUs)).toBe(0);
        return expect(await readAll(store, { homeId: "home", ...OLDEST })).toEqual(manyEvents(100));
      }
      expect(await store.prune("home", beforeUs)).toBe(40);
      expect(await store.prune("home", beforeUs)).toBe(0);
      const left = await readAll(store, { homeId: "home", ...OLDEST });
      expect(left).toEqual(manyEvents(100).slice(40));
      expect(await readAll(store, { homeId: "home2", ...OLDEST })).toHaveLength(10);
      await store.write(manyEvents(100));
      expect(await readAll(store, { homeId: "home", ...OLDEST })).toEqual(manyEvents(100));
    });

    const volume = Math.round(100_000 * share);
    it(`pages through ${volume} events both ways`, async () => {
      const events = manyEvents(volume);
      for (let at = 0; at < events.length; at += 5_000) await store.write(events.slice(at, at + 5_000));
      const keys = events.map(naturalKey);
      expect((await readAll(store, { homeId: "home", ...OLDEST })).map(naturalKey)).toEqual(keys);
      const down = await readAll(store, { homeId: "home", order: "desc", limit: 1000 });
      expect(down.map(naturalKey)).toEqual(keys.toReversed());
      const lights = { homeId: "home", domain: "light", order: "desc", limit: 1000 } as const;
      const wanted = events.filter((event) => event.domain === "light").map(naturalKey);
      expect((await readAll(store, lights)).map(naturalKey)).toEqual(wanted.toReversed());
    }, 120_000);

    it("answers when asked whether it is there", async () => {
      await expect(store.check()).resolves.toBeUndefined();
    });

    it(
      "does as a simple model does, whatever the order of commands",
      () =>
        fc.assert(
          fc.asyncProperty(fc.array(anyCommand, { minLength: 1, maxLength: 25 }), async (commands) => {
            const fresh = await open();
            try {
              await followModel(fresh, commands, traits);
            } finally {
              await fresh.dispose();
            }
          }),
          { numRuns: Math.max(5, Math.round(60 * share)) },
        ),
      120_000,
    );
  });
}
