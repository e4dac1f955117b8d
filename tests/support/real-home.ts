import { freePort, peerFolder, peerScript, run, startPeer, stopPeer } from "./peers.ts";
import { until } from "./stack.ts";

export interface Driven {
  readonly made: number;
  readonly failed: number;
}

/** A real Home Assistant with a folder of its own. */
export interface RealHome {
  readonly url: string;
  readonly token: string;
  readonly version: string;
  /** Its configuration, database and log. */
  readonly dir: string;
  /** Anything of its REST API; the parsed answer. @throws Error for an answer of 400 or above */
  ask<T>(method: string, path: string, body?: unknown): Promise<T>;
  /** `drive.mjs`: real events by the way of that mode. `first`: the first number. */
  drive(
    mode: "states" | "service" | "inside",
    options: { rate: number; seconds: number; first: number },
  ): Promise<Driven>;
  /** A clean shutdown. */
  end(): Promise<void>;
  /** The same home again, on the same port. */
  begin(): Promise<void>;
  /** Resolves when its web server answers, which is some time before it runs. */
  answers(): Promise<unknown>;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

/** @param more further options of its start.sh, such as `--mqtt` */
export async function startHome(version: string, more: readonly string[] = []): Promise<RealHome> {
  const { dir, remove } = await peerFolder(`ha-${version}`);
  const args = ["--version", version, "--dir", dir, "--port", String(await freePort()), ...more];
  const line = await startPeer("home-assistant", args);
  const token = String(line.token);
  return {
    url: line.url,
    token,
    version: line.version,
    dir,
    async ask<T>(method: string, path: string, body?: unknown) {
      const answer = await fetch(`${line.url}${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const said = await answer.text();
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${said}`);
      return JSON.parse(said) as T;
    },
    async drive(mode, numbers) {
      const options = Object.entries({ mode, ...numbers }).flatMap(([name, value]) => [`--${name}`, String(value)]);
      const said = await run(process.execPath, [
        peerScript("home-assistant/drive.mjs"),
        "--url",
        line.url,
        "--token",
        token,
        ...options,
      ]);
      return JSON.parse(said) as Driven;
    },
    end: () => stopPeer(dir),
    begin: async () => {
      await startPeer("home-assistant", args);
    },
    answers: () =>
      until(
        () => fetch(`${line.url}/manifest.json`).catch(() => undefined),
        (answer) => answer?.ok === true,
        { deadlineMs: 60_000, everyMs: 20 },
      ),
    stop: async () => {
      await stopPeer(dir);
      await remove();
    },
  };
}

type WireEvent = Readonly<Record<string, unknown>>;

/** An event of an entity that `drive.mjs` makes. */
export const isLoad = ({ entity_id, kind }: WireEvent): boolean =>
  /^sensor\.relay_load_\d+$/.test(String(entity_id)) && kind !== "removed";

/** The numbers of `drive.mjs` from one on, as they came: a hole is a lost event. */
export const numbersOf = (events: readonly WireEvent[], first: number): number[] =>
  events
    .filter(isLoad)
    .map(({ state }) => Number(state))
    .filter((number) => number >= first)
    .sort((a, b) => a - b);

export const upFrom = (first: number, count: number): number[] => Array.from({ length: count }, (_, at) => first + at);
