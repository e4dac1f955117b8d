import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { formatIsoUs } from "../../lib/base/time.ts";
import { runCommand } from "../../local/cli/program.ts";
import { run } from "./process.ts";
import { allEvents, type RunningStack, until } from "./stack.ts";

const root = resolve(import.meta.dirname, "../..");

/** An event by what tells it apart: entity, `last_updated` with six decimals, state, removal or not. */
type EventName = string;
const nameOf = (entity: unknown, at: unknown, state: unknown, isRemoved: boolean): EventName =>
  `${entity} ${at} ${isRemoved ? "removed" : JSON.stringify(state)}`;

/** As the home writes times, so that they compare as text. */
export const now = (): string => formatIsoUs(Date.now() * 1000);

/** What the simulated home has fired so far: its own log, which it writes before the events go out. */
export function sentEvents(dataFolder: string, from: string, to: string): EventName[] {
  const file = join(dataFolder, "home", "sent.jsonl");
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n");
  return lines
    .filter((line) => line.endsWith("}"))
    .map((line) => JSON.parse(line) as { entity_id: string; last_updated: string; state: string; kind: string })
    .filter(({ last_updated }) => last_updated >= from && last_updated < to)
    .map(({ entity_id, last_updated, state, kind }) => nameOf(entity_id, last_updated, state, kind === "removed"))
    .sort();
}

/** The time of the latest event that the home has fired: whatever is earlier has been fired too. */
export function sentUntil(dataFolder: string): string {
  const times = sentEvents(dataFolder, "", "9999").map((name) => name.split(" ")[1] ?? "");
  return times.sort().at(-1) ?? "";
}

/** What GET /events has of it, through all pages; not what other tests put there. */
export async function keptEvents(stack: Pick<RunningStack, "get">, from: string, to: string): Promise<EventName[]> {
  const query = `from=${encodeURIComponent(from)}&to=${encodeURIComponent(to)}`;
  return (await allEvents(stack, query))
    .filter(({ domain }) => domain !== "hearthline")
    .map(({ entity_id, last_updated, state, kind }) => nameOf(entity_id, last_updated, state, kind === "removed"))
    .sort();
}

export interface Ledger {
  readonly complete_up_to: number;
  readonly last_sequence: number;
  readonly missing: number;
  readonly lost_records: number;
  readonly records: number;
}
export interface HealthAnswer {
  readonly status: string;
  readonly parts: readonly {
    readonly name: string;
    readonly kind: string;
    readonly state: string;
    readonly ledger?: Ledger;
  }[];
}

/** The relay's ledger; there is one relay, whose number of records only grows. */
export async function ledgerOf(stack: RunningStack): Promise<Ledger | undefined> {
  const { parts } = await stack.get<HealthAnswer>("/health");
  const ledgers = parts.flatMap(({ ledger }) => ledger ?? []);
  if (ledgers.length > 1) throw new Error(`There are ${ledgers.length} relays: ${JSON.stringify(ledgers)}`);
  return ledgers[0];
}

export interface RelayAnswer {
  readonly connected: boolean;
  readonly last_sequence: number;
  readonly losses: number;
  readonly rejected: number;
}
const partOf = (stack: RunningStack, name: string) => stack.parts().find((part) => part.name === name);
export const relayOf = async (stack: RunningStack): Promise<RelayAnswer> =>
  (await fetch(`http://127.0.0.1:${partOf(stack, "relay")?.port}/health`)).json() as Promise<RelayAnswer>;

/** Waits until the relay is subscribed; from the moment that this gives on, every event must arrive. */
export async function subscribedSince(stack: RunningStack): Promise<string> {
  await until(
    () => relayOf(stack).catch(() => undefined),
    (relay) => relay?.connected === true,
  );
  return now();
}

/** Ends a part without warning and waits until it is there again under another pid. */
export async function killPart(stack: RunningStack, name: string): Promise<void> {
  const pid = partOf(stack, name)?.pid ?? 0;
  const times = () => stack.said().split(new RegExp(`^${name} +up again`, "m")).length;
  const before = times();
  process.kill(pid, "SIGKILL");
  await until(
    async () => ({ times: times(), pid: partOf(stack, name)?.pid }),
    (now) => now.times > before && now.pid !== pid && now.pid !== 0,
  );
}

export interface CommandResult {
  readonly code: number | string;
  readonly out: string;
  // biome-ignore lint/suspicious/noExplicitAny: the JSON of the command that was run
  readonly json: any;
}

const cleanEnv = () =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(HEARTHLINE_|AWS_)/.test(name)));
const resultOf = (code: number | string, out: string, err: string): CommandResult => {
  let json: unknown;
  try {
    json = JSON.parse(out);
  } catch {
    // What is no JSON is judged by the test that wanted it.
  }
  return { code, out: out + err, json };
};

/** `npx hearthline ARGS --json --data DIR`, as a person runs it. */
export async function hearthlineProcess(dataFolder: string, ...args: string[]): Promise<CommandResult> {
  const options = { env: cleanEnv(), cwd: root };
  const command = run([join(root, "local/bin/hearthline.mjs"), ...args, "--json", "--data", dataFolder], options);
  let out = "";
  command.child.stdout?.on("data", (chunk: Buffer) => {
    out += chunk.toString();
  });
  const code = await command.ended;
  return resultOf(code, out, command.output().slice(out.length));
}

/** The same in this process, which starts faster. */
export async function hearthline(dataFolder: string, ...args: string[]): Promise<CommandResult> {
  let out = "";
  let err = "";
  const code = await runCommand([...args, "--json", "--data", dataFolder], {
    env: cleanEnv(),
    streams: {
      out: (text) => {
        out += text;
      },
      err: (text) => {
        err += text;
      },
    },
    signal: new AbortController().signal,
    version: "0.0.0-test",
    run: () => Promise.reject(new Error("Nothing is started here.")),
  });
  return resultOf(code, out, err);
}
