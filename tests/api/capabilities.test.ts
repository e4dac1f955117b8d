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

  it("are none of a device that is not Zigbee2MQTT's, and 404 of one that is not there", async () => {
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
