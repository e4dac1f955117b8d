import { beforeEach, describe, expect, it } from "vitest";
import { createMemoryAggregateStore, createMemoryRetentionRecords } from "../../../lib/adapters/memory/aggregates.ts";
import { createMemoryEventStore } from "../../../lib/adapters/memory/event-store.ts";
import { createMemoryLateDays } from "../../../lib/adapters/memory/late-days.ts";
import { packRows } from "../../../lib/analysis/entities/rows.ts";
import {
  type AggregateLayer,
  createEntityLayers,
  newJob,
  retentionPhase,
  unpackRows,
  windowOf,
} from "../../../lib/analysis/index.ts";
import { periodOf } from "../../../lib/analysis/periods.ts";
import { addDays } from "../../../lib/base/zone.ts";
import { noteLateDays } from "../../../lib/store/index.ts";
import { buildEvent } from "../../support/events.ts";
import { type ManualClock, manualClock } from "../../support/manual-clock.ts";
import { unlimitedTime } from "../../support/phase-time.ts";

const RETENTION = { rawDays: 7, dailyDays: 90, weeklyWeeks: 52 };

/** A home of which each night is run by hand, in any order. */
function makeHome(clock: ManualClock) {
  const store = createMemoryEventStore();
  const aggregates = createMemoryAggregateStore({ clock });
  const lateDays = createMemoryLateDays();
  const records = createMemoryRetentionRecords();
  const noting = noteLateDays(store, { lateDays, clock, analysisTime: "03:00" });
  let zone = "Europe/Amsterdam";
  let retention = RETENTION;
  let budgetMs = 60_000;
  const calendar = () => ({ timeZone: zone, analysisTime: "03:00" });
  const layers = () =>
    createEntityLayers({ store, aggregates, lateDays, retention, analysisTime: "03:00", clock, budgetMs });

  /** The job of that day alone, without its night having come. */
  async function job(kind: AggregateLayer, date: string) {
    const it = newJob("home", { kind, date }, 0);
    if (kind !== "daily") return layers().longer(it, zone);
    const counts = await layers().daily(it, zone);
    const options = { store, aggregates, records, retention, clock };
    const phase = retentionPhase({ ...options, layers: layers(), analysisTime: "03:00" });
    return { ...counts, ...(await phase.run(it, zone, unlimitedTime)) };
  }

  return {
    ...{ store, aggregates, lateDays, job },
    set: (given: { retention?: Partial<typeof RETENTION>; zone?: string; budgetMs?: number }) => {
      retention = { ...retention, ...given.retention };
      zone = given.zone ?? zone;
      budgetMs = given.budgetMs ?? budgetMs;
    },
    /** Events at some hours behind 03:00 of a day. */
    write: (date: string, hours: readonly number[] = [9], entityId = "sensor.a") =>
      noting.write(
        hours.map((hour) =>
          buildEvent({
            entityId,
            atUs: periodOf("daily", date, calendar()).fromUs + Math.round(hour * 3.6e9),
            state: String(hour),
            value: hour,
          }),
        ),
      ),
    /** What a night brings: the day's job, and that of the week and the month where they end. */
    night: async (date: string) => {
      const { toUs } = periodOf("daily", date, calendar());
      clock.set(toUs / 1000 + 60_000);
      const counts = await job("daily", date);
      const next = addDays(date, 1);
      if (new Date(`${next}T00:00:00Z`).getUTCDay() === 0) await job("weekly", date);
      if (next.endsWith("-01")) await job("monthly", date);
      return counts;
    },
    counts: async (layer: AggregateLayer) => {
      const found: Record<string, number> = {};
      const query = { homeId: "home", layer, kind: "entities", fromDate: "2020-01-01", toDate: "2030-01-01" };
      for await (const each of aggregates.range(query))
        found[each.date] = unpackRows(each).reduce((sum, row) => sum + windowOf(row, each).count, 0);
      return found;
    },
  };
}

