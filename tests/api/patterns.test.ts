import { beforeEach, describe, expect, it } from "vitest";
import { createTestApi, type TestApi, tokenText } from "../support/api.ts";
import { manualClock } from "../support/manual-clock.ts";
import { buildPattern } from "../support/patterns.ts";

let api: TestApi;
beforeEach(async () => {
  api = await createTestApi({ clock: manualClock() });
  await api.patterns.change("home", () => [
    buildPattern({ areaId: "kitchen" }),
    buildPattern({
      id: "room-1",
      kind: "room",
      steps: [
        { entityId: "light.a", state: "on" },
        { entityId: "light.b", state: "on" },
      ],
      status: "fading",
      automated: true,
    }),
    buildPattern({
      ...{ id: "duration-1", kind: "duration", status: "ended", firstSeen: "2026-09-01" },
      ...{ trigger: { entityId: "light.hall", state: "on" }, durationSeconds: { median: 1200, p90: 1300 } },
    }),
  ]);
});

const get = async (path: string, token = tokenText("home")) => {
  const response = await api.ask(`/api/v1${path}`, { token });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};
const ids = async (query: string) =>
  ((await get(`/patterns?${query}`)).body.patterns as { id: string }[]).map(({ id }) => id);

describe("patterns", () => {
  it("are listed by id, in pages, without their evidence", async () => {
    expect(await ids("")).toEqual(["duration-1", "room-1", "time-of-day-1"]);
    const { body } = await get("/patterns?limit=2");
    const next = encodeURIComponent(String(body.next));
    const { body: rest } = await get(`/patterns?limit=2&cursor=${next}`);
    expect(rest).toEqual({
      patterns: [
        {
          ...{ id: "time-of-day-1", home_id: "home", kind: "time-of-day", at: "07:02", anchor: "clock" },
          ...{ target: { entity_id: "light.kitchen", state: "on" }, spread_minutes: 6.5, area_id: "kitchen" },
          ...{ hits: 18, opportunities: 20, reliability: 0.74, significance: 1e-9, automated: false },
          ...{ status: "active", first_seen: "2026-10-30", last_seen: "2026-11-20" },
          title: "Kitchen light turns on around 07:02",
          expected_share: expect.closeTo(25.4 / 30, 10) as number,
        },
      ],
      next: null,
    });
    expect((await get(`/patterns?limit=2&kind=room&cursor=${next}`)).body.code).toBe("cursor_of_another_query");
  });

  it("say what to expect of those only that go on, and that people do", async () => {
    await api.patterns.change("home", () => [
      buildPattern({ id: "a" }),
      buildPattern({ id: "b", status: "fading" }),
      buildPattern({ id: "c", status: "ended" }),
      buildPattern({ id: "d", automated: true }),
      buildPattern({ id: "e", kind: "co-occurrence" }),
      buildPattern({ id: "f", kind: "sequence" }),
    ]);
    const found = (await get("/patterns")).body.patterns as { id: string; expected_share?: number }[];
    expect(found.filter((one) => "expected_share" in one).map(({ id }) => id)).toEqual(["a", "e"]);
  });

  it("are filtered by kind, status, entity, area and whether an automation does it", async () => {
    expect(await ids("kind=room")).toEqual(["room-1"]);
    expect(await ids("status=ended")).toEqual(["duration-1"]);
    expect(await ids("entity_id=light.hall,light.b")).toEqual(["duration-1", "room-1"]);
    expect(await ids("area_id=kitchen")).toEqual(["time-of-day-1"]);
    expect(await ids("automated=true")).toEqual(["room-1"]);
    expect(await ids("automated=false&status=active")).toEqual(["time-of-day-1"]);
    expect((await get("/patterns?kind=nonsense")).status).toBe(400);
    expect((await get("/patterns?automated=perhaps")).status).toBe(400);
  });

  it("have evidence: days, a histogram, details", async () => {
    const { body } = await get("/patterns/time-of-day-1");
    expect(body).toMatchObject({
      id: "time-of-day-1",
      told_on: "2026-11-14",
      confirmed_on: "2026-11-21",
      evidence: {
        days: [
          { date: "2026-11-20", hits: 1, opportunities: 1 },
          { date: "2026-11-21", hits: 0, opportunities: 1 },
        ],
        histogram: { unit: "minute-of-day", edges: [415, 420, 425], counts: [7, 11] },
      },
    });
    expect((await get("/patterns/none")).status).toBe(404);
    expect((await get("/patterns/time-of-day-1", tokenText("other"))).status).toBe(404);
    expect((await get("/patterns", tokenText("other"))).body).toEqual({ patterns: [], next: null });
  });

  it("are the oldest of the layers", async () => {
    const { layers } = (await get("/retention")).body as { layers: { layer: string; oldest: string | null }[] };
    expect(layers.find(({ layer }) => layer === "patterns")).toMatchObject({ keep_days: null, oldest: "2026-09-01" });
  });
});
