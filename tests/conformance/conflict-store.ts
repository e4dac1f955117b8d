import { describe, expect, it } from "vitest";
import type { Comparison, Conflict, ConflictStore } from "../../lib/devices/ports.ts";
import { CONFLICT_KEPT_MS, CONFLICTS_MAX } from "../../lib/devices/ports.ts";

const AT_MS = 1_795_000_000_000;

const conflict = (id: string, more: Partial<Conflict> = {}): Conflict => ({
  id,
  kind: "device",
  subjectId: `device-${id}`,
  field: "name",
  newSource: "home-assistant",
  oldSource: "zigbee2mqtt",
  new: "Lamp",
  old: "Licht 💡",
  strategy: "ask",
  status: "open",
  reason: "asked",
  cost: { operations: 2, micros: 17 },
  foundAtMs: AT_MS,
  ...more,
});
const comparison = (found: readonly Conflict[], atMs = AT_MS): Comparison => ({
  newSource: "home-assistant",
  oldSource: "zigbee2mqtt",
  found,
  atMs,
});
const settled = (id: string): Conflict =>
  conflict(id, { strategy: "new-wins", status: "settled", chosen: "new", settledBy: "strategy", settledAtMs: AT_MS });

/** What every `ConflictStore` does. */
export function conflictStoreConformance(
  make: () => Promise<{ readonly conflicts: ConflictStore; homeId(): string }>,
): void {
  const all = { limit: 10_000, nowMs: AT_MS };
  describe("conflicts", () => {
    it("are given as they were found, by id, each home its own", async () => {
      const { conflicts, homeId } = await make();
      const home = homeId();
      expect(await conflicts.list(home, all)).toEqual({ conflicts: [] });
      const tally = await conflicts.note(home, comparison([settled("b"), conflict("a")]));
      expect(tally).toEqual({ added: 2, unchanged: 0, over: 0, dropped: 0 });
      expect(await conflicts.list(home, all)).toEqual({ conflicts: [conflict("a"), settled("b")] });
      expect(await conflicts.list(homeId(), all)).toEqual({ conflicts: [] });
    });

    it("are paged and filtered", async () => {
      const { conflicts, homeId } = await make();
      const home = homeId();
      await conflicts.note(home, comparison(["c", "a", "d", "b"].map((id) => conflict(id))));
      const first = await conflicts.list(home, { ...all, limit: 3 });
      expect(first.conflicts.map(({ id }) => id)).toEqual(["a", "b", "c"]);
      expect(first.next).toBe("c");
      // One that is gone meanwhile does not shift the page.
      await conflicts.note(home, comparison([conflict("d")], AT_MS + CONFLICT_KEPT_MS * 3));
      const rest = await conflicts.list(home, { ...all, after: "c" });
      expect(rest).toEqual({ conflicts: [conflict("d")] });
      expect((await conflicts.list(home, { ...all, subjectId: "device-d" })).conflicts).toHaveLength(1);
      expect((await conflicts.list(home, { ...all, status: "settled" })).conflicts).toEqual([]);
    });

    it("stay as they are while nothing changes, are new with other values, and over when they are found no more", async () => {
      const { conflicts, homeId } = await make();
      const home = homeId();
      await conflicts.note(home, comparison([conflict("a"), conflict("b")]));
      const again = comparison([conflict("a", { foundAtMs: AT_MS + 5 }), conflict("b", { old: "Other" })], AT_MS + 5);
      expect(await conflicts.note(home, again)).toEqual({ added: 1, unchanged: 1, over: 0, dropped: 0 });
      expect((await conflicts.list(home, all)).conflicts).toEqual([conflict("a"), conflict("b", { old: "Other" })]);
      // Of other sources nothing is said.
      expect(await conflicts.note(home, { ...comparison([]), oldSource: "old" })).toMatchObject({ over: 0 });
      expect(await conflicts.note(home, comparison([], AT_MS + 9))).toMatchObject({ over: 2 });
      expect(await conflicts.note(home, comparison([], AT_MS + 10))).toMatchObject({ over: 0 });
      const over = (await conflicts.list(home, all)).conflicts;
      expect(over.map(({ status, overAtMs }) => [status, overAtMs])).toEqual([
        ["over", AT_MS + 9],
        ["over", AT_MS + 9],
      ]);
      // Forgotten a year later, also where nobody has written since.
      const later = AT_MS + 9 + CONFLICT_KEPT_MS;
      expect((await conflicts.list(home, { ...all, nowMs: later - 1 })).conflicts).toHaveLength(2);
      expect((await conflicts.list(home, { ...all, nowMs: later })).conflicts).toEqual([]);
    });

    it("are settled by hand, which holds until a source says something else", async () => {
      const { conflicts, homeId } = await make();
      const home = homeId();
      await conflicts.note(home, comparison([conflict("a"), settled("b")]));
      const byHand = { status: "settled", chosen: "old", settledBy: "hand", settledAtMs: AT_MS + 1 } as const;
      const choice = { chosen: "old", atMs: AT_MS + 1, reason: "I know it" } as const;
      expect(await conflicts.settle(home, "a", choice)).toEqual({ ...conflict("a"), ...byHand, reason: "I know it" });
      expect(await conflicts.settle(home, "a", { ...choice, atMs: AT_MS + 2 })).toMatchObject(byHand);
      expect(await conflicts.settle(home, "b", choice)).toMatchObject(byHand);
      expect(await conflicts.settle(home, "none", choice)).toBeUndefined();
      expect(await conflicts.settle(homeId(), "a", choice)).toBeUndefined();
      expect(await conflicts.note(home, comparison([conflict("a"), settled("b")]))).toMatchObject({ unchanged: 2 });
      expect((await conflicts.list(home, { ...all, status: "settled" })).conflicts).toMatchObject([byHand, byHand]);
      expect(await conflicts.note(home, comparison([conflict("a", { new: "X" })]))).toMatchObject({
        added: 1,
        over: 1,
      });
      expect((await conflicts.list(home, all)).conflicts).toMatchObject([{ status: "open" }, { status: "over" }]);
    });

    it("refuse what cannot be: both of two texts, and what is over", async () => {
      const { conflicts, homeId } = await make();
      const home = homeId();
      await conflicts.note(home, comparison([conflict("a")]));
      const refused = expect.objectContaining({ code: "request_invalid" });
      await expect(conflicts.settle(home, "a", { chosen: "both", atMs: AT_MS })).rejects.toEqual(refused);
      await conflicts.note(home, comparison([]));
      await expect(conflicts.settle(home, "a", { chosen: "new", atMs: AT_MS })).rejects.toEqual(refused);
    });

    it("are bounded: what is over goes first, then what is settled, then the oldest", async () => {
      const { conflicts, homeId } = await make();
      const home = homeId();
      const named = (from: number, count: number, make: (id: string) => Conflict) =>
        Array.from({ length: count }, (_, at) => make(String(from + at).padStart(6, "0")));
      await conflicts.note(home, comparison(named(0, 10, (id) => conflict(id))));
      await conflicts.note(home, comparison([...named(10, 20, settled), ...named(30, 400, (id) => conflict(id))]));
      const many = [...named(10, 20, settled), ...named(30, CONFLICTS_MAX, (id) => conflict(id))];
      const { dropped } = await conflicts.note(home, comparison(many));
      const kept = (await conflicts.list(home, all)).conflicts;
      expect(dropped).toBeGreaterThanOrEqual(30);
      expect(kept.length).toBeLessThanOrEqual(CONFLICTS_MAX);
      expect(kept.every(({ status }) => status === "open")).toBe(true);
      expect(kept.at(-1)?.id).toBe(String(30 + CONFLICTS_MAX - 1).padStart(6, "0"));
    });

    it("come to the same each time where there are more than have room, and what a person said stays", async () => {
      const { conflicts, homeId } = await make();
      const home = homeId();
      const many = Array.from({ length: CONFLICTS_MAX + 500 }, (_, at) => settled(String(at).padStart(6, "0")));
      const first = await conflicts.note(home, comparison(many));
      const kept = await conflicts.list(home, all);
      expect(first.added).toBe(kept.conflicts.length);
      expect(first.added + first.dropped).toBe(many.length);
      await conflicts.settle(home, kept.conflicts.at(-1)?.id ?? "", { chosen: "old", atMs: AT_MS });
      const byHand = await conflicts.list(home, all);
      for (let round = 0; round < 3; round++) {
        const again = await conflicts.note(home, comparison(many.toReversed()));
        expect(again).toEqual({ added: 0, unchanged: first.added, over: 0, dropped: first.dropped });
        expect(await conflicts.list(home, all)).toEqual(byHand);
      }
      // Room that is made is used.
      const fewer = await conflicts.note(home, comparison(many.slice(300)));
      expect(fewer.added).toBeGreaterThan(200);
      expect((await conflicts.list(home, { ...all, status: "settled" })).conflicts.at(-1)?.settledBy).toBe("strategy");
      expect((await conflicts.list(home, all)).conflicts.filter(({ settledBy }) => settledBy === "hand")).toHaveLength(
        1,
      );
    });

    it("are whole whoever writes at the same moment", async () => {
      const { conflicts, homeId } = await make();
      const home = homeId();
      const ids = ["a", "b", "c", "d"];
      await conflicts.note(home, comparison(ids.map((id) => conflict(id))));
      await Promise.all(ids.map((id) => conflicts.settle(home, id, { chosen: "new", atMs: AT_MS })));
      expect((await conflicts.list(home, { ...all, status: "settled" })).conflicts).toHaveLength(4);
    });
  });
}
