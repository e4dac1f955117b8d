import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDynamodbDeviceIndex } from "../../lib/adapters/dynamodb/device-index.ts";
import { createDynamodbOutboxStore } from "../../lib/adapters/dynamodb/outbox.ts";
import { runSimpleMigration, type SimpleMigrationOptions } from "../../lib/wiring/migration-simple.ts";
import { AT_US, manyRecords, registryRecords } from "../journey/records.ts";
import { sink, statusOf } from "../migration/checks/rig.ts";
import { startMigrating } from "../support/migrating.ts";
import { planOf } from "../support/migrations.ts";
import { type Pipeline, startPipeline } from "../support/pipeline.ts";
import { wallClock } from "../support/pipeline-functions.ts";
import { sealed } from "../support/records.ts";

describe("the simple way of a home with real parts", () => {
  const clock = wallClock(AT_US / 1000 + 60_000);
  let pipeline: Pipeline;
  let migrating: Awaited<ReturnType<typeof startMigrating>>;
  let data: string;
  let isOff = false;
  let sequence = 1_000;

  /** A minute of the relay: it does what the outbox asks, and says so. */
  async function relayMinute(): Promise<void> {
    const outbox = createDynamodbOutboxStore(pipeline.cloud.table);
    const { items } = await outbox.list({ homeId: "home", nowMs: clock.nowMs(), limit: 100, status: "pending" });
    for (const { id, sink: asked } of items) {
      if (asked) isOff = asked.state === "off";
      await outbox.settle("home", id, { status: "delivered", attempts: 1 });
    }
    sequence += 1;
    const sinks = [sink("cloud", { acknowledged: sequence }), sink("old", { acknowledged: sequence, isOff })];
    await createDynamodbDeviceIndex(pipeline.cloud.table).applyRelayStatus(
      "home",
      statusOf(clock.nowMs() * 1000, sinks, sequence),
    );
  }

  beforeAll(async () => {
    pipeline = await startPipeline({ clock });
    migrating = await startMigrating(pipeline.cloud.table, clock);
    data = mkdtempSync(join(tmpdir(), "hearthline-simple-"));
    const { key } = await pipeline.addHome();
    await pipeline.send("events", sealed([...registryRecords(), ...manyRecords(40)], { key }));
    await pipeline.drain();
    await relayMinute();
  });
  afterAll(async () => {
    await migrating.stop();
    await pipeline.stop();
    rmSync(data, { recursive: true, force: true });
  });

  const plan = (way: "simple" | "staged" = "simple") =>
    migrating.control.plan(
      "home",
      planOf({
        way,
        recheckSeconds: 0,
        settleSeconds: 1,
        old: { kind: "http", url: migrating.legacy.url, fedBy: "relay" },
      }),
      "owner",
    );
  const run = (id: string, more: Partial<SimpleMigrationOptions> = {}) =>
    runSimpleMigration(
      { ...pipeline.env, HEARTHLINE_DATA: data },
      {
        ...{ homeId: "home", id, path: join(data, "home.hlbak"), withinSeconds: 120, onWords: () => {} },
        signal: new AbortController().signal,
        clock: {
          ...clock,
          // While it waits, the cloud and the house work.
          sleep: async (ms) => {
            clock.set(clock.nowMs() + ms);
            await pipeline.drain();
            await relayMinute();
          },
        },
        ...more,
      },
    );

  it("stops OLD's feeding, backs up, switches, validates, and ends the migration's row", async () => {
    const { id } = await plan();
    const words: string[] = [];
    const ended = await run(id, { onWords: (line) => words.push(line) });
    expect(ended).toMatchObject({ outcome: "done", backup: join(data, "home.hlbak") });
    expect(isOff).toBe(true);
    expect((await migrating.get("home", id)).state).toBe("complete");
    expect(await migrating.store.pointer("home")).toMatchObject({ authority: "new", migrationId: id });
    expect((await migrating.store.audit("home", id)).map(({ to }) => to)).toEqual([
      "prepared",
      "final_validation",
      "complete",
    ]);
    expect(words).toContain("Validating.");
    expect((await run(id)).outcome).toBe("done");
  }, 120_000);

  it("takes everything back when what validates fails", async () => {
    const { id } = await plan();
    isOff = false;
    await relayMinute();
    const { legacy } = migrating;
    const ended = await run(id, {
      onWords: (line) => {
        // A row that only OLD has, when all readers are NEW's already.
        if (line === "Validating.") void onlyInOld(legacy.url);
      },
    });
    expect(ended).toMatchObject({ outcome: "restored", reason: expect.stringContaining("counts") });
    expect(isOff).toBe(false);
    expect((await migrating.get("home", id)).state).toBe("rolled_back");
    expect(await migrating.store.pointer("home")).toMatchObject({ authority: "old", migrationId: id });
  }, 120_000);

  it("is none of a staged plan, nor of a migration that is not there", async () => {
    const { id } = await plan("staged");
    await expect(run(id)).rejects.toMatchObject({ code: "migration_state_wrong" });
    await expect(run("nobody")).rejects.toMatchObject({ code: "not_found" });
  });

  async function onlyInOld(url: string): Promise<void> {
    const at = new Date(clock.nowMs() - 5_000).toISOString();
    await fetch(`${url}/api/v1/events`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ event_type: "state_changed", entity_id: "sensor.of_somebody", state: "1", timestamp: at }),
    });
  }
});
