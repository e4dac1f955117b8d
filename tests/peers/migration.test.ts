import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createOldSystem } from "../../lib/adapters/legacy/old-system.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { formatIsoUs, parseIsoUs } from "../../lib/base/time.ts";
import { planSchema } from "../../lib/migration/plan.ts";
import type { OldRow } from "../../lib/migration/ports.ts";
import { type HealthAnswer, hearthline, killPart, subscribedSince } from "../support/embedded.ts";
import { influxql } from "../support/influxdb.ts";
import { describePeer, freePort, peerFolder, startPeer, stopPeer } from "../support/peers.ts";
import { numbersOf, type RealHome, startHome, upFrom } from "../support/real-home.ts";
import { allEvents, newDataFolder, type RunningStack, removeData, startStack, until } from "../support/stack.ts";

const DATABASE = "home_assistant";
const MEASUREMENT = "state";
const ROUND = { rate: 20, seconds: 4 };

const influxFolder = await peerFolder("influxdb");
const influxArgs = ["--dir", influxFolder.dir, "--port", String(await freePort())];
const config = join(influxFolder.dir, "influxdb.yaml");

async function prepare() {
  const { url, pid } = await startPeer("influxdb", influxArgs);
  await influxql(url, `CREATE DATABASE "${DATABASE}"`);
  const { hostname, port } = new URL(url);
  const settings = { api_version: 1, host: hostname, port, database: DATABASE, max_retries: 3 };
  const lines = Object.entries({ ...settings, default_measurement: MEASUREMENT }).map(
    ([name, one]) => `  ${name}: ${one}`,
  );
  writeFileSync(config, `influxdb:\n${lines.join("\n")}\n`);
  return { url, pid, home: await startHome("current", ["--config", config]) };
}

/**
 * A step a second, stages of a second: what takes a week takes two minutes. Home Assistant's integration collects rows until a second passes without an event, so rows settle longer than a round of
 * events lasts. A process that has just started grows: its memory is judged by what the statistics' own tests prove.
 */
