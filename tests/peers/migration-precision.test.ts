import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createOldSystem } from "../../lib/adapters/legacy/old-system.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { planSchema } from "../../lib/migration/plan.ts";
import type { OldRow } from "../../lib/migration/ports.ts";
import { hearthline, killPart, subscribedSince } from "../support/embedded.ts";
import { influxql } from "../support/influxdb.ts";
import { describePeer, freePort, peerFolder, startPeer, stopPeer } from "../support/peers.ts";
import { numbersOf, startHome, upFrom } from "../support/real-home.ts";
import { allEvents, newDataFolder, type RunningStack, removeData, startStack, until } from "../support/stack.ts";

const DATABASE = "home_assistant";
const MEASUREMENT = "state";
const ROUND = { rate: 20, seconds: 3 };

const influxFolder = await peerFolder("influxdb");
const influxArgs = ["--dir", influxFolder.dir, "--port", String(await freePort())];
const config = join(influxFolder.dir, "influxdb.yaml");

/** A home whose integration is told to keep milliseconds. */
async function prepare() {
  const { url } = await startPeer("influxdb", influxArgs);
  await influxql(url, `CREATE DATABASE "${DATABASE}"`);
  const { hostname, port } = new URL(url);
  const settings = { api_version: 1, host: hostname, port, database: DATABASE, max_retries: 3, precision: "ms" };
  const lines = Object.entries({ ...settings, default_measurement: MEASUREMENT }).map(
    ([name, one]) => `  ${name}: ${one}`,
  );
  writeFileSync(config, `influxdb:\n${lines.join("\n")}\n`);
  return { url, home: await startHome("current", ["--config", config]) };
}

const HURRIED = {
  old: { kind: "influxdb", url: "", measurement: MEASUREMENT },
  stages: [50, 100],
  gates: ["cleanup"],
  ...{
    soak_seconds: 1,
    stabilise_seconds: 1,
    quiet_seconds: 2,
    settle_seconds: 6,
    recheck_seconds: 2,
    probes_per_step: 80,
  },
  thresholds: {
    ...{ alert_percent: 100, rollback_percent: 100, floor_ms: 200, error_percent: 10, lag_seconds: 15 },
    ...{ alpha: 0.2, leak_percent_per_hour: 1000 },
  },
};

interface Migration {
  readonly state: string;
  readonly situation: string;
  readonly checks: readonly { readonly name: string; readonly verdict: string; readonly explanation: string }[];
}

const TITLE = "moving from an InfluxDB whose time stamps Home Assistant cuts to milliseconds";
await describePeer(TITLE, prepare, (prepared) => describe(TITLE, () => moving(prepared)));

