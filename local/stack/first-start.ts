import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HearthlineError } from "../../lib/base/errors.ts";
import type { Config } from "../../lib/wiring/config.ts";
import { readHomeKey } from "../../lib/wiring/home-key.ts";
import { createOperator, type Operator, type Scope } from "../../lib/wiring/operator.ts";

/** Names under which the stack makes its tokens. */
const ADMIN = "npm start";
const PAGE = "page";
const RELAY = "relay";
/** In the data folder: with it the relay asks for its outbox. */
export const RELAY_TOKEN_FILE = "relay-token";

export interface HomeOptions {
  readonly config: Config;
  readonly dataFolder: string;
  /** Page tokens made before are of an earlier run, and revoked. ISO 8601. */
  readonly runStartedAt: string;
  readonly operator?: Pick<Operator, "homes" | "tokens">;
  readonly currentKey?: () => Promise<string | undefined>;
}

/**
 * Sees to it that the home exists, with its key in `DATA/home-key` and an administrator's token in `DATA/token`, the token of the relay's outbox in `DATA/relay-token`, and gives a new token with which
 * pages on loopback read and decide. Keeps what is there: the key signed what lies in spool and queue, the token is in other people's scripts.
 * @throws HearthlineError `setting_invalid` when HEARTHLINE_HOME_KEY is not the key of the home that exists
 */
export async function prepareHome(options: HomeOptions): Promise<string> {
  const { config, dataFolder, operator = createOperator(config) } = options;
  mkdirSync(dataFolder, { recursive: true });
  await prepareKey(options, operator);
  const homeId = config.HEARTHLINE_HOME_ID;
  const tokens = await operator.tokens.list(homeId);
  const keepToken = async (file: string, name: string, scopes: readonly Scope[]) => {
    const path = join(dataFolder, file);
    if (readSecret(path)?.startsWith(`hl_${homeId}_`) && tokens.some((token) => token.name === name)) return;
    writeSecret(path, (await operator.tokens.create({ homeId, name, scopes })).text);
  };
  await keepToken("token", ADMIN, ["read", "write", "admin"]);
  await keepToken(RELAY_TOKEN_FILE, RELAY, ["read", "write"]);
  // Who looks also decides: suggestions are accepted and dismissed there.
  const page = await operator.tokens.create({ homeId, name: PAGE, scopes: ["read", "write"] });
  for (const { id, name, createdAt } of tokens)
    if (name === PAGE && createdAt < options.runStartedAt) await operator.tokens.revoke(homeId, id);
  return page.text;
}

async function prepareKey(options: HomeOptions, { homes }: Pick<Operator, "homes">): Promise<void> {
  const { config, dataFolder, currentKey = () => readHomeKey(config) } = options;
  const homeId = config.HEARTHLINE_HOME_ID;
  const keyFile = join(dataFolder, "home-key");
  const given = config.HEARTHLINE_HOME_KEY;
  const known = (await homes.get(homeId)) ? await currentKey() : undefined;
  if (known !== undefined && given !== undefined && known !== given)
    throw new HearthlineError(
      "setting_invalid",
      `HEARTHLINE_HOME_KEY is not the key of the home "${homeId}", which exists; wanted is that key, or none (it is kept in "${keyFile}").`,
    );
  // The table is right: what the relay signs is checked against it.
  const key = known ?? given ?? readSecret(keyFile) ?? randomBytes(32).toString("base64");
  if (readSecret(keyFile) !== key) writeSecret(keyFile, key);
  if (known === undefined)
    await homes.add({ homeId, timeZone: config.HEARTHLINE_TIME_ZONE, secret: Buffer.from(key, "base64") });
}

/** The text of a file that only its owner may read; undefined when there is none. */
export function readSecret(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").trim() || undefined;
  } catch {
    return undefined;
  }
}

/** Whole or not at all, and never readable by others, not even for a moment. */
function writeSecret(file: string, text: string): void {
  const half = `${file}.${process.pid}`;
  writeFileSync(half, `${text}\n`, { mode: 0o600 });
  renameSync(half, file);
}