const HURRIED = {
  old: { kind: "influxdb", url: "", measurement: MEASUREMENT },
  stages: [50, 100],
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

interface Change {
  readonly to: string;
  readonly trigger?: string;
  readonly reason: string;
  readonly evidence: readonly { readonly name: string; readonly explanation: string }[];
}

interface Migration {
  readonly id: string;
  readonly state: string;
  readonly situation: string;
  readonly checks: readonly { readonly name: string; readonly verdict: string; readonly explanation: string }[];
}

/** Of the demo integration's text entity in `mode: password`. */
const PASSWORD = "Hello world";
const CELLAR = Array.from({ length: 40 }, (_, n) => String(180 + n).replace(/(\d)$/, ".$1"));

const setState = (home: RealHome, entityId: string, state: string, unit = "W") =>
  home.ask("POST", `/api/states/${entityId}`, { state, attributes: { unit_of_measurement: unit } });

/** What one side cannot hold, or holds otherwise. */
async function oddStates(home: RealHome): Promise<void> {
  for (const state of ["12.50", "nan", "unknown", "unavailable", "13.0", "1e3"])
    await setState(home, "sensor.odd", state);
  await setState(home, "sensor.odd", "0.0131", "kW");
  await setState(home, "sensor.gone", "1");
  await home.ask("DELETE", "/api/states/sensor.gone");
  for (const state of ["two\nlines", 'a, = "b" \\', ""])
    await home.ask("POST", "/api/states/sensor.text", { state, attributes: {} });
}

const loadsOf = (rows: readonly OldRow[]): number[] =>
  rows
    .filter(({ entityId }) => /^sensor\.relay_load_\d+$/.test(entityId))
    .map(({ state }) => Number(state))
    .sort((a, b) => a - b);

/** A home in which something happens all the time: rounds of events whose states count on. */
function createFeed(home: RealHome) {
  let made = 0;
  let rounds = 0;
  let running: Promise<void> | undefined;
  let isOn = false;
  async function round(): Promise<void> {
    const driven = await home.drive("states", { ...ROUND, first: made });
    if (driven.failed > 0) throw new Error(`${driven.failed} of ${driven.made} states were refused.`);
    made += driven.made;
    rounds += 1;
  }
  async function pause(): Promise<void> {
    isOn = false;
    await running;
  }
  return {
    round,
    pause,
    end: pause,
    made: () => made,
    begin(): void {
      isOn = true;
      running = (async () => {
        while (isOn) await round();
      })();
    },
    /** Waits until so many more are done. */
    async rounds(count: number): Promise<void> {
      const wanted = rounds + count;
      await until(
        async () => rounds,
        (now) => now >= wanted,
        { deadlineMs: 60_000, everyMs: 200 },
      );
    },
  };
}

const TITLE = "moving from the InfluxDB of a real Home Assistant";
await describePeer(TITLE, prepare, (prepared) => describe(TITLE, () => moving(prepared)));

function moving({ url, pid, home }: Awaited<ReturnType<typeof prepare>>): void {
  const old = createOldSystem(planSchema.parse({ old: { ...HURRIED.old, url } }).old, {}, { clock: systemClock });
  const dataFolder = newDataFolder();
  const feed = createFeed(home);
  let stack: RunningStack;
  let past: readonly OldRow[] = [];
  let beganUs = 0;

  beforeAll(async () => {
    await oddStates(home);
    for (const state of CELLAR) await setState(home, "sensor.cellar", state);
    await feed.round();
    past = await until(rowsOfOld, (rows) => loadsOf(rows).length === feed.made(), {
      deadlineMs: 120_000,
      everyMs: 500,
    });
    beganUs = Date.now() * 1000;
    stack = await startStack({
      dataFolder,
      env: { HEARTHLINE_HA_URL: home.url, HEARTHLINE_HA_TOKEN: home.token, HEARTHLINE_MIGRATION_SECONDS: "1" },
    });
    await subscribedSince(stack);
    await oddStates(home);
    feed.begin();
  }, 600_000);
  afterAll(async () => {
    await feed.end().catch(() => {});
    await stack?.stop();
    await home.stop();
    await stopPeer(influxFolder.dir);
    await influxFolder.remove();
    removeData(dataFolder);
  }, 180_000);

  async function rowsOfOld(): Promise<OldRow[]> {
    const rows: OldRow[] = [];
    for await (const piece of old.scan({ fromUs: 0, toUs: Date.now() * 1000 + 60_000_000 })) rows.push(...piece);
    return rows;
  }

  async function command(...args: string[]) {
    const { code, out, json } = await hearthline(dataFolder, "migrate", ...args);
    expect([code, code === 0 ? "" : out]).toEqual([0, ""]);
    return json;
  }

  /** A new migration, on its way. */
  async function begin(more: object): Promise<string> {
    const file = join(dataFolder, "plan.json");
    writeFileSync(file, JSON.stringify({ ...HURRIED, old: { ...HURRIED.old, url }, ...more }));
    const { id, explanation } = await command("plan", "--plan", file);
    expect(explanation.join(" ")).toContain("InfluxDB 1.6");
    await command("start");
    return id;
  }

  /** Waits until it is as wanted. @throws Error where it ends elsewhere, with why */
  async function reaches(id: string, isThere: (now: Migration) => boolean, deadlineMs: number): Promise<Migration> {
    const found = await until(
      () => stack.get<Migration>(`/api/v1/migrations/${id}`),
      (now) => isThere(now) || ["complete", "rolled_back"].includes(now.state),
      { deadlineMs, everyMs: 200 },
    );
    if (!isThere(found)) throw new Error(`It ended: ${found.state}. ${found.situation}`);
    return found;
  }

  /** What a reader is told of a time before Hearthline was there. */
  async function readCellar() {
    const query = `entity_id=sensor.cellar&order=asc&limit=1000&to=${encodeURIComponent(formatIsoUs(beganUs))}`;
    const answer = await stack.fetch(`/api/v1/events?${query}`);
    const side = answer.headers.get("x-hearthline-authority") ?? "none";
    if (!answer.ok) return { side, status: answer.status, states: [] };
    const { events } = (await answer.json()) as { events: { state: string }[] };
    return { side, status: answer.status, states: events.map(({ state }) => Number(state)) };
  }
  const WHOLE = CELLAR.map(Number);

  it("holds when InfluxDB dies in the middle, goes on when it is back, and loses nothing: OLD has everything", async () => {
    const id = await begin({ gates: ["stabilise", "cleanup"] });
    const ofOld = ({ checks }: Migration) => checks.find(({ name }) => name === "health.old")?.verdict;
    const waits = ({ situation }: Migration) => situation.includes("opened by hand (advance)");
    await reaches(id, ({ state }) => state === "ramp", 240_000);
    expect(await readCellar()).toMatchObject({ status: 200, states: WHOLE });
    process.kill(pid, "SIGKILL");
    try {
      const held = await reaches(id, (now) => ofOld(now) === "fail", 120_000);
      expect(held).toMatchObject({ state: "ramp", situation: expect.stringContaining("health.old failed") });
      expect(await readCellar()).toEqual({ side: "new", status: 200, states: WHOLE });
      await feed.rounds(1);
      const still = await stack.get<Migration>(`/api/v1/migrations/${id}`);
      expect([still.state, ofOld(still)]).toEqual(["ramp", "fail"]);
    } finally {
      await startPeer("influxdb", influxArgs);
    }
    const gate = await reaches(id, (now) => waits(now) || now.state === "rolling_back", 240_000);
    expect(gate).toMatchObject({ state: "ramp" });
    await command("rollback", "--reason", "It was enough.");
    await reaches(id, ({ state }) => state === "rolled_back", 240_000);
    await feed.pause();
    const { history } = await command("report");
    expect((history as Change[]).filter(({ trigger }) => trigger !== undefined)).toEqual([]);
    await expectNoHoles();
    expect(await readCellar()).toEqual({ side: "old", status: 200, states: WHOLE });
    feed.begin();
  }, 1_200_000);

  /** Every number that was ever driven is on both sides. */
  async function expectNoHoles(): Promise<void> {
    const wanted = upFrom(0, feed.made());
    const both = async () => ({ old: loadsOf(await rowsOfOld()), new: numbersOf(await allEvents(stack), 0) });
    const isWhole = (found: Awaited<ReturnType<typeof both>>) =>
      found.old.length >= wanted.length && found.new.length >= wanted.length;
    const found = await until(both, isWhole, { deadlineMs: 120_000, everyMs: 500 }).catch(both);
    expect(found.old).toEqual(wanted);
    expect(found.new).toEqual(wanted);
  }

  it("goes the whole way to complete when a person has opened the gate and removed the integration", async () => {
    const id = await begin({ gates: ["cleanup"] });
    const wrong: unknown[] = [];
    const by = new Set<string>();
    let isOver = false;
    const reader = (async () => {
      while (!isOver) {
        const read = await readCellar();
        by.add(read.side);
        if (read.status !== 200 || read.states.join() !== WHOLE.join()) wrong.push(read);
        await new Promise((done) => setTimeout(done, 400));
      }
    })();
    let inOld: readonly OldRow[] = [];
    try {
      const gate = await reaches(id, ({ situation }) => situation.includes("opened by hand (advance)"), 300_000);
      expect(gate).toMatchObject({ state: "rampdown" });
      await feed.pause();
      await expectNoHoles();
      inOld = await rowsOfOld();
      await command("advance");
      const cleanup = await reaches(id, ({ checks }) => checks.some(({ name }) => name === "cleanup"), 120_000);
      expect(cleanup.checks.find(({ name }) => name === "cleanup")?.explanation).toContain(
        'Remove the integration "influxdb" from Home Assistant',
      );
      await home.end();
      writeFileSync(config, "");
      await home.begin();
      feed.begin();
      const isStopped = ({ checks }: Migration) =>
        checks.some(({ name, explanation }) => name === "cleanup" && explanation.startsWith("Dual write is stopped"));
      await reaches(id, isStopped, 180_000);
      // The relay says how it is at least every five minutes; one that begins anew says so at once.
      await killPart(stack, "relay");
      await reaches(id, ({ state }) => state === "complete", 180_000);
    } finally {
      isOver = true;
      await reader;
    }
    await feed.pause();
    expect(wrong).toEqual([]);
    expect([...by].toSorted()).toEqual(["new", "old"]);
    // OLD's data is not ours to delete.
    const kept = new Set((await rowsOfOld()).map((row) => JSON.stringify(row)));
    expect(inOld.filter((row) => !kept.has(JSON.stringify(row)))).toEqual([]);
  }, 1_200_000);

  it("has OLD's rows of the time before Hearthline in NEW, and all that came since", async () => {
    const events = await allEvents(stack);
    const states = new Map(
      events.map((event) => [`${event.entity_id} ${parseIsoUs(String(event.last_updated))}`, event.state]),
    );
    const before = past.filter(({ atUs }) => atUs < beganUs);
    expect(before.length).toBeGreaterThan(150);
    const lacking = before.filter(({ entityId, atUs, state }) => {
      const told = states.get(`${entityId} ${atUs}`);
      return told !== state && !(entityId === "text.password" && told === "[secret]");
    });
    expect(lacking).toEqual([]);
    const numbers = upFrom(0, feed.made());
    const found = await until(
      async () => numbersOf(await allEvents(stack), 0),
      ({ length }) => length >= numbers.length,
      { deadlineMs: 60_000, everyMs: 500 },
    ).catch(async () => numbersOf(await allEvents(stack), 0));
    expect(found).toEqual(numbers);
  }, 180_000);

  it("has a report without an unexplained difference, that names what OLD cannot hold, and is as it was made", async () => {
    const report = await command("report");
    expect(report).toMatchObject({
      ...{ state: "complete", verdict: "pass" },
      differences: { missing_in_new: 0, missing_in_old: 0, different: 0 },
      figures: { downtime_seconds: 0, lost_events: 0, read_errors: 0, consistent_percent: 100 },
      ledger: { first_sequence: 1, gaps: [], lost_records: 0 },
    });
    const said = (name: string) =>
      (report.history as Change[]).flatMap(({ evidence }) => evidence).findLast((one) => one.name === name)
        ?.explanation ?? "";
    expect(said("consistency")).toMatch(/: 0 rows differ after a second look/);
    expect(said("consistency")).toMatch(/What OLD cannot hold: .*\d+ secret.*\d+ left-out/);
    const known = said("api-compare").split("Known differences: ")[1] ?? "";
    for (const name of ["attributes", "contexts", "states-left-out", "enrichment"])
      expect(known).toMatch(new RegExp(`${name} \\d+ \\([A-Z]`));
    expect(JSON.stringify(report)).not.toContain(PASSWORD);
    const limits = (report.known_limits as { explanation: string }[]).map(({ explanation }) => explanation);
    expect(limits).toContainEqual(expect.stringContaining('a password or a token as "text.password"'));
    const file = join(dataFolder, "report.json");
    writeFileSync(file, JSON.stringify(report));
    await command("report", "--check", file);
    const { parts } = await stack.get<HealthAnswer>("/health");
    const ledgers = parts.flatMap(({ ledger }) => ledger ?? []);
    // The relay's, and that of the back-fill.
    expect(ledgers.length).toBeGreaterThanOrEqual(2);
    for (const ledger of ledgers) expect(ledger).toMatchObject({ missing: 0, lost_records: 0 });
  }, 180_000);
}
