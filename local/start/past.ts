import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../lib/base/clock.ts";
import { addDays, homeDayOf } from "../../lib/base/zone.ts";
import { readSecret } from "../stack/first-start.ts";
import type { Launch } from "./part.ts";

/** What people, doors, lamps and machines did; the sensors that report all the time are no habits, and ten times as much. */
const INCLUDED = [
  ...["automation", "binary_sensor", "climate", "cover", "device_tracker", "event", "input_boolean", "light", "lock"],
  ...["media_player", "person", "scene", "script", "sun", "switch", "vacuum", "sensor.*_state"],
];
const WAIT_MS = 120_000;
const POLL_MS = 500;

export interface PastOptions {
  readonly dataFolder: string;
  readonly days: number;
  /** Of the API. */
  readonly url: string;
  /** IANA, and the local time at which a day of the home ends. */
  readonly timeZone: string;
  readonly analysisTime: string;
  /** The command `hearthline` with these arguments, on this stack. */
  readonly launch: (args: readonly string[]) => Launch;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** A line for the person at the terminal. */
  readonly say: (line: string) => void;
}

/**
 * Brings the past of a new simulated home into the cloud and lets its habits be found, so that there is something to look at: by the same two commands with which a person brings his own home's.
 * Once for a data folder; broken off, the next start goes on. What fails is said, and is no reason to stop.
 */
export async function bringPast(options: PastOptions): Promise<void> {
  const { dataFolder, days, clock, signal, say, timeZone, analysisTime } = options;
  const done = join(dataFolder, "past-brought");
  if (days === 0 || existsSync(done)) return;
  const yesterday = addDays(homeDayOf(clock.nowMs() * 1000, analysisTime, timeZone), -1);
  say(`past      ${days} days of the simulated home are brought in, and looked at for habits; --days 0 does without`);
  const beganMs = clock.monotonicMs();
  try {
    const { imported } = await answer<{ imported: number }>(options, [
      ...["history", "import", "--include", INCLUDED.join(",")],
    ]);
    await drained(options);
    await zoneKnown(options);
    const { patterns } = await answer<{ patterns: readonly unknown[] }>(options, ["analyze", "--date", yesterday]);
    const { suggestions } = await answer<{ suggestions: readonly unknown[] }>(options, ["suggestions", "list"]);
    writeFileSync(done, "");
    const took = Math.round((clock.monotonicMs() - beganMs) / 1000);
    say(
      `past      ${imported.toLocaleString("en")} events, ${patterns.length} patterns, ${suggestions.length} suggestions in ${took} s: ${options.url}/#suggestions`,
    );
  } catch (thrown) {
    if (!signal.aborted) say(`past      was not brought in: ${(thrown as Error).message} The next start tries again.`);
  }
}

/** What a command answers, as JSON. @throws Error what it said */
function answer<T>({ launch, signal }: PastOptions, args: readonly string[]): Promise<T> {
  const { args: its, env, folder } = launch([...args, "--json"]);
  const child: ChildProcess = spawn(process.execPath, its, {
    cwd: folder,
    env,
    stdio: ["ignore", "pipe", "pipe"],
    signal,
  });
  let out = "";
  let err = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    err = (err + text).slice(-ERROR_CHARACTERS);
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) return resolve(JSON.parse(out) as T);
      const last = err.trim().split("\n").at(-1);
      reject(new Error(`hearthline ${args.slice(0, 2).join(" ")} ended with ${code}: ${last}`));
    });
  });
}
const ERROR_CHARACTERS = 4_000;

interface QueuePart {
  readonly queue?: { readonly waiting: number; readonly in_flight: number };
}

/** Until what was imported is in the store: a job that looks sooner sees a part. */
const drained = (options: PastOptions): Promise<void> =>
  until<{ parts: readonly QueuePart[] }>(options, "/health", ({ parts }) => {
    const waiting = parts.reduce((sum, { queue }) => sum + (queue ? queue.waiting + queue.in_flight : 0), 0);
    // The home goes on living: a message or two is always on its way.
    return waiting <= DRAINED;
  });
const DRAINED = 3;

/** Until the cloud knows in which zone the home lives: before that its days end at other times. */
const zoneKnown = (options: PastOptions): Promise<void> =>
  until<{ time_zone: string }>(
    options,
    "/api/v1/events/aggregate?entity_id=sun.sun&window=1d&functions=count&from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z",
    ({ time_zone }) => time_zone === options.timeZone,
  );

/** Asks again and again, for two minutes at most: what follows says what is missing then. */
async function until<T>(
  { url, dataFolder, clock, signal }: PastOptions,
  path: string,
  isSo: (answer: T) => boolean,
): Promise<void> {
  const headers = { authorization: `Bearer ${readSecret(join(dataFolder, "token"))}` };
  const untilMs = clock.monotonicMs() + WAIT_MS;
  while (clock.monotonicMs() < untilMs) {
    const answer = await fetch(`${url}${path}`, { headers, signal });
    if (answer.ok && isSo((await answer.json()) as T)) return;
    await clock.sleep(POLL_MS, signal);
  }
}
