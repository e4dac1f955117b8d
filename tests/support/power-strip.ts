import { peerFolder, startPeer, stopPeer } from "./peers.ts";
import type { RealHome } from "./real-home.ts";
import { until } from "./stack.ts";

export interface Broker {
  /** As `--mqtt` of start.sh takes it. */
  readonly address: string;
  stop(): Promise<void>;
}

/** An MQTT broker. @throws PeerUnavailable */
export async function startBroker(): Promise<Broker> {
  const { dir, remove } = await peerFolder("mosquitto");
  const { url, user, password } = await startPeer("mosquitto", ["--dir", dir]);
  return {
    address: `${user}:${password}@${url.replace("mqtt://", "")}`,
    stop: async () => {
      await stopPeer(dir);
      await remove();
    },
  };
}

/** A power strip whose two sockets are child devices (Home Assistant 2026.11). Resolves when its entities are there. */
export async function discoverPowerStrip(home: RealHome): Promise<void> {
  const socket = (number: number) => ({
    identifiers: [`relay_strip_${number}`],
    name: `Socket ${number}`,
    components: {
      [`power_${number}`]: {
        platform: "sensor",
        name: "Power",
        unique_id: `rs_${number}`,
        state_topic: `relay_strip/${number}`,
        device_class: "power",
        unit_of_measurement: "W",
      },
    },
  });
  const payload = {
    device: { identifiers: ["relay_strip"], name: "Relay power strip", manufacturer: "Test", model: "S2" },
    origin: { name: "hearthline" },
    components: {
      total: { platform: "sensor", name: "Total", unique_id: "rs_total", state_topic: "relay_strip/total" },
    },
    child_devices: [socket(1), socket(2)],
  };
  const publish = (topic: string, text: string) =>
    home.ask("POST", "/api/services/mqtt/publish", { topic, payload: text, retain: true });
  await publish("homeassistant/device/relay_strip/config", JSON.stringify(payload));
  await until(
    () => home.ask<{ entity_id: string }[]>("GET", "/api/states"),
    (states) => states.some(({ entity_id }) => entity_id === "sensor.relay_power_strip_socket_2_power"),
    { everyMs: 100 },
  );
}
