import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { createOldPast } from "../../lib/adapters/legacy/old-past.ts";
import { createOldSystem } from "../../lib/adapters/legacy/old-system.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { parseIsoUs } from "../../lib/base/time.ts";
import type { PastRow } from "../../lib/history/index.ts";
import { planSchema } from "../../lib/migration/plan.ts";
import type { OldRow, OldSystem } from "../../lib/migration/ports.ts";
import { describeOldSystem } from "../conformance/old-system.ts";
import { backfillOf, stepOf } from "../migration/backfill-support.ts";
import { KeepingSink } from "../support/imports.ts";
import { influxql } from "../support/influxdb.ts";
import { describePeer, freePort, peerFolder, startPeer, stopPeer } from "../support/peers.ts";
import { startHome } from "../support/real-home.ts";
import { until } from "../support/stack.ts";

const DATABASE = "home_assistant";

const influxFolder = await peerFolder("influxdb");
const influxArgs = ["--dir", influxFolder.dir, "--port", String(await freePort())];

const planOf = (url: string, database: string, measurement?: string) =>
  planSchema.parse({ old: { kind: "influxdb", url, database, ...(measurement && { measurement }) } }).old;

async function prepare() {
  const { url } = await startPeer("influxdb", influxArgs);
  await influxql(url, `CREATE DATABASE "${DATABASE}"`);
  const config = join(influxFolder.dir, "influxdb.yaml");
  const { hostname, port } = new URL(url);
  await writeFile(
    config,
    `influxdb:\n  api_version: 1\n  host: ${hostname}\n  port: ${port}\n  database: ${DATABASE}\n  max_retries: 3\n  default_measurement: state\n`,
  );
  return { url, home: await startHome("newest", ["--config", config]) };
}

async function scanned(old: OldSystem, fromUs: number, toUs: number): Promise<OldRow[]> {
  const rows: OldRow[] = [];
  for await (const piece of old.scan({ fromUs, toUs })) rows.push(...piece);
  return rows;
}

