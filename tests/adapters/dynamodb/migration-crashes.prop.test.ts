import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createDynamodbHomeTable } from "../../../lib/adapters/dynamodb/home-table.ts";
import { homePartition } from "../../../lib/adapters/dynamodb/keys.ts";
import { createDynamodbMigrationStore } from "../../../lib/adapters/dynamodb/migrations.ts";
import type { Table } from "../../../lib/adapters/dynamodb/table.ts";
import { silentLogger } from "../../../lib/base/log.ts";
import { seededRandom } from "../../../lib/base/random.ts";
import { createControl } from "../../../lib/migration/control.ts";
import { ENDED, pointerOf, STATES } from "../../../lib/migration/index.ts";
import type { Check, Migration } from "../../../lib/migration/ports.ts";
import { createStepper } from "../../../lib/migration/step.ts";
import { startDynaliteServer, tableAt } from "../../support/dynalite.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { planOf, resultsFor, START_US, startedOf } from "../../support/migrations.ts";

class Killed extends Error {}

/** A table whose process dies before its n-th write, or right after it, before it hears the answer; from then on nothing it does arrives. */
function mortal(table: Table, { writes, isHeard }: { readonly writes: number; readonly isHeard: boolean }): Table {
  let left = writes;
  let isDead = false;
  async function live<T>(work: () => Promise<T>, isWrite: boolean): Promise<T> {
    if (isDead) throw new Killed();
    if (!isWrite || left-- > 0) return work();
    isDead = true;
    if (!isHeard) await work();
    throw new Killed();
  }
  return {
    ...table,
    get: (...args) => live(() => table.get(...args), false),
    getMany: (...args) => live(() => table.getMany(...args), false),
    put: (...args) => live(() => table.put(...args), true),
    remove: (...args) => live(() => table.remove(...args), true),
    // A batch is no unit: of two writes one may have been done.
    writeMany: async ({ puts = [], deletes = [] }) => {
      for (const item of puts) await live(() => table.writeMany({ puts: [item] }), true);
      for (const item of deletes) await live(() => table.writeMany({ deletes: [item] }), true);
    },
  };
}

let server: Awaited<ReturnType<typeof startDynaliteServer>>;
beforeAll(async () => {
  server = await startDynaliteServer();
});
afterAll(() => server.stop());

let homes = 0;

/** One life of a stepper or a person: how many of its writes arrive. */
const life = fc.record({
  who: fc.constantFrom("step", "step", "step", "two steps", "pause", "resume", "advance", "rollback"),
  writes: fc.integer({ min: 0, max: 12 }),
  isHeard: fc.boolean(),
  isFailing: fc.integer({ min: 0, max: 30 }).map((chance) => chance === 0),
  lateSeconds: fc.constantFrom(1, 60, 100_000),
});

it("whoever is killed wherever, twice at once or late: each state and stage once, in order, with one entry of the audit an epoch, and a pointer that follows", async () => {
  const base = await tableAt(server.url, "migration-crashes");
  await fc.assert(
    fc.asyncProperty(fc.array(life, { minLength: 5, maxLength: 40 }), fc.integer(), async (lives, seed) => {
      const homeId = `home-${++homes}`;
      const clock = manualClock(START_US / 1000);
      const random = seededRandom(seed);
      const table = { ...base, clock: { ...clock, sleep: async () => {} }, random };
      let isFailing = false;
      const seen: string[] = [];
      const check: Check = {
        name: "all",
        states: new Set(STATES),
        run: async ({ migration, memory }) => {
          // What is remembered is what the row's own last step remembered.
          const known = (memory ?? { looks: 0, state: migration.state }) as { looks: number; epoch?: number };
          if (known.epoch !== undefined && known.epoch > migration.epoch) seen.push("a memory of the future");
          const results = resultsFor(migration.state, isFailing ? { loss: { verdict: "fail", trigger: "loss" } } : {});
          return { results, memory: { looks: known.looks + 1, epoch: migration.epoch } };
        },
      };
      const stepperOf = (at: Table) => {
        const store = createDynamodbMigrationStore(at);
        return createStepper({ store, checks: [check], clock, random, log: silentLogger });
      };
      const certain = createDynamodbMigrationStore(table);
      const controlOf = (at: Table) =>
        createControl({
          store: createDynamodbMigrationStore(at),
          ...{ clock: table.clock, random, newId: () => "m1" },
        });
      const { id } = await controlOf(table).plan(homeId, planOf({ stabiliseSeconds: 60, gates: [] }), "owner");
      await controlOf(table).start({ homeId, id, epoch: 1, actor: "owner" });

      const order = { homeId, id, actor: "owner", reason: "By hand.", force: true };
      const look = async (): Promise<Migration> => {
        const row = await certain.get(homeId, id);
        if (!row) throw new Error("The row has gone.");
        return row;
      };
      for (const one of lives) {
        await clock.advance(one.lateSeconds * 1000);
        isFailing = one.isFailing;
        const [mine, other] = [mortal(table, one), mortal(table, { writes: one.writes + 2, isHeard: true })];
        const { epoch } = await look();
        const control = controlOf(mine);
        const work: readonly Promise<unknown>[] =
          one.who === "step"
            ? [stepperOf(mine).step(homeId, id, 60_000)]
            : one.who === "two steps"
              ? [stepperOf(mine).step(homeId, id, 60_000), stepperOf(other).step(homeId, id, 60_000)]
              : one.who === "rollback"
                ? [control.rollback({ ...order, epoch, at: "stepwise" })]
                : [control[one.who]({ ...order, epoch })];
        for (const outcome of await Promise.allSettled(work))
          if (outcome.status === "rejected" && !(outcome.reason instanceof Killed))
            expect(outcome.reason).toMatchObject({
              code: expect.stringMatching(/^migration_(stale|state_wrong|refused)$/),
            });
      }

      isFailing = false;
      await clock.advance(60_000);
      const stepper = stepperOf(table);
      const { state, epoch } = await look();
      if (state === "paused") await controlOf(table).resume({ ...order, epoch });
      for (let step = 0; step < 80 && (await certain.underWay()).some((one) => one.homeId === homeId); step++) {
        await clock.advance(60_000);
        await stepper.step(homeId, id, 60_000);
      }
      const row = await look();
      expect(ENDED.has(row.state)).toBe(true);
      expect(seen).toEqual([]);
      expect(await certain.pointer(homeId)).toEqual(pointerOf(row));
      const audit = await certain.audit(homeId, id);
      expect(audit.map((entry) => entry.epoch)).toEqual(Array.from({ length: row.epoch }, (_, at) => at + 1));
      // Each change begins where the one before it ended.
      for (const [at, entry] of audit.entries()) {
        const before = audit[at - 1];
        if (before) expect([entry.from, entry.percentFrom]).toEqual([before.to, before.percentTo]);
      }
      const stages = audit.filter(
        ({ to, percentTo, from, percentFrom }) => to === "ramp" && (from !== "paused" || percentTo !== percentFrom),
      );
      expect(stages.map(({ percentTo }) => percentTo)).toEqual([10, 25, 50, 75, 90, 100].slice(0, stages.length));
    }),
    { numRuns: 25 },
  );
}, 120_000);

