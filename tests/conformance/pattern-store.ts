import { describe, expect, it } from "vitest";
import type { PatternStore } from "../../lib/analysis/ports.ts";
import { buildPattern } from "../support/patterns.ts";

/** What every `PatternStore` does. `make` gives an empty one. */
export function patternStoreConformance(make: () => Promise<PatternStore>): void {
  describe("patterns", () => {
    it("are kept whole, by home, in the order of their ids", async () => {
      const store = await make();
      const [a, b, other] = [buildPattern({ id: "a" }), buildPattern({ id: "b" }), buildPattern({ homeId: "home2" })];
      expect(await store.list("home")).toEqual([]);
      expect(await store.get("home", "a")).toBeUndefined();
      expect(await store.change("home", () => [b, a])).toEqual([a, b]);
      await store.change("home2", () => [other]);
      expect(await store.list("home")).toEqual([a, b]);
      expect(await store.list("home2")).toEqual([other]);
      expect(await store.list("hom")).toEqual([]);
      expect(await store.get("home", "b")).toEqual(b);
      expect(await store.get("home2", "b")).toBeUndefined();
    });

    it("are replaced by what is made of those that are there", async () => {
      const store = await make();
      await store.change("home", () => [buildPattern({ id: "a" }), buildPattern({ id: "b" })]);
      await store.change("home", (there) => {
        expect(there.map(({ id }) => id)).toEqual(["a", "b"]);
        return there.filter(({ id }) => id === "b").map((pattern) => ({ ...pattern, status: "fading" as const }));
      });
      expect(await store.list("home")).toEqual([buildPattern({ id: "b", status: "fading" })]);
      await store.change("home", () => []);
      expect(await store.list("home")).toEqual([]);
    });

    it("lose nobody's change when many write at once, and grow to any number and shrink again", async () => {
      const store = await make();
      const add = (id: string) => store.change("home", (there) => [...there, buildPattern({ id })]);
      const ids = Array.from({ length: 6 }, (_, index) => `id-${index}`);
      await Promise.all(ids.map(add));
      expect((await store.list("home")).map(({ id }) => id)).toEqual(ids);
      const noise = (index: number) => Array.from({ length: 40 }, (_, at) => Math.sin(index * 41 + at));
      const large = Array.from({ length: 3_000 }, (_, index) =>
        buildPattern({
          id: `large-${String(index).padStart(5, "0")}`,
          histogram: { unit: "seconds", edges: [0, 1], counts: noise(index) },
        }),
      );
      await store.change("home", () => large);
      expect(await store.list("home")).toEqual(large);
      await Promise.all([add("x"), add("y")]);
      expect(await store.list("home")).toHaveLength(3_002);
      await store.change("home", () => [buildPattern({ id: "last" })]);
      expect(await store.list("home")).toEqual([buildPattern({ id: "last" })]);
    });
  });
}
