import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../lib/base/clock.ts";
import { parseIsoUs } from "../../lib/base/time.ts";
import { type HistoryImportOptions, importHistory } from "../../lib/wiring/history.ts";
import { describePeer, installPeer, type PeerLine, peerFolder, startPeer, stopPeer } from "../support/peers.ts";
import { type Pipeline, startPipeline, type WireEvent } from "../support/pipeline.ts";
import { isLoad, numbersOf, type RealHome, startHome, upFrom } from "../support/real-home.ts";
import { differences, type Happened, readRecorder } from "../support/recorder.ts";
import { until } from "../support/stack.ts";

const NOTHING = { missing: [], invented: [], repeated: [] };
const DATABASE = "homeassistant";
/** Neither is an event of InfluxDB's, by Home Assistant's own choice. */
const UNWRITTEN = new Set(["unknown", "unavailable", ""]);

for (const version of ["newest", "2024", "current"])
  await describePeer(
    `importing from Home Assistant ${version}`,
    async () => {
      await installPeer("home-assistant", ["--version", version, "--install-only"]);
      await (await startInflux()).stop();
    },
    () => imports(version),
  );

function imports(version: string): void {
  describe(`importing from Home Assistant ${version}`, () => {
    const folder = mkdtempSync(join(tmpdir(), "hearthline-import-"));
    let influx: { readonly line: PeerLine; readonly stop: () => Promise<void> };
    let home: RealHome;
    let pipeline: Pipeline;
    let markers = 0;

    beforeAll(async () => {
      influx = await startInflux();
      const config = join(folder, "influxdb.yaml");
      const { port } = new URL(influx.line.url);
      writeFileSync(
        config,
        `influxdb:\n  api_version: 1\n  host: 127.0.0.1\n  port: ${port}\n  database: ${DATABASE}\n  max_retries: 3\n  default_measurement: state\n`,
      );
      home = await startHome(version, ["--config", config]);
      pipeline = await startPipeline();
      await home.drive("inside", { rate: 200, seconds: 5, first: 0 });
      await home.drive("service", { rate: 20, seconds: 2, first: 1 });
      await home.ask("DELETE", "/api/states/sensor.relay_load_7");
    }, 300_000);
    afterAll(async () => {
      await pipeline?.stop();
      await home?.stop();
      await influx?.stop();
      rmSync(folder, { recursive: true, force: true });
    }, 180_000);

    /** What the recorder has written, when it has written everything up to now. */
    async function recorded(): Promise<Happened[]> {
      const state = String(++markers);
      await home.ask("POST", "/api/states/sensor.marker", { state });
      return until(
        async () => readRecorder(home.dir),
        (rows) => rows.some((row) => row.entityId === "sensor.marker" && row.state === state),
        { deadlineMs: 60_000, everyMs: 250 },
      );
    }

    const run = (homeId: string, options: Partial<HistoryImportOptions> & Pick<HistoryImportOptions, "origin">) =>
      importHistory(
        {
          ...pipeline.env,
          HEARTHLINE_DATA: join(folder, homeId),
          HEARTHLINE_HA_URL: home.url,
          HEARTHLINE_HA_TOKEN: home.token,
        },
        { homeId, signal: new AbortController().signal, ...options },
      );
    const tokens = new Map<string, string>();
    async function addHome(homeId: string): Promise<void> {
      tokens.set(homeId, (await pipeline.addHome(homeId)).token);
    }
    async function arrived(homeId: string): Promise<WireEvent[]> {
      await pipeline.drain();
      return pipeline.events(tokens.get(homeId) ?? "");
    }

    it("takes every row of the database of a running home, and no other", async () => {
      await addHome("recorder");
      const before = await recorded();
      const path = join(home.dir, "home-assistant_v2.db");
      const summary = await run("recorder", { origin: { kind: "recorder", path } });
      expect(summary).toMatchObject({ isFinished: true, rejected: { count: 0 }, outOfOrder: 0 });
      const events = await arrived("recorder");
      const after = await recorded();
      expect(differences(before.map(textsHidden), events).missing).toEqual([]);
      expect(differences(after.map(textsHidden), events)).toMatchObject({ invented: [], repeated: [] });
      expect(numbersOf(events, 0)).toEqual(upFrom(0, 1_000));
      expect(events.filter((event) => isLoad(event) && event.kind === "change").length).toBeGreaterThan(900);
      expect(JSON.stringify(events)).not.toMatch(/"(access_token|entity_picture|latitude|longitude)"/);
      // Beside the home's own files there is nothing that was not there before.
      expect(
        readdirSync(home.dir).filter((name) => name.startsWith("home-assistant_v2.db")).length,
      ).toBeLessThanOrEqual(3);
    }, 180_000);

    it("takes what the connected home's history has of the entities that there are", async () => {
      await addHome("connected");
      const before = await recorded();
      const present = new Set(
        (await home.ask<{ entity_id: string }[]>("GET", "/api/states")).map(({ entity_id }) => entity_id),
      );
      // What is younger than half a minute is left to the next time: by this clock nothing is.
      const clock = { ...systemClock, nowMs: () => systemClock.nowMs() + 31_000 };
      const summary = await run("connected", { origin: { kind: "home-assistant" }, clock });
      expect(summary).toMatchObject({ isFinished: true, rejected: { count: 0 } });
      // Nothing among these says how far the recorder goes back.
      const sensors = await run("connected", { origin: { kind: "home-assistant" }, clock, include: ["sensor"] });
      expect(sensors).toMatchObject({ isFinished: true, rejected: { count: 0 } });
      expect(sensors.imported).toBeGreaterThan(500);
      const events = await arrived("connected");
      const wanted = before.filter(({ entityId }) => present.has(entityId)).map(passwordHidden);
      expect(wanted.length).toBeGreaterThan(1_000);
      expect(differences(wanted, events).missing).toEqual([]);
      const after = (await recorded()).map(passwordHidden);
      expect(differences(after, events)).toMatchObject({ invented: [], repeated: [] });
    }, 180_000);

    it("takes from InfluxDB each point at the microsecond of its row, with the number that the row has", async () => {
      await addHome("influxdb");
      const rows = await recorded();
      const byKey = new Map(rows.map(passwordHidden).map((row) => [`${row.entityId} ${row.atUs}`, row]));
      const origin = { kind: "influxdb", url: influx.line.url, database: DATABASE } as const;
      const isIn = (wanted: number) => async () => (await influxPoints(influx.line.url)) >= wanted;
      await until(isIn(1_000), Boolean, { deadlineMs: 60_000, everyMs: 500 });
      expect(await run("influxdb", { origin })).toMatchObject({ isFinished: true, rejected: { count: 0 } });
      const events = await arrived("influxdb");
      const wrong = events.filter((event) => !isSame(event, byKey.get(`${event.entity_id} ${usOf(event)}`)));
      // A row that was written after the list of rows was read.
      const newest = Math.max(...rows.map(({ atUs }) => atUs));
      expect(wrong.filter((event) => usOf(event) <= newest)).toEqual([]);
      const told = new Set(events.map((event) => `${event.entity_id} ${usOf(event)}`));
      const load = rows.filter(({ entityId, state }) => entityId.startsWith("sensor.relay_load_") && state !== null);
      expect(
        load.filter(({ entityId, atUs, state }) => !UNWRITTEN.has(state ?? "") && !told.has(`${entityId} ${atUs}`)),
      ).toEqual([]);
      expect(JSON.stringify(events)).not.toMatch(/"(access_token|entity_picture|latitude|longitude)(_str)?"/);
      const again = await run("influxdb", { origin, isRestart: true });
      expect(again.imported).toBeGreaterThanOrEqual(events.length);
      await expect(run("influxdb", { origin: { ...origin, database: "nowhere" } })).rejects.toMatchObject({
        code: "request_invalid",
      });
    }, 180_000);

    it("goes on with a copy that was made after another start, and knows what was no change", async () => {
      await home.end();
      await home.begin();
      await home.drive("inside", { rate: 100, seconds: 2, first: 5_000 });
      await recorded();
      await home.end();
      const path = join(folder, "copy.db");
      copyFileSync(join(home.dir, "home-assistant_v2.db"), path);
      const log = join(home.dir, "home-assistant_v2.db-wal");
      if (existsSync(log) && statSync(log).size > 0) copyFileSync(log, `${path}-wal`);
      const summary = await run("recorder", { origin: { kind: "recorder", path } });
      expect(summary.read).toBeLessThan(summary.sequence);
      const events = await arrived("recorder");
      expect(differences(readRecorder(home.dir).map(textsHidden), events)).toEqual(NOTHING);
      expect(numbersOf(events, 5_000)).toEqual(upFrom(5_000, 200));
      const lights = events.filter(({ entity_id, kind }) => entity_id === "light.bed_light" && kind === "restore");
      expect(lights.length).toBeGreaterThanOrEqual(2);
      expect(await run("recorder", { origin: { kind: "recorder", path } })).toMatchObject({ read: 0, imported: 0 });
    }, 180_000);
  });
}