it("what killed steps leave behind goes with the next change of epoch", async () => {
  const base = await tableAt(server.url, "migration-crashes");
  const clock = manualClock(START_US / 1000);
  const table = { ...base, clock };
  const memories = { big: "x".repeat(1_000) };
  const certain = createDynamodbMigrationStore(table);
  const control = createControl({ store: certain, clock, random: seededRandom(1), newId: () => "m1" });
  await control.plan("leftovers", planOf(), "owner");
  await control.start({ homeId: "leftovers", id: "m1", epoch: 1, actor: "owner" });
  const row = await certain.get("leftovers", "m1");
  if (!row) throw new Error("The row has gone.");
  const next = { ...row, revision: row.revision + 1 };
  const killed = createDynamodbMigrationStore(mortal(table, { writes: 1, isHeard: true }));
  await expect(killed.commit(next, { expected: row.revision, memories })).rejects.toThrow(Killed);
  const names = async () => {
    const found: string[] = [];
    for await (const { sk } of table.query({ pk: "H#leftovers", prefix: "MIGRATIONMEMORY#" })) found.push(sk);
    return found;
  };
  expect(await names()).toHaveLength(1);
  await control.pause({ homeId: "leftovers", id: "m1", epoch: 2, actor: "owner" });
  expect(await names()).toEqual([]);
});

it("a write whose answer was lost, and that was sent again, is one write, with its memory", async () => {
  const base = await tableAt(server.url, "migration-crashes");
  // As a client does it that waited in vain: the second time the condition does not hold any more.
  const stuttering: Table = {
    ...base,
    put: async (item, condition) => {
      await base.put(item, condition);
      await base.put(item, condition);
    },
  };
  const store = createDynamodbMigrationStore(stuttering);
  const row = startedOf({ homeId: "stutter" });
  await store.create(row);
  await store.commit({ ...row, revision: row.revision + 1 }, { expected: row.revision, memories: { canary: "kept" } });
  expect(await store.memory("stutter", "m1", "canary")).toBe("kept");
  expect(await store.underWay()).toContainEqual({ homeId: "stutter", id: "m1" });
});

it("a backup has no migration in it: none goes on by itself in a home that was restored", async () => {
  const table = await tableAt(server.url, "migration-backup");
  const store = createDynamodbMigrationStore(table);
  const row = startedOf();
  await store.create(row);
  await store.commit({ ...row, revision: row.revision + 1 }, { expected: row.revision, memories: { canary: 1 } });
  await store.setPointer("home", pointerOf(row));
  const pair = { atUs: START_US, by: "probe", query: "range", rows: 1 } as const;
  await store.addPairs("home", "m1", [pair]);
  const difference = { class: "late", entityId: "light.a", atUs: 1, foundUs: 2, explanation: "Late." } as const;
  await store.addDifferences("home", "m1", [difference]);
  const kinds = new Set<string>();
  for await (const { sk } of table.query({ pk: homePartition("home") })) kinds.add(sk.split("#")[0] ?? "");
  expect(kinds.size).toBe(6);
  for await (const item of createDynamodbHomeTable(table).items("home")) expect(item).toBeUndefined();
});
