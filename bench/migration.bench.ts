/**
 * What a migration costs: `npm run bench -- migration [--rows N] [--planted]`; last line: one JSON object. NEW is a sqlite store, OLD makes its rows as they are asked for. `--planted`: the faults
 * that a comparison must never overlook, each in a cold run of its own.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { measureShadow } from "./migration/shadow.ts";
import { type Figures, progress, report } from "./support/report.ts";

const { values: args } = parseArgs({
  options: { rows: { type: "string", default: "3000000" }, planted: { type: "boolean", default: false } },
});
const folder = mkdtempSync(join(tmpdir(), "hearthline-bench-migration-"));
const worker = join(folder, "worker.mjs");

/** As functions run: one file, no types. Reading types away takes 50 MB that are not ours. */
async function bundle(): Promise<void> {
  const entryPoints = [resolve(import.meta.dirname, "migration/worker.ts")];
  await build({ entryPoints, outfile: worker, bundle: true, platform: "node", format: "esm", logLevel: "warning" });
}

function run(what: string): Figures {
  const stdio = ["ignore", "pipe", "inherit"] as const;
  const options = what === "compared" ? SMALL : [];
  const { stdout, status } = spawnSync(process.execPath, [...options, worker, what, folder, args.rows], {
    stdio: [...stdio],
    encoding: "utf8",
    env: { ...process.env, MALLOC_ARENA_MAX: "1" },
  });
  if (status !== 0) throw new Error(`The measurement "${what}" ended with ${status}.`);
  progress(`${what}: ${stdout.trim()}`);
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "{}") as Figures;
}

/** As in a function of 128 MB: what is dead is collected soon. Without it V8 takes twice the memory and half the time. */
const SMALL = ["--max-semi-space-size=1", "--max-old-space-size=46"];
const GOALS = {
  cold_seconds: 30,
  cold_differences_named: 1,
  from_tiles_seconds: 5,
  from_tiles_differences_named: 1,
  rss_peak_mb: 128,
};

try {
  await bundle();
  let figures: Figures = run("fill");
  for (const what of args.planted ? ["planted"] : ["compared", "naive"]) figures = { ...figures, ...run(what) };
  if (!args.planted) figures = { ...figures, ...(await measureShadow()) };
  report("migration", figures, args.planted ? {} : GOALS);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
