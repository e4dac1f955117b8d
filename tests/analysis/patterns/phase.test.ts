import { beforeEach, describe, expect, it } from "vitest";
import { unpackDays } from "../../../lib/analysis/patterns/learned.ts";
import { periodOf } from "../../../lib/analysis/periods.ts";
import { type ManualClock, manualClock } from "../../support/manual-clock.ts";
import { unlimitedTime } from "../../support/phase-time.ts";
import { countingDetector } from "./counting-detector.ts";
import { CALENDAR, day, FIRST, makeHome } from "./home.ts";

describe("the phase patterns", () => {
  let clock: ManualClock;
  let home: ReturnType<typeof makeHome>;
  beforeEach(() => {
    clock = manualClock();
    home = makeHome(clock);
  });

  async function nights(from: number, to: number, entityIds?: readonly string[]) {
    const counts: unknown[] = [];
    for (let number = from; number <= to; number++) {
      await home.write(day(number), entityIds);
      counts.push(await home.night(day(number)));
    }
    return counts;
  }

  it("learns from each day once, and tells what held for three nights", async () => {
    const counts = await nights(0, 5);
    expect(counts[0]).toEqual({
      ...{ events: 2, days: 1, days_left: 0, rows_time_of_day: 1 },
      ...{ found: 0, told: 0, ended: 0, rows_left_out: 0 },
    });
    // Found since the third day; held on the fifth.
    expect(counts.map((each) => (each as { found: number; told: number }).told)).toEqual([0, 0, 0, 0, 1, 0]);
    expect(await home.rows("daily")).toHaveLength(6);
    expect(await home.told()).toEqual([
      expect.objectContaining({
        ...{ status: "active", key: "light.a=on", firstSeen: day(0), lastSeen: day(5) },
        ...{ toldOn: day(4), confirmedOn: day(5) },
      }),
    ]);
    const before = await home.patterns.list("home");
    await home.run("daily", day(5));
    expect(await home.patterns.list("home")).toEqual(before);
    // A job of an older day leaves the patterns as young as they are.
    await home.run("daily", day(2));
    expect(await home.patterns.list("home")).toEqual(before);
  });

  it("reads a day again of which events came late, and sums its week once more", async () => {
    await nights(0, 6);
    expect((await home.rows("weekly")).map(([date]) => date)).toEqual([day(0)]);
    await home.write(day(3), ["light.late"]);
    await nights(7, 7);
    expect((await home.rows("daily"))[3]).toEqual([
      day(3),
      [
        { id: "light.a", n: 1 },
        { id: "light.late", n: 1 },
      ],
    ]);
    expect(await home.rows("weekly")).toEqual([
      [
        day(0),
        [
          { id: "light.a", n: 7 },
          { id: "light.late", n: 1 },
        ],
      ],
    ]);
    expect(await home.relearn.list("home")).toEqual([]);
  });

  it("does all days of a past that was imported, oldest first, as far as time goes, and keeps their events until then", async () => {
    clock.set(periodOf("daily", day(30), CALENDAR).fromUs / 1000);
    for (let number = 0; number < 20; number++) await home.write(day(number));
    await home.write(day(30));
    const [first] = [await home.run("daily", day(29))];
    expect(first).toMatchObject({ days: 20, days_left: 0, found: 1, told: 1 });
    expect(await home.rows("daily")).toHaveLength(20);
    expect((await home.rows("weekly")).map(([, rows]) => rows)).toEqual([7, 7, 6].map((n) => [{ id: "light.a", n }]));
    expect(await home.rows("monthly")).toEqual([[FIRST, [{ id: "light.a", n: 20 }]]]);
    const other = makeHome(clock);
    for (let number = 0; number < 20; number++) await other.write(day(number));
    other.set({ time: { ...unlimitedTime, remainingMs: () => 0 } });
    expect(await other.run("daily", day(29))).toMatchObject({ days: 1, days_left: 19 });
    const { oldestUs } = await other.store.retention("home");
    expect(oldestUs).toBeLessThan(periodOf("daily", day(2), CALENDAR).fromUs);
    other.set({ time: unlimitedTime });
    expect(await other.run("daily", day(29))).toMatchObject({ days: 19, days_left: 0, told: 1 });
    expect(await other.rows("weekly")).toEqual(await home.rows("weekly"));
  });

  it("makes rows of another version again while their events are there, and leaves out the others", async () => {
    await nights(0, 12);
    home.set({ detectors: [countingDetector({ version: 2 })] });
    await home.write(day(13));
    const counts = await home.night(day(13));
    // Seven days are kept.
    expect(counts).toMatchObject({ days: 8, rows_left_out: 6 });
    expect(await home.night(day(13))).toMatchObject({ days: 1 });
  });

  it("keeps what was learned of a day that has been pruned in part", async () => {
    await nights(0, 3);
    await home.store.prune("home", periodOf("daily", day(3), CALENDAR).fromUs + 5 * 3.6e9 + 1);
    const before = await home.rows("daily");
    expect(await home.run("daily", day(3))).toMatchObject({ events: 1, days: 0 });
    expect(await home.rows("daily")).toEqual(before);
  });

  it("has one detector fail alone, says so, and lets it catch up", async () => {
    let isBroken: "aggregate" | "find" | undefined = "aggregate";
    const broken = countingDetector({ kind: "room", fails: (what) => what === isBroken });
    home.set({ detectors: [broken, countingDetector()] });
    for (let number = 0; number < 4; number++) {
      await home.write(day(number));
      await expect(home.night(day(number))).rejects.toThrow("room (cannot learn)");
    }
    await expect(home.run("weekly", day(3))).resolves.toBeDefined();
    expect(await home.rows("daily")).toHaveLength(4);
    isBroken = "find";
    await home.write(day(4));
    await expect(home.night(day(4))).rejects.toThrow("room (cannot find)");
    expect(await home.rows("daily", "room")).toHaveLength(5);
    expect((await home.told()).map(({ id }) => id.split("-")[0])).toEqual(["time"]);
    isBroken = undefined;
    await home.run("daily", day(4));
    expect((await home.told()).map(({ id }) => id.split("-")[0])).toEqual(["room", "time"]);
  });

  it("goes on with an entity under its new name, and ends what is gone", async () => {
    const entity = (entityId: string, uniqueId: string) => ({ entityId, uniqueId, platform: "x", labels: [] });
    let revision = Date.parse(`${FIRST}T00:00:00Z`);
    const registry = (rows: readonly ReturnType<typeof entity>[]) =>
      home.index.applyRegistry("home", { registry: "entities", revision: ++revision, part: 1, parts: 1, rows });
    await registry([entity("light.a", "1"), entity("light.b", "2")]);
    await nights(0, 5, ["light.a", "light.b"]);
    const [before] = await home.patterns.list("home");
    revision = Date.parse(`${day(6)}T12:00:00Z`);
    await registry([entity("light.hall", "1"), entity("light.b", "2")]);
    await nights(6, 6, ["light.hall", "light.b"]);
    const after = await home.patterns.list("home");
    expect(after).toHaveLength(2);
    const moved = after.find(({ key }) => key === "light.hall=on");
    expect([before?.id, after.find(({ id }) => id === before?.id)?.firstSeen]).toEqual([before?.id, day(0)]);
    expect(moved).toMatchObject({ target: { entityId: "light.hall" }, firstSeen: day(0), hits: 7, status: "active" });
    revision = Date.parse(`${day(7)}T12:00:00Z`);
    await registry([entity("light.hall", "1")]);
    await nights(7, 7, ["light.hall"]);
    expect((await home.told()).map(({ key, status }) => `${key} ${status}`).sort()).toEqual([
      "light.b=on ended",
      "light.hall=on active",
    ]);
  });

  it("does nothing in a home of which nothing is known", async () => {
    expect(await home.run("daily", day(3))).toMatchObject({ events: 0, days: 0, found: 0, told: 0 });
    expect(await home.run("weekly", day(3))).toMatchObject({ events: 0, days: 0 });
    expect(await home.patterns.list("home")).toEqual([]);
    expect(await home.rows("daily")).toEqual([]);
    expect(unpackDays({ rows: [] })).toEqual({ versions: {}, dates: [], events: 0 });
  });
});
