/**
 * What a migration costs: `npm run bench -- migration [--rows N] [--planted] [--fault NAME] [--filled FOLDER] [--influxdb] [--only comparison,shadow,dual-write,rollback,influxdb]`; last line: one JSON object. NEW is a sqlite store, OLD makes its rows as
 * they are asked for. `--planted`: the faults that a comparison must never overlook, each in a cold run of its own; `--fault hour_shifted`: that one alone (names: migration/faults.ts). `--filled`: where NEW's file is kept from run to run; it is filled when
 * there is none, and must hold as many rows as are asked for. `--influxdb`: also against a real InfluxDB 1.x (HEARTHLINE_PEER_SCRIPTS), at most 300,000 rows.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { measureDualWrite } from "./migration/dual-write.ts";
import { measureInfluxdb } from "./migration/influxdb.ts";
import { measureRollback } from "./migration/rollback.ts";
import { measureShadow } from "./migration/shadow.ts";
import { type Figures, progress, report } from "./support/report.ts";

const { values: args } = parseArgs({
  options: {
    rows: { type: "string", default: "3000000" },
    planted: { type: "boolean", default: false },
    fault: { type: "string" },
    filled: { type: "string" },
    influxdb: { type: "boolean", default: false },
    only: { type: "string" },
  },
});
/** Filling a real server takes longer than comparing it. */
const INFLUXDB_ROWS_MAX = 300_000;
const folder = mkdtempSync(join(tmpdir(), "hearthline-bench-migration-"));
const worker = join(folder, "worker.mjs");
const filled = resolve(args.filled ?? folder);
const isPlanted = args.planted || args.fault !== undefined;

/** As functions run: one file, no types. Reading types away takes 50 MB that are not ours. */
async function bundle(): Promise<void> {
  const entryPoints = [resolve(import.meta.dirname, "migration/worker.ts")];
  await build({ entryPoints, outfile: worker, bundle: true, platform: "node", format: "esm", logLevel: "warning" });
}

function run(what: string): Figures {
  const stdio = ["ignore", "pipe", "inherit"] as const;
  const options = what === "compared" ? SMALL : [];
  const asked = [what, filled, args.rows, ...(args.fault === undefined ? [] : [args.fault])];
  const { stdout, status } = spawnSync(process.execPath, [...options, worker, ...asked], {
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
  shadow_cost_p95_ms: 0,
  cold_seconds: 30,
  cold_differences_named: 1,
  from_tiles_seconds: 5,
  from_tiles_differences_named: 1,
  rss_peak_mb: 128,
};

async function measureComparison(): Promise<Figures> {
  await bundle();
  mkdirSync(filled, { recursive: true });
  let figures: Figures = existsSync(join(filled, "new.db")) ? {} : run("fill");
  for (const what of isPlanted ? ["planted"] : ["compared", "naive"]) figures = { ...figures, ...run(what) };
  return figures;
}

const PARTS: Readonly<Record<string, () => Promise<Figures>>> = {
  comparison: measureComparison,
  shadow: measureShadow,
  "dual-write": measureDualWrite,
  rollback: measureRollback,
  influxdb: () => measureInfluxdb(Math.min(Number(args.rows), INFLUXDB_ROWS_MAX)),
};
const wanted = isPlanted
  ? ["comparison"]
  : (args.only?.split(",") ?? Object.keys(PARTS).filter((name) => name !== "influxdb" || args.influxdb));

try {
  let figures: Figures = {};
  for (const name of wanted) {
    const part = PARTS[name];
    if (!part) throw new Error(`There is no part "${name}"; wanted are some of ${Object.keys(PARTS).join(", ")}.`);
    figures = { ...figures, ...(await part()) };
  }
  report("migration", figures, isPlanted ? {} : GOALS);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
