/**
 * The nightly analysis: what a day's aggregates, the tests over 90 days and the whole job take, in processes of their own, for a home of 2,000 and one of 100,000
 * events a day; beside reading all raw days again. `npm run bench -- analysis [--sizes small,large] [--days N] [--raw-days N]`; last line: one JSON object.
 */
import { fork, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Figures, progress, report } from "./support/report.ts";

const { values: args } = parseArgs({
  options: {
    sizes: { type: "string", default: "small,large" },
    days: { type: "string", default: "90" },
    "raw-days": { type: "string", default: "30" },
  },
});
const STEPS = ["prepare", "day", "rescan", "finds", "fill", "job"];
const GOALS: Readonly<Record<string, Figures>> = {
  small: { aggregates_raw_kb: 20, aggregates_packed_kb: 20 },
  large: {
    facts_and_aggregate_ms: 300,
    day_rss_peak_mb: 150,
    merge_and_finds_ms: 1_000,
    job_ms: 5_000,
    job_rss_peak_mb: 150,
  },
};

/** Its load beside: others may be at work on the machine. */
function measure(step: string, size: string, { folder, emulators }: { folder: string; emulators: object }): Figures {
  const script = join(import.meta.dirname, "analysis/worker.ts");
  const given = [script, step, size, folder, args.days, args["raw-days"], JSON.stringify(emulators)];
  const { stdout, status } = spawnSync(process.execPath, given, {
    stdio: ["ignore", "pipe", "inherit"],
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`The step "${step}" of the home "${size}" ended with ${status}.`);
  const last = stdout.trim().split("\n").at(-1) ?? "{}";
  progress(`${size}, ${step}, at a load of ${loadavg()[0]?.toFixed(1)}: ${last}`);
  return JSON.parse(last) as Figures;
}

const prefixed = (size: string, figures: Figures): Figures =>
  Object.fromEntries(Object.entries(figures).map(([name, value]) => [`${size}_${name}`, value]));

/** Processor time of reading all raw days again, to that of reading one and unpacking what the others have taught; each in a new process. */
const ratioOf = (own: Figures): number => {
  const once = ["scan_cpu_ms", "first_facts_and_aggregate_cpu_ms", "unpacking_cpu_ms"];
  return (own.rescan_cpu_ms ?? Number.NaN) / once.reduce((sum, name) => sum + (own[name] ?? Number.NaN), 0);
};

const folder = mkdtempSync(join(tmpdir(), "hearthline-bench-analysis-"));
const emulators = fork(join(import.meta.dirname, "cost/emulators.ts"));
try {
  const [urls] = (await once(emulators, "message")) as [object];
  let [figures, goals]: [Figures, Figures] = [{}, {}];
  for (const size of args.sizes.split(",")) {
    let own: Figures = {};
    for (const step of STEPS) own = { ...own, ...measure(step, size, { folder, emulators: urls }) };
    figures = { ...figures, ...prefixed(size, { ...own, rescan_to_layers_cpu_ratio: ratioOf(own) }) };
    goals = { ...goals, ...prefixed(size, GOALS[size] ?? {}) };
  }
  report("analysis", { ...figures, load_average: loadavg()[0] ?? 0 }, goals);
} finally {
  emulators.disconnect();
  rmSync(folder, { recursive: true, force: true });
}
