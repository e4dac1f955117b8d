/**
 * Requests a second and p95 of GET /events?limit=100 and POST /events on the embedded stack, beside a bare serverless-offline function in the same run.
 * `npm run bench -- api`
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { resolve } from "node:path";
import { newDataFolder, removeData, startStack, until } from "../tests/support/stack.ts";
import { median, progress, quantile, report } from "./support/report.ts";

const root = resolve(import.meta.dirname, "..");
const ROUND_MS = 4_000;
const ROUNDS = 3;
const CLIENTS = 10;
const STORED = 5_000;

const freePort = (): Promise<number> =>
  new Promise((done) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => done(port));
    });
  });

/** A service of one function that answers `{}`, under the same serverless-offline settings. */
async function startBare(): Promise<{ url: string; child: ChildProcess }> {
  const [port, lambdaPort] = [await freePort(), await freePort()];
  const serverless = resolve(root, "node_modules/serverless/bin/serverless.js");
  const child = spawn(
    process.execPath,
    [serverless, "offline", "start", "--httpPort", String(port), "--lambdaPort", String(lambdaPort)],
    {
      cwd: resolve(root, "bench/bare"),
      stdio: "ignore",
      env: { ...process.env, AWS_ACCESS_KEY_ID: "local", AWS_SECRET_ACCESS_KEY: "local" },
    },
  );
  const url = `http://127.0.0.1:${port}/`;
  await until(
    () =>
      fetch(url).then(
        (answer) => answer.status,
        () => 0,
      ),
    (status) => status === 200,
    { deadlineMs: 60_000 },
  );
  return { url, child };
}

interface Load {
  readonly perSecond: number;
  readonly p95Ms: number;
}

/** `CLIENTS` at once ask again and again for `ROUND_MS`. Any answer outside 2xx ends the bench. */
async function load(ask: () => Promise<Response>): Promise<Load> {
  const times: number[] = [];
  const started = performance.now();
  const client = async () => {
    while (performance.now() - started < ROUND_MS) {
      const asked = performance.now();
      const answer = await ask();
      await answer.arrayBuffer();
      if (!answer.ok) throw new Error(`answered with ${answer.status}`);
      times.push(performance.now() - asked);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return { perSecond: (times.length / (performance.now() - started)) * 1000, p95Ms: quantile(times, 0.95) };
}

const dataFolder = newDataFolder();
const stack = await startStack({ dataFolder, args: ["--home", "none", "--quiet"] });
const bare = await startBare();
let sequence = 0;
const eventOf = () => ({
  event_type: "state_changed",
  entity_id: `sensor.bench_${sequence % 50}`,
  state: String(sequence++),
  timestamp: new Date(Date.now() - 3_600_000 + sequence).toISOString(),
  attributes: { unit_of_measurement: "W", device_class: "power", friendly_name: "Bench" },
});
const post = (events: unknown) =>
  stack.fetch("/api/v1/events", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(events),
  });

for (let at = 0; at < STORED; at += 1_000) await post(Array.from({ length: 1_000 }, eventOf));
await until(
  () => stack.get<{ events: unknown[] }>("/api/v1/events?limit=100"),
  ({ events }) => events.length === 100,
);

const loads = {
  bare: () => fetch(bare.url),
  get: () => stack.fetch("/api/v1/events?limit=100"),
  post: () => post(eventOf()),
};
const measured: Record<keyof typeof loads, Load[]> = { bare: [], get: [], post: [] };
for (let round = 0; round < ROUNDS; round++) {
  for (const name of ["bare", "get", "post"] as const) {
    const figure = await load(loads[name]);
    measured[name].push(figure);
    progress(`${name}: ${figure.perSecond.toFixed(0)} requests a second, p95 ${figure.p95Ms.toFixed(1)} ms`);
  }
}
bare.child.kill("SIGTERM");
await stack.stop();
removeData(dataFolder);

const of = (name: keyof typeof loads, figure: keyof Load) => median(measured[name].map((each) => each[figure]));
report(
  "api",
  {
    bare_requests_per_second: of("bare", "perSecond"),
    bare_p95_ms: of("bare", "p95Ms"),
    get_events_100_requests_per_second: of("get", "perSecond"),
    get_events_100_p95_ms: of("get", "p95Ms"),
    get_events_100_over_bare_ratio: of("get", "perSecond") / of("bare", "perSecond"),
    post_event_requests_per_second: of("post", "perSecond"),
    post_event_p95_ms: of("post", "p95Ms"),
    post_event_over_bare_ratio: of("post", "perSecond") / of("bare", "perSecond"),
  },
  {},
);
