import { beforeEach, describe, expect, it } from "vitest";
import { createMemoryAggregateStore, createMemoryRetentionRecords } from "../../lib/adapters/memory/aggregates.ts";
import { createMemoryEventStore } from "../../lib/adapters/memory/event-store.ts";
import { createMemoryLateDays } from "../../lib/adapters/memory/late-days.ts";
import { createEntityLayers, newJob } from "../../lib/analysis/index.ts";
import { parseIsoUs } from "../../lib/base/time.ts";
import { createTestApi, tokenText } from "../support/api.ts";
import { buildEvent } from "../support/events.ts";
import { manualClock } from "../support/manual-clock.ts";

interface Answer {
  readonly aggregates: readonly Record<string, unknown>[];
  readonly next: string | null;
}

describe("layers 2 and 3", () => {
  const clock = manualClock(Date.UTC(2026, 10, 22, 6));
  let api: Awaited<ReturnType<typeof createTestApi>>;
  const retentionRecords = createMemoryRetentionRecords();
  const get = async (path: string, token = tokenText("home")) => {
    const response = await api.ask(path, { token });
    return { status: response.status, body: (await response.json()) as never };
  };
  const pageOf = async (path: string) => (await get(path)).body as Answer;

  beforeEach(async () => {
    const store = createMemoryEventStore();
    const aggregates = createMemoryAggregateStore({ clock });
    api = await createTestApi({ clock, parts: { events: store, aggregates, retentionRecords } });
    const temperature = (time: string, value: number, entityId = "sensor.hall") =>
      buildEvent({ entityId, atUs: parseIsoUs(time), state: String(value), value, unit: "°C" });
    await store.write([
      temperature("2026-11-19T12:00:00Z", 20),
      temperature("2026-11-20T01:59:59.999999Z", 21),
      temperature("2026-11-20T14:00:00Z", 22.5),
      temperature("2026-11-20T14:00:00Z", 10, "sensor.attic"),
      buildEvent({ homeId: "other", atUs: parseIsoUs("2026-11-20T14:00:00Z") }),
    ]);
    const layers = createEntityLayers({
      ...{ store, aggregates, lateDays: createMemoryLateDays(), clock, analysisTime: "03:00", budgetMs: 60_000 },
      retention: { rawDays: 7, dailyDays: 90, weeklyWeeks: 52 },
    });
    const zone = "Europe/Amsterdam";
    await layers.daily(newJob("home", { kind: "daily", date: "2026-11-20" }, 0), zone);
    await layers.daily(newJob("home", { kind: "daily", date: "2026-11-21" }, 0), zone);
    await layers.longer(newJob("home", { kind: "weekly", date: "2026-11-21" }, 0), zone);
  });

  it("gives each entity's days, from 03:00 to 03:00 local, by date and entity", async () => {
    const { aggregates, next } = await pageOf("/api/v1/aggregates/daily");
    expect(next).toBeNull();
    expect(aggregates.map(({ date, entity_id, count }) => [date, entity_id, count])).toEqual([
      ["2026-11-19", "sensor.hall", 2],
      ["2026-11-20", "sensor.attic", 1],
      ["2026-11-20", "sensor.hall", 1],
      ["2026-11-21", "sensor.attic", 0],
      ["2026-11-21", "sensor.hall", 0],
    ]);
    expect(aggregates[2]).toEqual({
      entity_id: "sensor.hall",
      date: "2026-11-20",
      from: "2026-11-20T02:00:00.000000+00:00",
      to: "2026-11-21T02:00:00.000000+00:00",
      count: 1,
      mean: 22.5,
      time_mean: 21.75,
      min: 22.5,
      max: 22.5,
      first: { at: "2026-11-20T14:00:00.000000+00:00", state: "22.5", value: 22.5 },
      last: { at: "2026-11-20T14:00:00.000000+00:00", state: "22.5", value: 22.5 },
      held_seconds: 86_400,
      seconds_on: 0,
    });
    const week = await pageOf("/api/v1/aggregates/weekly?entity_id=sensor.hall");
    expect(week.aggregates).toMatchObject([{ date: "2026-11-15", count: 3, min: 20, max: 22.5 }]);
    expect((await pageOf("/api/v1/aggregates/monthly")).aggregates).toEqual([]);
  });

  it("pages, filters and refuses what it does not know", async () => {
    const seen: unknown[] = [];
    let path = "/api/v1/aggregates/daily?limit=2";
    for (;;) {
      const { aggregates, next } = await pageOf(path);
      seen.push(...aggregates.map(({ date, entity_id }) => `${date} ${entity_id}`));
      if (next === null) break;
      expect(aggregates).toHaveLength(2);
      path = `/api/v1/aggregates/daily?limit=2&cursor=${next}`;
    }
    expect(seen).toEqual([
      "2026-11-19 sensor.hall",
      "2026-11-20 sensor.attic",
      "2026-11-20 sensor.hall",
      "2026-11-21 sensor.attic",
      "2026-11-21 sensor.hall",
    ]);
    const span = await pageOf(
      "/api/v1/aggregates/daily?from=2026-11-20&to=2026-11-21&entity_id=sensor.hall,light.none",
    );
    expect(span.aggregates).toHaveLength(1);
    const { next } = await pageOf("/api/v1/aggregates/daily?limit=2");
    for (const query of [
      `limit=2&cursor=${next}&from=2026-11-01`,
      "cursor=abc",
      "from=2026-11-31",
      "from=yesterday",
      "day=1",
    ])
      expect((await get(`/api/v1/aggregates/daily?${query}`)).status).toBe(400);
    expect((await get(`/api/v1/aggregates/weekly?limit=2&cursor=${next}`)).status).toBe(400);
    expect((await get("/api/v1/aggregates/hourly")).status).toBe(404);
    expect((await get("/api/v1/aggregates/daily", tokenText("other"))).body).toEqual({ aggregates: [], next: null });
  });

  it("tells the retention as it was enforced, and as it will be", async () => {
    const layers = (days: readonly (number | null)[]) =>
      days.map((keep_days) => expect.objectContaining({ keep_days }));
    const before = (await get("/api/v1/retention")).body as { enforced_at: unknown; layers: unknown[] };
    expect(before).toEqual({ enforced_at: null, layers: layers([7, 90, 364, 364, null]) });
    const enforced = { enforcedAt: "2026-11-22T02:00:05.000Z", rawDays: 3, dailyDays: 10, weeklyWeeks: 52 };
    await retentionRecords.put("home", enforced);
    expect((await get("/api/v1/retention")).body).toEqual({
      enforced_at: enforced.enforcedAt,
      layers: [
        { layer: "raw", keep_days: 3, setting_days: 7, means: ["job"], oldest: "2026-11-19T12:00:00.000000+00:00" },
        { layer: "daily", keep_days: 10, setting_days: 90, means: ["job", "ttl"], oldest: "2026-11-19" },
        { layer: "weekly", keep_days: 364, setting_days: 364, means: ["job", "ttl"], oldest: "2026-11-15" },
        { layer: "monthly", keep_days: 364, setting_days: 364, means: ["job", "ttl"], oldest: null },
        { layer: "patterns", keep_days: null, setting_days: null, means: [], oldest: null },
      ],
    });
  });
});
