import { join } from "node:path";
import { isHearthlineError, messageOf } from "../../lib/base/errors.ts";
import type { Config } from "../../lib/wiring/config.ts";
import { freeBytesAt } from "./doctor-machine.ts";
import { type DoctorOptions, type Finding, failed, ok, warning } from "./finding.ts";

/** What the relay needs beside Home Assistant and the queue: each is looked at only when the settings want it. */

const MIB = 1_048_576;
const mibText = (bytes: number): string => `${Math.floor(bytes / MIB)} MiB`;

/** Room for the events of an outage. `freeAt`: what is free for a folder; throws when it cannot be written. */
export function spoolFolder(config: Config, dataFolder: string, freeAt = freeBytesAt): Finding {
  const folder = join(dataFolder, "relay");
  const { HEARTHLINE_SPOOL_MIN_FREE_MB: minFreeMb, HEARTHLINE_SPOOL_MAX_MB: maxMb } = config;
  let free: number;
  try {
    free = freeAt(folder);
  } catch (thrown) {
    return failed(
      "spool folder",
      `"${folder}" cannot be written: ${messageOf(thrown)}`,
      "Give the folder to the user whom the relay runs as, or set HEARTHLINE_DATA to another one.",
    );
  }
  const detail = `"${folder}" can be written, ${mibText(free)} are free`;
  if (free < minFreeMb * MIB)
    return failed(
      "spool folder",
      `${detail}; below ${minFreeMb} MiB (HEARTHLINE_SPOOL_MIN_FREE_MB) the spool does not grow`,
      "Make room: in an outage the relay would soon have to give events up.",
    );
  if (free < (minFreeMb + maxMb) * MIB)
    return warning(
      "spool folder",
      `${detail}; the spool may need ${maxMb} MiB (HEARTHLINE_SPOOL_MAX_MB)`,
      "Make room, or set HEARTHLINE_SPOOL_MAX_MB to what the disk has: in a long outage the disk would be full first.",
    );
  return ok("spool folder", detail);
}

const BROKER_ADVICE: Readonly<Record<string, string>> = {
  mqtt_refused:
    "Set user and password in HEARTHLINE_MQTT_URL to those of a user of the broker (for the Mosquitto app: a user of Home Assistant); % as %25, @ as %40, # as %23, / as %2F.",
  mqtt_tls_failed:
    "For a broker without TLS the address begins with mqtt://; for a certificate of your own set NODE_EXTRA_CA_CERTS to it.",
};

/** The home's MQTT broker: connected to with the user and the password of the setting. */
export async function* broker(config: Config, { askBroker }: DoctorOptions): AsyncGenerator<Finding> {
  const { HEARTHLINE_MQTT_URL: url } = config;
  if (url === undefined) return;
  // Without user and password.
  const name = new URL(url).host;
  try {
    await askBroker(url);
    yield ok("MQTT broker", `"${name}" takes the user of HEARTHLINE_MQTT_URL`);
  } catch (thrown) {
    const code = isHearthlineError(thrown) ? thrown.code : "";
    const advice = BROKER_ADVICE[code] ?? "Is the broker running, and is HEARTHLINE_MQTT_URL its address and port?";
    yield failed("MQTT broker", messageOf(thrown), advice);
  }
}

/** The old pipeline: asked to take nothing, so that address, database and rights are known and no event is made. */
export async function* oldPipeline(config: Config, { askOldPipeline }: DoctorOptions): AsyncGenerator<Finding> {
  const { HEARTHLINE_OLD_SINK: kind, HEARTHLINE_OLD_URL: url } = config;
  if (kind === "none") return;
  const check = "old pipeline";
  if (url === undefined) {
    yield failed(
      check,
      `HEARTHLINE_OLD_SINK is "${kind}", but HEARTHLINE_OLD_URL is not set`,
      "Set it to the address.",
    );
    return;
  }
  const secrets =
    kind === "http" ? "HEARTHLINE_OLD_TOKEN" : "HEARTHLINE_OLD_USER and HEARTHLINE_OLD_PASSWORD (or _TOKEN)";
  try {
    const status = await askOldPipeline(config, url);
    const answered = `"${new URL(url).origin}" answered ${status}`;
    if (status === 401 || status === 403) yield failed(check, answered, `Set ${secrets} to what may write there.`);
    else if (status === 404)
      yield failed(
        check,
        answered,
        kind === "influxdb"
          ? `Is HEARTHLINE_OLD_URL InfluxDB's address, and is there a database "${config.HEARTHLINE_OLD_DATABASE}" (HEARTHLINE_OLD_DATABASE)?`
          : "Is HEARTHLINE_OLD_URL the address, with its path, at which events are taken?",
      );
    else if (status >= 500 || status === 405 || (status >= 300 && status < 400))
      yield failed(check, answered, "It must take a POST at HEARTHLINE_OLD_URL itself: look at its log.");
    // 400 and the like: it read the request and wants events in it.
    else yield ok(check, `${answered} to no events at all`);
  } catch (thrown) {
    yield failed(check, messageOf(thrown), "Is it running, and can this machine reach HEARTHLINE_OLD_URL?");
  }
}

/** Which no outbox has: ids begin with a number above 0. */
const NO_ITEM = "0000000000-doctor";

/** The outbox as the relay asks for it: to be read, and to be acknowledged. Wanted as soon as there is a broker. */
export async function* outbox(config: Config, { api, context }: DoctorOptions): AsyncGenerator<Finding> {
  if (config.HEARTHLINE_MQTT_URL === undefined) return;
  // What npm start runs, it gives its own address and token.
  const missing = (["HEARTHLINE_URL", "HEARTHLINE_TOKEN"] as const).filter((name) => config[name] === undefined);
  if (missing.length > 0 && !context.run) {
    yield failed(
      "outbox",
      `HEARTHLINE_MQTT_URL is set, but ${missing.join(" and ")} not: the relay's outbox is off`,
      "Set HEARTHLINE_URL to the address of the API and HEARTHLINE_TOKEN to a token of this home: hearthline tokens create --name relay --scopes read,write",
    );
    return;
  }
  try {
    const read = await api.ask("GET", "/api/v1/outbox", { query: { status: "pending", limit: 1 } });
    const body = { status: "delivered", attempts: 0 };
    const write = await api.ask("POST", `/api/v1/outbox/${NO_ITEM}/acknowledge`, { body });
    if (read.status === 200 && write.status === 404) yield ok("outbox", "can be read and acknowledged");
    else
      yield failed(
        "outbox",
        `reading was answered with ${read.status} (wanted is 200), acknowledging with ${write.status} (wanted is 404)`,
        "The token needs the scopes read and write: hearthline tokens create --name relay --scopes read,write",
      );
  } catch (thrown) {
    yield failed("outbox", messageOf(thrown), "Is HEARTHLINE_URL the address of Hearthline's API?");
  }
}
