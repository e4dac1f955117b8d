#!/usr/bin/env node
// The command is TypeScript, which Node 24 runs as it is: this finds one. It uses nothing but Node itself, from 20 on.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const WANTED_MAJOR = 24;
const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const pinned = join(root, "node_modules", ".bin", "node");
const isNewEnough = Number(process.versions.node.split(".")[0]) >= WANTED_MAJOR;
const node = isNewEnough ? process.execPath : existsSync(pinned) ? pinned : undefined;

if (node === undefined) {
  process.stderr.write(
    `hearthline needs Node ${WANTED_MAJOR} or newer; this is Node ${process.versions.node}. "npm install" in "${root}" brings one along on Linux; elsewhere install it from https://nodejs.org.\n`,
  );
  process.exitCode = 2;
} else if (isNewEnough) {
  process.argv[1] = join(root, "local/cli.ts");
  await import("../cli.ts");
} else {
  const child = spawn(node, [join(root, "local/cli.ts"), ...process.argv.slice(2)], { stdio: "inherit" });
  // A terminal sends Ctrl-C to both: the command itself decides what it does then.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    process.stderr.write(`hearthline: "${node}" could not be started: ${error.message}\n`);
    process.exitCode = 3;
  });
  child.on("close", (code, signal) => {
    process.exitCode = signal ? 130 : (code ?? 1);
  });
}
