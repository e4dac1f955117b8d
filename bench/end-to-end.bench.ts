/**
 * Simulated home to API on the embedded stack, every part in its own process: how long an event takes from its `last_updated` until it can be read
 * through GET /events, at 0.3, 10 and 500 events a second; and which rate the whole chain sustains with none lost.
 * `npm run bench -- end-to-end`
 */
import { fork } from "node:child_process";
import { createReadStream, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import {
  allEvents,
  newDataFolder,
  type RunningStack,
  removeData,
  type StackOptions,
  startStack,
  until,
} from "../tests/support/stack.ts";
import { progress, quantile, report } from "./support/report.ts";

const root = resolve(import.meta.dirname, "..");
const FLUSH_SECONDS = 1;
const LATENCY_RATES = [
  { rate: 0.3, seconds: 90 },
  { rate: 10, seconds: 30 },
  { rate: 500, seconds: 20 },
] as const;
const SUSTAINED_RATES = [500, 1_000, 1_500, 2_000, 3_000, 4_000];
const SUSTAINED_SECONDS = 30;
/** How far the newest readable event may lie behind at the end of a run: more, and the rate only fills queues. */
const LAG_MAX_MS = FLUSH_SECONDS * 1_000 + 1_500;
const POLL_MS = 25;

const start = (options: StackOptions): Promise<RunningStack> =>
  startStack({
    ...options,
    env: { ...options.env, HEARTHLINE_FLUSH_SECONDS: String(FLUSH_SECONDS), HEARTHLINE_LOG_LEVEL: "warn" },
  });

interface Page {
  readonly events: readonly { readonly entity_id: string; readonly last_updated: string; readonly kind: string }[];
}

/** Milliseconds from `last_updated` to the first answer that held the event. */
async function latencies(rate: number, seconds: number): Promise<number[]> {
  const dataFolder = newDataFolder();
  const stack = await start({ dataFolder, args: ["--rate", String(rate), "--quiet"] });
  // The snapshot and the registries are through when the first event is there, and a little later all of them.
  await until(
    () => stack.get<Page>("/api/v1/events?limit=1"),
    ({ events }) => events.length > 0,
  );
  await new Promise((done) => setTimeout(done, 3_000));
  const from = new Date().toISOString();
  const seen = new Set<string>();
  const found: number[] = [];
  const ends = performance.now() + seconds * 1_000;
  while (performance.now() < ends) {
    const { events } = await stack.get<Page>(`/api/v1/events?limit=1000&from=${encodeURIComponent(from)}`);
    const now = Date.now();
    for (const { entity_id, last_updated, kind } of events) {
      const key = `${entity_id} ${last_updated} ${kind}`;
      if (seen.has(key)) continue;
      seen.add(key);
      found.push(now - Date.parse(last_updated));
    }
    await new Promise((done) => setTimeout(done, POLL_MS));
  }
  await stack.stop();
  removeData(dataFolder);
  progress(
    `${rate}/s: ${found.length} events, p50 ${quantile(found, 0.5)} ms, p95 ${quantile(found, 0.95)} ms, p99 ${quantile(found, 0.99)} ms`,
  );
  return found;
}

/** A simulated home of our own, so that its log of what it sent can be read when it has ended. */
function startHome(rate: number, data: string): Promise<{ url: string; token: string; end: () => Promise<void> }> {
  const child = fork(join(root, "local/home/main.ts"), ["--rate", String(rate), "--data", data, "--port", "0"], {
    stdio: "ignore",
  });
  const ended = new Promise<void>((done) => void child.once("close", () => done()));
  const end = async () => {
    child.kill("SIGTERM");
    await ended;
  };
  return new Promise((done, fail) => {
    child.once("error", fail);
    child.once("message", (message) => done({ ...(message as { url: string; token: string }), end }));
  });
}

const keyOf = (event: { entity_id: string; last_updated: string }): string =>
  `${event.entity_id} ${event.last_updated}`;

/** What the home sent from `from` to `to` (ISO text, both of one form), by natural key. */
async function sentKeys(data: string, from: string, to: string): Promise<Set<string>> {
  const keys = new Set<string>();
  for (const file of readdirSync(data).filter((name) => name.startsWith("sent"))) {
    for await (const line of createInterface({ input: createReadStream(join(data, file)) })) {
      const event = JSON.parse(line) as { entity_id: string; last_updated: string };
      if (event.last_updated >= from && event.last_updated < to) keys.add(keyOf(event));
    }
  }
  return keys;
}

interface Run {
  readonly perSecond: number;
  readonly lost: number;
  readonly lagMs: number;
  readonly isSustained: boolean;
}

/** Lets the home run at the rate, looks how far behind the newest readable event is, then compares what was sent with what can be read. */
async function sustained(rate: number): Promise<Run> {
  const dataFolder = newDataFolder();
  const homeFolder = newDataFolder();
  const home = await startHome(rate, homeFolder);
  const stack = await start({
    dataFolder,
    args: ["--quiet"],
    env: { HEARTHLINE_HA_URL: home.url, HEARTHLINE_HA_TOKEN: home.token },
  });
  await until(
    () => stack.get<Page>("/api/v1/events?limit=1"),
    ({ events }) => events.length > 0,
  );
  await new Promise((done) => setTimeout(done, 3_000));
  const iso = () => `${new Date().toISOString().slice(0, -1)}000+00:00`;
  const from = iso();
  await new Promise((done) => setTimeout(done, SUSTAINED_SECONDS * 1_000));
  const to = iso();
  const newest = await stack.get<Page>("/api/v1/events?limit=1");
  const lagMs = Date.now() - Date.parse(newest.events[0]?.last_updated ?? from);
  await new Promise((done) => setTimeout(done, 1_000));
  await home.end();
  const sent = await sentKeys(homeFolder, from, to);
  let lost = sent.size;
  const span = `from=${encodeURIComponent(from)}&to=${encodeURIComponent(to)}`;
  const countLost = async () => {
    const read = new Set((await allEvents(stack, span)).map((event) => keyOf(event as never)));
    lost = [...sent].filter((key) => !read.has(key)).length;
    return lost;
  };
  await until(countLost, (count) => count === 0, { deadlineMs: 60_000, everyMs: 2_000 }).catch(() => undefined);
  await stack.stop();
  for (const folder of [dataFolder, homeFolder]) removeData(folder);
  const perSecond = sent.size / SUSTAINED_SECONDS;
  const isSustained = lost === 0 && lagMs <= LAG_MAX_MS && perSecond >= rate * 0.95;
  progress(
    `${rate}/s: the home sent ${perSecond.toFixed(0)}/s, ${lost} lost, newest readable event ${lagMs} ms old at the end${isSustained ? "" : ": not sustained"}`,
  );
  return { perSecond, lost, lagMs, isSustained };
}

const figures: Record<string, number> = { flush_seconds: FLUSH_SECONDS };
for (const { rate, seconds } of LATENCY_RATES) {
  const found = await latencies(rate, seconds);
  const name = String(rate).replace(".", "_");
  figures[`latency_at_${name}_per_second_events`] = found.length;
  for (const share of [0.5, 0.95, 0.99])
    figures[`latency_at_${name}_per_second_p${share * 100}_ms`] = quantile(found, share);
}
let best = 0;
let lost = 0;
for (const rate of SUSTAINED_RATES) {
  const run = await sustained(rate);
  lost += run.lost;
  figures[`lag_at_${rate}_per_second_ms`] = run.lagMs;
  if (!run.isSustained) break;
  best = run.perSecond;
}
report(
  "end-to-end",
  { ...figures, sustained_events_per_second: best, lost_events: lost },
  {
    sustained_events_per_second: 2_000,
    latency_at_0_3_per_second_p95_ms: FLUSH_SECONDS * 1_000 + 300,
    latency_at_10_per_second_p95_ms: FLUSH_SECONDS * 1_000 + 300,
    latency_at_500_per_second_p95_ms: FLUSH_SECONDS * 1_000 + 300,
    lost_events: 0,
  },
);
