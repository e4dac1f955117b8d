import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { freePort } from "./peers.ts";
import { run } from "./process.ts";
import type { RealHome } from "./real-home.ts";
import { newDataFolder, removeData, until } from "./stack.ts";

interface State {
  readonly state: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** What no answer and no file may hold of a home with these states: passwords, tokens of pictures, and where the home is. */
export function secretsOf(states: readonly State[]): string[] {
  const found = states.flatMap(({ state, attributes }) => [
    attributes.mode === "password" ? state : undefined,
    attributes.access_token,
    /token=(\w+)/.exec(String(attributes.entity_picture))?.[1],
    attributes.latitude,
    attributes.longitude,
  ]);
  return [...new Set(found.filter((value) => value !== undefined && value !== null).map(String))];
}

/** Every file below the folder as text of single bytes, but those of these names. */
export function bytesWith(folder: string, except: readonly string[]): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !except.includes(basename(entry.name)))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"));
}

/** The bytes of the spool of a relay that has read the home's states and can send nothing: nobody answers at its cloud. */
export async function spoolOf({ url, token }: Pick<RealHome, "url" | "token">): Promise<string> {
  const folder = newDataFolder();
  const port = await freePort();
  const relay = run([resolve(import.meta.dirname, "../../local/relay.ts")], {
    env: {
      PATH: process.env.PATH,
      HEARTHLINE_DATA: folder,
      HEARTHLINE_HA_URL: url,
      HEARTHLINE_HA_TOKEN: token,
      HEARTHLINE_HOME_KEY: Buffer.alloc(32, 7).toString("base64"),
      HEARTHLINE_RELAY_PORT: String(port),
      AWS_ENDPOINT_URL: `http://127.0.0.1:${await freePort()}`,
    },
  });
  try {
    await until(
      async () => (await fetch(`http://127.0.0.1:${port}/health`).catch(() => undefined))?.json() as Promise<Health>,
      (health) => health?.spool.records > 100 && health.memory.records === 0,
    );
    return bytesWith(folder, []).join();
  } finally {
    relay.child.kill("SIGKILL");
    if (relay.child.exitCode === null && relay.child.signalCode === null) await once(relay.child, "close");
    removeData(folder);
  }
}

interface Health {
  readonly spool: { readonly records: number };
  readonly memory: { readonly records: number };
}
