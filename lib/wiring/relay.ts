import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createFileLastKnown } from "../adapters/file/last-known.ts";
import { createFileSinkSwitches } from "../adapters/file/sink-switches.ts";
import { createFileSinkTunings } from "../adapters/file/sink-tunings.ts";
import { createHomeAssistant } from "../adapters/homeassistant/client.ts";
import type { HaProblemKind } from "../adapters/homeassistant/problem.ts";
import { systemClock } from "../base/clock.ts";
import { isHearthlineError, messageOf } from "../base/errors.ts";
import { createLogger, type Logger } from "../base/log.ts";
import { systemRandom } from "../base/random.ts";
import { keyIdOf } from "../event/index.ts";
import { createRelay, metricsOf, type OutboxRunner, type Relay } from "../relay/index.ts";
import { type ConfigWith, readConfig } from "./config.ts";
import { createMachine } from "./machine.ts";
import { createHttpClock, homeAssistantPage } from "./relay-clocks.ts";
import { canPublish, createRelayOutbox } from "./relay-outbox.ts";
import {
  createSinks,
  requireCredentials,
  sinkNames,
  sqsAddress,
  tuningsWithinBudget,
  withinBudget,
} from "./relay-sinks.ts";
import { openSpool } from "./relay-spool.ts";
import { serveRelayStatus } from "./relay-status.ts";

type Env = Readonly<Record<string, string | undefined>>;
type RelayConfig = ConfigWith<"HEARTHLINE_HA_URL" | "HEARTHLINE_HA_TOKEN" | "HEARTHLINE_HOME_KEY">;

/** The relay as a process runs it. */
export interface RelayProcess {
  readonly log: Logger;
  /** Serves its page, `/health`, `/live` and `/metrics` where the settings say. @throws what listening throws (a port that is taken) */
  serveStatus(): Promise<RelayStatus>;
  /** Runs until `stop`. @throws HearthlineError of fate `stop` when Home Assistant refuses a relay that runs alone */
  run(): Promise<void>;
  /** Within 4.5 s. */
  stop(): Promise<void>;
}

/** The relay's status, served. */
export interface RelayStatus {
  readonly host: string;
  readonly port: number;
  /** At once, whoever is still being answered. */
  close(): void;
}

export interface RelayProcessOptions {
  /** Started by hand: nobody shows its status, so it ends when only a person can help. */
  readonly isAlone: boolean;
  readonly writeLog?: (line: string) => void;
}

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
 * Reads the settings and joins the relay's parts; opens the spool `DATA/relay/spool/`, and connects nothing yet.
 * @throws HearthlineError `setting_invalid`, `home_assistant_address_wrong`, and what opening the spool throws
 */
export async function createRelayProcess(env: Env, { isAlone, writeLog }: RelayProcessOptions): Promise<RelayProcess> {
  const config = readConfig(env, ["HEARTHLINE_HA_URL", "HEARTHLINE_HA_TOKEN", "HEARTHLINE_HOME_KEY"]);
  const clock = systemClock;
  requireCredentials(config, env, clock);
  const log = createLogger({
    level: config.HEARTHLINE_LOG_LEVEL,
    fields: { homeId: config.HEARTHLINE_HOME_ID, function: "relay" },
    ...(writeLog && { write: writeLog }),
  });
  let relay: Relay | undefined;
  let outbox: OutboxRunner | undefined;
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
  const key = { id: keyIdOf(secret), secret };
  const spool = await openSpool(config, { log, sinks: sinkNames(config) });
  const sinks = createSinks(config, { env, relayId: spool.relayId, key, clock, random: systemRandom, log });
  const made = createRelay({
    homeId: config.HEARTHLINE_HOME_ID,
    homeAssistant,
    spool,
    lastKnown: createFileLastKnown({ path: join(config.HEARTHLINE_DATA, "relay", "last-known.gz"), clock, log }),
    sinks,
    switches: createFileSinkSwitches(join(config.HEARTHLINE_DATA, "relay", "sinks.json")),
    tunings: tuningsWithinBudget(createFileSinkTunings(join(config.HEARTHLINE_DATA, "relay", "tuning.json")), config),
    statusEveryMs: config.HEARTHLINE_RELAY_STATUS_SECONDS * 1000,
    references: [
      createHttpClock("home_assistant", homeAssistantPage(config.HEARTHLINE_HA_URL)),
      createHttpClock("aws", sqsAddress(config)),
    ],
    clock,
    random: systemRandom,
    log,
    include: config.HEARTHLINE_INCLUDE,
    exclude: config.HEARTHLINE_EXCLUDE,
    excludeAttributes: config.HEARTHLINE_EXCLUDE_ATTRIBUTES,
    machine: createMachine(config.HEARTHLINE_DATA, clock),
    spoolMaxBytes: config.HEARTHLINE_SPOOL_MAX_MB * 1_048_576,
    outboxState: () => outbox?.state(),
    publishes: canPublish(config),
    endsWhenRefused:
      config.HEARTHLINE_RELAY_REFUSED === undefined ? isAlone : config.HEARTHLINE_RELAY_REFUSED === "end",
  });
  relay = made;
  outbox = createRelayOutbox({
    ...{ config, clock, random: systemRandom, log },
    append: (make) => made.append(make),
    turnSink: (asked) => made.turnSink(withinBudget(asked, config)),
    refetch: (asked) => made.refetch(asked),
  });
  return {
    log,
    serveStatus: () => serveStatus(config, made),
    run() {
      void outbox?.run();
      return made.run().finally(() => outbox?.stop());
    },
    stop() {
      outbox?.stop();
      return made.stop();
    },
  };
}

async function serveStatus(config: RelayConfig, relay: Relay): Promise<RelayStatus> {
  const host = config.HEARTHLINE_RELAY_HOST;
  const server = await serveRelayStatus({
    host,
    port: config.HEARTHLINE_RELAY_PORT,
    allow: config.HEARTHLINE_RELAY_ALLOW,
    health: () => relay.health(),
    metrics: () => metricsOf(relay.health()),
  });
  return {
    host,
    port: (server.address() as AddressInfo).port,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** How a process ends that met `thrown`: 2 for settings (as every command), 78 (EX_CONFIG of sysexits.h) when Home Assistant refuses or the data folder cannot be used, else 1. */
export function relayExit(thrown: unknown): { readonly code: 1 | 2 | 78; readonly message: string } {
  const message = messageOf(thrown);
  if (!isHearthlineError(thrown)) return { code: 1, message };
  if (thrown.code === "setting_invalid") return { code: 2, message };
  const isForPerson = thrown.code === "data_folder_unusable" || thrown.code.startsWith("home_assistant_");
  return { code: isForPerson && thrown.fate === "stop" ? 78 : 1, message };
}
