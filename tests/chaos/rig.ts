import { join } from "node:path";
import { createDynamodbLedger } from "../../lib/adapters/dynamodb/ledger.ts";
import { createSqliteEventStore } from "../../lib/adapters/sqlite/event-store.ts";
import { freePorts } from "../../local/start/ports.ts";
import type { Programs } from "./bundle.ts";
import { HOME_ID, provisionCloud } from "./cloud.ts";
import { makeSmallDisk } from "./disk.ts";
import { openGate } from "./gate.ts";
import type { ChaosHome } from "./homes.ts";
import { openLine } from "./line.ts";
import { type ChaosPart, startPart } from "./part.ts";
import type { Fault } from "./schedule.ts";
import { createTap } from "./tap.ts";
import { createTroubles } from "./troubles.ts";

const HOST = "127.0.0.1";
const RELAY_DISK_MB = 96;

export interface RigOptions {
  readonly folder: string;
  readonly programs: Programs;
  readonly makeHome: (env: NodeJS.ProcessEnv, port: number) => ChaosHome | Promise<ChaosHome>;
}

/** What `GET /health` of the relay says, as far as it is looked at here. */
interface RelayLooks {
  readonly connected: boolean;
  readonly ha_state?: string;
}

/** The whole way of an event as processes of its own, with lines between them that can be broken. */
export type Rig = Awaited<ReturnType<typeof startRig>>;

/** The environment without settings of the person who runs it. */
const cleanEnv = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(HEARTHLINE_|AWS_|NODE_OPTIONS)/.test(name)));

export async function startRig(options: RigOptions) {
  const { folder } = options;
  const parts = await startParts(options);
  const { relay, home, queues, tables, functions, line, gate, disk, cloud } = parts;
  const store = createSqliteEventStore({ path: storeFile(folder) });
  const troubles = createTroubles(parts);
  const killable = { relay, home, queues, tables, functions } as const;
  const all: readonly ChaosPart[] = [relay, queues, tables, functions];
  return {
    ...{ home, relay, disk, cloud, store, homeId: HOME_ID },
    tap: parts.tap,
    clock: parts.clock,
    /** Makes the fault now; a trouble ends by itself. */
    apply(fault: Fault): void {
      if (fault.kind === "kill") {
        killable[fault.target].kill(fault.downMs);
        return;
      }
      const { begin, end } = troubles[fault.trouble];
      begin(fault);
      setTimeout(end, fault.lastsMs);
    },
    /** Everything is whole again, and every process there. */
    async heal(): Promise<void> {
      for (const { end } of Object.values(troubles)) end();
      await Promise.all([home.up(), ...all.map((part) => part.up())]);
    },
    /** undefined: it does not answer. */
    async relayLooks(): Promise<RelayLooks | undefined> {
      const { port } = await relay.up();
      const answer = await fetch(`http://${HOST}:${port}/health`, { signal: AbortSignal.timeout(2_000) }).catch(
        () => undefined,
      );
      return answer?.ok ? ((await answer.json()) as RelayLooks) : undefined;
    },
    ledger: () => createDynamodbLedger(cloud.table).rows(HOME_ID),
    async end(): Promise<void> {
      await relay.end();
      await Promise.all([line.close(), gate.close(), functions.end(), home.end()]);
      await Promise.all([queues.end(), tables.end()]);
      await store.close();
      disk.remove();
    },
  };
}

const storeFile = (folder: string): string => join(folder, "store.db");

async function startParts({ folder, programs, makeHome }: RigOptions) {
  const [queuePort = 0, tablePort = 0, homePort = 0] = await freePorts(3);
  const logFile = (name: string) => join(folder, `${name}.log`);
  const env: NodeJS.ProcessEnv = {
    ...cleanEnv(),
    NODE_COMPILE_CACHE: join(folder, "compile-cache"),
    AWS_ENDPOINT_URL_SQS: `http://${HOST}:${queuePort}`,
    AWS_ENDPOINT_URL_DYNAMODB: `http://${HOST}:${tablePort}`,
    HEARTHLINE_SQLITE_PATH: storeFile(folder),
    HEARTHLINE_FUTURE_SECONDS: "315360000",
    HEARTHLINE_LOG_LEVEL: "info",
  };
  const part = (name: string, launch: () => { args: readonly string[]; env: NodeJS.ProcessEnv }) =>
    startPart({ name, launch, logFile: logFile(name) });
  const embedded = (name: "queues" | "tables", port: number) =>
    part(name, () => ({ args: [programs.embedded, name, join(folder, name), String(port)], env }));
  const queues = embedded("queues", queuePort);
  const tables = embedded("tables", tablePort);
  await Promise.all([queues.up(), tables.up()]);
  const { cloud, key, secret } = await provisionCloud(env);
  const tap = createTap(key);
  const gate = await openGate({ queuePort, onTaken: tap.take });
  const home = await makeHome(env, homePort);
  await home.up();
  const line = await openLine(home.port);
  const relayFolder = join(folder, "relay-disk");
  const disk = makeSmallDisk(relayFolder, RELAY_DISK_MB);
  const clock = { offMs: 0, mostOffMs: 0 };
  const relay = part("relay", () => ({
    args: ["--import", join(import.meta.dirname, "relay-clock.mjs"), programs.relay],
    env: {
      ...env,
      CHAOS_CLOCK_MS: String(clock.offMs),
      AWS_ENDPOINT_URL_SQS: gate.url,
      HEARTHLINE_DATA: relayFolder,
      HEARTHLINE_HA_URL: `http://${HOST}:${line.port}`,
      HEARTHLINE_HA_TOKEN: home.token,
      HEARTHLINE_HOME_KEY: secret,
      HEARTHLINE_FLUSH_SECONDS: "0.1",
      // The small disk shall really be full when it is full.
      HEARTHLINE_SPOOL_MIN_FREE_MB: "0",
    },
  }));
  const functions = part("functions", () => {
    // Whoever had messages in hand is dead.
    queues.tell({ release: true });
    return { args: [programs.functions], env };
  });
  const setClock = (offMs: number) => {
    clock.offMs = offMs;
    clock.mostOffMs = Math.max(clock.mostOffMs, Math.abs(offMs));
    relay.tell({ clockMs: offMs });
  };
  return { relay, home, queues, tables, functions, line, gate, disk, cloud, tap, clock, setClock };
}
