import { describe, expect, it } from "vitest";
import { outboxMessageSchema, topicProblem } from "../../lib/event/index.ts";

const discovery = (config: unknown) => JSON.stringify(config);
const SENSOR = {
  name: "Suggestions",
  state_topic: "hearthline/suggestions/state",
  unique_id: "hearthline_suggestions",
};

describe("what the outbox may publish", () => {
  it.each([
    ["hearthline/suggestions/1", "anything"],
    ["hearthline/a", ""],
    ["homeassistant/sensor/hearthline_suggestions/config", discovery(SENSOR)],
    ["homeassistant/button/hearthline-home/accept_1/config", discovery({ cmd_t: "hearthline/accept/1" })],
    ["homeassistant/sensor/hearthline_suggestions/config", ""],
    [
      "homeassistant/device/hearthline/config",
      discovery({
        "~": "hearthline/home",
        dev: { ids: ["hearthline"] },
        o: { name: "hearthline" },
        cmps: { a: { p: "sensor", stat_t: "~/state" }, b: { p: "button", command_topic: "press/~" } },
      }).replace("press/~", "~/press"),
    ],
    ["homeassistant/sensor/hearthline/config", discovery({ availability: [{ t: "hearthline/status" }] })],
  ])("%s", (topic, payload) => expect(topicProblem(topic, payload)).toBeUndefined());

  it.each([
    ["zigbee2mqtt/front_door/set", "UNLOCK"],
    ["hearthline", "x"],
    ["hearthline2/x", "x"],
    ["hearthline/#", "x"],
    ["hearthline/+/x", "x"],
    ["hearthline//x", "x"],
    ["hearthline/", "x"],
    ["hearthline/\u0000", "x"],
    // mosquitto ends the connection at these (checked against 2.0): the session, and every item after it, would be gone.
    ["hearthline/\u0085", "x"],
    ["hearthline/\ufffe", "x"],
    ["hearthline/\ufdd0", "x"],
    ["hearthline/\u{1ffff}", "x"],
    ["hearthline/\ud800", "x"],
    ["/hearthline/x", "x"],
    ["$SYS/broker", "x"],
    ["homeassistant/status", "online"],
    ["homeassistant/lock/0x00158d0001/lock/config", ""],
    ["homeassistant/lock/0x00158d0001/hearthline/config", ""],
    ["homeassistant/sensor/hearthline/config/x", "{}"],
    ["homeassistant/sensor/other/config", discovery(SENSOR)],
    ["homeassistant/sensor/hearthline/config", "not json"],
    ["homeassistant/sensor/hearthline/config", "[]"],
    ["homeassistant/sensor/hearthline/config", "null"],
  ])("not %s (%s)", (topic, payload) => expect(topicProblem(topic, payload)).toMatch(/wanted is/));

  it.each([
    { command_topic: "zigbee2mqtt/front_door/set" },
    { cmd_t: "zigbee2mqtt/front_door/set" },
    { "~": "zigbee2mqtt/front_door", cmd_t: "~/set" },
    { "~": "hearthline", cmd_t: "~2/set" },
    { "~": "hearthline", cmd_t: "zigbee2mqtt/~" },
    { "~": "hearthline", cmps: { a: { "~": "zigbee2mqtt", cmd_t: "~/set" } } },
    { topic: "zigbee2mqtt/button/action", type: "button_short_press" },
    { availability: [{ topic: "hearthline/a" }, { t: "zigbee2mqtt/bridge/state" }] },
    { cmps: { a: { p: "lock", command_topic: "hearthline/+/set" } } },
  ])("no discovery that leads out of hearthline/: %o", (config) => {
    expect(topicProblem("homeassistant/device/hearthline/config", discovery(config))).toContain(
      'wanted are topics below "hearthline/"',
    );
  });

  it.each([
    { unique_id: "0x00158d0001_lock_zigbee2mqtt" },
    { uniq_id: 5 },
    { uniq_id: ["hearthline", "0x00158d0001"] },
    { device: { identifiers: ["zigbee2mqtt_0x00158d0001"], name: "Front door" } },
    { dev: { ids: "zigbee2mqtt_0x00158d0001" } },
    { dev: { ids: ["hearthline", ["zigbee2mqtt_0x00158d0001"]] } },
    { dev: { ids: ["hearthline"], cns: [["mac", "02:5b:26:a8:dc:12"]] } },
    { cmps: { a: { p: "lock", command_topic: "hearthline/a", uniq_id: "0x00158d0001_lock_zigbee2mqtt" } } },
    { default_entity_id: "lock.front_door" },
    { obj_id: "front_door" },
  ])("no discovery that takes another's place: %o", (config) => {
    expect(topicProblem("homeassistant/device/hearthline/config", discovery(config))).toContain(
      'wanted are ids that begin with "hearthline"',
    );
  });

  it.each([{ default_entity_id: "sensor.hearthline_suggestions" }, { obj_id: "hearthline_suggestions" }])(
    "ids of its own: %o",
    (config) => {
      expect(topicProblem("homeassistant/sensor/hearthline/config", discovery(config))).toBeUndefined();
    },
  );

  it("no discovery without a bottom", () => {
    let config: unknown = { command_topic: "zigbee2mqtt/x/set" };
    for (let depth = 0; depth < 40; depth++) config = { cmps: config };
    expect(topicProblem("homeassistant/device/hearthline/config", discovery(config))).toContain("deeper than");
  });

  it("no payload that no broker would like", () => {
    const message = { topic: "hearthline/x", payload: "é".repeat(65_537), qos: 1, retain: false };
    expect(outboxMessageSchema.safeParse(message).error?.issues).toMatchObject([{ path: ["payload"] }]);
    expect(outboxMessageSchema.safeParse({ ...message, payload: "é".repeat(65_536) }).success).toBe(true);
  });
});
