import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describePeer, freePort, peerFolder, startPeer, stopPeer } from "../support/peers.ts";
import { eventually, type Running, run } from "../support/process.ts";

const root = resolve(import.meta.dirname, "../..");

async function prepare() {
  const folder = await peerFolder("localstack");
  const peer = await startPeer("localstack", ["--dir", folder.dir, "--port", String(await freePort())]);
  return { peer, folder };
}

await describePeer("npm start --stack localstack", prepare, ({ peer, folder }) => {
  const data = mkdtempSync(join(tmpdir(), "hearthline-localstack-"));
  let stack: Running;
  beforeAll(async () => {
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(AWS_|HEARTHLINE_)/.test(name)));
    const args = ["--stack", "localstack", "--data", data, "--port", "0", "--home", "none"];
    stack = run([join(root, "local/start.ts"), ...args], { env: { ...env, AWS_ENDPOINT_URL: peer.url } });
  });
  afterAll(async () => {
    stack.child.kill("SIGTERM");
    await stack.ended;
    await stopPeer(peer.dir);
    await folder.remove();
    rmSync(data, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  });

  it("makes queues and table there, and brings an event through them", async () => {
    const url = await eventually("the stack", () => /^ready in .*: (http\S+)$/m.exec(stack.output())?.[1], 120_000);
    expect(stack.output()).not.toMatch(/^(queues|tables) /m);
    const headers = {
      authorization: `Bearer ${readFileSync(join(data, "token"), "utf8").trim()}`,
      "content-type": "application/json",
    };
    const event = { event_type: "state_changed", entity_id: "light.desk", state: "on" };
    const body = JSON.stringify({ ...event, timestamp: "2026-11-22T06:00:01.123456+00:00" });
    const answer = await fetch(`${url}/api/v1/events`, { method: "POST", headers, body });
    expect(answer.status).toBe(202);
    await eventually("the event", async () => {
      const { events } = (await (await fetch(`${url}/api/v1/events`, { headers })).json()) as {
        events: { last_updated: string }[];
      };
      return events.some(({ last_updated }) => last_updated === "2026-11-22T06:00:01.123456+00:00");
    });
  });
});
