/**
 * Import time and size of every bundled handler, each against an empty handler run beside it; `npm start` to ready, and the memory of each part at rest.
 * `npm run bench -- cold-start`
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type BuildOptions, build } from "esbuild";
import { parse } from "yaml";
import { newDataFolder, removeData, startStack } from "../tests/support/stack.ts";
import { type Figures, median, progress, report } from "./support/report.ts";

const root = resolve(import.meta.dirname, "..");
const ROUNDS = 15;
const STARTS = 5;
const REST_MS = 10_000;
const FUNCTIONS = ["enrich", "store", "index-devices", "dispatch", "analyze", "authorize", "api"];

/** Milliseconds that `require` of the bundle takes in a new process. */
function importMs(file: string): number {
  const code =
    "const t=process.hrtime.bigint();require(process.argv[1]);console.log(Number(process.hrtime.bigint()-t)/1e6)";
  return Number(
    execFileSync(process.execPath, ["--disable-warning=ExperimentalWarning", "-e", code, file], { encoding: "utf8" })
      .trim()
      .split("\n")
      .pop(),
  );
}

async function bundles(): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), "hearthline-bench-"));
  const { custom } = parse(readFileSync(join(root, "serverless.yml"), "utf8"), { logLevel: "silent" }) as {
    custom: { esbuild: BuildOptions & { concurrency?: number } };
  };
  const { concurrency: _, ...options } = custom.esbuild;
  const empty = join(folder, "empty.js");
  writeFileSync(empty, "exports.handler=async()=>({});");
  const figures: Record<string, number> = {};
  for (const name of FUNCTIONS) {
    const outfile = join(folder, `${name}.js`);
    await build({ ...options, entryPoints: [join(root, "functions", `${name}.ts`)], outfile, logLevel: "error" });
    const times: number[] = [];
    const bare: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      times.push(importMs(outfile));
      bare.push(importMs(empty));
    }
    const key = name.replace("-", "_");
    figures[`${key}_bundle_kb`] = statSync(outfile).size / 1000;
    figures[`${key}_import_ms`] = median(times);
    figures[`${key}_import_over_empty_ratio`] = median(times) / median(bare);
    figures.empty_import_ms = median(bare);
    progress(
      `${name}: ${(statSync(outfile).size / 1000).toFixed(0)} KB, ${median(times).toFixed(1)} ms (empty ${median(bare).toFixed(2)} ms)`,
    );
  }
  rmSync(folder, { recursive: true, force: true });
  return figures;
}

const rssMb = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;

async function starts(): Promise<Figures> {
  const seconds: number[] = [];
  const memory: Record<string, number> = {};
  const dataFolder = newDataFolder();
  for (let round = 0; round < STARTS; round++) {
    const stack = await startStack({ dataFolder });
    seconds.push(stack.readySeconds);
    progress(`npm start: ready in ${stack.readySeconds} s`);
    if (round === STARTS - 1) {
      await new Promise((done) => setTimeout(done, REST_MS));
      for (const part of stack.parts()) memory[`rss_${part.name}_mb`] = rssMb(part.pid);
      memory.rss_all_parts_mb = Object.values(memory).reduce((sum, mb) => sum + mb, 0);
    }
    await stack.stop();
  }
  removeData(dataFolder);
  return {
    ready_first_seconds: seconds[0] ?? Number.NaN,
    ready_median_seconds: median(seconds),
    ready_max_seconds: Math.max(...seconds),
    ...memory,
  };
}

const goals = {
  ready_median_seconds: 4,
  ...Object.fromEntries(FUNCTIONS.map((name) => [`${name.replace("-", "_")}_bundle_kb`, 400])),
};
report("cold-start", { ...(await bundles()), ...(await starts()) }, goals);
