import { beforeEach, describe, expect, it } from "vitest";
import { createMemoryDeviceIndex } from "../../lib/adapters/memory/device-index.ts";
import { createMemoryEventStore } from "../../lib/adapters/memory/event-store.ts";
import { createMemoryAbilityStore } from "../../lib/adapters/memory/utilisation.ts";
import { type CapabilitiesPhaseOptions, capabilitiesPhase } from "../../lib/analysis/capabilities-phase.ts";
import { newJob } from "../../lib/analysis/index.ts";
import { runPhases } from "../../lib/analysis/phases.ts";
import { seededRandom } from "../../lib/base/random.ts";
import { parseRows } from "../../lib/devices/parse.ts";
import type { IndexedRows } from "../../lib/devices/ports.ts";
import { buildEvent } from "../support/events.ts";
import { manualClock } from "../support/manual-clock.ts";
import { unlimitedTime } from "../support/phase-time.ts";
import { bridgeDevices, LAMP, lampDevice } from "../support/zigbee.ts";

const NOW_MS = Date.parse("2026-11-23T03:00:00Z");
const DAY_MS = 86_400_000;
const job = newJob("home", { kind: "daily", date: "2026-11-22" }, NOW_MS);

let index: ReturnType<typeof createMemoryDeviceIndex>;
let store: ReturnType<typeof createMemoryEventStore>;
let abilities: ReturnType<typeof createMemoryAbilityStore>;
let clock: ReturnType<typeof manualClock>;
let asked: string[];

beforeEach(() => {
  clock = manualClock(NOW_MS);
  index = createMemoryDeviceIndex(clock);
  store = createMemoryEventStore();
  abilities = createMemoryAbilityStore();
  asked = [];
});

const register = (
  registry: IndexedRows,
  rows: readonly Readonly<Record<string, unknown>>[],
  revision = NOW_MS - DAY_MS,
) => index.applyRegistry("home", { registry, revision, part: 1, parts: 1, rows: parseRows(registry, rows) } as never);
const hue = { id: "hue", name: "Hue", identifiers: [["hue", "1"]], connections: [], labels: [] };
const entity = (entity_id: string, device_id: string, more = {}) => ({
  ...{ entity_id, device_id, platform: "hue", unique_id: entity_id, labels: [] },
  ...more,
});

const phase = (more: Partial<CapabilitiesPhaseOptions> = {}) =>
  capabilitiesPhase({
    ...{ index, store, abilities, staleDays: 30, clock },
    ask: async (homeId) => asked.push(homeId) > 0,
    ...more,
  });
const run = (more: Partial<CapabilitiesPhaseOptions> = {}) => phase(more).run(job, "UTC", unlimitedTime);
const light = (daysAgo: number, attributes: Readonly<Record<string, unknown>> = { supported_color_modes: ["xy"] }) =>
  buildEvent({ entityId: "light.hue", deviceId: "hue", atUs: (NOW_MS - daysAgo * DAY_MS) * 1000, attributes });

describe("asking Zigbee2MQTT", () => {
  it("is done when a home has its devices and nothing is known, when it is old, and not in between", async () => {
    await register("devices", [lampDevice, hue]);
    expect(await run()).toMatchObject({ devices: 2, zigbee_devices: 1, known: 0, stale: 1, asked: 1 });
    await register("capabilities", bridgeDevices, NOW_MS + 1);
    expect(await run()).toMatchObject({ known: 1, stale: 0, asked: 0 });
    await clock.advance(30 * DAY_MS);
    expect(await run()).toMatchObject({ stale: 0 });
    await clock.advance(DAY_MS);
    expect(await run()).toMatchObject({ stale: 1, asked: 1 });
    expect(asked).toHaveLength(2);
  });

  it("is done for a new device, and not every night for one that Zigbee2MQTT has forgotten", async () => {
    const other = (address: string) => ({
      ...lampDevice,
      id: address,
      identifiers: [["mqtt", `zigbee2mqtt_${address}`]],
    });
    await register("devices", [lampDevice, other("0x0000000000000001")]);
    await register("capabilities", bridgeDevices);
    expect(await run()).toMatchObject({ known: 1, stale: 1, asked: 1 });
    // Not answered yet: asked again, which the outbox may refuse.
    await clock.advance(1_000);
    expect(await run({ ask: async () => false })).toMatchObject({ stale: 1, asked: 0 });
    await register("capabilities", bridgeDevices, NOW_MS + 2_000);
    expect(await run()).toMatchObject({ stale: 0 });
    await register("devices", [lampDevice, other("0x0000000000000001"), other("0x0000000000000002")], NOW_MS);
    expect(await run()).toMatchObject({ stale: 1, asked: 1 });
    expect(await abilities.get("home")).toMatchObject({ missing: ["0x0000000000000001", "0x0000000000000002"] });
  });

  it("is not done for a home without its devices, or without any", async () => {
    expect(await run()).toMatchObject({ devices: 0, zigbee_devices: 0, stale: 0, asked: 0, entities: 0 });
    await register("devices", [hue]);
    expect(await run()).toMatchObject({ devices: 1, stale: 0, asked: 0 });
    expect(asked).toEqual([]);
  });
});

