import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../lib/base/clock.ts";
import { openEnvelope, readEnvelope } from "../../lib/event/index.ts";
import type { RelayHealth } from "../../lib/relay/index.ts";
import { createSimulatedHome, type SimulatedHome } from "../../local/home/simulated-home.ts";
import { KEY } from "../relay/fakes.ts";
import { createTestApi, serveApi, tokenText } from "../support/api.ts";
import { startFauxqsServer } from "../support/fauxqs.ts";
import { parseOpenMetrics } from "../support/openmetrics.ts";
import { eventually, type Running, run } from "../support/process.ts";
import { connack, puback, smallBroker } from "../support/small-broker.ts";
import { type SmallSupervisor, startSmallSupervisor } from "../support/small-supervisor.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const SECRET = "AWS-SECRET-OF-THE-OWNER";

let folder: string;
let bundle: string;
let sqs: Awaited<ReturnType<typeof startFauxqsServer>>;
let queueUrl: string;
let home: SimulatedHome;
let supervisor: SmallSupervisor;
let app: Running | undefined;
let runs = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "hearthline-app-"));
  // Alone in its folder, as in the image: what it needs beside itself is not there.
  bundle = join(folder, "image");
  mkdirSync(bundle);
  const built = run([join(ROOT, "scripts/build-relay.mjs"), bundle], { cwd: folder });
  expect([await built.ended, built.output()]).toEqual([0, expect.stringContaining("relay.mjs")]);
  sqs = await startFauxqsServer();
});
afterAll(async () => {
  await sqs.stop();
  rmSync(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  runs += 1;
  home = await createSimulatedHome({ data: join(folder, `home-${runs}`) });
  supervisor = await startSmallSupervisor(home);
  const QueueName = `app-${runs}-events`;
  queueUrl = (await sqs.client.call<{ QueueUrl: string }>("CreateQueue", { QueueName })).QueueUrl;
});
afterEach(async () => {
  app?.child.kill("SIGKILL");
  await app?.ended;
  app = undefined;
  await supervisor.stop();
  await home.stop();
});

/** The app as the Supervisor starts it: its options in a file, its token, and nothing else of the owner's. */
function start(options: Readonly<Record<string, unknown>> = {}, env: NodeJS.ProcessEnv = {}): Running {
  const data = join(folder, `data-${runs}`);
  mkdirSync(data, { recursive: true });
  const all = {
    home_id: "home",
    home_key: KEY.secret.toString("base64"),
    queue_prefix: `app-${runs}`,
    aws_region: "us-east-1",
    aws_access_key_id: "AKIDEXAMPLE",
    aws_secret_access_key: SECRET,
    aws_endpoint_url_sqs: sqs.url,
    flush_seconds: 0.2,
    include: [],
    ...options,
  };
  writeFileSync(join(data, "options.json"), JSON.stringify(all));
  app = run([join(bundle, "relay.mjs")], {
    cwd: data,
    env: {
      PATH: process.env.PATH,
      SUPERVISOR_TOKEN: supervisor.token,
      HEARTHLINE_APP_OPTIONS: join(data, "options.json"),
      HEARTHLINE_APP_SUPERVISOR: supervisor.url,
      HEARTHLINE_DATA: data,
      HEARTHLINE_RELAY_HOST: "0.0.0.0",
      HEARTHLINE_RELAY_ALLOW: "127.0.0.1",
      HEARTHLINE_RELAY_REFUSED: "wait",
      ...env,
    },
  });
  return app;
}

const addressOf = (started: Running): Promise<string> =>
  eventually("its status line", () => /0\.0\.0\.0:(\d+)\/health/.exec(started.output())?.[1]).then(
    (port) => `http://127.0.0.1:${port}`,
  );
const healthAt = async (address: string): Promise<RelayHealth> =>
  (await (await fetch(`${address}/health`)).json()) as RelayHealth;

async function received(entityId: string): Promise<string[]> {
  const states: string[] = [];
  for (;;) {
    const { Messages = [] } = await sqs.client.call<{ Messages?: { Body: string }[] }>("ReceiveMessage", {
      QueueUrl: queueUrl,
      MaxNumberOfMessages: 10,
      VisibilityTimeout: 600,
    });
    if (Messages.length === 0) return states;
    for (const { Body } of Messages) {
      for (const line of openEnvelope(readEnvelope(Body), KEY)) {
        const record = JSON.parse(line) as { entity_id?: string; state?: string };
        if (record.entity_id === entityId && record.state !== undefined) states.push(record.state);
      }
    }
  }
}

describe("the app of Home Assistant, as one file", () => {
  it("goes through the Supervisor, sees Core go and come back, and brings every change to the queue", async () => {
    const started = start({ exclude_attributes: ["sensor.by_hand:shopping_plan"] });
    const address = await addressOf(started);
    await eventually("Home Assistant", async () => (await healthAt(address)).ha_state === "RUNNING");
    const emit = (state: string) =>
      home.emit({ entityId: "sensor.by_hand", state, attributes: { shopping_plan: "x" } });
    const states: string[] = [];
    const arrives = (state: string) =>
      eventually(`"${state}" in the queue`, async () => {
        states.push(...(await received("sensor.by_hand")));
        return states.includes(state);
      });
    emit("1");
    await arrives("1");
    supervisor.setCore(false);
    const away = await eventually("the end of the connection", async () => {
      const health = await healthAt(address);
      return !health.connected && health;
    });
    expect(away).toMatchObject({ status: "degraded", reasons: [{ code: "home_assistant_away" }] });
    expect(away).not.toHaveProperty("refused");
    emit("2");
    supervisor.setCore(true);
    await eventually("the next connection", async () => (await healthAt(address)).ha_state === "RUNNING");
    await arrives("2");
    const health = await healthAt(address);
    expect(health).toMatchObject({ status: "ok", losses: 0, excluded_attributes: expect.any(Number) });
    expect(health.excluded_attributes).toBeGreaterThanOrEqual(2);
    expect(health.spool).toMatchObject({ max_bytes: expect.any(Number), disk_free_bytes: expect.any(Number) });
    expect(health.process?.rss_bytes).toBeGreaterThan(10_000_000);
    const metrics = parseOpenMetrics(await (await fetch(`${address}/metrics`)).text());
    expect(metrics.get("hearthline_relay_connected")?.samples[0]?.value).toBe(1);
    const page = await (await fetch(address)).text();
    expect(page).toContain("Everything is running.");
    for (const secret of [SECRET, supervisor.token, KEY.secret.toString("base64")])
      expect(started.output() + page + JSON.stringify(health)).not.toContain(secret);
    const sinceMs = performance.now();
    started.child.kill("SIGTERM");
    expect(await started.ended).toBe(0);
    expect(performance.now() - sinceMs).toBeLessThan(5_000);
  });

  it("finds the home's broker by the Supervisor, publishes what the cloud asks for, and tells no password", async () => {
    const login: string[] = [];
    const published: string[] = [];
    const broker = await smallBroker(({ type, body, id, socket }) => {
      if (type === 1) {
        login.push(body.toString("latin1"));
        socket.write(connack(0));
      }
      if (type !== 3) return;
      published.push(body.toString());
      socket.write(puback(id));
    });
    const api = await createTestApi({ clock: systemClock });
    const served = await serveApi(api);
    try {
      const password = "p@ss/word:1#%";
      supervisor.mqtt = { host: "127.0.0.1", port: broker.port, ssl: false, username: "addons", password };
      const asked = { kind: "mqtt", topic: "hearthline/suggestions", payload: "3" };
      expect((await api.post("/api/v1/outbox", asked)).status).toBe(201);
      const started = start({ url: served.url, token: tokenText("home"), outbox_seconds: 1 });
      const address = await addressOf(started);
      const health = await eventually(
        "the outbox to be done",
        async () => {
          const now = await healthAt(address);
          return now.outbox?.delivered === 1 && now.outbox.waiting === 0 && now;
        },
        20_000,
      );
      expect(published).toEqual([
        expect.stringContaining("hearthline/home/availability"),
        expect.stringContaining("hearthline/suggestions"),
      ]);
      expect(login).toEqual([expect.stringContaining(password)]);
      const list = (await (await api.ask("/api/v1/outbox")).json()) as { items: unknown[] };
      expect(list.items).toEqual([expect.objectContaining({ status: "delivered" })]);
      const page = await (await fetch(address)).text();
      expect(page).toContain("To your devices");
      const seen = started.output() + page + JSON.stringify([health, list]);
      for (const secret of [password, encodeURIComponent(password), tokenText("home")])
        expect(seen).not.toContain(secret);
    } finally {
      await served.close();
      await broker.stop();
    }
  });

  it("answers nobody but the Supervisor", async () => {
    const started = start({}, { HEARTHLINE_RELAY_ALLOW: "172.30.32.2" });
    const address = await addressOf(started);
    for (const path of ["/", "/health", "/metrics", "/live"]) expect((await fetch(address + path)).status).toBe(403);
  });

  it("answers also whom the owner names", async () => {
    const started = start({ allow: ["127.0.0.0/8"] }, { HEARTHLINE_RELAY_ALLOW: "172.30.32.2" });
    expect((await fetch(`${await addressOf(started)}/live`)).status).toBe(200);
  });

  it("waits, and says so, when the Supervisor refuses it", async () => {
    const started = start({}, { SUPERVISOR_TOKEN: "another-token-of-another-app" });
    const address = await addressOf(started);
    const health = await eventually("the refusal", async () => {
      const now = await healthAt(address);
      return now.refused === true && now;
    });
    expect(health).toMatchObject({ status: "down", reasons: [{ code: "home_assistant_refuses" }] });
    expect((await fetch(`${address}/health`)).status).toBe(503);
    expect((await fetch(`${address}/live`)).status).toBe(200);
  });

  it.each([
    ["an option that is none", { hom_id: "x" }, '"hom_id" is no option'],
    ["a value that cannot be", { home_key: "short" }, "HEARTHLINE_HOME_KEY is set to something else"],
    ["a rule that is none", { exclude_attributes: ["a:b:c"] }, "HEARTHLINE_EXCLUDE_ATTRIBUTES"],
  ] as const)("ends with 2 and one line for %s", async (_what, options, words) => {
    const started = start(options);
    expect(await started.ended).toBe(2);
    expect(started.output().trim().split("\n")).toEqual([expect.stringContaining(words)]);
  });
});
