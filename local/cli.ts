import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { processStreams } from "./cli/output.ts";
import { type ProgramOptions, runCommand } from "./cli/program.ts";

const root = resolve(import.meta.dirname, "..");
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };

if (existsSync(".env")) process.loadEnvFile(".env");

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const stopping = new AbortController();

// Who reads has had enough (`| head -1`): nothing is wrong, and nobody is left to be told.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? 0 : 1);
});

/** Long-lived parts are programs of their own; signals reach them as they reach this one. */
const run: ProgramOptions["run"] = (part, args, data) =>
  new Promise((done) => {
    const env = { ...process.env, ...(data !== undefined && { HEARTHLINE_DATA: data }) };
    const child = spawn(process.execPath, [join(root, "local", `${part}.ts`), ...args], { stdio: "inherit", env });
    // A terminal, or a supervisor that ends a whole group, sends to both: the part takes a signal that comes twice at once for one.
    for (const signal of SIGNALS) process.on(signal, () => child.kill(signal));
    child.on("close", (code) => done(([0, 1, 2, 3] as const).find((known) => known === code) ?? 1));
  });

for (const signal of SIGNALS) process.on(signal, () => stopping.abort());

process.exitCode = await runCommand(process.argv.slice(2), {
  env: process.env,
  streams: processStreams,
  signal: stopping.signal,
  version,
  run,
});
