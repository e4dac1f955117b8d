import { freePort, peerFolder, peerScript, run, startPeer, stopPeer } from "./peers.ts";
import { until } from "./stack.ts";

export interface Driven {
  readonly made: number;
  readonly failed: number;
}

/** A real Home Assistant with a folder of its own. */
export interface RealHome {
  readonly url: string;
  readonly token: string;
  readonly version: string;
  /** Its configuration, database and log. */
  readonly dir: string;
  /** Anything of its REST API; the parsed answer. @throws Error for an answer of 400 or above */
  ask<T>(method: string, path: string, body?: unknown): Promise<T>;
  /** `drive.mjs`: real events by the way of that mode. `first`: the first number. */
  drive(
    mode: "states" | "service" | "inside",
    options: { rate: number; seconds: number; first: number },
  ): Promise<Driven>;
  /** A clean shutdown. */
  end(): Promise<void>;
  /** The same home again, on the same port. */
  begin(): Promise<void>;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

/** @param more further options of its start.sh, such as `--mqtt` */
export async function startHome(version: string, more: readonly string[] = []): Promise<RealHome> {
  const { dir, remove } = await peerFolder(`ha-${version}`);
  const args = ["--version", version, "--dir", dir, "--port", String(await freePort()), ...more];
  const line = await startPeer("home-assistant", args);
  const token = String(line.token);
  return {
    url: line.url,
    token,
    version: line.version,
    dir,
    async ask<T>(method: string, path: string, body?: unknown) {
      const answer = await fetch(`${line.url}${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const said = await answer.text();
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${said}`);
      return JSON.parse(said) as T;
    },
    async drive(mode, numbers) {
      const options = Object.entries({ mode, ...numbers }).flatMap(([name, value]) => [`--${name}`, String(value)]);
      const said = await run(process.execPath, [
        peerScript("home-assistant/drive.mjs"),
        "--url",
        line.url,
        "--token",
        token,
        ...options,
      ]);
      return JSON.parse(said) as Driven;
    },
    end: () => stopPeer(dir),
    begin: async () => {
      await startPeer("home-assistant", args);
    },
    stop: async () => {
      await stopPeer(dir);
      await remove();
    },
  };
}

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
    { deadlineMs: 20_000, everyMs: 100 },
  );
}
