import { beforeEach, describe, expect, it } from "vitest";
import { createMemoryMigrationStore } from "../../lib/adapters/memory/migration-store.ts";
import { HearthlineError } from "../../lib/base/errors.ts";
import { seededRandom } from "../../lib/base/random.ts";
import { type Control, createControl } from "../../lib/migration/control.ts";
import { planSchema } from "../../lib/migration/plan.ts";
import type { MigrationStore } from "../../lib/migration/ports.ts";
import { changed } from "../../lib/migration/row.ts";
import type { Migration } from "../../lib/migration/types.ts";
import { type ManualClock, manualClock } from "../support/manual-clock.ts";

const PLAN = planSchema.parse({ old: { kind: "http", url: "http://old.local" } });
let store: MigrationStore;
let clock: ManualClock;
let made: Migration;

const controlOver = (given: Partial<MigrationStore> = {}): Control => {
  let count = 0;
  const instant = { ...clock, sleep: async () => {} };
  return createControl({
    ...{ store: { ...store, ...given }, clock: instant, random: seededRandom(1) },
    newId: () => `id-${++count}`,
  });
};
const order = (epoch: number) => ({ homeId: "home", id: made.id, epoch, actor: "anna" });
const row = async () => {
  const there = await store.get("home", made.id);
  if (!there) throw new Error("gone");
  return there;
};
/** A step that writes the row between the reading and the commit of a person's change. */
async function stepInBetween(change?: Partial<Migration>): Promise<void> {
  const there = await row();
  const nowUs = clock.nowMs() * 1000;
  const next = change
    ? changed(there, { nowUs, actor: "validate-migration", reason: "p95 fell.", ...change })
    : { ...there, revision: there.revision + 1, lastStepUs: nowUs };
  await store.commit(next, { expected: there.revision });
}

beforeEach(async () => {
  clock = manualClock();
  store = createMemoryMigrationStore();
  made = await controlOver().plan("home", PLAN, "anna");
});

describe("a person's change", () => {
  it("is one epoch on, in the audit with who and why, and in the pointer at once", async () => {
    const control = controlOver();
    expect(await store.pointer("home")).toBeUndefined();
    const started = await control.start({ ...order(1), reason: "Sunday" });
    expect(started).toMatchObject({ epoch: 2, state: "prepared" });
    expect(await store.pointer("home")).toMatchObject({ authority: "old", epoch: 2 });
    expect((await store.audit("home", made.id)).at(-1)).toMatchObject({ epoch: 2, actor: "anna", reason: "Sunday" });
  });

  it("is made again over what a step wrote meanwhile, as long as the epoch is the one that was seen", async () => {
    let times = 3;
    const busy = controlOver({
      commit: async (next, commit) => {
        if (times-- > 0) await stepInBetween();
        await store.commit(next, commit);
      },
    });
    expect(await busy.start(order(1))).toMatchObject({ epoch: 2, revision: 5 });
    expect((await row()).lastStepUs).toBeDefined();
  });

  it("gives up after some times, and never runs on for ever", async () => {
    let commits = 0;
    const hopeless = controlOver({
      commit: async (next, commit) => {
        commits++;
        await stepInBetween();
        await store.commit(next, commit);
      },
    });
    await expect(hopeless.start(order(1))).rejects.toMatchObject({ code: "migration_stale" });
    expect(commits).toBe(5);
    expect((await row()).epoch).toBe(1);
  });

  it("is stale when another was first, also in between, and says what happened", async () => {
    await controlOver().start(order(1));
    const raced = controlOver({
      commit: async (next, commit) => {
        if ((await row()).epoch === 2) await stepInBetween({ state: "dual_write" });
        await store.commit(next, commit);
      },
    });
    await expect(raced.pause(order(2))).rejects.toThrow(/epoch 2; it is at epoch 3 now, in dual_write.*p95 fell\./);
    expect(await row()).toMatchObject({ state: "dual_write", epoch: 3 });
  });

  it("of two at once, one is made and one is stale", async () => {
    await controlOver().start(order(1));
    const both = await Promise.allSettled([
      controlOver().pause(order(2)),
      controlOver().rollback({ ...order(2), at: "once" }),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect((await row()).epoch).toBe(3);
  });

  it("stands when the pointer cannot be set at first: it is tried again, then said", async () => {
    let away = 2;
    const setPointer: MigrationStore["setPointer"] = async (homeId, pointer) => {
      if (away-- > 0) throw new HearthlineError("service_unreachable", "the table is away");
      await store.setPointer(homeId, pointer);
    };
    await controlOver({ setPointer }).start(order(1));
    expect((await store.pointer("home"))?.epoch).toBe(2);
    away = 100;
    await expect(controlOver({ setPointer }).rollback({ ...order(2), at: "once" })).rejects.toThrow(
      "the table is away",
    );
    // The row says it: the next step sets the pointer from it.
    expect(await row()).toMatchObject({ epoch: 3, state: "rolled_back" });
  });

  it("of none is nothing; one that ended unstarted leaves who answers as it was", async () => {
    expect(await controlOver().start({ ...order(1), id: "none" })).toBeUndefined();
    await controlOver().abort(order(1));
    expect((await row()).state).toBe("rolled_back");
    expect(await store.pointer("home")).toBeUndefined();
  });
});
