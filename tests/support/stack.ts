import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "../..");
const READY = /ready in ([\d.]+) s: (http:\S+)/;

export interface RunningStack {
  readonly url: string;
  readonly token: string;
  readonly readySeconds: number;
  readonly dataFolder: string;
  /** What it printed so far, both streams. */
  said(): string;
  parts(): { name: string; pid: number; port: number | null }[];
  /** Asks the API; the parsed answer. Throws on anything but 2xx. */
  get<T>(path: string): Promise<T>;
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Ctrl-C; resolves with the exit code when it has ended. */
  stop(): Promise<number | null>;
  kill(): Promise<void>;
}

export interface StackOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Default: a new temporary one, which the caller removes by `removeData`. */
  readonly dataFolder?: string;
  readonly readyMs?: number;
}

export const newDataFolder = (): string => mkdtempSync(join(tmpdir(), "hearthline-data-"));
export const removeData = (folder: string): void => rmSync(folder, { recursive: true, force: true });

/** The environment without settings of the person who runs the tests. */
const cleanEnv = (): Record<string, string | undefined> =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(HEARTHLINE_(?!PEER)|AWS_)/.test(name)));

/** Any free port, and no past of weeks unless one is asked for: it takes half a minute. */
const FIXED = ["--port", "0", "--days", "0"];

/** `npm start` as a child process on any free port; resolves when it says that it is ready. */
export async function startStack({
  args = [],
  env = {},
  dataFolder = newDataFolder(),
  readyMs = 60_000,
}: StackOptions = {}): Promise<RunningStack> {
  const child = spawn(process.execPath, [join(root, "local/start.ts"), ...FIXED, "--data", dataFolder, ...args], {
    cwd: root,
    env: { ...cleanEnv(), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<number | null>((done) => child.once("close", done));
  let said = "";
  const ready = new Promise<RegExpExecArray>((done, fail) => {
    const timer = setTimeout(
      () => fail(new Error(`npm start was not ready within ${readyMs} ms. It said:\n${said}`)),
      readyMs,
    );
    const take = (text: string) => {
      said += text;
      const match = READY.exec(said);
      if (!match) return;
      clearTimeout(timer);
      done(match);
    };
    child.stdout.setEncoding("utf8").on("data", take);
    child.stderr.setEncoding("utf8").on("data", take);
    void ended.then((code) => fail(new Error(`npm start ended with ${code} before it was ready. It said:\n${said}`)));
  });
  const [, seconds = "", url = ""] = await ready.catch((error: unknown) => {
    child.kill("SIGKILL");
    throw error;
  });
  const token = readFileSync(join(dataFolder, "token"), "utf8").trim();
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(`${url}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${token}`, ...(init.headers as Record<string, string>) },
    });
  return {
    url,
    token,
    readySeconds: Number(seconds),
    dataFolder,
    said: () => said,
    parts: () =>
      (JSON.parse(readFileSync(join(dataFolder, "run.json"), "utf8")) as { parts: ReturnType<RunningStack["parts"]> })
        .parts,
    fetch: ask,
    async get<T>(path: string) {
      const answer = await ask(path);
      const body = await answer.text();
      if (!answer.ok) throw new Error(`GET ${path} was answered with ${answer.status}: ${body.slice(0, 500)}`);
      return JSON.parse(body) as T;
    },
    stop: () => end(child, "SIGINT", ended),
    kill: async () => void (await end(child, "SIGKILL", ended)),
  };
}

function end(child: ChildProcess, signal: NodeJS.Signals, ended: Promise<number | null>): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) child.kill(signal);
  return ended;
}

/** Asks until the answer is what is wanted: for real processes, where there is nothing else to wait on. Throws at the deadline, with the last answer. */
export async function until<T>(
  ask: () => Promise<T>,
  isWanted: (answer: T) => boolean,
  { deadlineMs = 60_000, everyMs = 50 } = {},
): Promise<T> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const answer = await ask();
    if (isWanted(answer)) return answer;
    if (performance.now() > deadline)
      throw new Error(
        `Not as wanted within ${deadlineMs} ms; the last answer was ${JSON.stringify(answer)?.slice(0, 1_000)}`,
      );
    await new Promise((done) => setTimeout(done, everyMs));
  }
}

interface EventPage {
  readonly events: Record<string, unknown>[];
  readonly next: string | null;
}

/** Every event of the home, oldest first, through all pages. */
export async function allEvents(stack: Pick<RunningStack, "get">, query = ""): Promise<Record<string, unknown>[]> {
  const events: Record<string, unknown>[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const page: EventPage = await stack.get(
      `/api/v1/events?order=asc&limit=1000${query && `&${query}`}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`,
    );
    events.push(...page.events);
    cursor = page.next;
  }
  return events;
}
