import { describe, expect, it } from "vitest";
import type { Suggestion, SuggestionStore } from "../../lib/suggestions/ports.ts";

export const suggestion = (id: string, more: Partial<Suggestion> = {}): Suggestion => ({
  homeId: "home",
  id,
  source: "pattern",
  score: 0.5,
  title: `Turn on ${id} 💡`,
  description: "You do it.",
  evidence: "18 of 20 days",
  status: "new",
  createdAt: "2026-11-22T02:00:00.000Z",
  updatedAt: "2026-11-22T02:00:00.000Z",
  history: [{ at: "2026-11-22T02:00:00.000Z", what: "suggested", by: "night" }],
  ...more,
});

/** What every `SuggestionStore` does. */
export function suggestionStoreConformance(
  make: () => Promise<{ readonly store: SuggestionStore; homeId(): string }>,
): void {
  describe("suggestions", () => {
    it("are given as they were kept, ranked ones first, then the newest, each home its own", async () => {
      const { store, homeId } = await make();
      const home = homeId();
      expect([await store.list(home), await store.get(home, "a")]).toEqual([[], undefined]);
      const all = [
        suggestion("old", { updatedAt: "2026-11-20T02:00:00.000Z", status: "dismissed" }),
        suggestion("second", { rank: 2 }),
        suggestion("new", { updatedAt: "2026-11-21T02:00:00.000Z" }),
        suggestion("first", { rank: 1 }),
      ];
      expect(await store.change(home, () => all)).toEqual(all);
      expect((await store.list(home)).map(({ id }) => id)).toEqual(["first", "second", "new", "old"]);
      expect(await store.get(home, "old")).toEqual(all[0]);
      expect(await store.list(homeId())).toEqual([]);
    });

    it("lose nobody's change when many change them at once", async () => {
      const { store, homeId } = await make();
      const home = homeId();
      const add = (id: string) => store.change(home, (there) => [...there, suggestion(id)]);
      await Promise.all(["a", "b", "c", "d", "e"].map(add));
      expect((await store.list(home)).map(({ id }) => id).sort()).toEqual(["a", "b", "c", "d", "e"]);
    });

    it("hold five hundred with their automations", async () => {
      const { store, homeId } = await make();
      const home = homeId();
      const automation = {
        ...{ alias: "x".repeat(200), description: "y".repeat(500), mode: "single" as const },
        triggers: [{ trigger: "time", at: "07:00:00" }],
        conditions: [],
        actions: [{ action: "light.turn_on", target: { entity_id: "light.kitchen" } }],
      };
      const many = Array.from({ length: 500 }, (_, at) => suggestion(`s${at}`, { rank: at + 1, automation }));
      await store.change(home, () => many);
      expect(await store.list(home)).toEqual(many);
    });
  });
}
