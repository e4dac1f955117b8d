import { join } from "node:path";
import type { Clock } from "../../lib/base/clock.ts";
import type { Random } from "../../lib/base/random.ts";
import { TIME_ZONE } from "../home/protocol/config.ts";
import { createErrorLines } from "./error-lines.ts";
import { createLaunches, HOST, type LaunchOptions, type Ports } from "./launches.ts";
import { openLogFile } from "./log-file.ts";
import { createPart, type Part, type PartMessage } from "./part.ts";
import { bringPast } from "./past.ts";
import { freePorts, keptPort } from "./ports.ts";
import { removeRun, writeRun } from "./run-file.ts";
import { storeSettings } from "./settings.ts";
import { answersHttp, isConnected, watchForSilence } from "./silence.ts";

export interface StackRunOptions extends LaunchOptions {
  readonly processStarted: string;
  readonly clock: Clock;
  readonly random: Random;
  /** A line for the person at the terminal. */
  readonly say: (line: string) => void;
  /** A line about what went wrong. */
  readonly warn: (line: string) => void;
}

export interface StackRun {
  readonly url: string;
  /** Resolves when every part is up. @throws the failure of the first part that does not come up; what is up then is stopped */
  start(): Promise<void>;
  /** Of a simulated home: brings its past in, once (see `bringPast`). Never rejects. */
  past(): Promise<void>;
  /** Ends the parts in order, so that nothing is lost: home, relay, functions, then tables and queues. */
  stop(): Promise<void>;
  /** Ends everything at once. Nothing acknowledged is lost: each part keeps its own on disk. */
  kill(): void;
}

/** A relay flushes when it is told to end, and has five seconds for it. */
const RELAY_STOP_MS = 8_000;
/** A LocalStack that is new takes its time before it answers. */
const FUNCTIONS_READY_MS = 90_000;
/** Functions let their invocations end; the longest that are short have half a minute. */
const FUNCTIONS_STOP_MS = 35_000;

/** A house that is reached at all is reached within this time; after it, a person should know what is waited for. */
const HOUSE_MS = 5_000;

type PartName = "queues" | "tables" | "functions" | "relay" | "home" | "legacy";

