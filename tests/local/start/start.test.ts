import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readRun } from "../../../local/start/run-file.ts";
import { eventually, type Running, run } from "../../support/process.ts";

const root = resolve(import.meta.dirname, "../../..");
const folder = mkdtempSync(join(tmpdir(), "hearthline-start-"));
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(AWS_|HEARTHLINE_|VITEST|NODE_OPTIONS)/.test(name)),
);

const begin = (...args: string[]): Running =>
  run([join(root, "local/start.ts"), "--data", folder, "--home", "none", ...args], { env });
const up = async (stack: Running): Promise<string> =>
  eventually(
    "the stack",
    () => {
      if (stack.child.exitCode !== null) throw new Error(stack.output());
      return /^ready in \d+\.\d s: (http:\S+)$/m.exec(stack.output())?.[1];
    },
    60_000,
  );
const pidOf = (part: string) => readRun(folder)?.parts.find(({ name }) => name === part)?.pid ?? 0;
const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

async function events(url: string, init: RequestInit = {}): Promise<unknown> {
  const headers = {
    authorization: `Bearer ${readFileSync(join(folder, "token"), "utf8").trim()}`,
    "content-type": "application/json",
  };
  return (await fetch(`${url}/api/v1/events`, { headers, ...init })).json();
}
const post = (url: string, state: string, second: number) => {
  const timestamp = `2026-11-22T06:00:0${second}.123456+00:00`;
  return events(url, {
    method: "POST",
    body: JSON.stringify({ event_type: "state_changed", entity_id: "light.desk", state, timestamp }),
  });
};
const states = async (url: string) =>
  ((await events(url)) as { events?: { state: string }[] }).events?.map(({ state }) => state);

describe("npm start", () => {
  let stack: Running;
  let url = "";
  beforeAll(async () => {
    stack = begin("--port", "0");
    url = await up(stack);
  });
  afterAll(async () => {
    stack.child.kill("SIGKILL");
    await stack.ended;
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  });

  it("says what runs, with token and key that nobody else may read", () => {
    expect(readRun(folder)).toMatchObject({ url, pid: stack.child.pid });
    expect(readRun(folder)?.parts.map(({ name }) => name)).toEqual(["queues", "tables", "functions"]);
    for (const file of ["token", "home-key"]) expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600);
  });

  it("takes an event and gives it back", async () => {
    expect(await post(url, "on", 1)).toEqual({ accepted: 1, rejected: [] });
    await eventually("the event", async () => (await states(url))?.includes("on"));
  });

  it("is started only once on a data folder, and the second says where the first is", async () => {
    const second = begin("--port", "0");
    expect(await second.ended).toBe(1);
    expect(second.output()).toBe(
      `Hearthline runs already on the data folder "${folder}": ${url} (process ${stack.child.pid}).\n`,
    );
  });

  it.each(["functions", "queues", "tables"])(
    "mends itself when %s is killed, on the same port, with all data",
    async (name) => {
      const pid = pidOf(name);
      process.kill(pid, "SIGKILL");
      await eventually(
        "the new one",
        () => ![0, pid].includes(pidOf(name)) && stack.output().match(new RegExp(`^${name} +up again`, "m")) !== null,
      );
      await eventually("the event", async () => (await states(url).catch(() => undefined))?.includes("on"));
    },
  );

  it("stops cleanly when told to, and the next start goes on with the data", async () => {
    const pids = ["functions", "queues", "tables"].map(pidOf);
    await post(url, "off", 2);
    stack.child.kill("SIGINT");
    expect(await stack.ended).toBe(0);
    expect(pids.filter(isAlive)).toEqual([]);
    expect(existsSync(join(folder, "run.json"))).toBe(false);
    const token = readFileSync(join(folder, "token"), "utf8");
    stack = begin("--port", "0");
    url = await up(stack);
    expect(readFileSync(join(folder, "token"), "utf8")).toBe(token);
    await eventually("both events", async () => {
      const seen = await states(url);
      return seen?.includes("on") && seen.includes("off");
    });
  });

  it("takes its parts along when it is killed, and the next start goes on", async () => {
    const pids = ["functions", "queues", "tables"].map(pidOf);
    stack.child.kill("SIGKILL");
    await stack.ended;
    expect(existsSync(join(folder, "run.json"))).toBe(true);
    expect(readRun(folder)).toBeUndefined();
    stack = begin("--port", "0", "--quiet");
    url = await up(stack);
    // They end by themselves when their parent is gone; the new ones need not wait for the last breath of each.
    await eventually("the end of the old parts", () => pids.filter(isAlive).length === 0);
    expect(stack.output()).toMatch(/^ready in [^\n]+\n$/);
    expect(await states(url)).toEqual(["off", "on"]);
  });
});

it("ends with the shell that npm put before it, which `kill` of npm ends alone", async () => {
  const data = mkdtempSync(join(tmpdir(), "hearthline-start-"));
  const options = ["--data", data, "--home", "none", "--port", "0"];
  const shell = spawn("sh", ["-c", '"$@" & wait', "sh", process.execPath, join(root, "local/start.ts"), ...options], {
    env: { ...env, npm_lifecycle_event: "start" },
    stdio: "ignore",
  });
  const started = await eventually("the stack", () => readRun(data), 60_000);
  const pids = [started.pid, ...started.parts.map(({ pid }) => pid)];
  shell.kill("SIGTERM");
  await eventually("the end of the stack", () => !pids.some(isAlive), 60_000);
  expect(existsSync(join(data, "run.json"))).toBe(false);
  rmSync(data, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
}, 120_000);

describe("npm start with something wrong", () => {
  const wrong = async (...args: string[]) => {
    const other = mkdtempSync(join(tmpdir(), "hearthline-start-"));
    const started = run([join(root, "local/start.ts"), "--data", join(other, "data"), ...args], { env });
    const code = await started.ended;
    const isEmpty = !existsSync(join(other, "data", "run.json"));
    rmSync(other, { recursive: true, force: true });
    return { code, output: started.output(), isEmpty };
  };

  it.each([
    ["--colour", "blue"],
    ["--port", "eighty"],
    ["--store", "mysql"],
    ["--stack", "localstack"],
  ])("ends with 2 and one line at %s %s", async (...args) => {
    const { code, output, isEmpty } = await wrong(...args);
    expect(output).toMatch(/^npm start: [^\n]+\n$/);
    expect([code, isEmpty]).toEqual([2, true]);
  });

  it("ends with 1 and one line when the port is taken", async () => {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const { port } = server.address() as { port: number };
    const { code, output } = await wrong("--port", `${port}`);
    server.close();
    expect(output).toBe(
      `The port ${port} of 127.0.0.1 cannot be used: another program listens there. Wanted is a free one, see --port (0: any).\n`,
    );
    expect(code).toBe(1);
  });

  it("ends with 1 and one line when the data folder cannot be used", async () => {
    const { code, output } = await wrong("--data", "/dev/null/data");
    expect(output).toMatch(/^The data folder "\/dev\/null\/data" cannot be written [^\n]+\n$/);
    expect(code).toBe(1);
  });
});
