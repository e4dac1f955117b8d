import { describe, expect, it } from "vitest";
import { relayRecordsSchema } from "../../../lib/event/index.ts";
import type { BrokerSession } from "../../../lib/relay/outbox/ports.ts";
import { capabilityRecords, readBridgeDevices } from "../../../lib/relay/outbox/zigbee.ts";
import { bridgeDevices, bridgeDevicesText, LAMP } from "../../support/zigbee.ts";

const session = (kept: Readonly<Record<string, string>>): BrokerSession => ({
  publish: async () => {},
  retained: async (topic) => (kept[topic] === undefined ? undefined : Buffer.from(kept[topic])),
  close: async () => {},
});

describe("Zigbee2MQTT's devices", () => {
  it("are read from every base topic", async () => {
    const kept = { "a/bridge/devices": bridgeDevicesText, "b/bridge/devices": '[{"ieee_address":"0x1"}]' };
    expect(await readBridgeDevices(session(kept), ["a", "b"])).toHaveLength(bridgeDevices.length + 1);
    await expect(readBridgeDevices(session(kept), ["a", "c"])).rejects.toMatchObject({
      code: "zigbee2mqtt_silent",
      message: expect.stringContaining('"c/bridge/devices"'),
    });
  });

  it.each(["{}", "nothing", "", "null"])("are not read from %j", async (text) => {
    await expect(readBridgeDevices(session({ "a/bridge/devices": text }), ["a"])).rejects.toMatchObject({
      code: "zigbee2mqtt_malformed",
      fate: "dead-letter",
    });
  });

  it("are not read when they are too large to be true", async () => {
    const text = `[${" ".repeat(33_554_432)}]`;
    await expect(readBridgeDevices(session({ "a/bridge/devices": text }), ["a"])).rejects.toMatchObject({
      code: "zigbee2mqtt_malformed",
      message: expect.stringContaining("33554434 bytes"),
    });
  });

  it("travel with what is picked, and nothing else of the network", () => {
    const [record] = capabilityRecords(bridgeDevices, 5);
    const parsed = relayRecordsSchema.parse({ ...record, n: 1 });
    if (parsed.t !== "capabilities") throw new Error(parsed.t);
    expect(parsed).toMatchObject({ revision: 5, part: 1, parts: 1 });
    const lamp = parsed.rows.find(({ ieee_address }) => ieee_address === LAMP);
    expect(Object.keys(lamp ?? {}).sort()).toEqual([
      "definition",
      "disabled",
      "friendly_name",
      "ieee_address",
      "interview_completed",
      "interview_state",
      "manufacturer",
      "model_id",
      "supported",
      "type",
    ]);
    expect(Object.keys(lamp?.definition as object).sort()).toEqual([
      "description",
      "exposes",
      "model",
      "options",
      "vendor",
    ]);
    expect(JSON.stringify(parsed.rows)).not.toMatch(/network_address|bindings|endpoint_/);
  });

  it("travel in parts that fit messages", () => {
    const many = Array.from({ length: 200 }, (_, at) => ({ ...bridgeDevices[1], ieee_address: `0x${at}` }));
    const records = capabilityRecords(many, 5);
    expect(records.length).toBeGreaterThan(5);
    for (const [index, record] of records.entries()) {
      if (record.t !== "capabilities") throw new Error(record.t);
      expect([record.part, record.parts]).toEqual([index + 1, records.length]);
      expect(JSON.stringify(record).length).toBeLessThan(48_000);
    }
    expect(capabilityRecords([], 5)).toMatchObject([{ part: 1, parts: 1, rows: [] }]);
  });

  it("stay known when what they can do fits nowhere", () => {
    const [huge] = [{ ...bridgeDevices[1], definition: { model: "M", vendor: "V", exposes: "x".repeat(300_000) } }];
    let deep: unknown = {};
    for (let depth = 0; depth < 20_000; depth++) deep = { features: deep };
    const rows = [
      huge,
      { ieee_address: "0x2", definition: { model: "D", exposes: deep } },
      { friendly_name: "no address" },
    ];
    const [record] = capabilityRecords(rows, 5);
    if (record?.t !== "capabilities") throw new Error("no record");
    expect(record.rows).toEqual([
      expect.objectContaining({ ieee_address: LAMP, definition: { model: "M", vendor: "V" } }),
      { ieee_address: "0x2", definition: { model: "D" } },
    ]);
  });
});
