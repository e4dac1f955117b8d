import { type ChildProcess, spawn } from "node:child_process";
import { openSync } from "node:fs";

export type Message = Readonly<Record<string, unknown>>;

export interface PartOptions {
  readonly name: string;
  /** Arguments for node, asked anew at each start. */
  readonly launch: () => { readonly args: readonly string[]; readonly env: NodeJS.ProcessEnv };
  readonly logFile: string;
}

/** A process that is killed and begun again, until it is ended. */
export interface ChaosPart {
  readonly name: string;
  /** Kills before it was ready, kills in all, and ends that nobody asked for. */
  readonly counts: { kills: number; killsWhileStarting: number; ends: number };
  /** What it said when it last came up. Resolves when it is up now. */
  up(): Promise<Message>;
  /** SIGKILL; it begins again after this many milliseconds. */
  kill(downMs: number): void;
  signal(signal: NodeJS.Signals): void;
  tell(message: Message): void;
  /** SIGTERM, and SIGKILL when that does not help; it stays away. */
  end(): Promise<void>;
}

/** One that ends by itself is begun again so much later: it has a reason, and the reason may pass. */
const AFTER_END_MS = 200;
const END_WITHIN_MS = 6_000;
const UP_WITHIN_MS = 30_000;

export function startPart({ name, launch, logFile }: PartOptions): ChaosPart {
  const log = openSync(logFile, "a");
  const counts = { kills: 0, killsWhileStarting: 0, ends: 0 };
  let child: ChildProcess;
  let ready: Message | undefined;
  let downMs: number | undefined;
  let isEnding = false;
  /** For one that is away: it is killed as soon as it is there. */
  let killAtBirthMs: number | undefined;
  let waiting: ((message: Message) => void)[] = [];
  const begin = () => {
    const { args, env } = launch();
    child = spawn(process.execPath, args, { env, stdio: ["ignore", log, log, "ipc"] });
    child.on("message", (message: Message) => {
      if (message.ready !== true) return;
      ready = message;
      for (const resolve of waiting.splice(0)) resolve(message);
    });
    // A message to one that is just going: nothing is lost with it.
    child.on("error", () => {});
    child.once("exit", () => {
      ready = undefined;
      if (isEnding) return;
      if (downMs === undefined) counts.ends += 1;
      const waitMs = downMs ?? AFTER_END_MS;
      downMs = undefined;
      setTimeout(() => !isEnding && begin(), waitMs);
    });
    if (killAtBirthMs === undefined) return;
    [downMs, killAtBirthMs] = [killAtBirthMs, undefined];
    child.kill("SIGKILL");
  };
  begin();
  return {
    name,
    counts,
    up() {
      if (ready) return Promise.resolve(ready);
      const { promise, resolve, reject } = Promise.withResolvers<Message>();
      const timer = setTimeout(
        () => reject(new Error(`"${name}" was not up within ${UP_WITHIN_MS} ms; its log is ${logFile}`)),
        UP_WITHIN_MS,
      );
      waiting.push((message) => {
        clearTimeout(timer);
        resolve(message);
      });
      return promise;
    },
    kill(wantedMs) {
      counts.kills += 1;
      if (!ready) counts.killsWhileStarting += 1;
      const isAway = child.exitCode !== null || child.signalCode !== null;
      if (isAway) killAtBirthMs = wantedMs;
      else downMs = wantedMs;
      if (!isAway) child.kill("SIGKILL");
    },
    signal: (signal) => void child.kill(signal),
    tell: (message) => void (child.connected && child.send(message, () => {})),
    async end() {
      isEnding = true;
      waiting = [];
      if (child.exitCode !== null || child.signalCode !== null) return;
      const timer = setTimeout(() => child.kill("SIGKILL"), END_WITHIN_MS);
      const ended = new Promise((done) => child.once("exit", done));
      child.kill("SIGCONT");
      child.kill("SIGTERM");
      await ended;
      clearTimeout(timer);
    },
  };
}
