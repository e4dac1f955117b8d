import { describe, expect, it } from "vitest";
import { pause, pointerOf, resume, start } from "../../lib/migration/index.ts";
import type { Difference, Migration, MigrationStore, ReadPair } from "../../lib/migration/ports.ts";
import { migrationOf, START_US, startedOf } from "../support/migrations.ts";

const by = { actor: "owner", nowUs: START_US };
const pairAt = (seconds: number): ReadPair => ({
  ...{ atUs: START_US + seconds * 1e6, by: "probe", query: "range", oldMs: 1.5, newMs: 2.25, rows: 3, isEqual: true },
});
const differenceAt = (seconds: number, more: Partial<Difference> = {}): Difference => ({
  ...{ class: "missing-in-new", entityId: "light.a", atUs: START_US + seconds * 1e6 },
  ...{ foundUs: START_US, explanation: "It is not there.", ...more },
});
/** Ended, as the next revision of a row. */
const ended = (row: Migration): Migration => ({ ...row, state: "rolled_back", revision: row.revision + 1 });

/** What every `MigrationStore` does. */
export function migrationStoreConformance(make: () => Promise<MigrationStore>): void {
  describe("migrations", () => {
    it("are given as they were written, each home its own, one under way at a time", async () => {
      const store = await make();
      expect([await store.get("home", "m1"), await store.list("home"), await store.underWay()]).toEqual([
        undefined,
        [],
        [],
      ]);
      const row = migrationOf();
      await store.create(row);
      await store.create(migrationOf({ homeId: "other" }));
      expect(await store.get("home", "m1")).toEqual(row);
      expect(await store.get("home", "m2")).toBeUndefined();
      expect(await store.get("homes", "m1")).toBeUndefined();
      expect((await store.underWay()).map(({ homeId }) => homeId).sort()).toEqual(["home", "other"]);
      await expect(store.create(migrationOf({ id: "m2" }))).rejects.toMatchObject({ code: "migration_exists" });
      expect(await store.list("home")).toEqual([row]);
    });

    it("are made once, however many make one at once", async () => {
      const store = await make();
      const ids = ["a", "b", "c", "d", "e"];
      const made = await Promise.allSettled(ids.map((id) => store.create(migrationOf({ id }))));
      const first = made.filter(({ status }) => status === "fulfilled");
      expect(first).toHaveLength(1);
      const [kept, ...others] = await store.list("home");
      expect(others).toEqual([]);
      expect(await store.underWay()).toEqual([{ homeId: "home", id: kept?.id }]);
      expect(await store.audit("home", kept?.id ?? "")).toEqual([kept?.lastChange]);
    });

    it("change by the revision that was read, with their memories or not at all", async () => {
      const store = await make();
      const row = migrationOf();
      await store.create(row);
      const first = start(row, by);
      await store.commit(first, { expected: 1, memories: { canary: { seen: ["ü", 1] }, loss: [1] } });
      const second = { ...first, revision: 3 };
      for (const late of [start(row, { ...by, actor: "late" }), { ...second, revision: 4 }])
        await expect(store.commit(late, { expected: 1, memories: { canary: "late" } })).rejects.toMatchObject({
          code: "migration_stale",
        });
      await store.commit(second, { expected: 2, memories: { loss: null } });
      expect(await store.get("home", "m1")).toEqual(second);
      expect(await store.memory("home", "m1", "canary")).toEqual({ seen: ["ü", 1] });
      expect(await store.memory("home", "m1", "loss")).toBeNull();
      expect(await store.memory("home", "m1", "quiet")).toBeUndefined();
      expect(await store.memory("home", "m2", "canary")).toBeUndefined();
    });

    it("of many that commit at once let one through, with its memory", async () => {
      const store = await make();
      const row = migrationOf();
      await store.create(row);
      const all = await Promise.allSettled(
        ["a", "b", "c", "d"].map((reason) =>
          store.commit(start(row, { ...by, reason }), { expected: 1, memories: { who: reason } }),
        ),
      );
      expect(all.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      const kept = await store.get("home", "m1");
      expect(await store.memory("home", "m1", "who")).toBe(kept?.lastChange?.reason);
      expect((await store.audit("home", "m1")).map(({ epoch }) => epoch)).toEqual([1, 2]);
    });

    it("have every change in their audit once", async () => {
      const store = await make();
      let row = migrationOf();
      await store.create(row);
      for (let epoch = 2; epoch <= 13; epoch++) {
        const next = epoch === 2 ? start(row, by) : epoch % 2 === 1 ? pause(row, by) : resume(row, by);
        await store.commit(next, { expected: row.revision });
        const same = { ...next, revision: next.revision + 1 };
        await store.commit(same, { expected: next.revision });
        row = same;
      }
      const audit = await store.audit("home", "m1");
      expect(audit.map(({ epoch }) => epoch)).toEqual(Array.from({ length: 13 }, (_, at) => at + 1));
      expect(audit.at(-1)).toEqual(row.lastChange);
      expect(await store.audit("home", "m2")).toEqual([]);
    });

    it("make way for the next one when they have ended, and stay readable", async () => {
      const store = await make();
      const row = startedOf();
      await store.create(row);
      const last = ended(row);
      await store.commit(last, { expected: row.revision, memories: { canary: 7 } });
      await store.create(migrationOf({ id: "m2" }));
      expect((await store.list("home")).map(({ id }) => id)).toEqual(["m2", "m1"]);
      expect(await store.get("home", "m1")).toEqual(last);
      expect(await store.memory("home", "m1", "canary")).toBe(7);
      expect(await store.audit("home", "m1")).toEqual([last.lastChange]);
      const late = { ...last, revision: last.revision + 1 };
      await expect(store.commit(late, { expected: last.revision })).rejects.toMatchObject({ code: "migration_stale" });
    });

    it("are under way until they have ended and that is settled", async () => {
      const store = await make();
      const row = startedOf();
      await store.create(row);
      await store.settle("home", "m1");
      expect(await store.underWay()).toHaveLength(1);
      await store.commit(ended(row), { expected: row.revision });
      expect(await store.underWay()).toEqual([{ homeId: "home", id: "m1" }]);
      await store.settle("home", "m1");
      expect(await store.underWay()).toEqual([]);
    });

    it("of another version are refused", async () => {
      const store = await make();
      await store.create(migrationOf({ version: 2 as 1 }));
      for (const read of [store.get("home", "m1"), store.list("home")])
        await expect(read).rejects.toMatchObject({
          code: "store_incompatible",
          message: expect.stringContaining("version 2"),
        });
      expect(await store.underWay()).toHaveLength(1);
    });
  });

  describe("the pointer of a home", () => {
    it("is set, and not taken back by who is late, of this migration or of one before it", async () => {
      const store = await make();
      const row = startedOf();
      expect(await store.pointer("home")).toBeUndefined();
      await store.create(row);
      await store.setPointer("home", undefined);
      const at = (epoch: number, id = "m1") => ({ ...pointerOf({ ...row, id }), epoch });
      await store.setPointer("home", at(2));
      await store.setPointer("home", at(5));
      for (const epoch of [4, 1]) await store.setPointer("home", at(epoch));
      expect(await store.pointer("home")).toEqual(at(5));
      expect(await store.pointer("other")).toBeUndefined();

      await store.commit(ended(row), { expected: row.revision });
      await store.create(migrationOf({ id: "m2" }));
      await store.setPointer("home", at(6));
      await store.setPointer("home", at(1, "m2"));
      await store.setPointer("home", at(7));
      expect(await store.pointer("home")).toEqual(at(1, "m2"));
    });

    it("is taken away for good, until a later migration sets one", async () => {
      const store = await make();
      const row = startedOf();
      await store.create(row);
      await store.setPointer("home", pointerOf(row));
      await store.setPointer("home", undefined);
      await store.setPointer("home", pointerOf({ ...row, epoch: 99 }));
      expect(await store.pointer("home")).toBeUndefined();
      await store.commit(ended(row), { expected: row.revision });
      const next = startedOf({ id: "m2" });
      await store.create(next);
      await store.setPointer("home", pointerOf(next));
      expect(await store.pointer("home")).toEqual(pointerOf(next));
    });
  });

  describe("what is measured beside a migration", () => {
    it("pairs are given ascending, after a moment, the newest twenty thousand", async () => {
      const store = await make();
      await store.create(migrationOf());
      expect(await store.pairs("home", "m1", 0)).toEqual([]);
      await store.addPairs("home", "m1", []);
      await store.addPairs("home", "m1", [pairAt(3), pairAt(1)]);
      await store.addPairs("home", "m1", [pairAt(2), { ...pairAt(4), oldError: "away" }]);
      const [, second, third, fourth] = [1, 2, 3, 4].map(pairAt);
      expect(await store.pairs("home", "m1", START_US + 1e6)).toEqual([second, third, { ...fourth, oldError: "away" }]);
      expect(await store.pairs("home", "m2", 0)).toEqual([]);
      for (let part = 0; part < 24; part++)
        await store.addPairs(
          "home",
          "m1",
          Array.from({ length: 1_000 }, (_, at) => pairAt(10 + part * 1_000 + at)),
        );
      const all = await store.pairs("home", "m1", 0);
      expect(all).toHaveLength(20_000);
      expect([all[0], all.at(-1)]).toEqual([pairAt(4_010), pairAt(24_009)]);
      expect(all.every((pair, at) => at === 0 || pair.atUs > (all[at - 1]?.atUs ?? 0))).toBe(true);
    });

    it("the last read of OLD is the one that was noted last, each migration's its own", async () => {
      const store = await make();
      await store.create(migrationOf());
      expect(await store.oldRead("home", "m1")).toBeUndefined();
      await store.noteOldRead("home", "m1", { atUs: 2, reader: "#tablet" });
      expect(await store.oldRead("home", "m1")).toEqual({ atUs: 2, reader: "#tablet" });
      await store.noteOldRead("home", "m1", { atUs: START_US });
      expect(await store.oldRead("home", "m1")).toEqual({ atUs: START_US });
      expect(await store.oldRead("home", "m2")).toBeUndefined();
      expect(await store.oldRead("other", "m1")).toBeUndefined();
    });

    it("a difference is one by class, entity and time, and is brought up to date", async () => {
      const store = await make();
      await store.create(migrationOf());
      const none = { "missing-in-new": 0, "missing-in-old": 0, different: 0, late: 0, "known-limit": 0 };
      expect(await store.differences("home", "m1")).toEqual({ count: none, examples: [] });
      await store.addDifferences("home", "m1", [differenceAt(1), differenceAt(2)]);
      const repaired = differenceAt(1, { isRepaired: true, foundUs: START_US + 9 });
      await store.addDifferences(
        "home",
        "m1",
        [repaired, differenceAt(1, { class: "late" }), differenceAt(1)].slice(0, 2),
      );
      const { count, examples } = await store.differences("home", "m1");
      expect(count).toEqual({ ...none, "missing-in-new": 2, late: 1 });
      expect(examples).toEqual([
        differenceAt(1, { isRepaired: true }),
        differenceAt(2),
        differenceAt(1, { class: "late" }),
      ]);
      expect((await store.differences("home", "m2")).examples).toEqual([]);
    });

    it("the first ten thousand differences stay, and all are counted", async () => {
      const store = await make();
      await store.create(migrationOf());
      const many = Array.from({ length: 10_500 }, (_, at) => differenceAt(at));
      await store.addDifferences("home", "m1", many.slice(0, 9_999));
      await store.addDifferences("home", "m1", many.slice(9_999));
      const { count, examples } = await store.differences("home", "m1");
      expect(count["missing-in-new"]).toBe(10_500);
      expect(examples).toEqual(many.slice(0, 10_000));
    });
  });
}
