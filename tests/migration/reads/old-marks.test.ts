import { describe, expect, it } from "vitest";
import { createMemoryMigrationStore } from "../../../lib/adapters/memory/migration-store.ts";
import { createOldMarks, MARK_MS } from "../../../lib/migration/reads/old-marks.ts";
import { createOldUse } from "../../../lib/wiring/migration-watch.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { migrationOf } from "../../support/migrations.ts";
import { quiet } from "./fakes.ts";

async function start() {
  const clock = manualClock();
  const store = createMemoryMigrationStore();
  await store.create(migrationOf());
  await store.create(migrationOf({ homeId: "other" }));
  const state = { writes: 0, isDown: false };
  const marks = createOldMarks({
    clock,
    log: quiet,
    store: {
      async noteOldRead(homeId, id, read) {
        state.writes++;
        if (state.isDown) throw new Error("The table is away.");
        await store.noteOldRead(homeId, id, read);
      },
    },
  });
  return { clock, store, state, marks, use: createOldUse(store) };
}

describe("marks of reads that OLD has answered", () => {
  it("are seen by whoever asks whether OLD is used still, from a moment on", async () => {
    const { clock, marks, use } = await start();
    expect(await use.lastRead("home", "m1", 0)).toBeUndefined();
    const atUs = clock.nowMs() * 1000;
    marks.note("home", "m1", "tablet");
    await marks.settled();
    expect(await use.lastRead("home", "m1", atUs - 1)).toEqual({ atUs, reader: "tablet" });
    expect(await use.lastRead("home", "m1", atUs)).toBeUndefined();
  });

  it("cost a write a minute of each home, however often it reads", async () => {
    const { clock, marks, state, store } = await start();
    for (let read = 0; read < 600; read++) {
      marks.note("home", "m1", "tablet");
      marks.note("other", "m1", undefined);
      await clock.advance(100);
    }
    await marks.settled();
    expect(state.writes).toBe(2);
    await clock.advance(MARK_MS);
    const atUs = clock.nowMs() * 1000;
    marks.note("home", "m1", undefined);
    await marks.settled();
    expect(await store.oldRead("home", "m1")).toEqual({ atUs });
  });

  it("that cannot be written hold up nobody, and are tried again by the next read", async () => {
    const { marks, state, store } = await start();
    state.isDown = true;
    marks.note("home", "m1", "tablet");
    await marks.settled();
    state.isDown = false;
    marks.note("home", "m1", "phone");
    await marks.settled();
    expect(await store.oldRead("home", "m1")).toMatchObject({ reader: "phone" });
  });
});
