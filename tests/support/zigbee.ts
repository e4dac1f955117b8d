import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Zigbee2MQTT's retained `bridge/devices` of a home with a coordinator, a lamp, a sensor, a double switch, a radiator valve and a device that nobody knows. */
export const bridgeDevicesText = readFileSync(
  join(import.meta.dirname, "../samples/zigbee2mqtt/bridge-devices.json"),
  "utf8",
);
export const bridgeDevices = JSON.parse(bridgeDevicesText) as readonly Readonly<Record<string, unknown>>[];

export const LAMP = "0x842e14fffe05b879";

/** The lamp as Home Assistant's device registry lists it, discovered by MQTT. */
export const lampDevice = {
  id: "ha-lamp",
  name: "kitchen/ceiling",
  identifiers: [["mqtt", `zigbee2mqtt_${LAMP}`]],
  connections: [],
  labels: [],
};
