import { parseIsoUs } from "../../lib/base/time.ts";
import { parseRows } from "../../lib/devices/parse.ts";
import { suggestion } from "../conformance/suggestion-store.ts";
import type { TestApi } from "./api.ts";
import { buildEvent, fullEvent } from "./events.ts";
import { bridgeDevices, lampDevice } from "./zigbee.ts";

/** A moment before the manual clock's start. */
export const AT = "2026-11-22T05:47:09.185382+00:00";
export const AT_US = parseIsoUs(AT);

export const plainEvent = (given: Record<string, unknown> = {}) => ({
  event_type: "state_changed",
  entity_id: "light.kitchen",
  state: "on",
  timestamp: AT,
  ...given,
});

const haState = (state: string, at: string) => ({
  entity_id: "light.kitchen",
  state,
  attributes: { brightness: 128 },
  last_changed: at,
  last_updated: at,
  context: { id: "01KAMC7H5JPQ3V2Z9X8W7T6S5R", parent_id: null, user_id: null },
});

/** The `event` member of a frame, as Home Assistant sends it. */
export const haEvent = (given: Record<string, unknown> = {}) => ({
  event_type: "state_changed",
  data: {
    entity_id: "light.kitchen",
    old_state: haState("off", "2026-11-22T05:40:00.000001+00:00"),
    new_state: haState("on", AT),
  },
  origin: "LOCAL",
  time_fired: AT,
  context: { id: "01KAMC7H5JPQ3V2Z9X8W7T6S5R", parent_id: null, user_id: null },
  ...given,
});

/** What a night has found of one device's features. */
async function useDevices({ abilities, utilisation }: TestApi): Promise<void> {
  const attributes = { supported_features: 4, supported_color_modes: ["color_temp"], effect_list: ["loop"] };
  const range = { min_color_temp_kelvin: 2_000, max_color_temp_kelvin: 6_500 };
  const entities = [{ entityId: "light.kitchen", atUs: AT_US, attributes: { ...attributes, ...range } }];
  await abilities.put("home", { entities, askedAtMs: AT_US / 1000, missing: [] });
  const facts = { deviceId: "plug", deviceName: "Plug", areaId: "kitchen", watchedSince: "2026-10-01" };
  const unused = [{ ...facts, feature: "effect", label: "Effect", entityId: "light.kitchen" }];
  const device = { deviceId: "plug", features: 4, used: 3, unused, watchedSince: "2026-09-01", lastUsed: {} };
  await utilisation.put("home", { date: "2026-11-21", devices: [device] });
}

