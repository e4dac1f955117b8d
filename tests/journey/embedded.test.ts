import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type HealthAnswer,
  hearthline,
  hearthlineProcess,
  keptEvents,
  killPart,
  ledgerOf,
  now,
  relayOf,
  sentEvents,
  sentUntil,
  subscribedSince,
} from "../support/embedded.ts";
import { run } from "../support/process.ts";
import { newDataFolder, type RunningStack, removeData, startStack, until } from "../support/stack.ts";

/** Events a second of the simulated home. */
const RATE = 100;
const ARGS = ["--rate", String(RATE)];

describe("the embedded stack, as npm start runs it", { timeout: 60_000 }, () => {
  const dataFolder = newDataFolder();
  let stack: RunningStack;
  /** From when on every event must be there. */
  let since = "";
  beforeAll(async () => {
    stack = await startStack({ dataFolder, args: ARGS });
    since = await subscribedSince(stack);
  }, 90_000);
  afterAll(async () => {
    // Not killed: parts that are cut off write on for a moment, into a folder that is gone.
    await stack.stop();
    removeData(dataFolder);
  });

  /** Everything that the home sent between two moments, and nothing else, event for event. */
  async function expectSame(from: string, to: string): Promise<void> {
    const look = async () => ({ kept: await keptEvents(stack, from, to), sent: sentEvents(dataFolder, from, to) });
    const isSame = ({ kept, sent }: Awaited<ReturnType<typeof look>>) => kept.join("\n") === sent.join("\n");
    await until(look, isSame, { everyMs: 200 }).catch(() => {});
    const { kept, sent } = await look();
    expect(kept).toEqual(sent);
    expect(sent.length).toBeGreaterThan(0);
    expect(new Set(sent).size).toBe(sent.length);
  }
  const sofar = () => sentUntil(dataFolder);
  /** Until the home has sent this many since then. */
  const sentSince = (from: string, count: number) =>
    until(
      async () => sentEvents(dataFolder, from, "9999").length,
      (sent) => sent >= count,
    );

  it("keeps event for event what the home sends", async () => {
    await sentSince(since, 2 * RATE);
    await expectSame(since, sofar());
    expect(await ledgerOf(stack)).toMatchObject({ missing: 0, lost_records: 0 });
    // The relay's own words take the slower way, over the index queue.
    await until(
      () => stack.get<HealthAnswer>("/health"),
      ({ status, parts }) => status === "ok" && parts.some(({ kind }) => kind === "relay"),
    );
  });

  it("has the schedules of dispatch, at the next quarter of an hour, and of migrations, in seconds", () => {
    const log = readFileSync(join(dataFolder, "logs", "functions.log"), "utf8");
    const lines = log.split("\n").filter((line) => line.includes('"message":"schedule"'));
    const [schedule, steps, ...others] = lines
      .map((line) => JSON.parse(line) as Record<string, string>)
      .sort((a, b) => (String(a.function) < String(b.function) ? -1 : 1));
    expect(others).toEqual([]);
    expect(steps).toMatchObject({ function: "validate-migration", expression: "rate(300 seconds)", timeZone: "UTC" });
    expect(schedule).toMatchObject({
      function: "dispatch",
      expression: "cron(0/15 * * * ? *)",
      timeZone: "UTC",
    });
    expect(schedule?.next).toMatch(/:(00|15|30|45):00\.000Z$/);
  });

  it("is started once: a second one ends with 1 and names the address of the first", async () => {
    const second = run([resolve(import.meta.dirname, "../../local/start.ts"), "--data", dataFolder, "--port", "0"]);
    expect(await second.ended).toBe(1);
    expect(second.output()).toContain(stack.url);
  });

  describe("under the command hearthline", () => {
    const done = async (...args: string[]) => {
      const { code, out, json } = await hearthline(dataFolder, ...args);
      expect([code, out]).toEqual([0, expect.any(String)]);
      return json;
    };

    it("is well by its doctor, every hop included", async () => {
      const { code, json } = await hearthlineProcess(dataFolder, "doctor");
      const { findings, failed } = json;
      expect([code, failed]).toEqual([0, 0]);
      expect(findings.filter(({ result }: { result: string }) => result === "failed")).toEqual([]);
      const checks = findings.map(({ check, result }: { check: string; result: string }) => `${result} ${check}`);
      expect(checks).toEqual(
        expect.arrayContaining([
          "ok settings",
          "ok data folder",
          "ok address",
          "ok clock",
          "ok token",
          "ok store",
          "ok test event: queued",
          "ok test event: enriched and stored",
          "ok test event: indexed",
        ]),
      );
    });

    it("tells its status, events, devices, homes and tokens", async () => {
      const [status, list, stats, devices, homes, tokens] = await Promise.all([
        done("status"),
        done("events", "list", "--limit", "5"),
        done("events", "stats", "--entity", "sensor.power_consumption"),
        done("devices", "list"),
        done("homes", "list"),
        done("tokens", "list"),
      ]);
      expect(status).toMatchObject({ status: "ok", run: { url: stack.url } });
      expect(list.events).toHaveLength(5);
      expect(stats.entities).toMatchObject([{ entity_id: "sensor.power_consumption" }]);
      expect(stats.entities[0].count).toBeGreaterThan(10);
      expect(homes.homes).toMatchObject([{ home_id: "home", time_zone: "Europe/Amsterdam" }]);
      expect(tokens.tokens.length).toBeGreaterThan(0);
      expect(JSON.stringify(tokens)).not.toContain(stack.token);
      const device = devices.devices.find(({ entity_count }: { entity_count: number }) => entity_count > 0);
      expect(await done("devices", "show", device.device_id)).toMatchObject({
        device_id: device.device_id,
        name: device.name,
      });
    });

    it("makes and ends a token, and shows, sends back and deletes what lies in the queues", async () => {
      const made = await done("tokens", "create", "--name", "journey", "--scopes", "read");
      const headers = { authorization: `Bearer ${made.token}` };
      expect((await stack.fetch("/api/v1/areas", { headers })).status).toBe(200);
      expect(await done("tokens", "revoke", made.id)).toEqual({ revoked: made.id });
      expect((await hearthline(dataFolder, "tokens", "revoke", made.id)).code).toBe(1);

      const { queues } = await done("queues", "list");
      expect(queues.map(({ name }: { name: string }) => name)).toEqual(["events", "store", "index", "analysis"]);
      expect(await done("queues", "peek", "events-dead")).toEqual({ messages: [] });
      expect(await done("queues", "redrive", "events")).toEqual({ moved: 0, remaining: 0 });
      expect(await done("queues", "purge", "analysis-dead", "--yes")).toEqual({ deleted: 0 });
      const asked = await hearthline(dataFolder, "queues", "purge", "events-dead");
      expect([asked.code, asked.out]).toEqual([2, expect.stringContaining("--yes")]);
    });
  });

  it("loses nothing that was acknowledged when functions and queues are killed", async () => {
    const from = now();
    await killPart(stack, "functions");
    await killPart(stack, "queues");
    await sentSince(from, RATE);
    await expectSame(from, sofar());
    expect(await ledgerOf(stack)).toMatchObject({ missing: 0, lost_records: 0 });
  });

  it("loses nothing that was spooled when the relay is killed, and its numbers go on without a hole", async () => {
    const spooled = await relayOf(stack);
    expect(spooled).toMatchObject({ losses: 0, rejected: 0 });
    const before = now();
    await killPart(stack, "relay");
    const from = await subscribedSince(stack);
    await sentSince(from, RATE);
    await expectSame(from, sofar());
    const ledger = await until(
      () => ledgerOf(stack),
      (row) => row !== undefined && row.missing === 0 && row.last_sequence > spooled.last_sequence,
    );
    expect(ledger).toMatchObject({ lost_records: 0, complete_up_to: ledger?.last_sequence });
    // What the home sent while nobody listened is not all there, but whatever is there was sent.
    const sent = new Set(sentEvents(dataFolder, before, from));
    expect((await keptEvents(stack, before, from)).filter((event) => !sent.has(event))).toEqual([]);
  });

  it("goes on after a restart of the whole with all events of both runs, those under way at the stop included", async () => {
    const from = await subscribedSince(stack);
    await sentSince(from, RATE);
    expect(await stack.stop()).toBe(0);
    const stopped = now();
    const { token } = stack;
    stack = await startStack({ dataFolder, args: ARGS });
    expect(stack.token).toBe(token);
    await expectSame(from, stopped);
    const again = await subscribedSince(stack);
    await sentSince(again, RATE);
    await expectSame(again, sofar());
    expect(await ledgerOf(stack)).toMatchObject({ missing: 0, lost_records: 0 });
  });
});
