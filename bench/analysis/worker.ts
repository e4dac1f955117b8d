/** One figure in a process of its own: `worker.ts STEP SIZE FOLDER DAYS FULL [EMULATORS]`. Its last line is one JSON object of figures. */
import { join } from "node:path";
import type { Figures } from "../support/report.ts";
import { SIZES, type SizeName } from "./homes.ts";
import type { Setting } from "./setting.ts";

const [step = "", size = "small", folder = "", days = "90", full = "30", emulators = "{}"] = process.argv.slice(2);
const setting: Setting = {
  size: SIZES[size as SizeName],
  days: Number(days),
  full: Number(full),
  storePath: join(folder, `${size}.db`),
  keptPath: join(folder, `${size}.jsonl`),
  infoPath: join(folder, `${size}.json`),
  emulators: JSON.parse(emulators) as Setting["emulators"],
  table: `bench-${size}`,
};

/** Loaded only where it runs: what it loads is part of its memory. */
const steps: Readonly<Record<string, () => Promise<(setting: Setting) => Promise<Figures>>>> = {
  prepare: async () => (await import("./prepare.ts")).prepare,
  day: async () => (await import("./reading.ts")).measureDay,
  rescan: async () => (await import("./reading.ts")).measureRescan,
  finds: async () => (await import("./finds.ts")).measureFinds,
  fill: async () => (await import("./job.ts")).fill,
  job: async () => (await import("./job.ts")).measureJob,
};
const work = await steps[step]?.();
if (!work) throw new Error(`There is no step "${step}"; wanted is one of ${Object.keys(steps).join(", ")}.`);
process.stdout.write(`${JSON.stringify(await work(setting))}\n`);
