import { join } from "node:path";
import { RELAY_TOKEN_FILE, readSecret } from "../stack/first-start.ts";
import type { Launch, PartMessage } from "./part.ts";
import type { Settings } from "./settings.ts";

export const HOST = "127.0.0.1";
const SERVERLESS = "node_modules/serverless/bin/serverless.js";

export interface Ports {
  readonly queues: number;
  readonly tables: number;
  readonly lambda: number;
  readonly relay: number;
  readonly home: number;
  readonly legacy: number;
}

export interface LaunchOptions {
  readonly settings: Settings;
  /** The project's folder. */
  readonly root: string;
  /** Where serverless.yml is. Default: the project's folder. */
  readonly serviceFolder?: string;
  /** Of the API and the pages; never 0. */
  readonly port: number;
  /** ISO 8601. */
  readonly startedAt: string;
}

/** How each part is started: its program, its options, its environment. */
export function createLaunches(run: LaunchOptions, ports: Ports) {
  const { settings, root, port, startedAt, serviceFolder = root } = run;
  const { dataFolder, options } = settings;
  const isEmbedded = options.stack === "embedded";
  let homeAssistant: { url?: unknown; token?: unknown } = {};
  const env = {
    ...settings.env,
    HEARTHLINE_STACK_STARTED_AT: startedAt,
    // Compiled once, read from then on: a fifth of the start.
    NODE_COMPILE_CACHE: join(root, "node_modules", ".cache", "hearthline"),
    ...(isEmbedded && {
      AWS_ENDPOINT_URL_SQS: `http://${HOST}:${ports.queues}`,
      AWS_ENDPOINT_URL_DYNAMODB: `http://${HOST}:${ports.tables}`,
    }),
    AWS_REGION: settings.config.AWS_REGION,
    HEARTHLINE_QUEUE_PREFIX: settings.config.HEARTHLINE_QUEUE_PREFIX,
    HEARTHLINE_TABLE: settings.config.HEARTHLINE_TABLE,
    ...(options.old === "legacy" && {
      HEARTHLINE_OLD_SINK: "http",
      HEARTHLINE_OLD_URL: `http://${HOST}:${ports.legacy}/api/v1/events`,
    }),
  };
  const embedded = (kind: string, its: number) => (): Launch => ({
    args: [join(root, "local/start/part-main.ts"), kind, join(dataFolder, kind), String(its)],
    env,
    folder: root,
  });
  const simulation = ["speed", "rate", "days", "seed"] as const;
  return {
    queues: embedded("queues", ports.queues),
    tables: embedded("tables", ports.tables),
    functions: (): Launch => ({
      args: [
        join(root, SERVERLESS),
        "offline",
        "start",
        "--stage",
        "dev",
        "--host",
        HOST,
        "--httpPort",
        String(port),
        "--lambdaPort",
        String(ports.lambda),
      ],
      // The framework's own lines, several for each request, are not for this log.
      env: {
        ...env,
        SLS_LOG_LEVEL: "warning",
        SLS_NOTIFICATIONS_MODE: "off",
        // What Home Assistant links to.
        HEARTHLINE_URL: `http://${HOST}:${port}`,
      },
      folder: serviceFolder,
    }),
    legacy: (): Launch => ({
      args: [
        join(root, "local/legacy/main.ts"),
        ...["--port", String(ports.legacy), "--data", join(dataFolder, "legacy"), "--seed", String(options.seed)],
      ],
      env,
      folder: root,
    }),
    home: (): Launch => ({
      args: [
        join(root, "local/home/main.ts"),
        "--port",
        String(ports.home),
        "--data",
        join(dataFolder, "home"),
        ...simulation.flatMap((name) => [`--${name}`, String(options[name])]),
      ],
      env,
      folder: root,
    }),
    relay: (): Launch => ({
      args: [join(root, "local/relay.ts")],
      env: {
        ...env,
        HEARTHLINE_RELAY_PORT: String(ports.relay),
        HEARTHLINE_HOME_KEY: settings.config.HEARTHLINE_HOME_KEY ?? readSecret(join(dataFolder, "home-key")),
        // Whatever the command talks to elsewhere: this relay's outbox is that of this stack.
        HEARTHLINE_URL: `http://${HOST}:${port}`,
        HEARTHLINE_TOKEN: readSecret(join(dataFolder, RELAY_TOKEN_FILE)),
        ...(settings.home === "simulated" && {
          HEARTHLINE_HA_URL: String(homeAssistant.url),
          HEARTHLINE_HA_TOKEN: String(homeAssistant.token),
        }),
      },
      folder: root,
    }),
    /** The command on this stack and its simulated home. */
    command: (args: readonly string[]): Launch => ({
      args: [join(root, "local/cli.ts"), ...args],
      env: {
        ...env,
        HEARTHLINE_URL: `http://${HOST}:${port}`,
        HEARTHLINE_TOKEN: undefined,
        HEARTHLINE_HA_URL: String(homeAssistant.url),
        HEARTHLINE_HA_TOKEN: String(homeAssistant.token),
      },
      folder: root,
    }),
    /** Takes the simulated home's address and token; true when they differ from those that a relay may have. */
    homeIs(message: PartMessage): boolean {
      const isOther =
        homeAssistant.url !== undefined && (homeAssistant.url !== message.url || homeAssistant.token !== message.token);
      homeAssistant = { url: message.url, token: message.token };
      return isOther;
    },
  };
}
