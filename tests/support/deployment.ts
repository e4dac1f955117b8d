import { execFile } from "node:child_process";
import { join, resolve } from "node:path";
import { freePort } from "./peers.ts";
import { type Running, run } from "./process.ts";
import { newDataFolder, removeData, until } from "./stack.ts";

const root = resolve(import.meta.dirname, "../..");

/** Queues and table of the stage `local`. */
export const PREFIX = "hearthline-local";

/** The stage `local` at an address, with the commands of the person who deploys it. */
export interface Deployment {
  /** Where its events are, and what a relay and a simulated home keep. */
  readonly folder: string;
  /** `npm run deploy`; the address that it says last. */
  deploy(): Promise<string>;
  /** `hearthline ARGS --json`; the parsed answer. */
  hearthline<T>(...args: string[]): Promise<T>;
  /** The text of a new token. */
  addToken(homeId: string, scopes: string): Promise<string>;
  /** A simulated home and a relay that sends its events there. Resolves when the relay is subscribed. */
  startRelay(homeId: string, key: string): Promise<{ readonly since: string; endHome(): Promise<unknown> }>;
  /** Ends what was started and removes the folder. */
  stop(): Promise<void>;
}

export function deploymentAt(endpoint: string): Deployment {
  const folder = newDataFolder();
  const running: Running[] = [];
  const theirs = Object.entries(process.env).filter(
    ([name]) => !/^(HEARTHLINE_(?!PEER)|AWS_|VITEST|NODE_OPTIONS)/.test(name),
  );
  const env = { ...Object.fromEntries(theirs), AWS_ENDPOINT_URL: endpoint, HEARTHLINE_DATA: folder };
  const named = { ...env, HEARTHLINE_QUEUE_PREFIX: PREFIX, HEARTHLINE_TABLE: `${PREFIX}-index` };
  const begin = (program: string, args: readonly string[], its: NodeJS.ProcessEnv) => {
    const part = run([join(root, program), ...args], { cwd: root, env: its });
    running.push(part);
    return part;
  };

  async function hearthline<T>(...args: string[]): Promise<T> {
    const command = run([join(root, "local/cli.ts"), ...args, "--json"], { cwd: root, env: named });
    let out = "";
    command.child.stdout?.on("data", (chunk: Buffer) => {
      out += chunk.toString();
    });
    if ((await command.ended) !== 0) throw new Error(command.output());
    return JSON.parse(out) as T;
  }

  return {
    folder,
    hearthline,
    async deploy() {
      const its = { ...env, HEARTHLINE_SQLITE_PATH: join(folder, "store.db") };
      const said = await new Promise<string>((done, fail) => {
        const options = { cwd: root, env: its, timeout: 240_000 };
        execFile("npm", ["run", "-s", "deploy", "--", "--stage", "local"], options, (error, stdout, stderr) =>
          error ? fail(new Error(`${stdout}\n${stderr}`.slice(-3_000))) : done(stdout),
        );
      });
      const last = said.trim().split("\n").at(-1) ?? "";
      const address = /^API: (http:\S+)$/.exec(last)?.[1];
      if (!address) throw new Error(`The last line is no address: ${last}`);
      return address;
    },
    async addToken(homeId, scopes) {
      const args = ["--home", homeId, "--name", scopes, "--scopes", scopes];
      return (await hearthline<{ token: string }>("tokens", "create", ...args)).token;
    },
    async startRelay(homeId, key) {
      const [homePort, relayPort] = [await freePort(), await freePort()];
      const token = "a-token-of-the-simulated-home";
      const options = { port: homePort, data: join(folder, "home"), rate: 10, token };
      const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
      const home = begin("local/home/main.ts", args, env);
      begin("local/relay.ts", [], {
        ...named,
        HEARTHLINE_HOME_ID: homeId,
        HEARTHLINE_HOME_KEY: key,
        HEARTHLINE_HA_URL: `http://127.0.0.1:${homePort}`,
        HEARTHLINE_HA_TOKEN: token,
        HEARTHLINE_FLUSH_SECONDS: "1",
        HEARTHLINE_RELAY_PORT: String(relayPort),
      });
      await until(
        async () => {
          const answer = await fetch(`http://127.0.0.1:${relayPort}/health`).catch(() => undefined);
          return (await answer?.json()) as { connected: boolean; ha_state?: string } | undefined;
        },
        (health) => health?.connected === true && health.ha_state === "RUNNING",
        { deadlineMs: 60_000 },
      );
      const endHome = () => {
        home.child.kill("SIGTERM");
        return home.ended;
      };
      return { since: new Date().toISOString(), endHome };
    },
    async stop() {
      for (const { child } of running) child.kill("SIGKILL");
      await Promise.all(running.map(({ ended }) => ended));
      removeData(folder);
    },
  };
}