describe("what Home Assistant's entities say", () => {
  beforeEach(async () => {
    await register("devices", [lampDevice, hue]);
    await register("capabilities", bridgeDevices);
    const disabled = entity("light.off", "hue", { disabled_by: "user" });
    await register("entities", [
      ...[entity("light.hue", "hue"), entity("sensor.hue", "hue"), entity("light.silent", "hue"), disabled],
      entity("light.lamp", "ha-lamp", { platform: "mqtt", unique_id: `${LAMP}_light_zigbee2mqtt` }),
    ]);
  });

  it("is read from the newest event of each that can be told something", async () => {
    const removed = buildEvent({ entityId: "light.hue", kind: "removed", state: "", atUs: NOW_MS * 1000 });
    await store.write([light(3, { supported_color_modes: ["onoff"] }), light(2), { ...removed, attributes: {} }]);
    expect(await run()).toMatchObject({ entities: 2, entities_read: 1, entities_left: 1, entities_known: 1 });
    expect(await abilities.get("home")).toEqual({
      entities: [{ entityId: "light.hue", atUs: light(2).atUs, attributes: { supported_color_modes: ["xy"] } }],
      missing: [],
    });
  });

  it("is read again when it is old, and forgotten with its entity", async () => {
    await store.write([light(2)]);
    await run();
    await store.write([light(-20, { supported_color_modes: ["hs"] })]);
    expect(await run()).toMatchObject({ entities_read: 0 });
    await clock.advance(31 * DAY_MS);
    expect(await run()).toMatchObject({ entities_read: 1 });
    expect((await abilities.get("home"))?.entities[0]?.attributes).toEqual({ supported_color_modes: ["hs"] });
    await register("entities", [entity("sensor.hue", "hue")], NOW_MS);
    expect(await run()).toMatchObject({ entities: 0, entities_known: 0 });
    expect((await abilities.get("home"))?.entities).toEqual([]);
  });

  it("of very many is read by and by, whoever is silent", async () => {
    const ids = Array.from({ length: 2_300 }, (_, at) => `switch.s${String(at).padStart(4, "0")}`);
    await register(
      "entities",
      ids.map((id) => entity(id, "hue")),
      NOW_MS,
    );
    const atUs = (NOW_MS - DAY_MS) * 1000;
    await store.write(ids.slice(0, 2_200).map((entityId, at) => buildEvent({ entityId, atUs: atUs + at })));
    const first = await run();
    await clock.advance(DAY_MS);
    const second = await run();
    expect(first.entities_read).toBeGreaterThan(1_800);
    expect(Number(first.entities_read) + Number(second.entities_read)).toBe(2_200);
    expect(second).toMatchObject({ entities_known: 2_200, entities_left: 100 });
  });
});

describe("a night with troubles", () => {
  beforeEach(async () => {
    await register("devices", [lampDevice, hue]);
    await register("entities", [entity("light.hue", "hue")]);
    await store.write([light(1)]);
  });
  const full = async () => {
    throw new Error("the outbox is full");
  };
  const away = {
    range: async () => {
      throw new Error("the store is away");
    },
  };

  it("fails alone, says why, and does the other half", async () => {
    await expect(run({ ask: full })).rejects.toThrow("outbox is full");
    expect((await abilities.get("home"))?.entities).toHaveLength(1);
    abilities = createMemoryAbilityStore();
    await expect(run({ store: away })).rejects.toThrow("store is away");
    expect(await abilities.get("home")).toMatchObject({ askedAtMs: NOW_MS });
    await expect(run({ ask: full, store: away })).rejects.toThrow(/full.*away/);
    const next = { name: "events", run: async () => ({ events: 1 }) };
    const done = await runPhases([phase({ ask: full }), next], job, {
      ...{ clock, random: seededRandom(1), timeZone: "UTC" },
      onProgress: async () => {},
    });
    expect(done).toMatchObject([
      { name: "capabilities", status: "failed", error: "the outbox is full" },
      { name: "events", status: "succeeded" },
    ]);
  });
});
