/**
 * The event stores on the same events of one home, each in a process of its own, beside the table that one would write first:
 * `npm run bench -- store [--events N] [--batch N] [--stores sqlite,parquet,influxdb,memory]`; last line: one JSON object.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { writeLines } from "./store/events.ts";
import { STORES } from "./store/stores.ts";
import { type Figures, progress, report } from "./support/report.ts";

const { values: args } = parseArgs({
  options: {
    events: { type: "string", default: "3000000" },
    batch: { type: "string", default: "5000" },
    stores: { type: "string", default: Object.keys(STORES).join(",") },
  },
});
const folder = mkdtempSync(join(tmpdir(), "hearthline-bench-store-"));

const lines = join(folder, "events.jsonl");

/** Undefined when the store cannot be measured here. */
function measure(kind: string, events: number): Figures | undefined {
  const own = join(folder, kind);
  mkdirSync(own);
  const script = resolve(import.meta.dirname, "store/worker.ts");
  const { stdout, status } = spawnSync(process.execPath, [script, kind, lines, own, String(events), args.batch], {
    stdio: ["ignore", "pipe", "inherit"],
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  rmSync(own, { recursive: true });
  if (status !== 0) {
    progress(`The measurement of "${kind}" ended with ${status}; it is left out.`);
    return undefined;
  }
  progress(`${kind}: ${stdout.trim()}`);
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "{}") as Figures;
}

const prefixed = (kind: string, figures: Figures): Figures =>
  Object.fromEntries(Object.entries(figures).map(([name, value]) => [`${kind}_${name}`, value]));

try {
  let figures: Figures = {};
  let goals: Figures = {};
  const wanted = Number(args.events);
  progress(`Making ${wanted} events`);
  writeLines(lines, wanted);
  for (const kind of args.stores.split(",")) {
    const found = measure(kind, Math.min(wanted, STORES[kind]?.eventsMax ?? wanted));
    if (found) figures = { ...figures, ...prefixed(kind, found) };
    if (found) goals = { ...goals, ...prefixed(kind, STORES[kind]?.goals ?? {}) };
  }
  for (const kind of ["naive", "parsing"]) figures = { ...figures, ...prefixed(kind, measure(kind, wanted) ?? {}) };
  report("store", figures, goals);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
