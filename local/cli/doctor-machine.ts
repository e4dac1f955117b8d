import { accessSync, constants, statfsSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { isHearthlineError, messageOf } from "../../lib/base/errors.ts";
import { type Config, readConfig } from "../../lib/wiring/config.ts";
import type { CommandContext } from "./context.ts";
import { type DoctorOptions, type Finding, failed, ok, warning } from "./finding.ts";

/** What can be looked at from this machine without a running Hearthline. */

const MIN_FREE_BYTES = 512 * 1024 * 1024;

export function settings({ env }: CommandContext): { finding: Finding; value?: Config } {
  try {
    return { value: readConfig(env), finding: ok("settings", "every setting can be used") };
  } catch (thrown) {
    return { finding: failed("settings", messageOf(thrown), "Correct the settings that are named.") };
  }
}

export function disk(folder: string): Finding {
  try {
    const free = freeBytesAt(folder);
    const detail = `"${folder}" can be written, ${Math.round(free / 1e6)} MB are free`;
    return free < MIN_FREE_BYTES
      ? warning("data folder", detail, "Make room: the spool and the store need space in an outage.")
      : ok("data folder", detail);
  } catch (thrown) {
    return failed(
      "data folder",
      `"${folder}" cannot be written: ${messageOf(thrown)}`,
      "Give the folder to this user, or name another one with --data.",
    );
  }
}

/** What is free where a folder is, or would be made. @throws when nothing can be written there */
export function freeBytesAt(folder: string): number {
  const place = nearest(resolve(folder));
  if (!statSync(place).isDirectory()) throw new Error(`"${place}" is a file`);
  accessSync(place, constants.W_OK);
  const { bavail, bsize } = statfsSync(place);
  return bavail * bsize;
}

/** The folder itself, or the first one above it that exists. */
function nearest(folder: string): string {
  try {
    accessSync(folder);
    return folder;
  } catch {
    const above = dirname(folder);
    return above === folder ? folder : nearest(above);
  }
}

export async function homeAssistant(config: Config, { askHome }: DoctorOptions): Promise<Finding> {
  const { HEARTHLINE_HA_URL, HEARTHLINE_HA_TOKEN } = config;
  if (!HEARTHLINE_HA_URL && !HEARTHLINE_HA_TOKEN) {
    return ok("Home Assistant", "HEARTHLINE_HA_URL is not set: npm start simulates a home");
  }
  if (!HEARTHLINE_HA_URL || !HEARTHLINE_HA_TOKEN) {
    const missing = HEARTHLINE_HA_URL ? "HEARTHLINE_HA_TOKEN" : "HEARTHLINE_HA_URL";
    return failed(
      "Home Assistant",
      `${missing} is not set, the other one is`,
      "Set both, or neither for a simulated home.",
    );
  }
  try {
    const facts = await askHome({ ...config, HEARTHLINE_HA_URL, HEARTHLINE_HA_TOKEN });
    const detail = `Home Assistant ${facts.version} at "${HEARTHLINE_HA_URL}", ${facts.entities} entities, ${facts.devices} devices, ${facts.areas} areas, ${facts.timeZone}`;
    if (facts.state !== "RUNNING")
      return warning("Home Assistant", `${detail}; it is ${facts.state}`, "Wait until Home Assistant has started.");
    return ok("Home Assistant", detail);
  } catch (thrown) {
    const code = isHearthlineError(thrown) ? thrown.code : "";
    const advice: Record<string, string> = {
      home_assistant_token_refused:
        "Make a new long-lived access token in Home Assistant (your profile, security) and set HEARTHLINE_HA_TOKEN.",
      home_assistant_tls_failed:
        "Use http:// for an address without TLS; for a certificate of your own set NODE_EXTRA_CA_CERTS to it.",
      home_assistant_address_wrong:
        "HEARTHLINE_HA_URL is the address in the browser when Home Assistant is open, such as http://homeassistant.local:8123.",
      home_assistant_not_home_assistant:
        "HEARTHLINE_HA_URL leads to something else: use the address at which Home Assistant opens in the browser.",
    };
    return failed(
      "Home Assistant",
      messageOf(thrown),
      advice[code] ?? "Is Home Assistant running, and can this machine reach it?",
    );
  }
}
