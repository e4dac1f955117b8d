/** One measurement in a process of its own: `worker.ts WHAT FOLDER ROWS [FAULT]`. Its last line is one JSON object of figures. */
import { join } from "node:path";
import { INFLUX_LIMITS } from "../../lib/adapters/legacy/old-influx-limits.ts";
import { createSqliteEventStore } from "../../lib/adapters/sqlite/event-store.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { createConsistencyCheck } from "../../lib/migration/consistency/check.ts";
import { comparable } from "../../lib/migration/consistency/comparable.ts";
import { planSchema } from "../../lib/migration/plan.ts";
import type { CheckResult, Difference, Migration, State } from "../../lib/migration/ports.ts";
import { faultsOf, rowFault } from "./faults.ts";
import { eventAt, HOME, rowAt } from "./home.ts";
import { createBenchOld } from "./old.ts";

const [what = "", folder = "", count = "0", only] = process.argv.slice(2);
const rows = Number(count);
const store = createSqliteEventStore({ path: join(folder, "new.db") });
const old = createBenchOld(rows);
const HOUR_US = 3_600_000_000;
const BATCH = 5_000;
/** Time goes on from step to step: what waits for its second look waits for a later moment. */
const STEP_US = 60_000_000;
/** Ten minutes a measurement: after the first one the newest rows are settled too. */
let nowUs = rowAt(rows - 1).atUs + 48 * HOUR_US;
const seconds = (sinceMs: number): number => (performance.now() - sinceMs) / 1_000;
const cpuSeconds = (): number => process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6;
const rssMb = (): number => process.resourceUsage().maxRSS / 1_000;

// Without a time to wait the second look is part of what is measured.
const plan = planSchema.parse({
  old: { kind: "influxdb", url: "http://127.0.0.1:8086" },
  recheckSeconds: 0,
  fromUs: rowAt(0).atUs - HOUR_US,
});
const migrationIn = (state: State): Migration => ({
  ...{ version: 1, id: "m", homeId: HOME, plan, state, stage: 0, stagePercent: 0, epoch: 1, revision: 1, createdUs: 0 },
  ...{ sinceUs: 1, verdict: "inconclusive", checks: [], opened: [], readers: {}, salt: "s" },
});

const told: Difference[] = [];
let memory: unknown;
const check = createConsistencyCheck({
  old,
  events: store,
  clock: systemClock,
  facts: { settledUs: async () => ({}), account: async () => ({ spans: [] }) },
  store: { addDifferences: async (_home, _id, found) => void told.push(...found) },
});

/** Steps until the check is through, everything looked at twice; its memory as text between two of them. */
async function steps(state: State): Promise<{ readonly result: CheckResult; readonly steps: number }> {
  for (let step = 1; ; step++) {
    nowUs += STEP_US;
    const signal = new AbortController().signal;
    const outcome = await check.run({ migration: migrationIn(state), nowUs, memory, signal });
    const [result] = outcome.results;
    memory = JSON.parse(JSON.stringify(outcome.memory));
    const isThrough = result?.explanation.includes("(100 %") && !result.explanation.includes("wait for theirs");
    if (result && isThrough && result.verdict !== "inconclusive") return { result, steps: step };
    process.stderr.write(`  step ${step}: ${result?.explanation.slice(0, 250)}\n`);
  }
}

async function measured(state: State) {
  Object.assign(old.given, { rows: 0, bytes: 0 });
  told.length = 0;
  nowUs += HOUR_US / 6;
  const [start, cpu] = [performance.now(), cpuSeconds()];
  const { result, steps: taken } = await steps(state);
  return { seconds: seconds(start), cpuSeconds: cpuSeconds() - cpu, result, steps: taken };
}

async function fill(): Promise<Record<string, number>> {
  const start = performance.now();
  for (let from = 0; from < rows; from += BATCH)
    await store.write(Array.from({ length: Math.min(BATCH, rows - from) }, (_, index) => eventAt(from + index)));
  await store.compact(HOME, rowAt(rows - 1).atUs - 24 * HOUR_US);
  return { fill_seconds: seconds(start) };
}