await describePeer("the old system", prepare, ({ url, home }) => {
  afterAll(async () => {
    await home.stop();
    await stopPeer(influxFolder.dir);
    await influxFolder.remove();
  });

  for (const measurement of ["state", undefined])
    describeOldSystem(
      `InfluxDB 1.6, ${measurement ? "a default measurement" : "a measurement an entity"}`,
      async () => {
        const database = `conformance_${measurement ?? "entity"}`;
        const make = async () => {
          await influxql(url, `DROP DATABASE "${database}"`);
          await influxql(url, `CREATE DATABASE "${database}"`);
        };
        await make();
        return {
          old: createOldSystem(planOf(url, database, measurement), {}, { clock: systemClock }),
          empty: make,
          dispose: async () => void (await influxql(url, `DROP DATABASE "${database}"`)),
        };
      },
      5,
    );

  describe(`the InfluxDB of Home Assistant ${home.version}`, () => {
    const plan = planOf(url, DATABASE, "state");
    const old = createOldSystem(plan, {}, { clock: systemClock });
    const setState = (entityId: string, state: string, attributes: object) =>
      home.ask("POST", `/api/states/${entityId}`, { state, attributes });

    it("gives every state that Home Assistant wrote, with its microsecond", async () => {
      const W = { unit_of_measurement: "W" };
      await setState("sensor.first_mark", "1", W);
      for (const state of ["12.50", "nan", "unknown", "unavailable", "13.0"]) await setState("sensor.odd", state, W);
      await setState("sensor.odd", "0.0131", { unit_of_measurement: "kW" });
      await home.drive("states", { rate: 50, seconds: 4, first: 0 });
      await home.ask("POST", "/api/services/light/turn_on", { entity_id: "light.bed_light", brightness: 99 });
      await setState("sensor.last_mark", "1", W);
      const rows = await until(
        () => scanned(old, 0, systemClock.nowMs() * 1000 + 1_000_000_000),
        (all) => all.some(({ entityId }) => entityId === "sensor.last_mark"),
        { deadlineMs: 60_000, everyMs: 500 },
      );
      const loads = rows.filter(({ entityId }) => entityId.startsWith("sensor.relay_load_"));
      expect(loads.map(({ state }) => Number(state)).toSorted((a, b) => a - b)).toEqual(loads.map((_, n) => n));
      expect(loads.length).toBeGreaterThan(150);
      const odd = rows.filter(({ entityId }) => entityId === "sensor.odd");
      expect(odd.map(({ state }) => state)).toEqual(["12.5", "13", "0.0131"]);
      const states = (await home.ask("GET", "/api/states")) as readonly Record<string, string>[];
      const newest = new Map(rows.map((row) => [row.entityId, row]));
      let compared = 0;
      for (const { entity_id = "", state = "", last_updated = "" } of states) {
        const row = newest.get(entity_id);
        if (!row || ["unknown", "unavailable", ""].includes(state)) continue;
        // What goes on changing by itself has changed since.
        if (row.atUs !== parseIsoUs(last_updated)) continue;
        compared += 1;
        expect(Number.isFinite(Number(state)) ? String(Number(state)) : state).toBe(row.state);
      }
      expect(compared).toBeGreaterThan(50);
    });

    it("counts, pages and describes what it scans", async () => {
      const { oldestUs = 0, newestUs = 0, product, schema, memoryBytes, rowsTaken } = await old.describe();
      const toUs = newestUs + 1;
      const rows = await scanned(old, oldestUs, toUs);
      expect([rows[0]?.atUs, rows.at(-1)?.atUs]).toEqual([oldestUs, newestUs]);
      expect(product).toContain("1.6");
      expect(schema).toBe("tags domain, entity_id; state string, value number");
      expect(memoryBytes).toBeGreaterThan(1_000_000);
      expect(rowsTaken).toBeGreaterThanOrEqual(rows.length);
      const widthUs = 1_000_000;
      const counts = await old.counts({ fromUs: oldestUs, toUs, widthUs });
      const wanted = Map.groupBy(rows, ({ atUs }) => Math.floor(atUs / widthUs) * widthUs);
      expect(counts).toEqual([...wanted].map(([fromUs, group]) => ({ fromUs, count: group.length })));
      for (const order of ["asc", "desc"] as const) {
        const keys: string[] = [];
        let after: Parameters<OldSystem["range"]>[0]["after"];
        do {
          const query = { homeId: "home", order, limit: 37, fromUs: oldestUs, toUs };
          const page = await old.range({ ...query, ...(after && { after }) });
          keys.push(...page.events.map(({ atUs, entityId, state }) => `${atUs} ${entityId} ${state}`));
          after = page.next;
        } while (after);
        const all = rows.map(({ atUs, entityId, state }) => `${atUs} ${entityId} ${state}`);
        expect(keys).toEqual(order === "asc" ? all : all.toReversed());
      }
    });

    it("is brought over whole by the back-fill, with attributes and without secrets, step by step", async () => {
      const { newestUs = 0 } = await old.describe();
      const rows = await scanned(old, 0, newestUs + 1);
      const past = () => createOldPast(plan, {}, { system: old, isIncluded: () => true, toUs: newestUs + 1 });
      const read: PastRow[] = [];
      for await (const chunk of past().read(undefined, new AbortController().signal)) read.push(...chunk.rows);
      const keyOf = ({ atUs, entityId, state }: { atUs: number; entityId: string; state: string | null }) =>
        `${atUs} ${entityId} ${state}`;
      expect(read.map(keyOf).toSorted()).toEqual(rows.map(keyOf).toSorted());
      expect(JSON.stringify(read)).not.toMatch(/access_token|"latitude"/);
      expect(read.some(({ attributes }) => attributes.brightness === 99)).toBe(true);
      const sink = new KeepingSink();
      let memory: unknown;
      let steps = 0;
      for (; steps < 500; steps++) {
        // A new process each time, and little each time.
        const step = await stepOf(backfillOf({ sink, source: past, rowsPerStep: 20 }), memory);
        memory = step.memory;
        if (step.result?.verdict === "pass") break;
      }
      expect(steps).toBeGreaterThan(5);
      const sent = sink.records.map(
        (record) => `${parseIsoUs(record.t === "state" ? record.last_updated : "")} ${record.entity_id}`,
      );
      expect(sent.toSorted()).toEqual(rows.map(({ atUs, entityId }) => `${atUs} ${entityId}`).toSorted());
    });
  });
});