/** The parts of the stack, each a process of its own, and how they hang together. */
export async function createStackRun(options: StackRunOptions): Promise<StackRun> {
  const { settings, clock, say, warn } = options;
  const [queues = 0, tables = 0, lambda = 0, relay = 0, home = 0] = await freePorts(5);
  const { options: chosen, dataFolder: folder } = settings;
  const legacy = chosen.old === "legacy" ? await keptPort(join(folder, "legacy")) : 0;
  const ports: Ports = { queues, tables, lambda, relay, home, legacy };
  const url = `http://${HOST}:${options.port}`;
  const parts = new Map<string, Part>();
  const launches = createLaunches(options, ports);
  let isStopping = false;
  const over = new AbortController();
  /** Whether a line at the terminal says already what the relay lacks. */
  let hasRelayTold = false;

  const note = () => {
    if (isStopping) return;
    const listed = [...parts.values()].map(({ name, pid, port }) => ({ name, pid: pid ?? 0, port }));
    const { startedAt, processStarted } = options;
    writeRun(settings.dataFolder, {
      url,
      pid: process.pid,
      started_at: startedAt,
      process_started: processStarted,
      parts: listed,
      store: storeSettings(settings.env),
    });
  };

  function add(
    name: PartName,
    port: number | null,
    more: { readyMs?: number; stopMs?: number; onMessage?: (message: PartMessage) => void },
  ): Part {
    const launch = launches[name];
    const logFile = openLogFile(join(settings.dataFolder, "logs", `${name}.log`));
    const tell = (text: string) => {
      hasRelayTold ||= name === "relay";
      warn(`${name.padEnd(9)} ${text}`);
    };
    // A simulated home that is away is a part that is down, which is told anyway.
    const tellErrors = createErrorLines(clock, tell, settings.home === "real" ? ["home_assistant_disconnected"] : []);
    let beganMs = clock.monotonicMs();
    const part = createPart({
      name,
      port,
      launch: () => {
        beganMs = clock.monotonicMs();
        return launch();
      },
      logFile: {
        close: logFile.close,
        write: (chunk) => {
          logFile.write(chunk);
          tellErrors(chunk);
        },
      },
      clock,
      random: options.random,
      ...more,
      onUp: (up, restarts) => {
        note();
        const took = ((clock.monotonicMs() - beganMs) / 1000).toFixed(1);
        say(
          `${name.padEnd(9)} ${restarts === 0 ? "up" : "up again"} in ${took} s${up.port === null ? "" : `  ${HOST}:${up.port}`}`,
        );
      },
      onDown: (_, why, againInMs) => {
        note();
        const log = join(settings.dataFolder, "logs", `${name}.log`);
        warn(`${name.padEnd(9)} ${why}. It is started again in ${(againInMs / 1000).toFixed(1)} s; its log: ${log}`);
        // The functions are the only ones that receive: what they had in flight is free again.
        if (name === "functions") parts.get("queues")?.tell({ release: true });
      },
    });
    parts.set(name, part);
    return part;
  }

  async function start(): Promise<void> {
    const prepared = Promise.withResolvers<void>();
    const homeUp = Promise.withResolvers<PartMessage | undefined>();
    const embedded =
      settings.options.stack === "embedded" ? [add("queues", ports.queues, {}), add("tables", ports.tables, {})] : [];
    const functions = add("functions", options.port, {
      readyMs: FUNCTIONS_READY_MS,
      stopMs: FUNCTIONS_STOP_MS,
      onMessage: (message) => message.prepared === true && prepared.resolve(),
    });
    const old = settings.options.old === "legacy" ? [add("legacy", ports.legacy, {})] : [];
    const starting: Promise<unknown>[] = [...embedded, ...old, functions].map((part) => part.start());
    if (settings.home === "simulated") {
      const simulated = add("home", ports.home, {
        onMessage: (message) => {
          if (message.ready === true && launches.homeIs(message)) parts.get("relay")?.restart();
        },
      });
      starting.push(simulated.start().then(homeUp.resolve));
    } else homeUp.resolve(undefined);
    if (settings.home !== "none")
      starting.push(
        // A house that cannot be reached is told of, and tried again; all else is of use without it.
        Promise.all([prepared.promise, homeUp.promise]).then(() => startRelay().catch(() => {})),
      );
    await Promise.all(starting);
    for (const part of parts.values()) watch(part);
  }

  async function startRelay(): Promise<void> {
    if (isStopping) return;
    await add("relay", ports.relay, { stopMs: RELAY_STOP_MS }).start();
    if (settings.home === "real") void tellOfHouse();
  }

  /** The relay's first attempt takes twice as long to fail where nobody answers at all. */
  async function tellOfHouse(): Promise<void> {
    await clock.sleep(HOUSE_MS, over.signal);
    if (over.signal.aborted || hasRelayTold) return;
    if ((await isConnected(relay)) || hasRelayTold) return;
    const { host = "" } = URL.parse(settings.config.HEARTHLINE_HA_URL ?? "") ?? {};
    warn(`relay     Home Assistant at "${host}" has not answered yet. It is tried again until it does.`);
  }

  /** The functions' own port is asked, not the API's, behind which other parts answer too. */
  function watch(part: Part): void {
    const port = part.name === "functions" ? lambda : part.port;
    // The old pipeline is silent when it was told to be.
    if (port === null || part.name === "legacy") return;
    void watchForSilence({
      answers: () => answersHttp(port),
      onSilent: () => {
        warn(`${part.name.padEnd(9)} hangs: it has answered nothing for a minute. It is killed and started again`);
        part.restart("SIGKILL");
      },
      clock,
      signal: over.signal,
    });
  }

  async function past(): Promise<void> {
    if (settings.home !== "simulated" || isStopping) return;
    const { dataFolder, config, options: chosen } = settings;
    await bringPast({
      ...{ dataFolder, url, clock, say, days: chosen.days, timeZone: TIME_ZONE },
      analysisTime: config.HEARTHLINE_ANALYSIS_TIME,
      launch: launches.command,
      signal: over.signal,
    });
  }

  async function stop(): Promise<void> {
    isStopping = true;
    over.abort();
    for (const group of [["home"], ["relay"], ["functions"], ["tables", "queues", "legacy"]])
      await Promise.all(
        group.map(async (name) => {
          const part = parts.get(name);
          if (part && !(await part.stop())) warn(`${name.padEnd(9)} did not end in time and was killed`);
        }),
      );
    removeRun(settings.dataFolder);
  }

  function kill(): void {
    isStopping = true;
    over.abort();
    for (const part of parts.values()) part.kill();
    removeRun(settings.dataFolder);
  }

  note();
  return { url, start, past, stop, kill };
}