async function compared(): Promise<Record<string, number>> {
  const baseRssMb = rssMb();
  const cold = await measured("shadow");
  const again = await measured("shadow");
  const againRows = old.given.rows;
  old.faults = rowFault(Math.floor(rows / 3));
  const found = await measured("shadow");
  const one = { ...old.given, told: told.length };
  const index = Math.floor(rows / 2);
  const row = rowAt(index);
  old.faults = rowFault(index, { ...row, state: `${row.state}1` });
  const final = await measured("final_validation");
  const named = told.filter(({ class: kind, atUs }) => kind === "different" && atUs === row.atUs).length;
  return {
    rows_compared: cold.result.sampleSize,
    cold_seconds: cold.seconds,
    cold_cpu_seconds: cold.cpuSeconds,
    cold_with_difference_seconds: final.seconds,
    cold_differences_named: named,
    unchanged_seconds: again.seconds,
    unchanged_rows_read: againRows,
    from_tiles_seconds: found.seconds,
    from_tiles_differences_named: one.told,
    from_tiles_old_rows_read: one.rows,
    from_tiles_old_bytes_read: one.bytes,
    memory_bytes: JSON.stringify(memory).length,
    rss_start_mb: baseRssMb,
    rss_peak_mb: rssMb(),
  };
}

/** What one would write first: everything of both into a map, by key. */
async function naive(): Promise<Record<string, number>> {
  const [start, cpu] = [performance.now(), cpuSeconds()];
  old.faults = rowFault(Math.floor(rows / 3));
  const there = new Map<string, string>();
  for await (const piece of old.scan({ fromUs: 0, toUs: nowUs }))
    for (const row of piece) there.set(`${row.entityId} ${row.atUs}`, comparable(row, INFLUX_LIMITS)?.text ?? "");
  let differences = 0;
  for await (const piece of store.scan({ homeId: HOME }))
    for (const event of piece)
      if (there.get(`${event.entityId} ${event.atUs}`) !== comparable(event, INFLUX_LIMITS)?.text) differences += 1;
  const { rows: read, bytes } = old.given;
  return {
    naive_seconds: seconds(start),
    naive_cpu_seconds: cpuSeconds() - cpu,
    naive_differences: differences,
    naive_old_rows_read: read,
    naive_old_bytes_read: bytes,
    naive_rss_peak_mb: rssMb(),
  };
}

/** The faults that other tools have overlooked, or the one of that name, each alone in a cold run: is it found whole, and how many rows are named? */
async function planted(): Promise<Record<string, number>> {
  const faults = faultsOf(rows);
  const names = only === undefined ? Object.keys(faults) : [only];
  const figures: Record<string, number> = {};
  for (const name of names) {
    const fault = faults[name];
    if (!fault) throw new Error(`There is no fault "${name}"; wanted is one of ${Object.keys(faults).join(", ")}.`);
    memory = undefined;
    old.faults = fault;
    const found = await measured("final_validation");
    const { observed = 0, verdict, explanation } = found.result;
    Object.assign(figures, {
      [`planted_${name}_wanted`]: fault.differences,
      [`planted_${name}_counted`]: observed,
      [`planted_${name}_named`]: told.filter(({ class: kind }) => kind !== "known-limit").length,
      [`planted_${name}_known_limits_named`]: told.filter(({ class: kind }) => kind === "known-limit").length,
      [`planted_${name}_steps`]: found.steps,
      [`planted_${name}_seconds`]: found.seconds,
      [`planted_${name}_cpu_seconds`]: found.cpuSeconds,
      [`planted_${name}_rss_peak_mb`]: rssMb(),
    });
    process.stderr.write(`${name}: ${verdict}, ${explanation}\n`);
    for (const each of told.slice(0, 2)) process.stderr.write(`  ${each.explanation}\n`);
  }
  return figures;
}

const works: Readonly<Record<string, () => Promise<Record<string, number>>>> = { fill, compared, naive, planted };
const figures = (await works[what]?.()) ?? {};
await store.close();
process.stdout.write(`${JSON.stringify(figures)}\n`);
