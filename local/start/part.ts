import { type ChildProcess, spawn } from "node:child_process";
import type { Clock } from "../../lib/base/clock.ts";
import { HearthlineError } from "../../lib/base/errors.ts";
import type { Random } from "../../lib/base/random.ts";
import { backoffMs } from "../../lib/base/retry.ts";
import type { LogFile } from "./log-file.ts";

/** What a part says over IPC: `ready` when it is up, `failed` with the reason before it ends for one, other fields as it likes. */
export type PartMessage = Readonly<Record<string, unknown>>;

/** How a part is started: asked anew for each start, so that it may depend on what other parts said. */
export interface Launch {
  /** Arguments for node: flags, script, its arguments. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly folder: string;
}

export interface PartOptions {
  readonly name: string;
  readonly port: number | null;
  readonly launch: () => Launch;
  /** Default 30,000 ms. */
  readonly readyMs?: number;
  /** How long it may take to end before it is killed. Default 10,000 ms. */
  readonly stopMs?: number;
  readonly logFile: LogFile;
  readonly clock: Clock;
  readonly random: Random;
  readonly onMessage?: (message: PartMessage) => void;
  /** It is up: the first time, and each time that it was started again. */
  readonly onUp: (part: Part, restarts: number) => void;
  /** It ended without being asked to, and will be started again after so many milliseconds. */
  readonly onDown: (part: Part, why: string, againInMs: number) => void;
}

/** A process of the stack, kept alive until it is stopped. */
export interface Part {
  readonly name: string;
  readonly port: number | null;
  readonly pid: number | undefined;
  /** Resolves with its ready message. @throws HearthlineError `service_failed` when it ends or is silent instead */
  start(): Promise<PartMessage>;
  /** Sends it a message; nothing happens when it is not there. */
  tell(message: PartMessage): void;
  /** Ends it, and starts it with a new launch. SIGKILL is for one that hears nothing any more. */
  restart(signal?: "SIGTERM" | "SIGKILL"): void;
  /** Asks it to end, and kills it when it does not in time. False when it had to be killed. */
  stop(): Promise<boolean>;
  kill(): void;
}

/** The exit code by which a part says that only a person can mend what is wrong (sysexits.h: EX_CONFIG). */
const NEEDS_A_PERSON = 78;
/** Up for this long, it counts as well again and the next back-off begins small. */
const WELL_AFTER_MS = 30_000;
const TAIL_LINES = 5;

interface Life {
  readonly child: ChildProcess;
  readonly ended: Promise<string>;
  readonly ready: Promise<PartMessage>;
  readonly needsPerson: () => boolean;
}

export function createPart(options: PartOptions): Part {
  const { name, clock, random } = options;
  const stopping = new AbortController();
  let life: Life | undefined;
  let failures = 0;
  let restarts = 0;

  async function live(): Promise<PartMessage> {
    const startedMs = clock.monotonicMs();
    const current = begin(options);
    life = current;
    const said = current.ready.then((message) => {
      options.onUp(part, restarts);
      return message;
    });
    void current.ended.then((why) => {
      if (stopping.signal.aborted) return;
      if (clock.monotonicMs() - startedMs > WELL_AFTER_MS) failures = 0;
      failures++;
      const againInMs = current.needsPerson()
        ? 60_000
        : 200 + backoffMs(failures, random, { baseMs: 200, maxMs: 15_000 });
      options.onDown(part, why, againInMs);
      void again(againInMs);
    });
    return said;
  }

  async function again(waitMs: number): Promise<void> {
    await clock.sleep(waitMs, stopping.signal);
    if (stopping.signal.aborted) return;
    restarts++;
    // A start that fails ends the process, and its end brings the next attempt.
    await live().catch(() => life?.child.kill("SIGKILL"));
  }

  const part: Part = {
    name,
    port: options.port,
    get pid() {
      return life?.child.pid;
    },
    start: live,
    tell: (message) => void (life?.child.connected && life.child.send(message)),
    restart: (signal = "SIGTERM") => void life?.child.kill(signal),
    async stop() {
      stopping.abort();
      if (!life) return true;
      const { child, ended } = life;
      if (child.exitCode !== null || child.signalCode !== null) return true;
      child.kill("SIGTERM");
      const inTime = new AbortController();
      const isLate = await Promise.race([
        ended.then(() => false),
        clock.sleep(options.stopMs ?? 10_000, inTime.signal).then(() => true),
      ]);
      inTime.abort();
      if (!isLate) return true;
      child.kill("SIGKILL");
      await ended;
      return false;
    },
    kill() {
      stopping.abort();
      life?.child.kill("SIGKILL");
    },
  };
  return part;
}

function begin(options: PartOptions): Life {
  const { args, env, folder } = options.launch();
  // Its own process group: Ctrl-C in a terminal goes to the whole group, and parts end in order, when they are told to.
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: env as NodeJS.ProcessEnv,
    detached: true,
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let tail = "";
  let lastWords: string | undefined;
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk: Buffer) => {
      options.logFile.write(chunk);
      tail = (tail + chunk.toString()).slice(-4000);
    });
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(`could not be started: ${error.message}`));
    child.once("close", (code, signal) =>
      resolve(
        signal
          ? `ended by ${signal}`
          : `ended with code ${code}${lastWords ? `: ${lastWords}` : lastLines(tail, code)}`,
      ),
    );
  });
  const ready = new Promise<PartMessage>((resolve, reject) => {
    const given = new AbortController();
    const fail = (why: string) => {
      given.abort();
      reject(new HearthlineError("service_failed", `The part "${options.name}" did not come up: ${why}.`));
    };
    child.on("message", (message: PartMessage) => {
      if (typeof message.failed === "string") lastWords = message.failed.replace(/\.$/, "");
      options.onMessage?.(message);
      if (message.ready !== true) return;
      given.abort();
      resolve(message);
    });
    void ended.then(fail);
    const readyMs = options.readyMs ?? 30_000;
    void options.clock
      .sleep(readyMs, given.signal)
      .then(() => !given.signal.aborted && fail(`no word from it within ${readyMs / 1000} s`));
  });
  ready.catch(() => {});
  return { child, ended, ready, needsPerson: () => child.exitCode === NEEDS_A_PERSON };
}

/** What it said last, when it ended by itself and not well. */
function lastLines(tail: string, code: number | null): string {
  const lines = tail.split("\n").filter((line) => line.trim() !== "");
  return code === 0 || lines.length === 0 ? "" : `: ${lines.slice(-TAIL_LINES).map(messageIn).join(" | ")}`;
}

function messageIn(line: string): string {
  try {
    const { message, error } = JSON.parse(line) as { message?: string; error?: unknown };
    return typeof error === "string" ? `${message}: ${error}` : (message ?? line);
  } catch {
    return line.trim();
  }
}
