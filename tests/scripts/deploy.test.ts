import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { run } from "../support/process.ts";

const SCRIPT = resolve(import.meta.dirname, "../../scripts/deploy.mjs");

async function deploy(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const running = run([SCRIPT, ...args], { env: { PATH: process.env.PATH, ...env } });
  return { code: await running.ended, said: running.output() };
}

/** Answers every request with this status; its address. */
async function answering(status: number): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, answer) => {
    asked.push(String(request.url));
    answer.writeHead(request.url === "/_localstack/health" ? status : 403).end("{}");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "hearthline-deploy-"));
  onTestFinished(() => rmSync(made, { recursive: true }));
  return made;
}

describe("npm run deploy", () => {
  it.each([
    ["local", { AWS_ENDPOINT_URL: "http://admin:hunter2@127.0.0.1:1", HEARTHLINE_SQLITE_PATH: "/tmp/x.db" }],
    ["local", { AWS_ENDPOINT_URL: "//admin:hunter2@127.0.0.1:1" }],
    ["prod", { AWS_ENDPOINT_URL: "http://admin:hunter2@127.0.0.1:1", HEARTHLINE_STORE: "timestream" }],
    ["prod", { HEARTHLINE_STORE: "influxdb", HEARTHLINE_INFLUXDB_URL: "//admin:hunter2@influxdb:8086" }],
    ["prod", { HEARTHLINE_STORE: "influxdb", HEARTHLINE_INFLUXDB_URL: "http://admin:hunter2@influxdb:8086" }],
    ["prod", { HEARTHLINE_STORE: "parquet", HEARTHLINE_PARQUET_URL: "http://admin:hunter2@bucket/prefix" }],
  ] as const)("repeats no password: --stage %s with %j", async (stage, env) => {
    const { code, said } = await deploy(["--stage", stage], env);
    expect(code).not.toBe(0);
    expect(said).not.toContain("hunter2");
  });

  it.each([
    ["no stage", [], {}, '--stage is "": wanted'],
    ["a stage that is no name", ["--stage", "Prod!"], {}, '--stage is "Prod!": wanted'],
    ["an option that it does not know", ["--stag", "local"], {}, "Unknown option '--stag'"],
    ["the stage of npm start", ["--stage", "dev"], {}, "npm start"],
    ["a stage on AWS", ["--stage", "prod"], {}, "nothing was deployed"],
    ["a store in memory", ["--stage", "local"], { HEARTHLINE_STORE: "memory" }, 'HEARTHLINE_STORE is "memory"'],
    ["a store that there is not", ["--stage", "prod"], { HEARTHLINE_STORE: "x" }, 'HEARTHLINE_STORE is "x"'],
    [
      "an emulator for AWS",
      ["--stage", "prod"],
      { AWS_ENDPOINT_URL: "http://127.0.0.1:1", HEARTHLINE_STORE: "timestream" },
      "wanted is --stage local",
    ],
    [
      "no bucket",
      ["--stage", "prod"],
      { HEARTHLINE_STORE: "parquet", HEARTHLINE_PARQUET_URL: "/a/folder" },
      'HEARTHLINE_PARQUET_URL is "/a/folder"',
    ],
    ["no InfluxDB", ["--stage", "prod"], { HEARTHLINE_STORE: "influxdb" }, 'HEARTHLINE_INFLUXDB_URL is ""'],
    ["no LocalStack", ["--stage", "local"], {}, 'AWS_ENDPOINT_URL is ""'],
    ["an address that is none", ["--stage", "local"], { AWS_ENDPOINT_URL: "here" }, 'AWS_ENDPOINT_URL is "here"'],
    ["no file", ["--stage", "local"], { AWS_ENDPOINT_URL: "http://127.0.0.1:1" }, 'HEARTHLINE_SQLITE_PATH is ""'],
    [
      "a file in no folder",
      ["--stage", "local"],
      { AWS_ENDPOINT_URL: "http://127.0.0.1:1", HEARTHLINE_SQLITE_PATH: "/no/such/store.db" },
      "no such folder",
    ],
  ])("refuses %s", async (_, args, env, message) => {
    const { code, said } = await deploy(args, env as Record<string, string>);
    expect(said).toContain(message);
    expect(code).toBe(2);
  });

  const local = (url: string) => ({ AWS_ENDPOINT_URL: url, HEARTHLINE_SQLITE_PATH: join(folder(), "store.db") });

  it("says at once that nobody answers", async () => {
    const { code, said } = await deploy(["--stage", "local"], local("http://127.0.0.1:1"));
    expect(said).toContain('AWS_ENDPOINT_URL is "http://127.0.0.1:1", where nobody answers (');
    expect(code).toBe(3);
  });

  it("says that what answers is no LocalStack, and asks nothing else of it", async () => {
    const { url, asked } = await answering(404);
    const { code, said } = await deploy(["--stage", "local"], local(url));
    expect(said).toContain("no LocalStack (404");
    expect(code).toBe(3);
    expect(asked).toEqual(["/_localstack/health"]);
  });

  it("says so when the store cannot be set up, and deploys nothing", async () => {
    const { url } = await answering(200);
    const env = { AWS_ENDPOINT_URL: url, HEARTHLINE_STORE: "influxdb", HEARTHLINE_INFLUXDB_URL: "http://127.0.0.1:1" };
    const { code, said } = await deploy(["--stage", "local"], env);
    expect(said).toContain("127.0.0.1:1");
    expect(said).toContain("nothing else was changed");
    expect(code).toBe(1);
  }, 60_000);

  it("says so when the framework fails", async () => {
    const { url } = await answering(200);
    const { code, said } = await deploy(["--stage", "local"], local(url));
    expect(said.trim().split("\n").at(-1)).toBe(
      'The deployment of stage "local" failed; what the framework said is above.',
    );
    expect(code).toBe(1);
  }, 60_000);

  it("explains itself", async () => {
    expect(await deploy(["--help"])).toEqual({
      code: 0,
      said: "usage: npm run deploy -- --stage NAME [--region REGION]\n",
    });
  });
});
