import { describe, expect, it } from "vitest";
import { createMemoryDeviceIndex } from "../../lib/adapters/memory/device-index.ts";
import { createMemoryHomeDirectory } from "../../lib/adapters/memory/homes.ts";
import { HearthlineError } from "../../lib/base/errors.ts";
import { createHomeViews } from "../../lib/enrich/index.ts";
import type { RegistryRecord } from "../../lib/event/index.ts";
import { manualClock } from "../support/manual-clock.ts";
import { randomKey } from "../support/records.ts";

async function setUp(maxRows?: number, maxPackedBytes?: number) {
  const clock = manualClock();
  const index = createMemoryDeviceIndex();
  const homes = createMemoryHomeDirectory();
  await homes.add(
    { homeId: "home", name: "Home", timeZone: "Europe/Amsterdam", createdAt: "", revision: 1 },
    randomKey(),
  );
  const reads = { revisions: 0, lists: 0 };
  let isAway = false;
  const views = createHomeViews({
    index: {
      weather: index.weather,
      revisions: async (homeId) => {
        reads.revisions++;
        if (isAway) throw new HearthlineError("service_unreachable", "The table is away.");
        return index.revisions(homeId);
      },
      list: async (homeId, registry) => {
        reads.lists++;
        return index.list(homeId, registry);
      },
    },
    homes,
    clock,
    ...(maxRows !== undefined && { maxRows }),
    ...(maxPackedBytes !== undefined && { maxPackedBytes }),
  });
  const applyEntities = (revision: number, areaId: string, ...ids: string[]) =>
    applyTo("home", revision, areaId, ...ids);
  const applyTo = (homeId: string, revision: number, areaId: string, ...ids: string[]) =>
    index.applyRegistry(homeId, {
      registry: "entities",
      revision,
      part: 1,
      parts: 1,
      rows: ids.map((entityId) => ({ entityId, areaId, labels: [] })),
    });
  const away = (next: boolean) => {
    isAway = next;
  };
  return { clock, views, reads, applyEntities, applyTo, away };
}

const entitiesRecord = (revision: number, rows: object[], part = 1, parts = 1): RegistryRecord => ({
  n: 1,
  t: "registry",
  registry: "entities",
  revision,
  part,
  parts,
  rows: rows as Record<string, unknown>[],
});

