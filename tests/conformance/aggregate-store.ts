import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Aggregate, AggregateQuery, AggregateStore, RetentionRecords } from "../../lib/analysis/ports.ts";

const aggregate = (date: string, more: Partial<Aggregate> = {}): Aggregate => ({
  homeId: "home",
  layer: "daily",
  kind: "entities",
  date,
  fromUs: 1_795_316_400_000_000,
  toUs: 1_795_402_800_000_001,
  rows: [{ entity_id: "light.a", count: 1 }],
  ...more,
});
const ALL: AggregateQuery = {
  homeId: "home",
  layer: "daily",
  kind: "entities",
  fromDate: "0000-01-01",
  toDate: "9999-12-31",
};
async function read(store: AggregateStore, query: Partial<AggregateQuery> = {}): Promise<Aggregate[]> {
  const found: Aggregate[] = [];
  for await (const each of store.range({ ...ALL, ...query })) found.push(each);
  return found;
}
const dates = async (store: AggregateStore, query: Partial<AggregateQuery> = {}) =>
  (await read(store, query)).map(({ date }) => date);

export interface AggregateStoreUnderTest {
  readonly store: AggregateStore;
  readonly records: RetentionRecords;
}

const NOW_MS = Date.UTC(2026, 10, 22, 3);

/** What every `AggregateStore` and `RetentionRecords` does. `make` gives empty ones for which it is NOW_MS, or what was set since. */
export function aggregateStoreConformance(
  make: (clock: { nowMs: () => number }) => Promise<AggregateStoreUnderTest>,
): void {
  const fresh = async (nowMs = () => NOW_MS) => (await make({ nowMs })).store;

  describe("aggregates", () => {
    it("are read by layer, kind and half-open dates, ascending", async () => {
      const store = await fresh();
      for (const day of ["03", "01", "02"]) await store.put(aggregate(`2026-11-${day}`, { rows: [day] }));
      await store.put(aggregate("2026-11-02", { kind: "time-of-day" }));
      await store.put(aggregate("2026-11-02", { layer: "weekly" }));
      await store.put(aggregate("2026-11-02", { homeId: "home2" }));
      expect(await read(store)).toEqual(["01", "02", "03"].map((day) => aggregate(`2026-11-${day}`, { rows: [day] })));
      expect(await dates(store, { fromDate: "2026-11-02", toDate: "2026-11-03" })).toEqual(["2026-11-02"]);
      expect(await dates(store, { fromDate: "2026-11-03", toDate: "2026-11-02" })).toEqual([]);
      expect(await dates(store, { kind: "entitie" })).toEqual([]);
      expect(await dates(store, { homeId: "hom" })).toEqual([]);
      expect(await store.kinds("home", "daily")).toEqual(["entities", "time-of-day"]);
      expect(await store.kinds("home", "monthly")).toEqual([]);
      expect(await store.oldest("home", "daily")).toBe("2026-11-01");
      expect(await store.oldest("home", "monthly")).toBeUndefined();
    });

    it("are listed by their dates alone", async () => {
      const store = await fresh();
      for (const day of ["03", "01", "02"]) await store.put(aggregate(`2026-11-${day}`));
      await store.put(aggregate("2026-11-01", { kind: "room" }));
      expect(await store.dates(ALL)).toEqual(["2026-11-01", "2026-11-02", "2026-11-03"]);
      expect(await store.dates({ ...ALL, fromDate: "2026-11-02", toDate: "2026-11-03" })).toEqual(["2026-11-02"]);
      expect(await store.dates({ ...ALL, homeId: "hom" })).toEqual([]);
    });

    it("are changed by many at once, and nobody's change is lost", async () => {
      let nowMs = NOW_MS;
      const store = await fresh(() => nowMs);
      const large = Array.from({ length: 8_000 }, (_, index) => `${index * 7919}${Math.sin(index)}`);
      const add = (row: string) =>
        store.change(aggregate("2026-11-01"), (there) => ({
          aggregate: aggregate("2026-11-01", { rows: [...(there?.rows ?? []), row, ...(row === "3" ? large : [])] }),
          expiresMs: NOW_MS + 10_000,
        }));
      await Promise.all(["0", "1", "2", "3", "4", "5"].map(add));
      const short = (await read(store))[0]?.rows.filter((row) => String(row).length === 1);
      expect(short?.toSorted()).toEqual(["0", "1", "2", "3", "4", "5"]);
      await store.change(aggregate("2026-11-01"), () => undefined);
      expect((await read(store))[0]?.rows).toHaveLength(6 + large.length);
      // What has ended is not there, whether or not the store has deleted it yet.
      nowMs += 10_000;
      await add("new");
      nowMs -= 5_000;
      expect((await read(store)).map(({ rows }) => rows)).toEqual([["new"]]);
      expect(await store.prune("home", "daily", "2026-11-02")).toBe(1);
    });

    it("are replaced as a whole, from large to small and back", async () => {
      const store = await fresh();
      const large = Array.from({ length: 30_000 }, (_, index) => ({
        id: index,
        text: `${index * 7919}${Math.sin(index)}`,
      }));
      for (const rows of [["a"], large, [], large.slice(0, 20_000), ["b"]]) {
        await store.put(aggregate("2026-11-01", { rows }));
        expect(await read(store)).toEqual([aggregate("2026-11-01", { rows })]);
      }
      await store.put(aggregate("2026-11-01", { rows: large }));
      expect(await store.prune("home", "daily", "2026-11-02")).toBe(1);
      expect(await read(store)).toEqual([]);
    });

    it("are pruned by date, every kind of that layer and home, and counted", async () => {
      const store = await fresh();
      for (const date of ["2026-11-01", "2026-11-02", "2026-11-03"])
        for (const kind of ["entities", "room"]) await store.put(aggregate(date, { kind }));
      await store.put(aggregate("2026-11-01", { layer: "weekly" }));
      await store.put(aggregate("2026-11-01", { homeId: "other" }));
      expect(await store.prune("home", "daily", "2026-11-03")).toBe(4);
      expect(await store.prune("home", "daily", "2026-11-03")).toBe(0);
      expect(await dates(store)).toEqual(["2026-11-03"]);
      expect(await dates(store, { layer: "weekly" })).toEqual(["2026-11-01"]);
      expect(await dates(store, { homeId: "other" })).toEqual(["2026-11-01"]);
    });

    it("are not found any more after their end, and get another one", async () => {
      let nowMs = NOW_MS;
      const store = await fresh(() => nowMs);
      await store.put(aggregate("2026-11-01"), NOW_MS + 10_000);
      await store.put(aggregate("2026-11-02"), NOW_MS + 20_000);
      await store.put(aggregate("2026-11-03"));
      expect(await dates(store)).toEqual(["2026-11-01", "2026-11-02", "2026-11-03"]);
      nowMs += 10_000;
      expect(await dates(store)).toEqual(["2026-11-02", "2026-11-03"]);
      expect(await store.oldest("home", "daily")).toBe("2026-11-02");
      await store.restamp("home", "daily", (date) => NOW_MS + (date === "2026-11-02" ? 60_000 : 30_000));
      nowMs += 20_000;
      expect(await dates(store)).toEqual(["2026-11-02"]);
      nowMs += 30_000;
      expect(await dates(store)).toEqual([]);
    });

    it("come back as they were given, whatever their names and values", async () => {
      const store = await fresh();
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom("home", "h#me", "%", "home#daily"),
          fc.constantFrom("entities", "a#b", "%23", "z"),
          fc.array(fc.jsonValue({ noUnicodeString: false }), { maxLength: 5 }),
          async (homeId, kind, rows) => {
            const given = JSON.parse(JSON.stringify(aggregate("2026-11-05", { homeId, kind, rows }))) as Aggregate;
            await store.put(given);
            expect(await read(store, { homeId, kind })).toEqual([given]);
          },
        ),
        { numRuns: 25 },
      );
    });
  });

  describe("what was enforced", () => {
    it("is the latest that was put, of that home", async () => {
      const { records } = await make({ nowMs: () => NOW_MS });
      expect(await records.get("home")).toBeUndefined();
      const enforced = { enforcedAt: "2026-11-22T03:00:05.000Z", rawDays: 7, dailyDays: 90, weeklyWeeks: 52 };
      await records.put("home", enforced);
      await records.put("home", { ...enforced, rawDays: 30 });
      expect(await records.get("home")).toEqual({ ...enforced, rawDays: 30 });
      expect(await records.get("home2")).toBeUndefined();
      await records.remove("home");
      await records.remove("home");
      expect(await records.get("home")).toBeUndefined();
    });
  });
}
