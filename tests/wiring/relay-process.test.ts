import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openEnvelope, readEnvelope } from "../../lib/event/index.ts";
import type { RelayHealth } from "../../lib/relay/index.ts";
import { KEY } from "../relay/fakes.ts";
import { change, haState } from "../relay/ha-samples.ts";
import { startFauxqsServer } from "../support/fauxqs.ts";
import { eventually } from "../support/process.ts";
import { type SmallHomeAssistant, startSmallHomeAssistant } from "../support/small-home-assistant.ts";

const PROGRAM = join(import.meta.dirname, "../../local/relay.ts");

interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<number | string>;
  /** Its status port. */
  readonly ready: Promise<number>;
  output(): string;
}

let sqs: Awaited<ReturnType<typeof startFauxqsServer>>;
let queueUrl: string;
let home: SmallHomeAssistant;
let folder: string;
let queues = 0;
const children: Started[] = [];

beforeAll(async () => {
  sqs = await startFauxqsServer();
});
afterAll(() => sqs.stop());

beforeEach(async () => {
  home = await startSmallHomeAssistant();
  folder = mkdtempSync(join(tmpdir(), "hearthline-relay-"));
  const QueueName = `relay-test-${++queues}-events`;
  queueUrl = (await sqs.client.call<{ QueueUrl: string }>("CreateQueue", { QueueName })).QueueUrl;
});
afterEach(async () => {
  for (const { child, ended } of children.splice(0)) {
    child.kill("SIGKILL");
    await ended;
  }
  await home.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A relay of its own process; with `isAlone` as `hearthline relay` starts it, without a parent to talk to. */
function startRelay(over: Record<string, string | undefined> = {}, isAlone = false): Started {
  const env: NodeJS.ProcessEnv = {
    PATH: process.env.PATH,
    HEARTHLINE_HA_URL: home.url,
    HEARTHLINE_HA_TOKEN: home.token,
    HEARTHLINE_HOME_KEY: KEY.secret.toString("base64"),
    HEARTHLINE_DATA: folder,
    HEARTHLINE_FLUSH_SECONDS: "0.2",
    HEARTHLINE_QUEUE_PREFIX: `relay-test-${queues}`,
    AWS_ENDPOINT_URL: sqs.url,
    ...over,
  };
  const child = spawn(process.execPath, [PROGRAM], {
    env,
    stdio: ["ignore", "pipe", "pipe", ...(isAlone ? [] : ["ipc" as const])],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const ended = once(child, isAlone ? "close" : "exit").then(([code, signal]) => (signal ?? code) as number | string);
  const ready = isAlone
    ? eventually("its status line", () => /127\.0\.0\.1:(\d+)\/health/.exec(output)?.[1]).then(Number)
    : once(child, "message").then(([message]) => {
        expect(message).toEqual({ ready: true, port: expect.any(Number) });
        return (message as { port: number }).port;
      });
  ready.catch(() => {});
  const started = { child, ended, ready, output: () => output };
  children.push(started);
  return started;
}

const healthAt = async (port: number) => (await (await fetch(`http://127.0.0.1:${port}/health`)).json()) as RelayHealth;

/** Everything in the queue, opened: lines by number, of each relay. A number with two different lines fails. */
async function received(): Promise<Map<string, Map<number, string>>> {
  const relays = new Map<string, Map<number, string>>();
  for (;;) {
    const input = { QueueUrl: queueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 600 };
    const { Messages = [] } = await sqs.client.call<{ Messages?: { Body: string }[] }>("ReceiveMessage", input);
    if (Messages.length === 0) return relays;
    for (const { Body } of Messages) {
      const envelope = readEnvelope(Body);
      const lines = relays.get(envelope.relay_id) ?? new Map<number, string>();
      relays.set(envelope.relay_id, lines);
      for (const [index, line] of openEnvelope(envelope, KEY).entries()) {
        const n = envelope.first + index;
        expect((JSON.parse(line) as { n: number }).n).toBe(n);
        expect(lines.get(n) ?? line).toBe(line);
        lines.set(n, line);
      }
    }
  }
}

const statesOf = (lines: Iterable<string>): string[] =>
  [...lines].flatMap((line) => {
    const { t, state } = JSON.parse(line) as { t: string; state: string };
    return t === "state" ? [state] : [];
  });

describe("a relay process", () => {
  it("carries events to the queue, and gives its state on loopback", async () => {
    home.states = [haState("light.a", 1)];
    const relay = startRelay();
    const port = await relay.ready;
    await eventually("the snapshot", () => relay.output().includes("snapshot was read"));
    for (let us = 10; us < 20; us++) home.fire(change("light.a", us));
    const health = await eventually("everything sent", async () => {
      const now = await healthAt(port);
      return now.admitted === 11 && now.memory.records === 0 && now.sinks[0]?.lag_records === 0 && now;
    });
    expect(health).toMatchObject({ connected: true, ha_version: "2026.11.0", ha_state: "RUNNING", rejected: 0 });
    const metrics = await fetch(`http://127.0.0.1:${port}/metrics`);
    expect(metrics.headers.get("content-type")).toContain("openmetrics");
    expect(await metrics.text()).toContain("hearthline_relay_connected 1");
    expect((await fetch(`http://127.0.0.1:${port}/other`)).status).toBe(404);
    expect((await fetch(`http://127.0.0.1:${port}/health`, { method: "POST" })).status).toBe(405);
    const [lines] = [...(await received()).values()];
    expect(statesOf(lines?.values() ?? [])).toEqual(["1", ...Array.from({ length: 10 }, (_, i) => String(10 + i))]);
    expect(relay.output()).not.toContain(home.token);
    expect(relay.output()).not.toContain(KEY.secret.toString("base64"));
  });

  it("survives kill -9 in the middle: no number twice, none missing, nothing that was in the spool is lost", async () => {
    let seen = 0;
    let us = 0;
    for (let round = 0; round < 4; round++) {
      const relay = startRelay();
      const port = await relay.ready;
      await eventually("the subscription", () => home.subscribers() === 1);
      const firing = setInterval(() => {
        for (let count = 0; count < 20; count++) home.fire(change("sensor.load", ++us));
      }, 5);
      const wanted = seen + 150 + round * 130;
      seen = await eventually("events in the spool", async () => {
        const { last_sequence } = await healthAt(port);
        return last_sequence > wanted && last_sequence;
      });
      relay.child.kill("SIGKILL");
      await relay.ended;
      clearInterval(firing);
      await eventually("the end of the connection", () => home.subscribers() === 0);
    }
    const last = startRelay();
    const port = await last.ready;
    const health = await eventually("everything sent", async () => {
      const now = await healthAt(port);
      return now.last_sequence > seen && now.sinks[0]?.lag_records === 0 && now;
    });
    expect(health).toMatchObject({ losses: 0 });
    expect(health.last_sequence).toBeGreaterThan(seen);
    const relays = await received();
    expect([...relays.keys()]).toEqual([health.relay_id]);
    const numbers = [...(relays.get(health.relay_id)?.keys() ?? [])].toSorted((a, b) => a - b);
    expect(numbers.slice(0, health.last_sequence)).toEqual(
      Array.from({ length: health.last_sequence }, (_, i) => i + 1),
    );
    const states = statesOf(relays.get(health.relay_id)?.values() ?? []);
    expect(new Set(states).size).toBe(states.length);
  });

  it.each(["SIGTERM", "SIGINT", "disconnect"] as const)(
    "ends on %s in under 5 s, with everything sent",
    async (how) => {
      const relay = startRelay({ HEARTHLINE_FLUSH_SECONDS: "600" });
      await relay.ready;
      await eventually("the subscription", () => home.subscribers() === 1);
      for (let us = 1; us <= 30; us++) home.fire(change("light.a", us));
      await eventually("the snapshot", () => relay.output().includes("snapshot was read"));
      const startMs = performance.now();
      if (how === "disconnect") relay.child.disconnect();
      else relay.child.kill(how);
      expect(await relay.ended).toBe(0);
      expect(performance.now() - startMs).toBeLessThan(5_000);
      const [lines] = [...(await received()).values()];
      expect(statesOf(lines?.values() ?? [])).toHaveLength(30);
    },
  );

  it("ends in under 5 s when neither the queue nor Home Assistant answers, and sends all after the next start", async () => {
    const silent = createServer(() => {});
    silent.listen(0, "127.0.0.1");
    await once(silent, "listening");
    const relay = startRelay({ AWS_ENDPOINT_URL: `http://127.0.0.1:${(silent.address() as AddressInfo).port}` });
    const port = await relay.ready;
    await eventually("the subscription", () => home.subscribers() === 1);
    home.fire(change("light.a", 1));
    await eventually("the event in the spool", async () => {
      const { admitted, memory } = await healthAt(port);
      return admitted === 1 && memory.records === 0;
    });
    const startMs = performance.now();
    relay.child.kill("SIGTERM");
    expect(await relay.ended).toBe(0);
    expect(performance.now() - startMs).toBeLessThan(5_000);
    silent.closeAllConnections();
    silent.close();
    const next = startRelay();
    const nextPort = await next.ready;
    await eventually("everything sent", async () => (await healthAt(nextPort)).sinks[0]?.lag_records === 0);
    const [lines] = [...(await received()).values()];
    expect(statesOf(lines?.values() ?? [])).toEqual(["1"]);
  });
});

describe("a relay that cannot work says so", () => {
  it("names every setting that is wrong in one message, exit 2", async () => {
    const relay = startRelay(
      { HEARTHLINE_HA_TOKEN: undefined, HEARTHLINE_FLUSH_SECONDS: "soon", HEARTHLINE_HOME_KEY: "x" },
      true,
    );
    expect(await relay.ended).toBe(2);
    const lines = relay.output().trim().split("\n");
    expect(lines).toHaveLength(1);
    for (const name of ["HEARTHLINE_HA_TOKEN", "HEARTHLINE_FLUSH_SECONDS", "HEARTHLINE_HOME_KEY"])
      expect(lines[0]).toContain(name);
  });

  it("wants credentials: the environment or the shared file, and says where it looked, exit 2", async () => {
    const file = join(folder, "credentials");
    writeFileSync(file, "[default]\naws_access_key_id = SECRET-ID\n");
    const over = { AWS_ENDPOINT_URL: undefined, AWS_SHARED_CREDENTIALS_FILE: file };
    const profile = startRelay({ ...over, AWS_PROFILE: "house" }, true);
    expect(await profile.ended).toBe(2);
    expect(profile.output()).toContain(`the file "${file}" has no section "[house]"`);
    const half = startRelay(over, true);
    expect(await half.ended).toBe(2);
    expect(half.output()).toContain("has no aws_secret_access_key");
    expect(half.output()).not.toContain("SECRET-ID");
  });

  it("wants the address of an old pipeline, and never prints a password in it, exit 2", async () => {
    const missing = startRelay({ HEARTHLINE_OLD_SINK: "influxdb" }, true);
    expect(await missing.ended).toBe(2);
    expect(missing.output()).toContain("HEARTHLINE_OLD_URL is not set");
    const wrong = startRelay({ HEARTHLINE_OLD_URL: "http://me:hunter2@influxdb:8086" }, true);
    expect(await wrong.ended).toBe(2);
    expect(wrong.output()).toContain("without a user and a password");
    expect(wrong.output()).not.toContain("hunter2");
  });

  it("ends with 78 when it runs alone and the token is refused", async () => {
    const relay = startRelay({ HEARTHLINE_HA_TOKEN: "this-token-is-a-wrong-one" }, true);
    expect(await relay.ended).toBe(78);
    expect(relay.output()).not.toContain("this-token-is-a-wrong-one");
    expect(relay.output().trim().split("\n").at(-1)).toMatch(/token/i);
  });

  it("stays and shows why when a parent runs it and the token is refused", async () => {
    const relay = startRelay({ HEARTHLINE_HA_TOKEN: "this-token-is-a-wrong-one" });
    const port = await relay.ready;
    const health = await eventually("the refusal", async () => {
      const now = await healthAt(port);
      return now.last_error !== undefined && now;
    });
    expect(health.connected).toBe(false);
    expect(health.last_error).toMatch(/token/i);
    relay.child.kill("SIGTERM");
    expect(await relay.ended).toBe(0);
  });

  it("a second relay on the same data, and a port that is taken", async () => {
    const first = startRelay();
    const port = await first.ready;
    const second = startRelay({}, true);
    expect(await second.ended).toBe(1);
    expect(second.output()).toContain("one relay for one spool");
    const third = startRelay({ HEARTHLINE_DATA: join(folder, "other"), HEARTHLINE_RELAY_PORT: String(port) }, true);
    expect(await third.ended).toBe(1);
    expect(third.output()).toContain(String(port));
  });

  it("keeps no secret in its folder", async () => {
    const planted = "PLANTED-SECRET-OF-A-CAMERA";
    home.states = [
      haState("camera.a", 1, { attributes: { access_token: planted, entity_picture: `/x?token=${planted}` } }),
    ];
    const relay = startRelay({ HEARTHLINE_FLUSH_SECONDS: "600" });
    const port = await relay.ready;
    await eventually("the snapshot", async () => (await healthAt(port)).admitted === 1);
    const written = () =>
      readdirSync(join(folder, "relay", "spool")).map((name) =>
        readFileSync(join(folder, "relay", "spool", name)).toString("latin1"),
      );
    // What is admitted is written a moment later, with what else has come by then.
    await eventually("the snapshot in the file", async () => written().join("").includes("camera.a"));
    relay.child.kill("SIGKILL");
    await relay.ended;
    const files = written();
    expect(files.join("")).toContain("camera.a");
    for (const secret of [planted, home.token, KEY.secret.toString("base64")])
      expect(files.join("")).not.toContain(secret);
    expect(relay.output()).not.toContain(planted);
  });
});