describe("a home's view", () => {
  it("is read once, and again after a minute: the registries only when they have changed", async () => {
    const { clock, views, reads, applyEntities } = await setUp();
    await applyEntities(1, "hall", "light.a");
    const view = await views.of("home", ["light.a"]);
    expect([view.timeZone, view.entity("light.a")?.areaId]).toEqual(["Europe/Amsterdam", "hall"]);
    await views.of("home", ["light.a"]);
    expect(reads.revisions).toBe(1);
    const lists = reads.lists;
    await clock.advance(60_000);
    await views.of("home", ["light.a"]);
    expect([reads.revisions, reads.lists - lists]).toEqual([2, 1]); // the devices, of which there is no revision yet
    await applyEntities(2, "attic", "light.a");
    await clock.advance(60_000);
    expect((await views.of("home", ["light.a"])).entity("light.a")?.areaId).toBe("attic");
  });

  it("is read at most every ten seconds for an entity that it does not know", async () => {
    const { clock, views, reads, applyEntities } = await setUp();
    await views.of("home", ["light.new"]);
    await applyEntities(1, "hall", "light.new");
    await clock.advance(9_999);
    expect((await views.of("home", ["light.new"])).entity("light.new")).toBeUndefined();
    await clock.advance(1);
    expect((await views.of("home", ["light.new"])).entity("light.new")?.areaId).toBe("hall");
    expect(reads.revisions).toBe(2);
  });

  it("is read once for many who ask at once", async () => {
    const { views, reads } = await setUp();
    await Promise.all([views.of("home", []), views.of("home", []), views.of("home", [])]);
    expect(reads.revisions).toBe(1);
  });

  it("cannot be had while the index is away and nothing is known, and goes on for 15 minutes with what is known", async () => {
    const { clock, views, applyEntities, away } = await setUp();
    await applyEntities(1, "hall", "light.a");
    away(true);
    await expect(views.of("home", [])).rejects.toMatchObject({ code: "service_unreachable" });
    away(false);
    await views.of("home", []);
    away(true);
    await clock.advance(890_000);
    expect((await views.of("home", [])).entity("light.a")?.areaId).toBe("hall");
    await clock.advance(70_000);
    await expect(views.of("home", [])).rejects.toMatchObject({ code: "service_unreachable" });
    await clock.advance(1_000);
    away(false);
    await clock.advance(60_000);
    expect((await views.of("home", [])).entity("light.a")?.areaId).toBe("hall");
  });

  it("takes rows from the relay at once; an older revision changes nothing, and the index's only when it is newer", async () => {
    const { clock, views, applyEntities } = await setUp();
    await applyEntities(5, "hall", "light.a", "light.b");
    const view = await views.of("home", []);
    view.applyRegistry(entitiesRecord(7, [{ entity_id: "light.a", area_id: "attic" }]));
    expect([view.entity("light.a")?.areaId, view.entity("light.b")]).toEqual(["attic", undefined]);
    view.applyRegistry(entitiesRecord(6, [{ entity_id: "light.a", area_id: "cellar" }]));
    await clock.advance(60_000);
    expect((await views.of("home", [])).entity("light.a")?.areaId).toBe("attic");
    await applyEntities(8, "garden", "light.a");
    await clock.advance(60_000);
    expect((await views.of("home", [])).entity("light.a")?.areaId).toBe("garden");
  });

  it("takes parts as they come, and forgets what is gone when the index has the whole", async () => {
    const { clock, views, applyEntities } = await setUp();
    await applyEntities(5, "hall", "light.a", "light.b");
    const view = await views.of("home", []);
    view.applyRegistry(entitiesRecord(6, [{ entity_id: "light.c", area_id: "attic" }], 2, 2));
    expect(["light.a", "light.b", "light.c"].map((id) => view.entity(id)?.areaId)).toEqual(["hall", "hall", "attic"]);
    await applyEntities(6, "attic", "light.b", "light.c");
    await clock.advance(60_000);
    await views.of("home", []);
    expect(["light.a", "light.b", "light.c"].map((id) => view.entity(id)?.areaId)).toEqual([
      undefined,
      "attic",
      "attic",
    ]);
  });

  it("takes the home's time zone, the newest; an unknown one is UTC", async () => {
    const { views } = await setUp();
    const view = await views.of("home", []);
    const home = { n: 1, t: "home" as const, location_name: "", version: "", revision: 5, time_zone: "Asia/Tokyo" };
    view.applyHome(home);
    view.applyHome({ ...home, revision: 4, time_zone: "Asia/Seoul" });
    expect(view.timeZone).toBe("Asia/Tokyo");
    view.applyHome({ ...home, revision: 6, time_zone: "Mars/Olympus" });
    expect(view.timeZone).toBe("UTC");
    expect((await views.of("unknown", [])).timeZone).toBe("UTC");
  });

  it("stays in a fleet: many small homes are read once each, as long as their rows fit", async () => {
    const { views, reads, applyTo } = await setUp();
    const homes = Array.from({ length: 300 }, (_, at) => `home-${at}`);
    const ids = Array.from({ length: 200 }, (_, at) => `light.a${at}`);
    for (const home of homes) await applyTo(home, 1, "hall", ...ids);
    for (let round = 0; round < 4; round++) for (const home of homes) await views.of(home, ids);
    expect(reads.revisions).toBe(300);
  });

  it("stays when it is larger than all that may be remembered, and others go", async () => {
    const { views, reads, applyEntities } = await setUp(3, 0);
    await applyEntities(1, "hall", "light.a", "light.b", "light.c", "light.d");
    for (const home of ["home", "home", "b", "home"]) await views.of(home, []);
    expect(reads.revisions).toBe(3);
  });

  it("is packed when too many others were asked for since, and knows all that it knew", async () => {
    const { views, reads, clock, applyTo } = await setUp(20, 10_000);
    await applyTo("home", 1, "hall", "light.a", "light.b");
    await applyTo("b", 1, "attic", ...Array.from({ length: 30 }, (_, at) => `light.b${at}`));
    const view = await views.of("home", ["light.a"]);
    view.applyWeather({ atUs: 5, weather: { condition: "rainy" } });
    view.applyRegistry({
      ...entitiesRecord(2, [
        { entity_id: "light.a", device_id: "d" },
        { entity_id: "light.c", area_id: "cellar" },
      ]),
    });
    view.applyRegistry({
      ...entitiesRecord(2, [{ id: "d", area_id: "roof", name: "Device" }]),
      registry: "devices",
    });
    const facts = (of: typeof view) => ["light.a", "light.b", "light.c"].map((id) => of.entity(id));
    const known = facts(view);
    expect(known).toEqual([{ deviceId: "d", areaId: "roof" }, undefined, { areaId: "cellar" }]);
    await views.of("b", []);
    const again = await views.of("home", ["light.a"]);
    expect(again).not.toBe(view);
    expect([facts(again), again.timeZone, again.weather]).toEqual([known, view.timeZone, view.weather]);
    expect([reads.revisions, reads.lists]).toEqual([2, 4]);
    // What it is not asked about for a minute is looked at again, and read only when it is newer.
    await clock.advance(60_001);
    const lists = reads.lists;
    await views.of("home", []);
    expect([reads.revisions, reads.lists - lists]).toEqual([3, 0]);
    await applyTo("home", 3, "garden", "light.a");
    await views.of("b", []);
    await clock.advance(60_001);
    expect((await views.of("home", [])).entity("light.a")).toEqual({ areaId: "garden" });
  });

  it("is forgotten when too many others were asked for since", async () => {
    const { views, reads } = await setUp(20, 0);
    for (const home of ["home", "b", "home", "c", "home"]) await views.of(home, []);
    expect(reads.revisions).toBe(3);
    await views.of("b", []);
    expect(reads.revisions).toBe(4);
  });
});