function moving({ url, home }: Awaited<ReturnType<typeof prepare>>): void {
  const old = createOldSystem(planSchema.parse({ old: { ...HURRIED.old, url } }).old, {}, { clock: systemClock });
  const dataFolder = newDataFolder();
  let stack: RunningStack;
  let made = 0;
  let isOn = false;
  let running: Promise<void> | undefined;

  async function round(): Promise<void> {
    const driven = await home.drive("states", { ...ROUND, first: made });
    if (driven.failed > 0) throw new Error(`${driven.failed} of ${driven.made} states were refused.`);
    made += driven.made;
  }
  function begin(): void {
    isOn = true;
    running = (async () => {
      while (isOn) await round();
    })();
  }
  async function pause(): Promise<void> {
    isOn = false;
    await running;
  }
  async function rowsOfOld(): Promise<OldRow[]> {
    const rows: OldRow[] = [];
    for await (const piece of old.scan({ fromUs: 0, toUs: Date.now() * 1000 + 60_000_000 })) rows.push(...piece);
    return rows;
  }
  const loads = (rows: readonly OldRow[]): number[] =>
    rows
      .filter(({ entityId }) => /^sensor\.relay_load_\d+$/.test(entityId))
      .map(({ state }) => Number(state))
      .sort((a, b) => a - b);

  beforeAll(async () => {
    // Before Hearthline is there: what only OLD has.
    await round();
    await until(rowsOfOld, (rows) => loads(rows).length === made, { deadlineMs: 120_000, everyMs: 500 });
    stack = await startStack({
      dataFolder,
      env: { HEARTHLINE_HA_URL: home.url, HEARTHLINE_HA_TOKEN: home.token, HEARTHLINE_MIGRATION_SECONDS: "1" },
    });
    await subscribedSince(stack);
    begin();
  }, 300_000);
  afterAll(async () => {
    await pause().catch(() => {});
    await stack?.stop();
    await home.stop();
    await stopPeer(influxFolder.dir);
    await influxFolder.remove();
    removeData(dataFolder);
  }, 180_000);

  async function command(...args: string[]) {
    const { code, out, json } = await hearthline(dataFolder, "migrate", ...args);
    expect([code, code === 0 ? "" : out]).toEqual([0, ""]);
    return json;
  }
  const now = (id: string) => stack.get<Migration>(`/api/v1/migrations/${id}`);
  const check = ({ checks }: Migration, name: string) => checks.find((one) => one.name === name);
  const plan = async (...args: string[]) => {
    const file = join(dataFolder, "plan.json");
    writeFileSync(file, JSON.stringify({ ...HURRIED, old: { ...HURRIED.old, url } }));
    return command("plan", "--plan", file, ...args);
  };

  it("Home Assistant writes whole milliseconds and NEW has microseconds of the same", async () => {
    const stamps = (await rowsOfOld()).map(({ atUs }) => atUs);
    expect(stamps.length).toBeGreaterThan(50);
    expect(stamps.filter((atUs) => atUs % 1_000 !== 0)).toEqual([]);
    expect(stamps.some((atUs) => atUs % 1_000_000 !== 0)).toBe(true);
  });

  it("holds before anything moves where the plan says microseconds, with the rows and the remedy", async () => {
    const { id, explanation } = await plan("--precision", "us");
    expect(explanation.join(" ")).toMatch(/Attention: its newest \d+ rows.*whole milliseconds.*--precision ms/);
    await command("start");
    const held = await until(
      () => now(id),
      (one) => check(one, "old-precision")?.verdict === "fail",
      { deadlineMs: 60_000, everyMs: 200 },
    );
    expect(["prepared", "dual_write"]).toContain(held.state);
    expect(check(held, "old-precision")?.explanation).toMatch(
      /says that OLD's time stamps are microseconds, but they are cut to whole milliseconds: \d+ of its newest rows.*plan anew with "old": \{"precision": "ms"\}/,
    );
    await command("abort", "--reason", "Its stamps are cut.");
    await until(
      () => now(id),
      ({ state }) => state === "rolled_back",
      { deadlineMs: 90_000, everyMs: 500 },
    );
  }, 240_000);

  it("finds the precision out by itself, and goes the whole way to complete", async () => {
    const made = await plan();
    expect(made.explanation.join(" ")).toMatch(
      /OLD's time stamps are cut to whole milliseconds, as its newest \d+ rows/,
    );
    expect(made.plan).toMatchObject({ old: { precision: "ms" } });
    await command("start");
    const reaches = async (isThere: (one: Migration) => boolean, deadlineMs: number) => {
      const found = await until(
        () => now(made.id),
        (one) => isThere(one) || ["complete", "rolling_back", "rolled_back"].includes(one.state),
        { deadlineMs, everyMs: 300 },
      );
      if (!isThere(found)) throw new Error(`It ended: ${found.state}. ${found.situation}`);
      return found;
    };
    await reaches(({ situation }) => situation.includes("opened by hand (advance)"), 420_000);
    await pause();
    await expectOnce();
    await command("advance");
    await reaches((one) => check(one, "cleanup") !== undefined, 120_000);
    await home.end();
    writeFileSync(config, "");
    await home.begin();
    begin();
    await reaches((one) => check(one, "cleanup")?.explanation.startsWith("Dual write is stopped") === true, 180_000);
    await killPart(stack, "relay");
    await reaches(({ state }) => state === "complete", 180_000);
    await pause();
    const report = await command("report");
    expect(report).toMatchObject({
      ...{ state: "complete", verdict: "pass" },
      differences: { missing_in_new: 0, missing_in_old: 0, different: 0 },
      figures: { lost_events: 0, consistent_percent: 100 },
    });
  }, 1_200_000);

  /** What NEW heard and what came over from OLD of the same are one: each number is there once, on both sides. */
  async function expectOnce(): Promise<void> {
    const wanted = upFrom(0, made);
    const found = async () => numbersOf(await allEvents(stack), 0);
    const patience = { deadlineMs: 120_000, everyMs: 500 };
    await until(found, ({ length }) => length >= wanted.length, patience);
    expect(await found()).toEqual(wanted);
    // The integration writes when 100 are together, or when nothing has happened for a second.
    const rows = await until(rowsOfOld, (all) => loads(all).length >= wanted.length, patience);
    expect(loads(rows)).toEqual(wanted);
  }
}
