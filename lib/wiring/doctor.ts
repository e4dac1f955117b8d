import { createHomeAssistant } from "../adapters/homeassistant/client.ts";
import { post } from "../adapters/legacy/post.ts";
import { createMqttBroker } from "../adapters/mqtt/broker.ts";
import { systemClock } from "../base/clock.ts";
import { systemRandom } from "../base/random.ts";
import type { Config } from "./config.ts";

/** What Home Assistant says of itself to somebody who checks the connection. */
export interface HomeAssistantFacts {
  readonly version: string;
  /** RUNNING, or how far its start is. */
  readonly state: string;
  readonly timeZone: string;
  readonly entities: number;
  readonly areas: number;
  readonly devices: number;
}

/**
 * Connects as the relay does, asks what the relay asks first, and leaves.
 * @throws HearthlineError as `HomeAssistant.connect` and the commands do
 */
export async function askHomeAssistant(
  config: Config & { HEARTHLINE_HA_URL: string; HEARTHLINE_HA_TOKEN: string },
): Promise<HomeAssistantFacts> {
  const session = await createHomeAssistant({
    url: config.HEARTHLINE_HA_URL,
    token: config.HEARTHLINE_HA_TOKEN,
    clock: systemClock,
  }).connect();
  try {
    const about = await session.getConfig();
    const [states, areas, devices] = await Promise.all([
      session.getStates(),
      session.getRegistry("areas"),
      session.getRegistry("devices"),
    ]);
    return {
      version: about.version,
      state: about.state,
      timeZone: about.time_zone,
      entities: states.length,
      areas: areas.length,
      devices: devices.length,
    };
  } finally {
    await session.close();
  }
}

/** Connects to the MQTT broker as the relay's outbox does, and leaves. @throws HearthlineError as `MessageBroker.connect` does */
export async function askBroker(url: string): Promise<void> {
  const session = await createMqttBroker({ url, clock: systemClock, random: systemRandom }).connect();
  await session.close();
}

const OLD_PIPELINE_WITHIN_MS = 10_000;

/** Sends the old pipeline what the relay sends, without an event in it; gives the status. @throws HearthlineError `service_timeout`, `service_unreachable` */
export async function askOldPipeline(config: Config, url: string): Promise<number> {
  const { HEARTHLINE_OLD_SINK: kind, HEARTHLINE_OLD_TOKEN: token, HEARTHLINE_OLD_USER: user } = config;
  const request = { url, body: "[]", timeoutMs: OLD_PIPELINE_WITHIN_MS };
  const json = { "content-type": "application/json" };
  if (kind !== "influxdb") {
    const headers = { ...json, ...(token !== undefined && { authorization: `Bearer ${token}` }) };
    return (await post({ ...request, headers })).status;
  }
  const write = new URL("write", url.endsWith("/") ? url : `${url}/`);
  write.searchParams.set("db", config.HEARTHLINE_OLD_DATABASE);
  const basic = Buffer.from(`${user}:${config.HEARTHLINE_OLD_PASSWORD ?? ""}`).toString("base64");
  const authorization = token ? `Token ${token}` : user && `Basic ${basic}`;
  return (await post({ ...request, url: write.href, body: "", headers: authorization ? { authorization } : {} }))
    .status;
}
