import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { floatSecondsToUs, formatIsoUs } from "../../lib/base/time.ts";
import { type HistoryImportOptions, importHistory } from "../../lib/wiring/history.ts";
import type { HomeChange } from "../../local/home/generate/day-writer.ts";
import { createSimulatedHome } from "../../local/home/simulated-home.ts";
import { second } from "../support/imports.ts";
import { type Pipeline, startPipeline } from "../support/pipeline.ts";
import { RecorderDatabase } from "../support/recorder-database.ts";
import { sealed, stateRecord } from "../support/records.ts";
import { until } from "../support/stack.ts";

const folder = mkdtempSync(join(tmpdir(), "hearthline-import-journey-"));
let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await startPipeline();
});
afterAll(async () => {
  await pipeline?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const run = (homeId: string, options: Partial<HistoryImportOptions> & Pick<HistoryImportOptions, "origin">) =>
  importHistory(
    { ...pipeline.env, HEARTHLINE_DATA: join(folder, homeId) },
    { homeId, signal: new AbortController().signal, ...options },
  );

describe("a history through the whole way", () => {
  it("comes into the store once, however often it is imported, and leaves live events as they are", async () => {
    const { homeId, key, token } = await pipeline.addHome("recorded");
    const path = join(folder, "home-assistant_v2.db");
    const recorder = new RecorderDatabase(path);
    recorder.write([
      {
        entityId: "light.a",
        state: "off",
        atUs: second(1),
        attributes: { friendly_name: "A", access_token: "t".repeat(30) },
      },
      { entityId: "light.a", state: "on", atUs: second(61) },
      { entityId: "sensor.b", state: "20.5", atUs: second(62), attributes: { unit_of_measurement: "°C" } },
      { entityId: "light.a", state: null, atUs: second(63) },
    ]);
    const live = stateRecord({ entity_id: "light.a", state: "on", atUs: second(61), attributes: { brightness: 9 } });
    await pipeline.send("events", sealed([live], { homeId, key }));
    await pipeline.drain();

    const first = await run(homeId, { origin: { kind: "recorder", path } });
    expect(first).toMatchObject({ imported: 4, isFinished: true, rejected: { count: 0 } });
    await pipeline.drain();
    const events = await pipeline.events(token);
    expect(events.map(({ entity_id, state, kind, source }) => [entity_id, state, kind, source])).toEqual([
      ["light.a", "off", "restore", "import"],
      ["light.a", "on", "change", "live"],
      ["sensor.b", "20.5", "restore", "import"],
      ["light.a", "", "removed", "import"],
    ]);
    expect(events[0]?.attributes).toEqual({ friendly_name: "A" });
    expect(events[1]?.attributes).toEqual({ brightness: 9 });
    expect(events[2]).toMatchObject({ value: 20.5, unit: "°C" });

    expect(await run(homeId, { origin: { kind: "recorder", path } })).toMatchObject({ read: 0, imported: 0 });
    expect(await run(homeId, { origin: { kind: "recorder", path }, isRestart: true })).toMatchObject({ imported: 4 });
    recorder.write([{ entityId: "sensor.b", state: "21", atUs: second(70) }]);
    expect(await run(homeId, { origin: { kind: "recorder", path } })).toMatchObject({ imported: 1, sequence: 9 });
    await pipeline.drain("again");
    expect(await pipeline.events(token)).toHaveLength(5);

    const { json } = await pipeline.ask(token, "/api/v1/health");
    const ledger = json.parts.find((part: { name: string }) => part.name === `import:${first.relayId}`)?.ledger;
    expect(ledger).toMatchObject({ complete_up_to: 9, last_sequence: 9, missing: 0, lost_records: 0, rejected: 0 });
    recorder.close();
  });

  it("of another home is refused before anything is sent, and taken with force", async () => {
    const { homeId, key, token } = await pipeline.addHome("cabin");
    const known = Array.from({ length: 12 }, (_, n) =>
      stateRecord({ entity_id: `sensor.cabin_${n}`, atUs: second(n) }),
    );
    await pipeline.send("events", sealed(known, { homeId, key }));
    await pipeline.drain();
    const path = join(folder, "other.db");
    const recorder = new RecorderDatabase(path, "2026", "2025-01-01 00:00:00.000001");
    recorder.write(
      Array.from({ length: 12 }, (_, n) => ({ entityId: `sensor.city_${n}`, state: "1", atUs: second(n) })),
    );
    recorder.close();
    const origin = { kind: "recorder", path } as const;
    await expect(run(homeId, { origin })).rejects.toMatchObject({ code: "history_of_another_home" });
    await pipeline.drain();
    expect(await pipeline.events(token)).toHaveLength(12);
    expect(await run(homeId, { origin, isForced: true })).toMatchObject({ imported: 12 });
    // The same database into a third home, with the state of the second in the same data folder.
    await pipeline.addHome("third");
    const third = importHistory(
      { ...pipeline.env, HEARTHLINE_DATA: join(folder, homeId) },
      { homeId: "third", origin, signal: new AbortController().signal },
    );
    await expect(third).rejects.toThrow(/home "cabin" before/);
  });

  it("goes on after the queue was away, with the numbers that it had", async () => {
    const { homeId, token } = await pipeline.addHome("away");
    const path = join(folder, "away.jsonl");
    const line = (n: number) =>
      JSON.stringify({ entity_id: "sensor.a", state: String(n), last_updated: formatIsoUs(second(n)) });
    writeFileSync(path, [line(1), "bad", line(2), line(3)].join("\n"));
    const origin = { kind: "jsonl", path } as const;
    // Stopped after its first chunk, which is all but the last line, whose end has not been written.
    const stop = new AbortController();
    const lost = importHistory(
      {
        ...pipeline.env,
        AWS_ENDPOINT_URL_SQS: "http://127.0.0.1:1",
        HEARTHLINE_DATA: join(folder, homeId),
      },
      { homeId, origin, signal: stop.signal, onProgress: () => stop.abort() },
    );
    await expect(lost).rejects.toMatchObject({ code: "service_unreachable" });
    const imported = await run(homeId, { origin });
    expect(imported).toMatchObject({ resent: 2, imported: 3, sequence: 3, read: 1 });
    await pipeline.drain();
    expect((await pipeline.events(token)).map(({ state }) => state)).toEqual(["1", "2", "3"]);
  });

  it("goes on after kill -9, and nothing is missing or there twice", async () => {
    const { homeId, token } = await pipeline.addHome("killed");
    const path = join(folder, "killed.jsonl");
    const count = 12_000;
    const line = (n: number) =>
      JSON.stringify({
        ...{ entity_id: `sensor.s${n % 50}`, state: String(n), last_updated: formatIsoUs(second(n)) },
        attributes: { noise: Array.from({ length: 8 }, (_, at) => Math.imul(n + at, 2_654_435_761)).join(" ") },
      });
    writeFileSync(path, Array.from({ length: count }, (_, n) => line(n)).join("\n"));
    const data = join(folder, homeId);
    const env = { ...process.env, ...pipeline.env, HEARTHLINE_HOME_ID: homeId };
    const args = ["local/cli.ts", "history", "import", "--file", path, "--data", data];
    const child = spawn(process.execPath, args, { cwd: join(import.meta.dirname, "../.."), env, stdio: "ignore" });
    const ended = once(child, "close");
    await until(
      async () =>
        existsSync(join(data, "import")) && readdirSync(join(data, "import")).some((name) => name.endsWith(".json")),
      Boolean,
      { everyMs: 1 },
    );
    child.kill("SIGKILL");
    await ended;
    const origin = { kind: "jsonl", path } as const;
    const summary = await run(homeId, { origin });
    expect(summary).toMatchObject({ sequence: count, isFinished: true });
    await pipeline.drain();
    const events = await pipeline.events(token);
    expect(events.map(({ state }) => state)).toEqual(Array.from({ length: count }, (_, n) => String(n)));
    expect(events.filter(({ kind }) => kind === "restore")).toHaveLength(50);
  }, 120_000);

  it("of the connected Home Assistant knows by its logbook what was an automation's doing", async () => {
    const { homeId, token } = await pipeline.addHome("connected");
    const home = await createSimulatedHome({ data: join(folder, "simulated"), seed: 1, days: 2, rate: 0.03 });
    const env = { HEARTHLINE_HA_URL: home.url, HEARTHLINE_HA_TOKEN: home.token };
    const include = "light,vacuum,script,automation,lock";
    const endUs = Math.floor(home.core.liveSince * 1e6);
    await importHistory(
      { ...pipeline.env, ...env, HEARTHLINE_INCLUDE: include, HEARTHLINE_DATA: join(folder, homeId) },
      { homeId, origin: { kind: "home-assistant" }, toUs: endUs, signal: new AbortController().signal },
    ).finally(() => home.stop());
    await pipeline.drain();

    interface Told {
      readonly entity_id: string;
      readonly last_updated: string;
      readonly context: { readonly id: string; readonly parent_id?: string; readonly user_id?: string };
    }
    const switched = /^(light|vacuum|lock)\./;
    const events = (await pipeline.events(token)) as readonly unknown[] as readonly (Told & {
      readonly kind: string;
      readonly state: string;
      readonly old_state?: string;
    })[];
    // The simulated past begins at some hour with everything at rest: what is then set to what it is already has changed for nobody, and no logbook tells it.
    const changes = events.filter(
      ({ kind, entity_id, state, old_state }) => kind === "change" && state !== old_state && switched.test(entity_id),
    );
    const truth = new Map<string, boolean>();
    const isRun = (one: HomeChange) => /^(automation|script)\./.test(one.entityId);
    const days = [0, 1, 2, 3].map((back) => home.past.dayAt(home.core.liveSince - back * 86_400).changes);
    const runs = new Set(days.flatMap((some) => some.filter(isRun).map(({ context }) => context.id)));
    for (const { entityId, at, context } of days.flat())
      truth.set(`${entityId} ${formatIsoUs(floatSecondsToUs(at))}`, runs.has(context.id));
    const isAutomatic = ({ context }: Told) => context.parent_id !== undefined && !context.user_id;
    const told = changes.map((event) => [event.entity_id, event.last_updated, isAutomatic(event)] as const);
    expect(told.filter(([, , automatic]) => automatic).length).toBeGreaterThan(10);
    expect(told.filter(([, , automatic]) => !automatic).length).toBeGreaterThan(10);
    const wrong = told.filter(([id, at, automatic]) => truth.get(`${id} ${at}`) !== automatic);
    expect(wrong).toEqual([]);
    expect(changes.every(({ context }) => !context.id.startsWith("row-"))).toBe(true);
  }, 60_000);

  it("needs a home that exists", async () => {
    const path = join(folder, "empty.jsonl");
    writeFileSync(path, "");
    await expect(run("nowhere", { origin: { kind: "jsonl", path } })).rejects.toMatchObject({ code: "not_found" });
    await expect(run("away", { origin: { kind: "home-assistant" } })).rejects.toMatchObject({
      code: "setting_invalid",
    });
  });
});
