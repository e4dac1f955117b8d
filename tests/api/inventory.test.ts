import { beforeEach, describe, expect, it } from "vitest";
import { createTestApi, type TestApi, tokenText } from "../support/api.ts";
import { AT, furnish } from "../support/api-requests.ts";
import { manualClock } from "../support/manual-clock.ts";

let api: TestApi;
beforeEach(async () => {
  api = await createTestApi({ clock: manualClock() });
  await furnish(api);
});

const get = async (path: string, token?: string) => {
  const response = await api.ask(`/api/v1${path}`, token === undefined ? {} : { token });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

describe("the index", () => {
  it("lists entities with the area that they inherit and when they were seen, also unregistered ones", async () => {
    const { body } = await get("/entities");
    expect(body).toEqual({
      entities: [
        {
          entity_id: "light.kitchen",
          domain: "light",
          name: "Kitchen light",
          area_id: "attic",
          device_id: "plug",
          platform: "hue",
          labels: [],
          state: "on",
          last_seen: AT,
        },
        {
          entity_id: "light.lamp",
          domain: "light",
          name: "Lamp",
          area_id: "attic",
          device_id: "lamp",
          platform: "hue",
          labels: [],
        },
        {
          entity_id: "sensor.unregistered",
          domain: "sensor",
          device_class: "power",
          unit: "W",
          labels: [],
          state: "5",
          last_seen: "2026-11-22T05:47:09.185383+00:00",
        },
        {
          entity_id: "switch.plug",
          domain: "switch",
          name: "Plug",
          area_id: "kitchen",
          device_id: "plug",
          platform: "tplink",
          entity_category: "config",
          disabled_by: "user",
          hidden_by: "user",
          labels: ["warm"],
        },
      ],
      next: null,
    });
  });

  it.each([
    ["area_id=attic", ["light.kitchen", "light.lamp"]],
    ["device_id=plug", ["light.kitchen", "switch.plug"]],
    ["domain=sensor", ["sensor.unregistered"]],
    ["domain=light&area_id=kitchen", []],
  ])("filters entities by %s", async (query, ids) => {
    const { body } = await get(`/entities?${query}`);
    expect((body.entities as { entity_id: string }[]).map(({ entity_id }) => entity_id)).toEqual(ids);
  });

  it("lists devices with counts, and shows one with its entities", async () => {
    const { body } = await get("/devices");
    expect(body.devices).toMatchObject([
      {
        device_id: "bridge",
        name: "Bridge",
        area_id: "attic",
        manufacturer: "Signify",
        model: "BSB002",
        sw_version: "1.2",
        entity_count: 0,
      },
      { device_id: "lamp", area_id: "attic", parent_device_id: "bridge", via_device_id: "bridge", entity_count: 1 },
      { device_id: "plug", area_id: "kitchen", entity_count: 2, last_seen: AT },
    ]);
    expect((await get("/devices?area_id=kitchen")).body.devices).toMatchObject([{ device_id: "plug" }]);
    const { body: plug } = await get("/devices/plug");
    expect(plug).toMatchObject({
      device_id: "plug",
      identifiers: [["hue", "1"]],
      connections: [["mac", "00:11"]],
      entities: [{ entity_id: "light.kitchen" }, { entity_id: "switch.plug" }],
    });
  });

  it("lists areas with their floors and counts", async () => {
    expect((await get("/areas")).body).toEqual({
      areas: [
        { area_id: "attic", name: "Attic", labels: [], device_count: 2, entity_count: 2, last_seen: AT },
        {
          area_id: "kitchen",
          name: "Kitchen",
          floor_id: "ground",
          floor_name: "Ground floor",
          labels: ["warm"],
          device_count: 1,
          entity_count: 1,
        },
      ],
      next: null,
    });
  });

  it("finds nothing of another home", async () => {
    const token = tokenText("other");
    expect(await get("/devices/plug", token)).toMatchObject({ status: 404, body: { code: "not_found" } });
    expect(await get("/jobs/job-1", token)).toMatchObject({ status: 404, body: { code: "not_found" } });
    expect((await get("/entities", token)).body).toEqual({ entities: [], next: null });
    expect((await get("/areas", token)).body).toEqual({ areas: [], next: null });
  });

  it("pages by a cursor that stays right while items go", async () => {
    const { body } = await get("/entities?limit=2");
    expect((body.entities as unknown[]).length).toBe(2);
    expect((await get(`/entities?limit=2&cursor=${body.next}`)).body).toMatchObject({
      entities: [{ entity_id: "sensor.unregistered" }, { entity_id: "switch.plug" }],
      next: null,
    });
    expect((await get(`/entities?domain=light&cursor=${body.next}`)).body).toMatchObject({
      code: "cursor_of_another_query",
    });
    expect((await get(`/devices?cursor=${body.next}`)).body).toMatchObject({ code: "cursor_of_another_query" });
  });

  it("answers 304 to who has the list already, until it changes", async () => {
    const first = await api.ask("/api/v1/devices");
    const etag = first.headers.get("etag") ?? "";
    expect(etag).toMatch(/^"[\w-]{22}"$/);
    for (const known of [etag, `W/${etag}`, `"x", ${etag}`, "*"]) {
      const again = await api.ask("/api/v1/devices", { headers: { "if-none-match": known } });
      expect([again.status, await again.text(), again.headers.get("etag")]).toEqual([304, "", etag]);
    }
    await api.index.applySeen("home", new Map([["switch.plug", { atUs: 1_795_326_500_000_000, state: "off" }]]));
    expect((await api.ask("/api/v1/devices", { headers: { "if-none-match": etag } })).status).toBe(200);
  });
});

describe("jobs", () => {
  it("lists them by date, and shows one with its phases", async () => {
    const { body } = await get("/jobs");
    expect(body).toMatchObject({
      jobs: [
        { id: "job-1", date: "2026-11-20" },
        { id: "job-2", status: "failed" },
      ],
      next: null,
    });
    expect((await get("/jobs/job-1")).body).toEqual({
      id: "job-1",
      home_id: "home",
      kind: "daily",
      date: "2026-11-20",
      status: "succeeded",
      phases: [
        {
          name: "events",
          status: "succeeded",
          started_at: "2026-11-21T02:00:01Z",
          duration_ms: 12,
          counts: { events: 3 },
        },
      ],
      peak_rss_bytes: 1,
      queued_at: "2026-11-21T02:00:00Z",
      started_at: "2026-11-21T02:00:01Z",
      finished_at: "2026-11-21T02:00:02Z",
    });
    const page = await get("/jobs?limit=1");
    expect((await get(`/jobs?limit=1&cursor=${page.body.next}`)).body).toMatchObject({
      jobs: [{ id: "job-2" }],
      next: null,
    });
  });
});
