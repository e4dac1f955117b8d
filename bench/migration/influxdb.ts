import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { INFLUX_LIMITS } from "../../lib/adapters/legacy/old-influx-limits.ts";
import { createOldSystem } from "../../lib/adapters/legacy/old-system.ts";
import { createSqliteEventStore } from "../../lib/adapters/sqlite/event-store.ts";
import { systemClock as clock } from "../../lib/base/clock.ts";
import { createConsistencyCheck } from "../../lib/migration/consistency/check.ts";
import { comparable } from "../../lib/migration/consistency/comparable.ts";
import { newMigration, planSchema, start } from "../../lib/migration/index.ts";
import type { CheckResult, Difference, OldSystem, State } from "../../lib/migration/ports.ts";
import type { EventStore } from "../../lib/store/ports.ts";
import { startInfluxdb } from "../store/influxdb-server.ts";
import { type Figures, progress } from "../support/report.ts";
import { eventAt, HOME, rowAt } from "./home.ts";

const DATABASE = "home_assistant";
const MEASUREMENT = "state";
const BATCH = 5_000;
const HOUR_US = 3_600_000_000;
const MINUTE_US = 60_000_000;
const BY = { actor: "owner" };

/** What came from OLD since it was set to nothing: requests, and bytes of their answers, unpacked. */
interface Traffic {
  requests: number;
  bytes: number;
}

interface Setting {
  readonly rows: number;
  readonly url: string;
  readonly old: OldSystem;
  readonly events: EventStore;
  readonly traffic: Traffic;
}

/**
 * The comparison against a real InfluxDB 1.x, filled by line protocol as Home Assistant's integration writes; NEW is SQLite with the same rows. Rows are deleted there, then found: cold, and again with what the check
 * keeps of the first time. Beside it, everything fetched and compared.
 */
export async function measureInfluxdb(rows: number): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), "hearthline-bench-influxdb-"));
  const server = await startInfluxdb(folder);
  const events = createSqliteEventStore({ path: join(folder, "new.db") });
  const traffic: Traffic = { requests: 0, bytes: 0 };
  try {
    const { url } = server;
    await ask(url, `CREATE DATABASE "${DATABASE}"`);
    const old = createOldSystem(planOf(url).old, {}, { clock, fetch: counting(traffic) });
    const setting = { rows, url, old, events, traffic };
    const fillSeconds = await timed(() => fill(setting));
    progress(`influxdb: ${rows} rows on both sides in ${fillSeconds.toFixed(1)} s`);
    return { influxdb_rows: rows, influxdb_fill_seconds: fillSeconds, ...(await compared(setting)) };
  } finally {
    await events.close();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

// Without a time to wait the second look is part of what is measured.
const planOf = (url: string) =>
  planSchema.parse({
    old: { kind: "influxdb", url, database: DATABASE, measurement: MEASUREMENT },
    ...{ recheckSeconds: 0, fromUs: rowAt(0).atUs - HOUR_US },
  });

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedMs = clock.monotonicMs();
  await work();
  return (clock.monotonicMs() - startedMs) / 1000;
}

const counting =
  (traffic: Traffic): typeof fetch =>
  async (input, init) => {
    const answer = await fetch(input, init);
    const body = await answer.arrayBuffer();
    traffic.requests += 1;
    traffic.bytes += body.byteLength;
    const { status, headers } = answer;
    return new Response(body.byteLength > 0 ? body : null, { status, headers });
  };

async function ask(url: string, q: string): Promise<void> {
  const body = new URLSearchParams({ q, db: DATABASE });
  const answer = await fetch(`${url}/query`, { method: "POST", body });
  const text = await answer.text();
  if (!answer.ok || text.includes('"error"')) throw new Error(`InfluxDB was asked ${q} and answered ${text}.`);
}

async function fill({ rows, old, events }: Setting): Promise<void> {
  for (let from = 0; from < rows; from += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, rows - from) }, (_, at) => eventAt(from + at));
    await events.write(batch);
    const { refused } = await old.write(batch);
    if (refused[0]) throw new Error(`InfluxDB did not take a row: ${refused[0].reason}.`);
  }
  await events.compact(HOME, rowAt(rows - 1).atUs - 24 * HOUR_US);
}

/** As whoever deletes it by hand: the point of that entity at that moment. */
async function deleteRow({ url }: Setting, index: number): Promise<void> {
  const { entityId, atUs } = rowAt(index);
  const { unit = MEASUREMENT } = eventAt(index);
  const objectId = entityId.slice(entityId.indexOf(".") + 1);
  await ask(url, `DELETE FROM "${unit}" WHERE "entity_id" = '${objectId}' AND time = ${atUs}000`);
}

