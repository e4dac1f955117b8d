import { beforeEach, describe, expect, it } from "vitest";
import { createMemoryAggregateStore } from "../../lib/adapters/memory/aggregates.ts";
import { createMemoryDeviceIndex } from "../../lib/adapters/memory/device-index.ts";
import { createMemoryEventStore } from "../../lib/adapters/memory/event-store.ts";
import { createMemoryAbilityStore, createMemoryUtilisationStore } from "../../lib/adapters/memory/utilisation.ts";
import { FEATURES } from "../../lib/analysis/features/uses.ts";
import { type FeaturesPhaseOptions, featuresPhase } from "../../lib/analysis/features-phase.ts";
import { featuresReader, newJob } from "../../lib/analysis/index.ts";
import type { DayReader } from "../../lib/analysis/patterns/day-readers.ts";
import { learnDay } from "../../lib/analysis/patterns/learn-day.ts";
import { addDays } from "../../lib/base/zone.ts";
import { parseRows } from "../../lib/devices/parse.ts";
import type { IndexedRows } from "../../lib/devices/ports.ts";
import type { HomeEvent } from "../../lib/event/index.ts";
import { buildEvent } from "../support/events.ts";
import { manualClock } from "../support/manual-clock.ts";
import { unlimitedTime } from "../support/phase-time.ts";
import { bridgeDevices, LAMP, lampDevice } from "../support/zigbee.ts";

const TODAY = "2026-11-22";
const NOW_MS = Date.parse("2026-11-23T03:00:00Z");
const retention = { rawDays: 60, dailyDays: 90, weeklyWeeks: 52 };

let index: ReturnType<typeof createMemoryDeviceIndex>;
let store: ReturnType<typeof createMemoryEventStore>;
let abilities: ReturnType<typeof createMemoryAbilityStore>;
let utilisation: ReturnType<typeof createMemoryUtilisationStore>;
let aggregates: ReturnType<typeof createMemoryAggregateStore>;
const clock = manualClock(NOW_MS);

const register = (registry: IndexedRows, rows: readonly Readonly<Record<string, unknown>>[], revision = 1) =>
  index.applyRegistry("home", { registry, revision, part: 1, parts: 1, rows: parseRows(registry, rows) } as never);
const hue = { id: "hue", name: "Hue", area_id: "hall", identifiers: [["hue", "1"]], connections: [], labels: [] };
const entity = (entity_id: string, device_id: string, unique_id = entity_id) => ({
  ...{ entity_id, device_id, platform: "mqtt", unique_id, labels: [] },
});

beforeEach(async () => {
  index = createMemoryDeviceIndex(clock);
  store = createMemoryEventStore();
  abilities = createMemoryAbilityStore();
  utilisation = createMemoryUtilisationStore();
  aggregates = createMemoryAggregateStore({ clock });
  await register("devices", [lampDevice, hue]);
  await register("capabilities", bridgeDevices);
  await register("entities", [
    entity("light.lamp", "ha-lamp", `${LAMP}_light_zigbee2mqtt`),
    entity("light.hue", "hue"),
    entity("sensor.hue", "hue"),
  ]);
  const attributes = { supported_features: 4, supported_color_modes: ["brightness"], effect_list: ["loop"] };
  await abilities.put("home", { entities: [{ entityId: "light.hue", atUs: 1, attributes }], missing: [] });
});

const run = (date = TODAY, more: Partial<FeaturesPhaseOptions> = {}) =>
  featuresPhase({
    ...{ store, aggregates, index, abilities, utilisation, retention, clock, analysisTime: "03:00" },
    ...more,
  }).run(newJob("home", { kind: "daily", date }, NOW_MS), "UTC", unlimitedTime);

const at = (date: string, minute = 0) => (Date.parse(`${date}T12:00:00Z`) + minute * 60_000) * 1000;
const lampEvent = (
  date: string,
  minute: number,
  attributes: Readonly<Record<string, unknown>>,
  more: Partial<HomeEvent> = {},
) =>
  buildEvent({
    entityId: "light.lamp",
    deviceId: "ha-lamp",
    atUs: at(date, minute),
    attributes,
    kind: "attributes",
    ...more,
  });

