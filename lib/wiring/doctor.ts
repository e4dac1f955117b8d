import { createHomeAssistant } from "../adapters/homeassistant/client.ts";
import { systemClock } from "../base/clock.ts";
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
