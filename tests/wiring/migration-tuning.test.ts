import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createDynamodbOutboxStore } from "../../lib/adapters/dynamodb/outbox.ts";
import { createFileSinkTunings } from "../../lib/adapters/file/sink-tunings.ts";
import { createMemorySpool } from "../../lib/adapters/memory/spool.ts";
import { seededRandom } from "../../lib/base/random.ts";
import type { RelayStatus } from "../../lib/devices/ports.ts";
import type { ReadPair } from "../../lib/migration/ports.ts";
import { wireTuning } from "../../lib/migration/tuning/wire.ts";
import { createRelay } from "../../lib/relay/index.ts";
import type { Cloud } from "../../lib/wiring/aws.ts";
import { createMigrationTuning } from "../../lib/wiring/migration-tuning.ts";
import { FakeHomeAssistant, FakeSink, keepLog, pass } from "../relay/fakes.ts";
import { change } from "../relay/ha-samples.ts";
import { startDynaliteServer, tableAt } from "../support/dynalite.ts";
import { manualClock } from "../support/manual-clock.ts";
import { migrationOf, resultOf } from "../support/migrations.ts";

const OWN_SECONDS = 5;
let folder: string;
let dynalite: Awaited<ReturnType<typeof startDynaliteServer>>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hearthline-tuning-"));
  dynalite = await startDynaliteServer();
});
afterAll(async () => {
  await dynalite.stop();
  await rm(folder, { recursive: true, force: true });
});

it("a longer collecting that helped is kept, told with its figures, and there when the relay is started anew; what is only tried is not", {
  timeout: 60_000,
}, async () => {
  const clock = manualClock(Date.parse("2026-11-22T06:00:00Z"));
  const table = await tableAt(dynalite.url, "tuning");
  const outbox = createDynamodbOutboxStore(table);
  let run = startRelay();
  let [second, memory]: [number, unknown] = [0, undefined];

  function startRelay() {
    const spool = createMemorySpool({ relayId: "r", clock, sinks: ["cloud"], maxBytes: 100_000_000 });
    const sink = new FakeSink(clock, { flushMs: OWN_SECONDS * 1000 });
    const home = new FakeHomeAssistant();
    const relay = createRelay({
      ...{ homeId: "home", homeAssistant: home, spool, sinks: [sink], references: [], clock },
      ...{ random: () => 0.5, log: keepLog().log, include: [], exclude: [], endsWhenRefused: false },
      tunings: createFileSinkTunings(join(folder, "relay", "tuning.json")),
    });
    relay.run().catch(() => {});
    return { relay, sink, home };
  }

  /** As index-devices keeps it. */
  function statuses(): RelayStatus[] {
    const said = run.sink.records.flatMap((record) => (record.t === "relay" ? [record] : [])).at(-1);
    const [cloud] = said?.sinks ?? [];
    if (!said || !cloud) return [];
    const { name, acknowledged, messages = 0, lost, breaker } = cloud;
    return [
      {
        ...{ relayId: "r", at: said.at, connected: true, since: said.since, spoolBytes: 0, spoolRecords: 0 },
        ...{ oldestSeconds: 0, rejected: 0 },
        ...(said.flush_seconds !== undefined && { flushSeconds: said.flush_seconds }),
        ...(said.batch_records !== undefined && { batchRecords: said.batch_records }),
        sinks: [
          { name, acknowledged, messages, lost, breaker, lagRecords: 0, lagSeconds: cloud.lag_seconds, isOff: false },
        ],
      },
    ];
  }

  const reads: ReadPair[] = Array.from({ length: 60 }, (_, at) => ({
    ...{ atUs: at, by: "shadow", query: "range", rows: 1, backSeconds: 5 * 86_400 },
  }));
  const cloud = { table, clock, random: seededRandom(1), config: { HEARTHLINE_RAW_DAYS: 30 } } as unknown as Cloud;
  const check = createMigrationTuning(cloud, {
    index: { relayStatuses: async () => statuses() },
    events: {
      stats: async () => [{ entityId: "a", count: 1, firstUs: 0, lastUs: 0, bytes: 2e6, longestGapSeconds: 0 }],
    },
    store: { pairs: async () => reads },
  });

  /** Five minutes of a house, what the relay is asked for, and a step. */
  async function step() {
    for (let n = 0; n < 60; n++) {
      run.home.fire(change("light.a", ++second));
      await pass(clock, 5_000);
    }
    const { items } = await outbox.list({ homeId: "home", nowMs: clock.nowMs(), status: "pending", limit: 10 });
    for (const { id, sink } of items) {
      if (sink) await run.relay.turnSink(sink);
      await outbox.settle("home", id, { status: "delivered", attempts: 1 });
    }
    await pass(clock, 30_000);
    const migration = migrationOf({ state: "rampdown", checks: [resultOf("canary", "pass", { observed: 1_000 })] });
    const { signal } = new AbortController();
    const outcome = await check.run({ migration, nowUs: clock.nowMs() * 1000, memory, signal });
    memory = JSON.parse(JSON.stringify(outcome.memory));
    return wireTuning("m1", memory);
  }
  const flushOf = () => statuses()[0]?.flushSeconds;
  /** It reads its folder while time passes, and says so within the next minutes. */
  async function restart(expectedSeconds: number) {
    await Promise.all([run.relay.stop(), pass(clock, 10_000)]);
    run = startRelay();
    for (let tens = 0; tens < 200 && flushOf() !== expectedSeconds; tens++) await pass(clock, 10_000);
    expect(flushOf()).toBe(expectedSeconds);
  }
  const kept = () => createFileSinkTunings(join(folder, "relay", "tuning.json")).load();

  let told = await step();
  expect(told.proposals).toMatchObject([
    { setting: "raw-days", from: 30, to: 10, explanation: expect.stringContaining("40.0 MB less") },
  ]);
  while (told.trial?.phase !== "trial") told = await step();
  expect(told.trial).toMatchObject({ setting: "flush-seconds", from: 5, to: 10 });
  await step();
  expect(flushOf()).toBe(10);
  expect(await kept()).toEqual({});
  await restart(OWN_SECONDS);
  while (told.outcomes.length === 0) told = await step();
  expect(told.outcomes).toMatchObject([{ setting: "flush-seconds", from: 5, to: 10, is_kept: true }]);
  expect(told.outcomes[0]?.reason).toMatch(/messages-per-1000-events \d+\.\d before, \d+\.\d with it \(p 0\.0/);
  await step();
  expect(await kept()).toEqual({ flush: { ms: 10_000, insteadOfMs: 5_000 } });
  await restart(10);
});
