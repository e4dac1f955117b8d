import { describe, expect, it } from "vitest";
import type { DisplayStore, Told } from "../../lib/publish/ports.ts";

const told = (more: Partial<Told> = {}): Told => ({
  form: "device",
  shown: { hearthline_home_patterns: "sensor" },
  gone: {},
  digests: { "hearthline/home/figures": "0123" },
  allAtMs: 1_000,
  ...more,
});

/** What every `DisplayStore` does. */
export function displayStoreConformance(make: () => Promise<DisplayStore>): void {
  let number = 0;
  const homeId = () => `display-${++number}`;

  describe("what the house was told", () => {
    it("is nothing at first, and then what was kept, home by home", async () => {
      const [store, home] = [await make(), homeId()];
      expect(await store.get(home)).toBeUndefined();
      await store.change(home, async (before) => {
        expect(before).toBeUndefined();
        return told();
      });
      expect(await store.get(home)).toEqual(told());
      expect(await store.get(homeId())).toBeUndefined();
    });

    it("loses nobody's word when many come at once", async () => {
      const [store, home] = [await make(), homeId()];
      const add = (id: string) =>
        store.change(home, async (before) => told({ shown: { ...before?.shown, [id]: "button" } }));
      await Promise.all(["a", "b", "c", "d"].map(add));
      expect(
        Object.keys((await store.get(home))?.shown ?? {})
          .filter((id) => id.length === 1)
          .sort(),
      ).toEqual([...["a", "b", "c", "d"]]);
    });

    it("keeps nothing of a telling that failed", async () => {
      const [store, home] = [await make(), homeId()];
      const failing = store.change(home, () => Promise.reject(new Error("the outbox is full")));
      await expect(failing).rejects.toThrow("the outbox is full");
      expect(await store.get(home)).toBeUndefined();
    });
  });
}