const hidden =
  (isSecret: RegExp) =>
  (row: Happened): Happened =>
    isSecret.test(row.entityId) && row.state !== null ? { ...row, state: "[secret]" } : row;
/** The recorder does not keep which text is a password, and nobody else has said so of this home. */
const textsHidden = hidden(/^(input_)?text\./);
const passwordHidden = hidden(/^text\.password$/);

const usOf = ({ last_updated }: WireEvent): number => parseIsoUs(last_updated);

/** The text of a number was lost on the way into InfluxDB. */
function isSame(event: WireEvent, row: Happened | undefined): boolean {
  if (!row || row.state === null) return false;
  return event.state === row.state || Number(event.state) === Number(row.state);
}

async function startInflux() {
  const { dir, remove } = await peerFolder("influxdb");
  const line = await startPeer("influxdb", ["--dir", dir]);
  await influxQuery(line.url, `CREATE DATABASE ${DATABASE}`);
  return {
    line,
    stop: async () => {
      await stopPeer(dir);
      await remove();
    },
  };
}

async function influxQuery(url: string, q: string) {
  const answer = await fetch(`${url}/query`, { method: "POST", body: new URLSearchParams({ db: DATABASE, q }) });
  return (await answer.json()) as { results: { series?: { values: unknown[][] }[] }[] };
}

/** How many states lie there, of those that our load makes. */
async function influxPoints(url: string): Promise<number> {
  const { results } = await influxQuery(url, "SELECT count(value) FROM /.*/ WHERE entity_id =~ /^relay_load_/");
  return (results[0]?.series ?? []).reduce((sum, { values }) => sum + Number(values[0]?.[1] ?? 0), 0);
}
