import { accessSync, constants, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parseEnv } from "node:util";
import { HearthlineError, messageOf } from "../../lib/base/errors.ts";
import { type Config, readConfig } from "../../lib/wiring/config.ts";
import type { StartOptions } from "./options.ts";

export interface Settings {
  readonly options: StartOptions;
  /** Absolute. */
  readonly dataFolder: string;
  /** What every part gets, the file `.env` included. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly config: Config;
  readonly home: "simulated" | "real" | "none";
}

/** What HEARTHLINE_FUTURE_SECONDS takes at most: a simulated home that lives faster than real time is soon ahead of it, and stays so in later runs at any speed. */
const FUTURE_SECONDS_MAX = 315_360_000;

/**
 * Options, environment and `.env` (which never overrides the environment) together.
 * @throws HearthlineError `setting_invalid`, `data_folder_unusable`
 */
export function readSettings(options: StartOptions, environment: NodeJS.ProcessEnv, folder: string): Settings {
  const env: Record<string, string | undefined> = { ...readEnvFile(resolve(folder, ".env")), ...environment };
  const dataFolder = resolve(folder, options.data ?? (env.HEARTHLINE_DATA || ".hearthline"));
  env.HEARTHLINE_DATA = dataFolder;
  env.HEARTHLINE_SQLITE_PATH ||= resolve(dataFolder, "store.db");
  env.HEARTHLINE_PARQUET_URL ||= resolve(dataFolder, "events");
  env.HEARTHLINE_FLUSH_SECONDS ||= "1";
  env.HEARTHLINE_OUTBOX_SECONDS ||= "5";
  // Nobody bills requests here: what asks is the owner's own machine.
  env.HEARTHLINE_RATE_PER_MINUTE ||= "60000";
  if (options.store) env.HEARTHLINE_STORE = options.store;
  if (options.home === "simulated" && !env.HEARTHLINE_HA_URL)
    env.HEARTHLINE_FUTURE_SECONDS ||= String(FUTURE_SECONDS_MAX);
  if (options.stack === "embedded") for (const name of ["", "_SQS", "_DYNAMODB"]) delete env[`AWS_ENDPOINT_URL${name}`];
  const config = readConfig(env);
  if (config.HEARTHLINE_STORE === "memory")
    throw new HearthlineError(
      "setting_invalid",
      'npm start: HEARTHLINE_STORE is "memory", which keeps nothing beyond a process; wanted is "sqlite", "influxdb", "parquet" or "timestream".',
    );
  if (config.HEARTHLINE_STORE === "influxdb" && !config.HEARTHLINE_INFLUXDB_URL)
    throw new HearthlineError(
      "setting_invalid",
      'npm start: the store is "influxdb" and HEARTHLINE_INFLUXDB_URL is not set; wanted is its address, such as http://127.0.0.1:8086.',
    );
  if (options.stack === "localstack" && !config.AWS_ENDPOINT_URL)
    throw new HearthlineError(
      "setting_invalid",
      "npm start: --stack localstack needs AWS_ENDPOINT_URL, such as http://127.0.0.1:4566, which is not set.",
    );
  if ((config.HEARTHLINE_HA_URL === undefined) !== (config.HEARTHLINE_HA_TOKEN === undefined))
    throw new HearthlineError(
      "setting_invalid",
      `${config.HEARTHLINE_HA_URL ? "HEARTHLINE_HA_TOKEN" : "HEARTHLINE_HA_URL"} is not set; for a real Home Assistant both are wanted, for a simulated one neither.`,
    );
  makeUsable(dataFolder);
  return { options, dataFolder, env, config, home: config.HEARTHLINE_HA_URL ? "real" : options.home };
}

const STORE_SETTINGS = [
  "HEARTHLINE_HOME_ID",
  "HEARTHLINE_STORE",
  "HEARTHLINE_SQLITE_PATH",
  "HEARTHLINE_PARQUET_URL",
  "HEARTHLINE_PARQUET_HOT",
  "HEARTHLINE_INFLUXDB_URL",
  "HEARTHLINE_INFLUXDB_DATABASE",
  "HEARTHLINE_TIMESTREAM_DATABASE",
  "HEARTHLINE_RAW_DAYS",
  "HEARTHLINE_DAILY_DAYS",
  "HEARTHLINE_WEEKLY_WEEKS",
] as const;

/** What the command needs to find the same events, where it does not have the same environment. */
export const storeSettings = (env: Settings["env"]): Record<string, string> =>
  Object.fromEntries(STORE_SETTINGS.flatMap((name) => (env[name] ? [[name, env[name]] as const] : [])));

function readEnvFile(file: string): NodeJS.Dict<string> {
  try {
    return parseEnv(readFileSync(file, "utf8"));
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw new HearthlineError("setting_invalid", `The file "${file}" could not be read: ${messageOf(thrown)}`);
  }
}

function makeUsable(dataFolder: string): void {
  try {
    makeFolder(dataFolder);
    accessSync(dataFolder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code ?? messageOf(thrown);
    throw new HearthlineError(
      "data_folder_unusable",
      `The data folder "${dataFolder}" cannot be written (${code}); wanted is a folder of your own, see --data.`,
    );
  }
}

/** Each folder by itself: where none can be made, as below /proc, Node's own recursion never ends (Node 24.21). */
function makeFolder(folder: string): void {
  if (!existsSync(dirname(folder))) makeFolder(dirname(folder));
  mkdirSync(folder, { recursive: existsSync(folder), mode: 0o700 });
}
