import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDynamodbMigrationStore } from "../../lib/adapters/dynamodb/migrations.ts";
import { silentLogger } from "../../lib/base/log.ts";
import { REQUIRED } from "../../lib/migration/index.ts";
import { answersFor } from "../../lib/migration/places.ts";
import type { State } from "../../lib/migration/types.ts";
import { createValidateMigration } from "../../lib/wiring/validate-migration.ts";
import { AT_US, manyRecords, registryRecords } from "../journey/records.ts";
import { startMigrating } from "../support/migrating.ts";
import { migrationOf } from "../support/migrations.ts";
import { type Pipeline, startPipeline } from "../support/pipeline.ts";
import { wallClock } from "../support/pipeline-functions.ts";
import { sealed } from "../support/records.ts";

/** A minute after what happens in the home. */
const clock = wallClock(AT_US / 1000 + 60_000);

describe("the validate-migration function", () => {
  let pipeline: Pipeline;
  let migrating: Awaited<ReturnType<typeof startMigrating>>;
  let step: ReturnType<typeof createValidateMigration>;
  beforeAll(async () => {
    pipeline = await startPipeline({ clock });
    migrating = await startMigrating(pipeline.cloud.table, clock);
    step = createValidateMigration(pipeline.env, { clock, log: silentLogger });
    const { key } = await pipeline.addHome();
    await pipeline.send("events", sealed([...registryRecords(), ...manyRecords(40)], { key }));
    await pipeline.drain();
  });
  afterAll(async () => {
    await migrating.stop();
    await pipeline.stop();
  });

  it("does nothing where nothing is under way", async () => {
    expect(await pipeline.validateMigration()).toEqual({ homes: 0, stepped: 0, failed: 0, left: 0 });
  });

  it("looks with every check that a state requires, in every state", async () => {
    const id = await migrating.begin("home");
    const seen = new Map<State, Set<string>>();
    const rows = await migrating.force("home", id, async () => {
      const { state } = await migrating.get("home", id);
      clock.set(clock.nowMs() + 1_000);
      await pipeline.validateMigration();
      const { checks } = await migrating.get("home", id);
      seen.set(state, new Set([...(seen.get(state) ?? []), ...checks.map(({ name }) => name)]));
    });
    expect(rows.at(-1)?.state).toBe("complete");
    for (const [state, names] of seen)
      expect([
        state,
        REQUIRED[state].filter((name) => ![...names].some((one) => answersFor(name, { name: one }))),
      ]).toEqual([state, []]);
  }, 120_000);

  it("is at work once at a time, and steps other homes beside one of another version", async () => {
    await pipeline.addHome("other");
    await pipeline.addHome("newer");
    await createDynamodbMigrationStore(pipeline.cloud.table).create(migrationOf({ homeId: "newer", version: 2 as 1 }));
    const id = await migrating.begin("other");
    expect(await Promise.all([step(), step()])).toEqual([{ homes: 2, stepped: 1, failed: 1, left: 0 }, "busy"]);
    expect(await migrating.get("other", id)).toMatchObject({ state: "prepared", lastStepUs: expect.any(Number) });
  });
});
