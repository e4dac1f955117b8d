import { beforeEach, describe, expect, it } from "vitest";
import { parseRows } from "../../lib/devices/parse.ts";
import { createTestApi, type TestApi, tokenText } from "../support/api.ts";
import { manualClock } from "../support/manual-clock.ts";
import { bridgeDevices, LAMP, lampDevice } from "../support/zigbee.ts";

let api: TestApi;
beforeEach(async () => {
  api = await createTestApi({ clock: manualClock() });
  const whole = { revision: 1, part: 1, parts: 1 };
  await api.index.applyRegistry("home", {
    ...whole,
    registry: "devices",
    rows: [
      ...parseRows("devices", [lampDevice]),
      { deviceId: "plug", name: "Plug", labels: [], identifiers: [], connections: [] },
    ],
  });
  await api.index.applyRegistry("home", {
    ...whole,
    registry: "capabilities",
    rows: parseRows("capabilities", bridgeDevices),
  });
});

const get = async (path: string, token = tokenText("home")) => {
  const response = await api.ask(`/api/v1${path}`, { token });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

describe("capabilities", () => {
  it("of Home Assistant's device are those of its Zigbee address", async () => {
    const { status, body } = await get("/devices/ha-lamp/capabilities");
    expect(status).toBe(200);
    expect(body).toMatchObject({
      device_id: "ha-lamp",
      source: "zigbee2mqtt",
      zigbee: {
        ieee_address: LAMP,
        friendly_name: "kitchen/ceiling",
        vendor: "IKEA",
        supported: true,
        disabled: false,
      },
      options: [
        { name: "transition", access: 2 },
        { name: "state_action", type: "binary" },
      ],
    });
    expect(body.features).toContainEqual(
      expect.objectContaining({ name: "brightness", type: "numeric", group: "light", access: 7, min: 0, max: 254 }),
    );
  });

  it("of any other device are what Home Assistant's states tell, with how much of it is used", async () => {
    await api.index.applyRegistry("home", {
      ...{ revision: 1, part: 1, parts: 1, registry: "entities" as const },
      rows: parseRows("entities", [{ entity_id: "light.plug", device_id: "plug", labels: [] }]),
    });
    await api.abilities.put("home", {
      entities: [{ entityId: "light.plug", atUs: 1, attributes: { supported_color_modes: ["brightness"] } }],
      missing: [],
    });
    const facts = { deviceId: "plug", deviceName: "Plug", label: "Brightness", entityId: "light.plug" };
    const unused = [{ ...facts, feature: "brightness", watchedSince: "2026-10-01" }];
    const device = { deviceId: "plug", features: 2, used: 1, unused, watchedSince: "2026-09-01" };
    await api.utilisation.put("home", { date: "2026-11-21", devices: [{ ...device, lastUsed: {} }] });
    const utilisation = {
      ...{ features: 2, used: 1, watched_since: "2026-09-01", as_of: "2026-11-21" },
      unused: [{ feature: "brightness", label: "Brightness", entity_id: "light.plug", not_used_since: "2026-10-01" }],
    };
    expect((await get("/devices/plug/capabilities")).body).toEqual({
      device_id: "plug",
      source: "home-assistant",
      features: [
        {
          name: "state",
          property: "state",
          type: "binary",
          group: "light",
          access: 3,
          label: "On and off",
          entity_id: "light.plug",
        },
        {
          name: "brightness",
          property: "brightness",
          type: "numeric",
          group: "light",
          access: 3,
          label: "Brightness",
          entity_id: "light.plug",
        },
      ],
      options: [],
      utilisation,
    });
    expect((await get("/devices/plug")).body).toMatchObject({ device_id: "plug", utilisation });
    expect((await get("/devices/ha-lamp")).body).not.toHaveProperty("utilisation");
    expect((await get("/devices")).body.devices).toMatchObject([{ device_id: "ha-lamp" }, { utilisation }]);
    expect((await get("/devices", tokenText("other"))).body.devices).toEqual([]);
  });

  it("are none of a device of which nobody has told, and 404 of one that is not there", async () => {
    expect(await get("/devices/plug/capabilities")).toEqual({
      status: 200,
      body: { device_id: "plug", source: null, features: [], options: [] },
    });
    expect(await get("/devices/none/capabilities")).toMatchObject({ status: 404, body: { code: "not_found" } });
    expect(await get("/devices/ha-lamp/capabilities", tokenText("other"))).toMatchObject({ status: 404 });
  });

  it("are listed by address, through pages", async () => {
    const { body } = await get("/capabilities?limit=4");
    expect(body.capabilities).toMatchObject([
      { ieee_address: "0x00124b0024c2fc9e", type: "Coordinator", feature_count: 0 },
      { ieee_address: "0x00158d0002d7f2a1", vendor: "Aqara", feature_count: 6, settable_count: 0 },
      { ieee_address: "0x0017880109abcdef", supported: false, interview: "failed" },
      { ieee_address: "0x54ef4410000a1b2c", feature_count: 6, settable_count: 3 },
    ]);
    const rest = await get(`/capabilities?limit=4&cursor=${body.next}`);
    expect(rest.body).toMatchObject({
      capabilities: [{ ieee_address: LAMP, device_id: "ha-lamp" }, { disabled: true }],
      next: null,
    });
    expect((await get("/capabilities", tokenText("other"))).body).toEqual({ capabilities: [], next: null });
  });
});
