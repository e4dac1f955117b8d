import { join } from "node:path";
import { createHomeAssistant } from "../adapters/homeassistant/client.ts";
import type { HaProblemKind } from "../adapters/homeassistant/problem.ts";
import { createSqliteSpool } from "../adapters/sqlite/spool.ts";
import { systemClock } from "../base/clock.ts";
import { HearthlineError, isHearthlineError, messageOf } from "../base/errors.ts";
import { createLogger, type Logger } from "../base/log.ts";
import { systemRandom } from "../base/random.ts";
import { keyIdOf } from "../event/index.ts";
import { createRelay, metricsOf, type Relay, type RelayHealth } from "../relay/index.ts";
import type { RelaySink } from "../relay/ports.ts";
import { createCloud } from "./aws.ts";
import { type ConfigWith, readConfig } from "./config.ts";
import { createHttpClock, homeAssistantPage } from "./relay-clocks.ts";

type Env = Readonly<Record<string, string | undefined>>;
type RelayConfig = ConfigWith<"HEARTHLINE_HA_URL" | "HEARTHLINE_HA_TOKEN" | "HEARTHLINE_HOME_KEY">;

/** The relay as a process runs it. */
export interface RelayProcess {
  /** Where its status is served on 127.0.0.1; 0: any free port. */
  readonly port: number;
  readonly log: Logger;
  /** Runs until `stop`. @throws HearthlineError of fate `stop` when Home Assistant refuses a relay that runs alone */
  run(): Promise<void>;
  /** Within 4.5 s. */
  stop(): Promise<void>;
  health(): RelayHealth;
  /** OpenMetrics text. */
  metrics(): string;
}

export interface RelayProcessOptions {
  /** Started by hand: nobody shows its status, so it ends when only a person can help. */
  readonly isAlone: boolean;
  readonly writeLog?: (line: string) => void;
}

/** The cloud's sink; the journal's cursor carries its name, so it must never change. */
const CLOUD_SINK = "cloud";

/** What the adapter could not read and therefore did not hand on; the other kinds lose no event. */
const LOSING: ReadonlySet<HaProblemKind> = new Set<HaProblemKind>([
  "frame_binary",
  "frame_not_utf8",
  "frame_unparsable",
  "message_malformed",
  "event_malformed",
  "callback_failed",
]);

/**
 * Reads the settings and joins the relay's parts; opens the spool `DATA/relay/spool.db`, and connects nothing yet.
 * @throws HearthlineError `setting_invalid`, `home_assistant_address_wrong`, and what opening the spool throws
 */
export function createRelayProcess(env: Env, { isAlone, writeLog }: RelayProcessOptions): RelayProcess {
  const config = readConfig(env, ["HEARTHLINE_HA_URL", "HEARTHLINE_HA_TOKEN", "HEARTHLINE_HOME_KEY"]);
  requireCredentials(config, env);
  const clock = systemClock;
  const log = createLogger({
    level: config.HEARTHLINE_LOG_LEVEL,
    fields: { homeId: config.HEARTHLINE_HOME_ID, function: "relay" },
    ...(writeLog && { write: writeLog }),
  });
  let relay: Relay | undefined;
  const homeAssistant = createHomeAssistant({
    url: config.HEARTHLINE_HA_URL,
    token: config.HEARTHLINE_HA_TOKEN,
    clock,
    onProblem: ({ kind, detail }) => {
      if (LOSING.has(kind)) relay?.reject(`${kind}: ${detail}`);
      else log.debug(detail, { kind });
    },
  });
  const secret = Buffer.from(config.HEARTHLINE_HOME_KEY, "base64");
  const made = createRelay({
    homeId: config.HEARTHLINE_HOME_ID,
    key: { id: keyIdOf(secret), secret },
    homeAssistant,
    spool: openSpool(config, log),
    sinks: [cloudSink(config, env)],
    references: [
      createHttpClock("home_assistant", homeAssistantPage(config.HEARTHLINE_HA_URL)),
      createHttpClock("aws", sqsAddress(config)),
    ],
    clock,
    random: systemRandom,
    log,
    flushSeconds: config.HEARTHLINE_FLUSH_SECONDS,
    include: config.HEARTHLINE_INCLUDE,
    exclude: config.HEARTHLINE_EXCLUDE,
    endsWhenRefused: isAlone,
  });
  relay = made;
  return {
    port: config.HEARTHLINE_RELAY_PORT,
    log,
    run: () => made.run(),
    stop: () => made.stop(),
    health: () => made.health(),
    metrics: () => metricsOf(made.health()),
  };
}

const openSpool = (config: RelayConfig, log: Logger) =>
  createSqliteSpool({
    path: join(config.HEARTHLINE_DATA, "relay", "spool.db"),
    log,
    clock: systemClock,
    newRelayId: () => crypto.randomUUID(),
    sinks: [CLOUD_SINK],
    maxBytes: config.HEARTHLINE_SPOOL_MAX_MB * 1_048_576,
  });

function cloudSink(config: RelayConfig, env: Env): RelaySink {
  const queue = createCloud(config, { env }).queue("events");
  return { name: CLOUD_SINK, send: (message) => queue.send([{ body: message }]) };
}

const endpointOf = (config: RelayConfig): string | undefined => config.AWS_ENDPOINT_URL_SQS ?? config.AWS_ENDPOINT_URL;
const sqsAddress = (config: RelayConfig): string =>
  endpointOf(config) ?? `https://sqs.${config.AWS_REGION}.amazonaws.com`;

/** Said at the start, because on a home machine people have shared credential files, which are not read. An address of its own may want none. */
function requireCredentials(config: RelayConfig, env: Env): void {
  if (endpointOf(config) !== undefined || (env.AWS_ACCESS_KEY_ID && env.AWS_SECRET_ACCESS_KEY)) return;
  const profile = env.AWS_PROFILE ? ` AWS_PROFILE is "${env.AWS_PROFILE}", but shared files are not read.` : "";
  throw new HearthlineError(
    "setting_invalid",
    `The settings cannot be used. AWS_ACCESS_KEY_ID or AWS_SECRET_ACCESS_KEY is not set; wanted are credentials in the environment that may send to "${config.HEARTHLINE_QUEUE_PREFIX}-events".${profile}`,
  );
}

/** How a process ends that met `thrown`: 2 for settings (as every command), 78 (EX_CONFIG of sysexits.h) when Home Assistant refuses, else 1. */
export function relayExit(thrown: unknown): { readonly code: 1 | 2 | 78; readonly message: string } {
  const message = messageOf(thrown);
  if (!isHearthlineError(thrown)) return { code: 1, message };
  if (thrown.code === "setting_invalid") return { code: 2, message };
  return { code: thrown.code.startsWith("home_assistant_") && thrown.fate === "stop" ? 78 : 1, message };
}
