import { beforeEach, describe, expect, it } from "vitest";
import { createMemoryAggregateStore, createMemoryRetentionRecords } from "../../lib/adapters/memory/aggregates.ts";
import { createMemoryEventStore } from "../../lib/adapters/memory/event-store.ts";
import { createMemoryLateDays } from "../../lib/adapters/memory/late-days.ts";
import {
  createEntityLayers,
  type EntityRow,
  newJob,
  retentionPhase,
  unpackRows,
  windowOf,
} from "../../lib/analysis/index.ts";
import { pruneBeforeDate } from "../../lib/analysis/retention-rules.ts";
import { parseIsoUs } from "../../lib/base/time.ts";
import { addDays } from "../../lib/base/zone.ts";
import { buildEvent } from "../support/events.ts";
import { type ManualClock, manualClock } from "../support/manual-clock.ts";
import { unlimitedTime } from "../support/phase-time.ts";

const ZONE = "Europe/Amsterdam";
const RETENTION = { rawDays: 7, dailyDays: 90, weeklyWeeks: 52 };

describe("the retention phase", () => {
  let clock: ManualClock;
  let home: ReturnType<typeof make>;
  beforeEach(() => {
    clock = manualClock();
    home = make();
  });

  function make(retention = RETENTION, budgetMs = 60_000) {
    const parts = {
      store: createMemoryEventStore(),
      aggregates: createMemoryAggregateStore({ clock }),
      lateDays: createMemoryLateDays(),
      records: createMemoryRetentionRecords(),
    };
    return withSettings(parts, retention, budgetMs);
  }

  function withSettings<
    P extends Omit<
      Parameters<typeof retentionPhase>[0] & Parameters<typeof createEntityLayers>[0],
      "layers" | "clock" | "retention" | "analysisTime" | "budgetMs"
    >,
  >(parts: P, retention: typeof RETENTION, budgetMs = 60_000) {
    const options = { ...parts, retention, analysisTime: "03:00", clock, budgetMs };
    const layers = createEntityLayers(options);
    const phase = retentionPhase({ ...options, layers });
    const job = (date: string) => newJob("home", { kind: "daily", date }, clock.nowMs());
    return {
      ...parts,
      events: (date: string) => layers.daily(job(date), ZONE),
      prune: (date: string) => phase.run(job(date), ZONE, unlimitedTime),
    };
  }

  const write = (times: readonly string[]) =>
    home.store.write(times.map((time) => buildEvent({ atUs: parseIsoUs(time) })));
  const left = async () =>
    (await home.store.range({ homeId: "home", order: "asc", limit: 100 })).events.map(({ atUs }) =>
      new Date(atUs / 1000).toISOString().slice(0, 10),
    );

  it("keeps the last days by the home's own clock, whenever it runs and however often", async () => {
    // Clocks in Amsterdam go back on 25 October: the day of the 18th begins at 01:00 UTC, a day after the change at 02:00.
    await write([
      "2026-10-18T00:59:59.999999Z",
      "2026-10-18T01:00:00.000000Z",
      "2026-10-26T01:59:59.999999Z",
      "2026-10-26T02:00:00Z",
    ]);
    const night = async (date: string) => {
      await home.events(date);
      return (await home.prune(date)).pruned_events;
    };
    expect(await night("2026-10-24")).toBe(1);
    expect(await night("2026-10-24")).toBe(0);
    expect(await night("2026-11-01")).toBe(2);
    expect(await night("2026-10-24")).toBe(0);
    expect((await home.store.stats({ homeId: "home" })).map(({ count }) => count)).toEqual([1]);
  });

  it("keeps raw events of days that are not aggregated yet, and lets them go once they are", async () => {
    await write(["2026-10-01T12:00:00Z", "2026-10-02T12:00:00Z", "2026-11-20T12:00:00Z"]);
    expect((await home.prune("2026-11-21")).pruned_events).toBe(0);
    const noTime = withSettings(home, RETENTION, 0);
    expect(await noTime.events("2026-11-21")).toMatchObject({ days: 1, days_left: 3 });
    expect((await noTime.prune("2026-11-21")).pruned_events).toBe(0);
    expect(await left()).toEqual(["2026-10-01", "2026-10-02", "2026-11-20"]);
    expect(await home.events("2026-11-21")).toMatchObject({ days: 4, days_left: 0 });
    expect((await home.prune("2026-11-21")).pruned_events).toBe(2);
    expect(await left()).toEqual(["2026-11-20"]);
    const dates = [];
    for await (const { date, rows } of home.aggregates.range({
      ...{ homeId: "home", layer: "daily", kind: "entities", fromDate: "2026-01-01", toDate: "2027-01-01" },
    } as const))
      if (rows.length > 0) dates.push(date);
    expect(dates).toEqual(["2026-10-01", "2026-10-02", "2026-11-20"]);
  });

  it("keeps an imported past in the layers that reach so far, and lets its events go", async () => {
    const days = Array.from({ length: 500 }, (_, back) => addDays("2026-11-21", -back));
    await write(days.map((date) => `${date}T12:00:00Z`));
    await home.events("2026-11-21");
    const counts = await home.prune("2026-11-21");
    expect(counts.pruned_events).toBe(500 - 7);
    expect(await left()).toHaveLength(7);
    const kept = async (layer: "daily" | "weekly" | "monthly") => {
      const found: { date: string; count: number }[] = [];
      const query = { homeId: "home", layer, kind: "entities", fromDate: "2020-01-01", toDate: "2030-01-01" };
      for await (const aggregate of home.aggregates.range(query))
        found.push({ date: aggregate.date, count: windowOf(unpackRows(aggregate)[0] as EntityRow, aggregate).count });
      return found;
    };
    const daily = await kept("daily");
    expect([daily.length, daily[0]?.date]).toEqual([90, "2026-08-24"]);
    const weekly = await kept("weekly");
    expect([weekly.length, weekly[0]?.date, weekly.at(-1)?.date]).toEqual([52, "2025-11-23", "2026-11-15"]);
    expect(new Set(weekly.map(({ count }) => count))).toEqual(new Set([7]));
    const monthly = await kept("monthly");
    expect([monthly.length, monthly[0], monthly.at(-1)]).toEqual([
      12,
      { date: "2025-11-01", count: 30 },
      { date: "2026-10-01", count: 31 },
    ]);
  });

  it("does not replace a day's aggregate by what is left of its events", async () => {
    await write(["2026-11-02T12:00:00Z", "2026-11-02T13:00:00Z"]);
    await home.events("2026-11-02");
    // Its week is not summed yet.
    expect((await home.prune("2026-11-20")).pruned_events).toBe(0);
    await home.events("2026-11-20");
    expect((await home.prune("2026-11-20")).pruned_events).toBe(2);
    await write(["2026-11-02T14:00:00Z"]);
    await home.lateDays.note("home", ["2026-11-02"]);
    expect(await home.events("2026-11-20")).toMatchObject({ days: 2, days_left: 0 });
    const query = {
      homeId: "home",
      layer: "daily",
      kind: "entities",
      fromDate: "2026-11-02",
      toDate: "2026-11-03",
    } as const;
    for await (const day of home.aggregates.range(query))
      expect(unpackRows(day).map((row) => windowOf(row, day).count)).toEqual([2]);
    expect(await home.lateDays.list("home")).toEqual([]);
    expect((await home.prune("2026-11-20")).pruned_events).toBe(1);
  });

  it("prunes each layer by its own setting and says what it enforced", async () => {
    const put = (layer: "daily" | "weekly" | "monthly", date: string) =>
      home.aggregates.put({ homeId: "home", layer, kind: "x", date, fromUs: 0, toUs: 1, rows: [] });
    const today = "2026-11-21";
    await put("daily", addDays(today, -90));
    await put("daily", addDays(today, -89));
    // 52 weeks before the 22nd is 23 November 2025: the week that ended on that morning goes.
    await put("weekly", "2025-11-16");
    await put("weekly", "2025-11-23");
    await put("monthly", "2025-10-01");
    await put("monthly", "2025-11-01");
    expect(await home.prune(today)).toEqual({ pruned_events: 0, pruned_daily: 1, pruned_weekly: 1, pruned_monthly: 1 });
    expect(await home.prune(today)).toEqual({ pruned_events: 0, pruned_daily: 0, pruned_weekly: 0, pruned_monthly: 0 });
    expect(await home.aggregates.oldest("home", "daily")).toBe(addDays(today, -89));
    expect(await home.aggregates.oldest("home", "weekly")).toBe("2025-11-23");
    expect(await home.aggregates.oldest("home", "monthly")).toBe("2025-11-01");
    expect(await home.records.get("home")).toEqual({ ...RETENTION, enforcedAt: new Date(clock.nowMs()).toISOString() });
  });

  it("gives what is there another end when the setting was changed", async () => {
    clock.set(parseIsoUs("2026-11-22T03:00:00Z") / 1000);
    await write(["2026-11-21T12:00:00Z"]);
    await home.events("2026-11-21");
    await home.prune("2026-11-21");
    await withSettings(home, { ...RETENTION, dailyDays: 365 }).prune("2026-11-21");
    clock.set(parseIsoUs("2027-09-01T03:00:00Z") / 1000);
    expect(await home.aggregates.oldest("home", "daily")).toBe("2026-11-21");
    clock.set(parseIsoUs("2027-12-01T03:00:00Z") / 1000);
    expect(await home.aggregates.oldest("home", "daily")).toBeUndefined();
  });
});

describe("pruneBeforeDate", () => {
  it.each([
    ["daily", "2026-11-21", "2026-08-24"],
    ["weekly", "2026-11-21", "2025-11-17"],
    ["monthly", "2026-11-21", "2025-11-01"],
    ["monthly", "2026-02-27", "2025-03-01"],
  ] as const)("%s after the job of %s: before %s", (layer, date, before) => {
    expect(pruneBeforeDate(layer, date, RETENTION)).toBe(before);
  });
});
