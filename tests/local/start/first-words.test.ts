import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { freePorts } from "../../../local/start/ports.ts";
import { readRun } from "../../../local/start/run-file.ts";
import { eventually, run } from "../../support/process.ts";

const root = resolve(import.meta.dirname, "../../..");
const clean = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(AWS_|HEARTHLINE_|VITEST|NODE_OPTIONS)/.test(name)),
);

function begin(env: NodeJS.ProcessEnv = {}) {
  const folder = mkdtempSync(join(tmpdir(), "hearthline-words-"));
  const stack = run([join(root, "local/start.ts"), "--data", folder, "--port", "0"], { env: { ...clean, ...env } });
  onTestFinished(async () => {
    stack.child.kill("SIGKILL");
    await stack.ended;
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 200 });
  });
  return { ...stack, folder };
}

it("stops in the middle of its start without a word of failure", async () => {
  const stack = begin();
  await eventually("the first part", () => /^tables +up/m.test(stack.output()));
  stack.child.kill("SIGINT");
  expect(await stack.ended).toBe(0);
  expect(stack.output()).not.toMatch(/did not come up|ready in/);
  expect(stack.output()).toMatch(/\nstopped\n$/);
  expect(readRun(stack.folder)).toBeUndefined();
});

/** A port that takes connections and says nothing, or one where nobody is. */
async function port(isOpen: boolean): Promise<number> {
  if (!isOpen) return (await freePorts(1))[0] ?? 0;
  const server = createServer((socket) => onTestFinished(() => void socket.destroy()));
  onTestFinished(() => void server.close());
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return (server.address() as AddressInfo).port;
}

it.each([
  ["refuses every connection", false, /^relay +Home Assistant cannot be reached\. [^\n]+ECONNREFUSED[^\n]+\n/gm],
  [
    "never answers",
    true,
    /^relay +Home Assistant at "[^"]+" has not answered yet\. It is tried again until it does\.\n/gm,
  ],
])("says once, within ten seconds, that a Home Assistant %s", async (_what, isOpen, line) => {
  const HEARTHLINE_HA_URL = `http://127.0.0.1:${await port(isOpen)}`;
  const stack = begin({ HEARTHLINE_HA_URL, HEARTHLINE_HA_TOKEN: "a".repeat(30) });
  await eventually("the relay", () => /^relay +up/m.test(stack.output()));
  await eventually("the line", () => line.test(stack.output()), 10_000);
  await eventually("the rest", () => /^ready in/m.test(stack.output()));
  expect(stack.output().match(line)).toHaveLength(1);
});
