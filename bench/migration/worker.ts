/** One measurement in a process of its own: `worker.ts WHAT FOLDER ROWS`. Its last line is one JSON object of figures. */
import { join } from "node:path";
import { INFLUX_LIMITS } from "../../lib/adapters/legacy/old-influx-limits.ts";
import { createSqliteEventStore } from "../../lib/adapters/sqlite/event-store.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { createConsistencyCheck } from "../../lib/migration/consistency/check.ts";
import { comparable } from "../../lib/migration/consistency/comparable.ts";
import { planSchema } from "../../lib/migration/plan.ts";
import type { CheckResult, Difference, Migration, State } from "../../lib/migration/ports.ts";
import { eventAt, HOME, type PlainRow, rowAt } from "./home.ts";
import { createBenchOld, type Faults } from "./old.ts";

const [what = "", folder = "", count = "0"] = process.argv.slice(2);
const rows = Number(count);
const store = createSqliteEventStore({ path: join(folder, "new.db") });
const old = createBenchOld(rows);
const HOUR_US = 3_600_000_000;
const BATCH = 5_000;
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

/** Steps until the check is through, its memory as text between two of them. */
async function steps(state: State): Promise<{ readonly result: CheckResult; readonly steps: number }> {
  for (let step = 1; ; step++) {
    const signal = new AbortController().signal;
    const outcome = await check.run({ migration: migrationIn(state), nowUs, memory, signal });
    const [result] = outcome.results;
    memory = JSON.parse(JSON.stringify(outcome.memory));
    const isThrough = result?.verdict !== "inconclusive" && result?.explanation.includes("(100 %");
    if (result && isThrough) return { result, steps: step };
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

const rowFault = (index: number, ...others: PlainRow[]): Faults => ({ rows: new Map([[index, others]]) });

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

/** The faults that other tools have overlooked, each alone in a cold run: is it found, and how many rows are named or counted? */
async function planted(): Promise<Record<string, number>> {
  const at = Math.floor(rows * 0.7);
  const row = rowAt(at);
  const other = rowAt(at + 1);
  const bit = (text: string): string => String.fromCharCode(text.charCodeAt(0) ^ 1) + text.slice(1);
  const faults: Record<string, Faults> = {
    missing: rowFault(at),
    extra: rowFault(at, row, { ...row, atUs: row.atUs + 1, entityId: other.entityId }),
    one_microsecond: rowFault(at, { ...row, atUs: row.atUs + 1 }),
    one_bit: rowFault(at, { ...row, state: bit(row.state) }),
    swapped_values: {
      rows: new Map([
        [at, [{ ...row, state: other.state }]],
        [at + 1, [{ ...other, state: row.state }]],
      ]),
    },
    // Two rows less and the same two rows of others twice: sums by exclusive or are as before.
    equal_xor: {
      rows: new Map([
        [at, [row, row]],
        [at + 1, [other, other]],
        [at + 2, []],
        [at + 3, []],
      ]),
    },
    hour_shifted: { shiftUs: HOUR_US },
  };
  const figures: Record<string, number> = {};
  for (const [name, fault] of Object.entries(faults)) {
    memory = undefined;
    old.faults = fault;
    const found = await measured("final_validation");
    figures[`planted_${name}_counted`] = found.result.observed ?? 0;
    figures[`planted_${name}_seconds`] = found.seconds;
    process.stderr.write(`${name}: ${found.result.verdict}, ${found.result.explanation}\n`);
    for (const { explanation } of told.slice(0, 2)) process.stderr.write(`  ${explanation}\n`);
  }
  return figures;
}

const works: Readonly<Record<string, () => Promise<Record<string, number>>>> = { fill, compared, naive, planted };
const figures = (await works[what]?.()) ?? {};
await store.close();
process.stdout.write(`${JSON.stringify(figures)}\n`);
