import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDynamodbDeviceIndex } from "../../lib/adapters/dynamodb/device-index.ts";
import { createDynamodbOutboxStore } from "../../lib/adapters/dynamodb/outbox.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { formatIsoUs, parseIsoUs } from "../../lib/base/time.ts";
import type { HomeKey } from "../../lib/event/index.ts";
import type { DifferenceClass } from "../../lib/migration/types.ts";
import { createEventStore } from "../../lib/wiring/event-store.ts";
import { createMigrationRepair } from "../../lib/wiring/migration-repair.ts";
import { verifyReport } from "../../lib/wiring/migration-report.ts";
import { AT_US, manyRecords, registryRecords } from "../journey/records.ts";
import { runCli } from "../support/cli.ts";
import { startMigrating } from "../support/migrating.ts";
import { migrationOf } from "../support/migrations.ts";
import { type Pipeline, startPipeline } from "../support/pipeline.ts";
import { wallClock } from "../support/pipeline-functions.ts";
import { sealed, stateRecord } from "../support/records.ts";

const ALL: ReadonlySet<DifferenceClass> = new Set(["missing-in-new", "missing-in-old", "different"]);
const END_US = AT_US + 60_000_000;

describe("the repair of a home with real parts", () => {
  const clock = wallClock(END_US / 1000);
  let pipeline: Pipeline;
  let migrating: Awaited<ReturnType<typeof startMigrating>>;
  let key: HomeKey;
  let token: string;
  let id: string;

  beforeAll(async () => {
    pipeline = await startPipeline({ clock });
    migrating = await startMigrating(pipeline.cloud.table, clock);
    ({ key, token } = await pipeline.addHome());
    const records = manyRecords(40);
    await pipeline.send("events", sealed([...registryRecords(), ...records], { key }));
    await pipeline.drain();
    for (const record of records) if (record.t === "state") await intoOld(record);
    id = await migrating.begin("home");
    while ((await migrating.get("home", id)).state !== "shadow") {
      await minute();
      const { epoch, state } = await migrating.get("home", id);
      if (state === "shadow") break;
      await migrating.control.advance({ homeId: "home", id, epoch, actor: "owner", reason: "A test.", force: true });
    }
  }, 120_000);
  afterAll(async () => {
    await migrating.stop();
    await pipeline.stop();
  });

  async function minute(): Promise<void> {
    clock.set(clock.nowMs() + 60_000);
    await pipeline.validateMigration();
  }

  async function consistency() {
    await minute();
    const { checks } = await migrating.get("home", id);
    return checks.find(({ name }) => name === "consistency");
  }

  interface Row {
    readonly entity_id: string;
    readonly state: string;
    readonly last_updated: string;
    readonly last_changed?: string;
    readonly attributes?: Record<string, unknown>;
  }

  async function intoOld(row: Row): Promise<void> {
    const { entity_id, state, last_updated, last_changed = last_updated, attributes = {} } = row;
    const body = JSON.stringify({
      event_type: "state_changed",
      entity_id,
      state,
      last_updated,
      last_changed,
      attributes,
    });
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${migrating.legacy.url}/api/v1/events`, { method: "POST", headers, body });
    expect(answer.ok).toBe(true);
  }

  const row = (name: string, n: number, state: string, attributes: Row["attributes"] = {}): Row => ({
    ...{ entity_id: `sensor.${name}`, state, attributes },
    last_updated: formatIsoUs(AT_US + 20_000_003 + n * 1_000),
  });
  const lostInNew = Array.from({ length: 260 }, (_, n) => row("lost_in_new", n, `${Math.floor(n / 2)}`, { n: n % 3 }));
  const lostInOld = Array.from({ length: 7 }, (_, n) =>
    stateRecord({ entity_id: "sensor.lost_in_old", state: `${n}`, atUs: AT_US + 30_000_007 + n * 1_000 }),
  );

  /** Every second one is lost in NEW. */
  const holed = Array.from({ length: 6 }, (_, n) => row("holed", n, `${n}`));

  /** `relay`: what it does while the repair waits; without one nobody can ask a recorder. */
  const open = (relay?: () => Promise<void>) =>
    createMigrationRepair(pipeline.env, {
      ...{ homeId: "home", id, signal: new AbortController().signal, actor: "anna" },
      hasRecorder: relay !== undefined,
      clock: {
        ...clock,
        // While it waits, the cloud works.
        sleep: async (ms) => {
          clock.set(clock.nowMs() + ms);
          await relay?.();
          await pipeline.drain();
        },
      },
    });

  it("finds what differs, crowds too, and a plan of it changes nothing", async () => {
    for (const lost of [...lostInNew, ...holed]) await intoOld(lost);
    const kept = holed.filter((_, n) => n % 2 === 0).map((each) => ({ ...each, atUs: parseIsoUs(each.last_updated) }));
    await intoOld({ ...row("input", 0, "hunter2"), entity_id: "text.password" });
    await pipeline.send(
      "events",
      sealed([...lostInOld, ...kept.map((each) => stateRecord(each))], { key, first: 1_000 }),
    );
    await pipeline.drain();
    // A crowd counts at its second look.
    await consistency();
    expect(await consistency()).toMatchObject({ verdict: "fail" });
    const repair = await open();
    try {
      const planned = await repair.plan(ALL);
      expect(planned).toMatchObject({ isAll: true, left: [], there: [] });
      const ways = Map.groupBy(planned.actions, ({ from, to }) => `${from} to ${to}`);
      expect([...ways].map(([way, { length }]) => [way, length]).toSorted()).toEqual([
        ["new to old", 7],
        ["old to new", 264],
      ]);
      expect((await repair.plan(new Set(["missing-in-old"]))).actions).toHaveLength(7);
    } finally {
      await repair.close();
    }
    expect(await consistency()).toMatchObject({ verdict: "fail", observed: 271 });
  }, 120_000);

  it("sends it, looks again, and the next step counts none of it", async () => {
    const repair = await open();
    const shown: number[] = [];
    try {
      const planned = await repair.plan(ALL);
      const done = await repair.apply(planned, (count) => shown.push(count));
      expect(done).toMatchObject({ open: [], refused: [], isFinished: true });
      expect(done.repaired).toHaveLength(271);
      expect(shown).toEqual([200, 271]);
      expect(await repair.plan(ALL)).toMatchObject({ actions: [], there: [] });
    } finally {
      await repair.close();
    }
    expect(await consistency()).toMatchObject({ verdict: "pass", observed: 0 });
    const { count, examples } = await migrating.store.differences("home", id);
    expect(examples.filter(({ class: kind }) => kind.startsWith("missing")).every(({ isRepaired }) => isRepaired)).toBe(
      true,
    );
    expect(count["missing-in-new"] + count["missing-in-old"]).toBe(271);
    const { json } = await pipeline.ask(token, `/api/v1/migrations/${id}/differences?limit=1000`);
    expect(json.counts.repaired).toBe(271);
  }, 120_000);

  it("gives NEW each row as it was at its time, and no secret", async () => {
    // The API's answers are OLD's at this stage.
    const store = createEventStore(pipeline.config, pipeline.cloud);
    const held = async (entityId: string) =>
      (await store.range({ homeId: "home", entityIds: [entityId], order: "asc", limit: 1_000 })).events;
    const events = await held("sensor.lost_in_new");
    expect(events.map(({ state, attributes, atUs }) => [state, attributes, atUs])).toEqual(
      lostInNew.map(({ state, attributes, last_updated }) => [state, attributes, parseIsoUs(last_updated)]),
    );
    expect(events[2]).toMatchObject({ kind: "change", oldState: "0", source: "import" });
    expect((await held("sensor.holed")).map(({ state, oldState, source }) => [state, oldState, source])).toEqual([
      ["0", "off", "live"],
      ["1", "0", "import"],
      ["2", "off", "live"],
      ["3", "2", "import"],
      ["4", "off", "live"],
      ["5", "4", "import"],
    ]);
    expect((await held("text.password")).map(({ state }) => state)).toEqual(["[secret]"]);
    await store.close();
  });

  it("stands in the audit: who, how many, from where, and what became of them; and the figures tell what is open", async () => {
    const told = (await migrating.store.audit("home", id)).filter(({ actor }) => actor === "anna");
    expect(told.map(({ reason }) => reason)).toEqual([
      "A repair begins: 264 rows from old to new, 7 rows from new to old.",
      "The repair has ended: 264 rows from old to new, 7 rows from new to old; 271 rows are there now, 0 of them by the recorder, 0 are not.",
    ]);
    for (const { from, to, percentFrom, percentTo } of told) expect([from, percentFrom]).toEqual([to, percentTo]);
    const { json } = await pipeline.ask(token, `/api/v1/migrations/${id}/metrics`);
    expect(json.differences).toMatchObject({ open: 0, repaired: 271 });
  });

  it("asks the recorder first, by the relay, and takes from OLD only what that does not have", async () => {
    const lost = [row("asked", 0, "0"), row("asked", 1, "1"), row("asked", 2, "2")];
    for (const each of lost) await intoOld(each);
    const found = lost.map(({ entity_id, last_updated }) => ({
      ...({ class: "missing-in-new", entityId: entity_id, atUs: parseIsoUs(last_updated) } as const),
      ...{ foundUs: AT_US, explanation: "It is." },
    }));
    await migrating.store.addDifferences("home", id, found);
    const index = createDynamodbDeviceIndex(pipeline.cloud.table);
    const outbox = createDynamodbOutboxStore(pipeline.cloud.table);
    await index.applyRelayStatus("home", {
      ...{ relayId: "r", at: new Date(clock.nowMs()).toISOString(), connected: true, since: "2026-11-22T00:00:00Z" },
      ...{ spoolBytes: 0, spoolRecords: 0, oldestSeconds: 0, rejected: 0 },
    });
    const asked: unknown[] = [];
    /** A house whose recorder has all but the last. */
    async function relayOfHouse(): Promise<void> {
      const { items } = await outbox.list({ homeId: "home", nowMs: clock.nowMs(), status: "pending", limit: 300 });
      for (const { id: item, kind, refetch } of items) {
        if (kind !== "refetch") continue;
        asked.push(refetch);
        const records = lost.slice(0, 2).map((each) => ({
          ...stateRecord({ ...each, atUs: parseIsoUs(each.last_updated) }),
          source: "backfill",
        }));
        await pipeline.send("events", sealed(records, { key, first: 2_000 }));
        await outbox.settle("home", item, { status: "delivered", attempts: 1 });
      }
    }
    const repair = await open(relayOfHouse);
    try {
      const planned = await repair.plan(ALL);
      expect(planned.spans).toMatchObject([{ entityIds: ["sensor.asked"] }]);
      expect(planned.tried[0]).toContain("recorder");
      expect(asked).toEqual([]);
      const done = await repair.apply(planned);
      expect(done).toMatchObject({ byRecorder: 2, open: [], isFinished: true });
      expect(done.repaired).toHaveLength(3);
    } finally {
      await repair.close();
    }
    expect(asked).toMatchObject([{ entity_ids: ["sensor.asked"] }]);
    const store = createEventStore(pipeline.config, pipeline.cloud);
    const { events } = await store.range({ homeId: "home", entityIds: ["sensor.asked"], order: "asc", limit: 10 });
    expect(events.map(({ source }) => source)).toEqual(["backfill", "backfill", "import"]);
    await store.close();
    const last = (await migrating.store.audit("home", id)).at(-1);
    expect(last?.reason).toContain("3 rows are there now, 2 of them by the recorder, 0 are not");
  }, 60_000);

  it("is in a report that the home's key signs, which anybody with the key can verify", async () => {
    const { json: report } = await pipeline.ask(token, `/api/v1/migrations/${id}/report`);
    const signer = { homeId: "home", keyId: key.id };
    expect(await verifyReport(report, pipeline.env)).toMatchObject({ ...signer, keyFrom: "cloud" });
    const own = { ...pipeline.env, HEARTHLINE_HOME_KEY: key.secret.toString("base64") };
    expect(await verifyReport(report, own)).toMatchObject({ ...signer, keyFrom: "settings" });
    const unknown = { ...report, signature: { ...report.signature, key_id: "0123456789abcdef" } };
    await expect(verifyReport(unknown, pipeline.env)).rejects.toMatchObject({ code: "report_key_unknown" });
    const forged = { ...report, signature: { ...report.signature, mac: "0".repeat(64) } };
    await expect(verifyReport(forged, pipeline.env)).rejects.toMatchObject({ code: "report_signature_wrong" });
  });

  it("is what the command does", async () => {
    const lost = row("lost_later", 0, "lost");
    await intoOld(lost);
    const found = { class: "missing-in-new", entityId: lost.entity_id, atUs: parseIsoUs(lost.last_updated) } as const;
    await migrating.store.addDifferences("home", id, [{ ...found, foundUs: AT_US, explanation: "It is." }]);
    const server = createServer(async ({ url = "/" }, response) => {
      const { status, json } = await pipeline.ask(token, url);
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(json));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const command = (...args: string[]) =>
      runCli(["migrate", "repair", ...args], { url: `http://127.0.0.1:${port}`, token, env: pipeline.env });
    const dry = await command("--dry-run");
    expect(dry).toMatchObject({ code: 0, out: expect.stringContaining("sensor.lost_later at 2026") });
    let isDone = false;
    const running = command("--yes", "--json").finally(() => {
      isDone = true;
    });
    while (!isDone) {
      await pipeline.drain();
      await systemClock.sleep(20);
    }
    server.close();
    const { code, out } = await running;
    expect([code, JSON.parse(out)]).toMatchObject([0, { repaired: 1, open: [], refused: [], is_finished: true }]);
    expect((await migrating.store.differences("home", id)).examples.at(-1)).toMatchObject({
      ...found,
      isRepaired: true,
    });
  }, 60_000);

  it("is none of a migration that is complete, or that is not there", async () => {
    const { signal } = new AbortController();
    await migrating.store.create(migrationOf({ homeId: "ended", state: "complete" }));
    await expect(createMigrationRepair(pipeline.env, { homeId: "home", id: "nobody", signal })).rejects.toMatchObject({
      code: "not_found",
    });
    await expect(createMigrationRepair(pipeline.env, { homeId: "ended", id: "m1", signal })).rejects.toMatchObject({
      code: "migration_state_wrong",
    });
  });
});
