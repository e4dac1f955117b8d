import { readdir, readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { join } from "node:path";
import { HearthlineError, messageOf } from "../base/errors.ts";
import { settingsFromOptions } from "./app-options.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** Where an app of Home Assistant finds the Supervisor. */
const SUPERVISOR = "http://supervisor";
const SUPERVISOR_WITHIN_MS = 5_000;
/** A secret is a line or two; whatever is longer is the wrong file. */
const CREDENTIAL_MAX_BYTES = 65_536;

/**
 * The relay's settings, from wherever this machine keeps them: the environment; files in `CREDENTIALS_DIRECTORY` (systemd's LoadCredential), each named like its
 * setting; and, as an app of Home Assistant, the options that the owner filled in (the file that `HEARTHLINE_APP_OPTIONS` names), the Supervisor's token, and,
 * when the owner wants an outbox and names no broker, the broker that the Supervisor knows. Options win over files, files over the environment.
 * @throws HearthlineError `setting_invalid` for a file that cannot be read and for options that are none of ours
 */
export async function relayEnvironment(env: Env): Promise<Env> {
  const { HEARTHLINE_APP_OPTIONS: optionsFile, HEARTHLINE_APP_SUPERVISOR: supervisor = SUPERVISOR, ...given } = env;
  const withFiles = { ...given, ...(await credentials(given.CREDENTIALS_DIRECTORY)) };
  if (!optionsFile) return withFiles;
  const token = given.SUPERVISOR_TOKEN;
  if (!token) {
    throw new HearthlineError(
      "setting_invalid",
      `HEARTHLINE_APP_OPTIONS is "${optionsFile}", but SUPERVISOR_TOKEN is not set: an app of Home Assistant needs "homeassistant_api: true".`,
    );
  }
  const chosen = settingsFromOptions(await readOptions(optionsFile));
  // Whom the owner lets in comes to the Supervisor, which must always be.
  const allow = [given.HEARTHLINE_RELAY_ALLOW, chosen.HEARTHLINE_RELAY_ALLOW].filter(Boolean).join(",");
  const broker =
    chosen.HEARTHLINE_URL && !chosen.HEARTHLINE_MQTT_URL ? await knownBroker(supervisor, token) : undefined;
  return {
    ...withFiles,
    ...(broker && { HEARTHLINE_MQTT_URL: broker }),
    HEARTHLINE_HA_URL: `${supervisor.replace(/^http/, "ws")}/core/websocket`,
    HEARTHLINE_HA_TOKEN: token,
    ...chosen,
    ...(allow !== "" && { HEARTHLINE_RELAY_ALLOW: allow }),
  };
}

/** The broker that an app offers to others (the Supervisor's services API, `GET /services/mqtt`); none, or none that answers: undefined. */
async function knownBroker(supervisor: string, token: string): Promise<string | undefined> {
  try {
    const answer = await fetch(`${supervisor}/services/mqtt`, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(SUPERVISOR_WITHIN_MS),
    });
    if (!answer.ok) return undefined;
    const { data } = (await answer.json()) as { data?: Readonly<Record<string, unknown>> };
    if (typeof data?.host !== "string") return undefined;
    // Whether it wants TLS has been told as a boolean and as a text.
    const scheme = String(data.ssl) === "true" ? "mqtts" : "mqtt";
    const user = encodeURIComponent(String(data.username ?? ""));
    const password = encodeURIComponent(String(data.password ?? ""));
    const host = isIP(data.host) === 6 ? `[${data.host}]` : data.host;
    const url = `${scheme}://${user}:${password}@${host}:${String(data.port ?? 1883)}`;
    // What others told the Supervisor must not keep the relay from its start.
    return URL.canParse(url) ? url : undefined;
  } catch {
    // The relay says that its outbox is off.
    return undefined;
  }
}

async function credentials(folder: string | undefined): Promise<Env> {
  if (!folder) return {};
  const names = await attempt(`the credentials in "${folder}"`, () => readdir(folder));
  const settings = names.filter((name) => /^(HEARTHLINE|AWS)_[A-Z0-9_]+$/.test(name));
  const pairs = settings.map(async (name) => {
    const text = await attempt(`the credential "${name}"`, () => readFile(join(folder, name), "utf8"));
    if (text.length > CREDENTIAL_MAX_BYTES) throw unreadable(`the credential "${name}"`, "it is too long");
    return [name, text.trim()] as const;
  });
  return Object.fromEntries(await Promise.all(pairs));
}

const readOptions = (file: string): Promise<unknown> =>
  attempt(`the options in "${file}"`, async () => JSON.parse(await readFile(file, "utf8")) as unknown);

async function attempt<T>(what: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (thrown) {
    throw unreadable(what, messageOf(thrown));
  }
}

const unreadable = (what: string, why: string): HearthlineError =>
  new HearthlineError("setting_invalid", `The relay cannot read ${what}: ${why}.`);