interface Looked {
  readonly seconds: number;
  readonly result: CheckResult;
  readonly told: readonly Difference[];
  readonly requests: number;
  readonly bytes: number;
}

async function compared(setting: Setting): Promise<Figures> {
  const { rows, traffic } = setting;
  const look = looker(setting);
  const cold = await look("shadow");
  const unchanged = await look("shadow");
  await deleteRow(setting, Math.floor(rows / 3));
  const found = await look("shadow");
  await deleteRow(setting, Math.floor(rows / 2));
  const coldFound = await look("final_validation");
  Object.assign(traffic, { requests: 0, bytes: 0 });
  const naive = await naiveDifferences(setting);
  return {
    influxdb_rows_compared: cold.result.sampleSize,
    influxdb_cold_seconds: cold.seconds,
    influxdb_cold_bytes_read: cold.bytes,
    influxdb_cold_differences_named: coldFound.told.length,
    influxdb_cold_with_difference_seconds: coldFound.seconds,
    influxdb_unchanged_seconds: unchanged.seconds,
    influxdb_unchanged_bytes_read: unchanged.bytes,
    influxdb_from_tiles_seconds: found.seconds,
    influxdb_from_tiles_differences_named: found.told.length,
    influxdb_from_tiles_requests: found.requests,
    influxdb_bytes_per_difference: found.bytes / Math.max(1, found.told.length),
    influxdb_naive_seconds: naive.seconds,
    influxdb_naive_differences: naive.differences,
    influxdb_naive_bytes_per_difference: traffic.bytes / Math.max(1, naive.differences),
  };
}

/** The check from step to step, an hour later at each look: what it keeps goes from one to the next as text. */
function looker({ rows, old, events, url, traffic }: Setting): (state: State) => Promise<Looked> {
  let told: Difference[] = [];
  const check = createConsistencyCheck({
    ...{ old, events, clock },
    facts: { settledUs: async () => ({}), account: async () => ({ spans: [] }) },
    store: { addDifferences: async (_home, _id, found) => void told.push(...found) },
  });
  let nowUs = rowAt(rows - 1).atUs + 48 * HOUR_US;
  const beginning = { homeId: HOME, id: "m", salt: "s", nowUs: rowAt(0).atUs, ...BY };
  const row = start(newMigration(planOf(url), beginning), { nowUs: beginning.nowUs, ...BY });
  let memory: unknown;
  return async (state) => {
    told = [];
    Object.assign(traffic, { requests: 0, bytes: 0 });
    nowUs += HOUR_US;
    let result: CheckResult | undefined;
    const seconds = await timed(async () => {
      while (!isThrough(result)) {
        nowUs += MINUTE_US;
        const signal = new AbortController().signal;
        const outcome = await check.run({ migration: { ...row, state }, nowUs, memory, signal });
        result = outcome.results[0];
        memory = JSON.parse(JSON.stringify(outcome.memory));
      }
    });
    if (!result) throw new Error("The comparison said nothing.");
    progress(`influxdb, ${state}: ${seconds.toFixed(1)} s, ${traffic.bytes} bytes, ${result.explanation}`);
    return { seconds, result, told: told.filter(({ class: kind }) => kind !== "known-limit"), ...traffic };
  };
}

/** Everything is compared, and looked at twice where it differs. */
const isThrough = (result: CheckResult | undefined): boolean =>
  result !== undefined &&
  result.verdict !== "inconclusive" &&
  result.explanation.includes("(100 %") &&
  !result.explanation.includes("wait for theirs");

/** What one would write first. */
async function naiveDifferences({ rows, old, events }: Setting) {
  let differences = 0;
  const seconds = await timed(async () => {
    const there = new Set<string>();
    const nameOf = (row: Parameters<typeof comparable>[0]) => {
      const one = comparable(row, INFLUX_LIMITS);
      return one && `${one.entityId} ${one.atUs} ${one.text}`;
    };
    for await (const piece of old.scan({ fromUs: rowAt(0).atUs - HOUR_US, toUs: rowAt(rows - 1).atUs + HOUR_US }))
      for (const row of piece) there.add(nameOf(row) ?? "");
    for await (const piece of events.scan({ homeId: HOME }))
      for (const event of piece) if (!there.has(nameOf(event) ?? "")) differences += 1;
  });
  return { seconds, differences };
}