describe("layers 2 and 3 of days of which not all is there any more", () => {
  let clock: ManualClock;
  let home: ReturnType<typeof makeHome>;
  beforeEach(() => {
    clock = manualClock();
    home = makeHome(clock);
  });

  it("keep what they say when a day's job comes after a newer one, whose night has pruned its events", async () => {
    home.set({ retention: { rawDays: 1 } });
    for (const date of ["2026-11-02", "2026-11-03", "2026-11-04", "2026-11-05"]) await home.write(date, [1, 9, 17]);
    await home.night("2026-11-05");
    const before = await home.counts("daily");
    expect(before).toEqual({ "2026-11-02": 3, "2026-11-03": 3, "2026-11-04": 3, "2026-11-05": 3 });
    for (const date of ["2026-11-02", "2026-11-04", "2026-11-03"]) await home.job("daily", date);
    expect(await home.counts("daily")).toEqual(before);
    // And when only a part of it is left.
    await home.store.prune(
      "home",
      periodOf("daily", "2026-11-05", { timeZone: "Europe/Amsterdam", analysisTime: "03:00" }).fromUs + 4e9 * 3.6,
    );
    await home.job("daily", "2026-11-05");
    expect(await home.counts("daily")).toEqual(before);
  });

  it("are handed on over a link that a job left undone, also where the first day waits for its sums", async () => {
    home.set({ retention: { rawDays: 60 } });
    await home.write("2026-11-02");
    await home.night("2026-11-12");
    const key = { homeId: "home", layer: "daily" as const, kind: "entities", date: "2026-11-05" };
    const rows = async () => {
      const found = [];
      for await (const each of home.aggregates.range({ ...key, fromDate: key.date, toDate: "2026-11-06" }))
        found.push(...unpackRows(each));
      return found;
    };
    const whole = await rows();
    expect(whole).toMatchObject([{ entityId: "sensor.a", before: { hold: { number: 9 } } }]);
    // As a job leaves it that ended in the middle of handing on, before it had summed.
    await home.aggregates.prune("home", "weekly", "2026-11-08");
    await home.aggregates.change(key, (there) => there && { aggregate: { ...there, rows: packRows([]) } });
    expect(await rows()).toEqual([]);
    await home.night("2026-11-13");
    expect(await rows()).toEqual(whole);
    expect(Object.keys(await home.counts("weekly"))).toContain("2026-11-01");
  });

  it("take in what comes late for one entity, and keep what is pruned of another", async () => {
    await home.write("2026-11-02", [9, 10], "sensor.old");
    for (let day = 2; day < 20; day++) await home.night(`2026-11-${String(day).padStart(2, "0")}`);
    expect(await home.counts("daily")).toMatchObject({ "2026-11-02": 2 });
    await home.write("2026-11-02", [4, 5, 6], "sensor.late");
    await home.night("2026-11-20");
    expect(await home.counts("daily")).toMatchObject({ "2026-11-02": 5 });
    expect(await home.counts("weekly")).toMatchObject({ "2026-11-01": 5 });
    expect(await home.lateDays.list("home")).toEqual([]);
  });

  it("take in what comes on the last day of its day's retention", async () => {
    await home.write("2026-11-02", [9]);
    for (let day = 2; day < 9; day++) await home.night(`2026-11-${String(day).padStart(2, "0")}`);
    await home.write("2026-11-02", [10]);
    await home.night("2026-11-09");
    expect(await home.counts("daily")).toMatchObject({ "2026-11-02": 2 });
    expect(await home.counts("weekly")).toMatchObject({ "2026-11-01": 2 });
  });

  it("keep a week and a month whose days are pruned already, when one of their days gets a late event", async () => {
    for (let day = 1; day < 29; day++) await home.write(addDays("2026-01-31", day), [9, 10]);
    await home.night("2026-02-28");
    const [weekly, monthly] = [await home.counts("weekly"), await home.counts("monthly")];
    expect(weekly).toEqual({ "2026-02-01": 14, "2026-02-08": 14, "2026-02-15": 14, "2026-02-22": 14 });
    expect(monthly).toEqual({ "2026-02-01": 56 });
    await home.night("2026-07-01");
    expect(await home.counts("daily")).toEqual({});
    await home.write("2026-02-10", [12]);
    await home.night("2026-07-02");
    expect(await home.counts("weekly")).toMatchObject(weekly);
    expect(await home.counts("monthly")).toMatchObject(monthly);
  });

  it("sum whole weeks and months of a past that takes many nights", async () => {
    for (let day = 0; day < 59; day++) await home.write(addDays("2026-01-01", day), [9, 10]);
    home.set({ budgetMs: 0 });
    const layers = () => Promise.all([home.counts("weekly"), home.counts("monthly")]);
    clock.set(Date.UTC(2026, 10, 21, 2));
    // No time but for the night's own day: then two days of the past fit in, night by night.
    let left = (await home.night("2026-11-20")).days_left;
    expect(left).toBe(59);
    let nights = 0;
    const slow = clock.monotonicMs;
    for (let date = "2026-11-21"; left > 0 && nights < 70; date = addDays(date, 1), nights++) {
      let asked = 0;
      home.set({ budgetMs: 10 });
      clock.monotonicMs = () => slow() + 4 * asked++;
      left = (await home.night(date)).days_left;
      clock.monotonicMs = slow;
    }
    expect(nights).toBeGreaterThan(10);
    const [weekly, monthly] = await layers();
    expect(monthly).toMatchObject({ "2026-01-01": 62, "2026-02-01": 56 });
    expect(weekly).toMatchObject({ "2026-01-04": 14, "2026-01-11": 14, "2026-02-15": 14, "2026-02-22": 14 });
  });

  it("sum whole months where days are kept for less than a month", async () => {
    home.set({ retention: { dailyDays: 3 } });
    for (let day = 0; day < 45; day++) {
      const date = addDays("2026-09-20", day);
      await home.write(date, [9, 10]);
      await home.night(date);
    }
    expect(await home.counts("monthly")).toMatchObject({ "2026-10-01": 62 });
    expect(await home.counts("weekly")).toMatchObject({ "2026-09-20": 14, "2026-10-04": 14, "2026-10-25": 14 });
  });

  it("read a day once, also where raw events are kept for longer than days are", async () => {
    home.set({ retention: { rawDays: 365, dailyDays: 30 } });
    for (let day = 0; day < 120; day++) await home.write(addDays("2026-07-01", day), [9]);
    await home.night("2026-10-28");
    await home.write("2026-10-29", [9]);
    expect(await home.night("2026-10-29")).toMatchObject({ events: 1, days: 1 });
    // What comes late for a day beyond is in its week and month, with all of their other days.
    await home.write("2026-07-15", [10]);
    await home.night("2026-10-30");
    expect(await home.counts("weekly")).toMatchObject({ "2026-07-12": 8 });
    expect(await home.counts("monthly")).toMatchObject({ "2026-07-01": 32 });
    await home.write("2026-10-31", [9]);
    expect(await home.night("2026-10-31")).toMatchObject({ events: 1, days: 1 });
  });

  it.each([
    ["Europe/Amsterdam", "America/New_York"],
    ["America/New_York", "Europe/Amsterdam"],
    ["Asia/Kathmandu", "Pacific/Honolulu"],
    ["Pacific/Honolulu", "Australia/Lord_Howe"],
    ["UTC", "Asia/Kathmandu"],
  ])("count every event once when a home moves from %s to %s", async (from, to) => {
    home.set({ zone: from });
    const first = "2026-11-04";
    const everyHour = Array.from({ length: 24 }, (_, hour) => hour + 0.5);
    for (let day = 0; day < 4; day++) {
      await home.write(addDays(first, day), everyHour);
      await home.night(addDays(first, day));
    }
    const { toUs } = periodOf("daily", addDays(first, 3), { timeZone: from, analysisTime: "03:00" });
    home.set({ zone: to });
    const all = 24 * 4 + 24 * 30;
    for (let hour = 0; hour < 24 * 30; hour++)
      await home.store.write([buildEvent({ entityId: "sensor.a", atUs: toUs + (hour + 0.5) * 3.6e9, value: 1 })]);
    for (let day = 4; day < 50; day++) {
      const counts = await home.night(addDays(first, day));
      expect(counts.days).toBe(1);
    }
    const sum = (counts: Record<string, number>) => Object.values(counts).reduce((a, b) => a + b, 0);
    expect(sum(await home.counts("daily"))).toBe(all);
    expect(sum(await home.counts("weekly"))).toBe(all);
    expect((await home.store.stats({ homeId: "home" })).length).toBe(0);
  });

  it("and raw events are kept when a job names a day that is still to come", async () => {
    for (let day = 1; day < 20; day++) await home.write(`2026-11-${String(day).padStart(2, "0")}`);
    await home.night("2026-11-19");
    const before = [
      await home.counts("daily"),
      await home.counts("weekly"),
      await home.store.stats({ homeId: "home" }),
    ];
    await home.job("daily", "2031-01-01");
    expect([
      await home.counts("daily"),
      await home.counts("weekly"),
      await home.store.stats({ homeId: "home" }),
    ]).toEqual(before);
  });
});
