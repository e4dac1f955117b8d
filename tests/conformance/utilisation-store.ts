import { describe, expect, it } from "vitest";
import type { DeviceUtilisation, UtilisationStore } from "../../lib/analysis/ports.ts";
import type { AbilityStore, EntityAbilities, HomeAbilities } from "../../lib/devices/ports.ts";

/** Texts that no packing makes small. */
const noise = (index: number): string =>
  Array.from({ length: 40 }, (_, at) =>
    Math.abs(Math.sin(index * 41 + at))
      .toString(36)
      .slice(2),
  ).join("");

const device = (deviceId: string, more: Partial<DeviceUtilisation> = {}): DeviceUtilisation => ({
  deviceId,
  features: 2,
  used: 1,
  unused: [
    { deviceId, deviceName: "Lamp", feature: "effect", label: "Effect", watchedSince: "2026-10-01", areaId: "hall" },
  ],
  watchedSince: "2026-10-01",
  lastUsed: { brightness: "2026-11-20" },
  ...more,
});

/** What every `UtilisationStore` does. `make` gives an empty one. */
export function utilisationStoreConformance(make: () => Promise<UtilisationStore>): void {
  describe("utilisation", () => {
    it("is kept whole, by home, and replaced as a whole", async () => {
      const store = await make();
      expect(await store.get("home")).toBeUndefined();
      const night = { date: "2026-11-22", devices: [device("a"), device("b", { unused: [], lastUsed: {} })] };
      await store.put("home", night);
      await store.put("home2", { date: "2026-11-21", devices: [] });
      expect(await store.get("home")).toEqual(night);
      expect(await store.get("home2")).toEqual({ date: "2026-11-21", devices: [] });
      expect(await store.get("hom")).toBeUndefined();
      const next = { date: "2026-11-23", devices: [device("b")] };
      await store.put("home", next);
      await store.put("home", next);
      expect(await store.get("home")).toEqual(next);
    });

    it("may be of any size, and comes to one of the two when two write at once", async () => {
      const store = await make();
      const many = (date: string) => ({
        date,
        devices: Array.from({ length: 3_000 }, (_, index) =>
          device(`d${index}`, { lastUsed: { [noise(index)]: date } }),
        ),
      });
      await store.put("home", many("2026-11-22"));
      expect(await store.get("home")).toEqual(many("2026-11-22"));
      await Promise.all([store.put("home", many("2026-11-23")), store.put("home", many("2026-11-24"))]);
      const found = await store.get("home");
      expect(found).toEqual(many(found?.date === "2026-11-23" ? "2026-11-23" : "2026-11-24"));
    });
  });
}

/** What every `AbilityStore` does. `make` gives an empty one. */
export function abilityStoreConformance(make: () => Promise<AbilityStore>): void {
  describe("abilities", () => {
    const entity = (entityId: string): EntityAbilities => ({
      entityId,
      atUs: 1_795_326_429_185_382,
      attributes: { supported_features: 44, effect_list: ["blink"] },
    });

    it("are kept whole, by home, with when was asked", async () => {
      const store = await make();
      expect(await store.get("home")).toBeUndefined();
      const all: HomeAbilities = {
        entities: [entity("light.a"), entity("light.b")],
        askedAtMs: 1_795_326_429_185,
        missing: ["0x1"],
      };
      await store.put("home", all);
      await store.put("home2", { entities: [], missing: [] });
      expect(await store.get("home")).toEqual(all);
      expect(await store.get("home2")).toEqual({ entities: [], missing: [] });
      await store.put("home", { entities: [entity("light.b")], missing: [] });
      expect(await store.get("home")).toEqual({ entities: [entity("light.b")], missing: [] });
    });
  });
}