/** The lamp is switched each day; `dimmed` days ago it was dimmed. */
async function live(days: number, dimmedAgo?: number): Promise<void> {
  const events = Array.from({ length: days }, (_, ago) => addDays(TODAY, -ago)).flatMap((date, ago) => [
    lampEvent(date, 0, { brightness: 100 }, { kind: "change", state: "on", oldState: "off" }),
    lampEvent(date, 1, { brightness: ago === dimmedAgo ? 200 : 100 }),
    lampEvent(date, 2, { brightness: 100 }),
    buildEvent({ entityId: "sensor.hue", deviceId: "hue", atUs: at(date, 3), state: "1" }),
  ]);
  await store.write(events);
}
const found = async (deviceId = "ha-lamp") =>
  (await utilisation.get("home"))?.devices.find((device) => device.deviceId === deviceId);
const unusedOf = async (deviceId?: string) => (await found(deviceId))?.unused.map(({ feature }) => feature);

describe("the phase features", () => {
  it("tells after 30 days what was never used, and what was", async () => {
    await live(30, 12);
    expect(await run()).toEqual({
      ...{ events: 120, days: 30, days_left: 0, rows: 60 + 30, days_watched: 30, days_left_out: 0 },
      ...{ devices: 2, features: 7, used: 2, unused: 5 },
    });
    expect(await found()).toEqual({
      ...{ deviceId: "ha-lamp", features: 4, used: 2, watchedSince: "2026-10-24" },
      lastUsed: { state: TODAY, brightness: "2026-11-10" },
      unused: [
        expect.objectContaining({ feature: "color_temp", entityId: "light.lamp", watchedSince: "2026-10-24" }),
        expect.objectContaining({ feature: "color", deviceName: "kitchen/ceiling", label: "Color (X/Y)" }),
      ],
    });
    expect(await found("hue")).toMatchObject({
      used: 0,
      unused: [{ feature: "state" }, { feature: "brightness", areaId: "hall" }, { feature: "effect", label: "Effect" }],
    });
  });

  it("says nothing before: too few days, too many missing, a device that was silent or only unavailable", async () => {
    await live(29);
    await run();
    expect(await found()).toMatchObject({ used: 1, unused: [], watchedSince: "2026-10-25" });
    await live(30);
    await store.prune("home", 0);
    const gone = { deviceId: "hue", entityId: "light.hue", state: "unavailable", quality: "unavailable" as const };
    store = createMemoryEventStore();
    aggregates = createMemoryAggregateStore({ clock });
    utilisation = createMemoryUtilisationStore();
    const days = Array.from({ length: 30 }, (_, ago) => addDays(TODAY, -ago));
    await store.write(days.flatMap((date) => [lampEvent(date, 0, {}), buildEvent({ ...gone, atUs: at(date) })]));
    await run();
    expect(await unusedOf()).toHaveLength(4);
    expect(await found("hue")).toEqual({ deviceId: "hue", features: 3, used: 0, unused: [], lastUsed: {} });
  });

  it("says nothing of a month of which more than three days are missing", async () => {
    const days = Array.from({ length: 30 }, (_, ago) => addDays(TODAY, -ago)).filter((_, ago) => ago < 3 || ago > 6);
    await store.write(days.map((date) => lampEvent(date, 0, {})));
    expect(await run()).toMatchObject({ days_watched: 26, unused: 0 });
  });

  it("remembers what was used before the window, and since when it was watched", async () => {
    await live(60, 40);
    for (const ago of [30, 15, 0]) await run(addDays(TODAY, -ago));
    expect(await found()).toMatchObject({ watchedSince: "2026-09-24", lastUsed: { brightness: "2026-10-13" } });
    expect((await found())?.unused).toContainEqual(
      expect.objectContaining({ feature: "brightness", watchedSince: "2026-10-13" }),
    );
  });

  it("reads nothing itself where the detectors have read the day, and all of it where they have failed", async () => {
    await live(30, 12);
    const learnDays = async (readers: readonly DayReader[]) => {
      const options = { store, aggregates, detectors: [], retention, clock, readers };
      const night = { homeId: "home", date: TODAY, calendar: { timeZone: "UTC", analysisTime: "03:00" } };
      for (let ago = 0; ago < 30; ago++) await learnDay(night, addDays(TODAY, -ago), options);
    };
    await run();
    const first = await utilisation.get("home");
    aggregates = createMemoryAggregateStore({ clock });
    await learnDays([featuresReader]);
    expect(await run()).toMatchObject({ events: 0, days: 0, days_watched: 30, used: 2, unused: 5 });
    expect(await utilisation.get("home")).toEqual(first);
    aggregates = createMemoryAggregateStore({ clock });
    const broken = () => {
      throw new Error("broken");
    };
    await learnDays([{ kind: FEATURES, begin: () => ({ add: broken, finish: () => [] }) }]);
    expect(await run()).toMatchObject({ events: 120, days: 30, used: 2, unused: 5 });
  });

  it("leaves the same when it is run again, or for an older day", async () => {
    await live(30, 12);
    await run();
    const first = await utilisation.get("home");
    expect(await run()).toMatchObject({ days: 1, events: 4 });
    await run(addDays(TODAY, -9));
    expect(await utilisation.get("home")).toEqual(first);
  });

  it("reads a day again that got late events, keeps one that is being pruned", async () => {
    await live(30);
    await run();
    await store.write([lampEvent("2026-11-20", 5, { brightness: 255 })]);
    const day = {
      homeId: "home",
      layer: "daily" as const,
      date: "2026-11-20",
      fromUs: at("2026-11-20", -540),
      toUs: at("2026-11-21", -540),
    };
    await aggregates.put({ ...day, kind: "day", rows: [{ versions: {}, dates: ["2026-11-20"], events: 5 }] });
    expect(await run()).toMatchObject({ days: 2 });
    expect(await found()).toMatchObject({ used: 2, lastUsed: { brightness: "2026-11-21" } });
    await store.prune("home", at("2026-11-20", 1));
    await aggregates.put({ ...day, kind: "day", rows: [{ versions: {}, dates: ["2026-11-20"], events: 99 }] });
    await run();
    expect(await found()).toMatchObject({ used: 2 });
  });

  it("reads days of another version again while they are there, else leaves them out", async () => {
    await live(30);
    await run();
    const old = { homeId: "home", layer: "daily" as const, kind: FEATURES, fromUs: 0, toUs: 1, rows: [{ version: 0 }] };
    await aggregates.put({ ...old, date: "2026-11-20" });
    expect(await run()).toMatchObject({ days: 2, days_left_out: 0 });
    await store.prune("home", at("2026-11-21", -600));
    await aggregates.put({ ...old, date: "2026-11-20" });
    await aggregates.put({ ...old, date: "2026-11-19", rows: ["nonsense"] });
    expect(await run()).toMatchObject({ days_left_out: 2, days_watched: 28 });
  });

  it("follows an entity that was renamed, and forgets one that is gone", async () => {
    await live(30, 12);
    await run();
    const renamed = entity("light.ceiling", "ha-lamp", `${LAMP}_light_zigbee2mqtt`);
    await register("entities", [renamed, entity("light.hue", "hue")], NOW_MS + 1_000);
    await run();
    expect(await found()).toMatchObject({ used: 2, unused: [{ entityId: "light.ceiling" }, {}] });
    await register("entities", [entity("light.hue", "hue")], NOW_MS + 2_000);
    await run();
    expect(await found()).toBeUndefined();
  });

  it("goes on another time where a budget is not enough", async () => {
    await live(30);
    const phase = featuresPhase({
      ...{ store, aggregates, index, abilities, utilisation, retention, clock, analysisTime: "03:00", budgetMs: 10 },
    });
    const job = newJob("home", { kind: "daily", date: TODAY }, NOW_MS);
    const counts = await phase.run(job, "UTC", { ...unlimitedTime, remainingMs: () => 1 });
    expect(counts).toMatchObject({ days: 1, days_left: 29 });
    expect(phase.isUnfinished?.(counts)).toBe(true);
    expect(phase.isUnfinished?.(await run())).toBe(false);
  });

  it("of an empty home is nothing, and fails alone where the store is away", async () => {
    await register("devices", [], 2);
    await register("entities", [], 2);
    expect(await run()).toMatchObject({ events: 0, days: 0, devices: 0, unused: 0 });
    const away = async () => {
      throw new Error("the store is away");
    };
    await expect(run(TODAY, { store: { ...store, retention: away } })).rejects.toThrow("store is away");
  });

  it("bounds what a device with 500 features tells", async () => {
    const exposes = Array.from({ length: 500 }, (_, at) => ({
      type: "binary",
      name: `f${at}`,
      property: `f${at}`,
      access: 7,
    }));
    await register("capabilities", [{ ieee_address: LAMP, definition: { exposes } }], 2);
    await register(
      "entities",
      exposes.map(({ name }) => entity(`switch.a_${name}`, "ha-lamp", `${LAMP}_switch_${name}_zigbee2mqtt`)),
      2,
    );
    await live(30);
    await run();
    expect(await found()).toMatchObject({ features: 500, used: 0 });
    expect((await found())?.unused).toHaveLength(100);
  });
});
