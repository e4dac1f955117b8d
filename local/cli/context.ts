import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Run, readRun } from "../start/run-file.ts";
import { CommandFailure } from "./outcome.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** Where everything is: the API's address and token, and the environment in which the queues and the table are found. */
export interface CommandContext {
  readonly dataFolder: string;
  readonly run: Run | undefined;
  readonly url: string;
  /** The administrator's token of DATA/token, or HEARTHLINE_TOKEN. */
  readonly token: string | undefined;
  readonly env: Record<string, string | undefined>;
}

const textOf = (path: string): string | undefined => {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return undefined;
  }
};

/**
 * Finds a running Hearthline: HEARTHLINE_URL and HEARTHLINE_TOKEN when set, otherwise what `npm start` left in the data folder.
 * The embedded queues and table are reached at the ports of run.json unless the environment names others.
 */
export function findContext(env: Env, options: { readonly data?: string | undefined } = {}): CommandContext {
  const dataFolder = options.data ?? env.HEARTHLINE_DATA ?? ".hearthline";
  const run = readRun(dataFolder);
  const token = checkedToken(env.HEARTHLINE_TOKEN || textOf(join(dataFolder, "token")) || undefined);
  return {
    dataFolder,
    run,
    url: checkedUrl(env.HEARTHLINE_URL || run?.url || "http://127.0.0.1:8787").replace(/\/+$/, ""),
    token,
    env: { ...run?.store, ...given(env), ...localAddresses(env, run) },
  };
}

/** An empty setting counts as none. */
const given = (env: Env): Env => Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));

function checkedUrl(url: string): string {
  // What cannot be read may still hold one, and must not be repeated.
  if (URL.canParse(url) ? new URL(url).username + new URL(url).password !== "" : url.includes("@"))
    throw new CommandFailure(2, "HEARTHLINE_URL holds a user or a password; wanted is an address without them.");
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url;
  throw new CommandFailure(2, `HEARTHLINE_URL is "${url}"; wanted is an address such as http://127.0.0.1:8787.`);
}

/** What cannot stand in a header is no token; it is not repeated, for it may be a secret that slipped in here. */
function checkedToken(token: string | undefined): string | undefined {
  if (token === undefined || /^[\x21-\x7e]+$/.test(token)) return token;
  throw new CommandFailure(
    2,
    "The token (HEARTHLINE_TOKEN, or the file token in the data folder) holds blanks or other characters that no token has.",
  );
}

function localAddresses(env: Env, run: Run | undefined): Record<string, string> {
  if (env.AWS_ENDPOINT_URL || env.AWS_ENDPOINT_URL_SQS || env.AWS_ENDPOINT_URL_DYNAMODB || !run) return {};
  const portOf = (name: string) => run.parts.find((part) => part.name === name)?.port;
  const queues = portOf("queues");
  const tables = portOf("tables");
  return {
    ...(queues && { AWS_ENDPOINT_URL_SQS: `http://127.0.0.1:${queues}` }),
    ...(tables && { AWS_ENDPOINT_URL_DYNAMODB: `http://127.0.0.1:${tables}` }),
  };
}

/** The token, or a sentence that says where one comes from. */
export function needToken(context: CommandContext): string {
  if (context.token) return context.token;
  throw new CommandFailure(
    2,
    `No token was found: HEARTHLINE_TOKEN is not set and "${join(context.dataFolder, "token")}" cannot be read. Start Hearthline here with npm start, or set HEARTHLINE_TOKEN.`,
  );
}