/** A small home in the index and the store: two areas, a device with a child, entities with and without a registry row, three events. */
export async function furnish(api: TestApi): Promise<void> {
  const { index, events, jobs, ledger, suggestions } = api;
  await useDevices(api);
  const whole = { revision: 1, part: 1, parts: 1 };
  const device = { labels: [], identifiers: [["hue", "1"]], connections: [["mac", "00:11"]] };
  await index.applyRegistry("home", {
    ...whole,
    registry: "floors",
    rows: [{ floorId: "ground", name: "Ground floor", level: 0 }],
  });
  await index.applyRegistry("home", {
    ...whole,
    registry: "areas",
    rows: [
      { areaId: "kitchen", name: "Kitchen", floorId: "ground", labels: ["warm"] },
      { areaId: "attic", name: "Attic", labels: [] },
    ],
  });
  await index.applyRegistry("home", {
    ...whole,
    registry: "devices",
    rows: [
      {
        ...device,
        deviceId: "bridge",
        name: "Bridge",
        areaId: "attic",
        manufacturer: "Signify",
        model: "BSB002",
        swVersion: "1.2",
      },
      { ...device, deviceId: "lamp", name: "Lamp", parentDeviceId: "bridge", viaDeviceId: "bridge" },
      { ...device, deviceId: "plug", name: "Plug", areaId: "kitchen", labels: ["warm"] },
    ],
  });
  await index.applyRegistry("home", {
    ...whole,
    registry: "entities",
    rows: [
      { entityId: "light.lamp", name: "Lamp", deviceId: "lamp", platform: "hue", labels: [] },
      {
        entityId: "light.kitchen",
        name: "Kitchen light",
        deviceId: "plug",
        areaId: "attic",
        platform: "hue",
        labels: [],
      },
      {
        entityId: "switch.plug",
        deviceId: "plug",
        platform: "tplink",
        labels: ["warm"],
        disabledBy: "user",
        entityCategory: "config",
        hiddenBy: "user",
      },
    ],
  });
  await index.applySeen(
    "home",
    new Map([
      ["light.kitchen", { atUs: AT_US, state: "on" }],
      ["sensor.unregistered", { atUs: AT_US + 1, state: "5", deviceClass: "power", unit: "W" }],
    ]),
  );
  await index.applyRelayStatus("home", {
    relayId: "relay-1",
    at: "2026-11-22T05:59:30.000Z",
    connected: true,
    since: "2026-11-22T05:00:00.000Z",
    haState: "RUNNING",
    haVersion: "2026.11.0",
    spoolBytes: 100,
    spoolRecords: 2,
    oldestSeconds: 0.5,
    rejected: 0,
    clockOffsetMs: 3,
  });
  await ledger.record("home", "relay-1", [{ range: [1, 120] }]);
  await events.write([
    fullEvent,
    buildEvent({ entityId: "light.kitchen", atUs: AT_US, areaId: "kitchen", deviceId: "plug" }),
    buildEvent({
      entityId: "light.kitchen",
      atUs: AT_US + 5,
      areaId: "kitchen",
      deviceId: "plug",
      state: "off",
      oldState: "on",
    }),
    buildEvent({ homeId: "other", entityId: "light.secret", atUs: AT_US }),
  ]);
  const phase = {
    name: "events",
    status: "succeeded" as const,
    startedAt: "2026-11-21T02:00:01Z",
    durationMs: 12,
    counts: { events: 3 },
  };
  const job = {
    homeId: "home",
    kind: "daily" as const,
    attempt: 1,
    status: "succeeded" as const,
    queuedAt: "2026-11-21T02:00:00Z",
  };
  await jobs.create({
    ...job,
    id: "job-1",
    date: "2026-11-20",
    phases: [phase],
    startedAt: "2026-11-21T02:00:01Z",
    finishedAt: "2026-11-21T02:00:02Z",
    peakRssBytes: 1,
  });
  await jobs.create({
    ...job,
    id: "job-2",
    date: "2026-11-21",
    phases: [{ ...phase, status: "failed", error: "away" }],
    status: "failed",
  });
  await jobs.create({ ...job, homeId: "other", id: "job-9", date: "2026-11-21", phases: [] });
  const automation = {
    ...{ alias: "Coffee", description: "You do it.", mode: "single" as const, conditions: [] },
    triggers: [{ trigger: "time", at: "07:02:00" }],
    actions: [{ action: "switch.turn_on", target: { entity_id: "switch.coffee" } }],
  };
  await suggestions.change("home", () => [
    suggestion("coffee", { rank: 1, automation, patternId: "abc" }),
    suggestion("lamp", {
      status: "accepted",
      deviceId: "plug",
      feature: "color_temp",
      outcome: "refused",
      outcomeDetail: "x",
    }),
  ]);
}

/** A lamp of which Home Assistant and Zigbee2MQTT say different things, in two revisions of each. */
export async function disagree({ index }: Pick<TestApi, "index">): Promise<void> {
  const zigbee = parseRows("capabilities", bridgeDevices);
  const lamp = (name: string, model: string) =>
    parseRows("devices", [{ ...lampDevice, name, manufacturer: "IKEA of Sweden", model }]);
  const apply = async (revision: number, rows: ReturnType<typeof lamp>) => {
    const whole = { revision, part: 1, parts: 1 };
    await index.applyRegistry("home", { ...whole, registry: "devices", rows });
    await index.applyRegistry("home", { ...whole, registry: "capabilities", rows: zigbee });
  };
  await apply(AT_US / 1000 - 2_000, lamp("Ceiling", "LED2003G10"));
  await apply(AT_US / 1000 - 1_000, lamp("Ceiling light", "A lamp"));
}
