import { describe, expect, it } from "vitest";
import type { Home, HomeDirectory } from "../../lib/devices/ports.ts";
import { keyIdOf } from "../../lib/event/index.ts";
import type { HomeKeyring } from "../../lib/ingest/ports.ts";

const home = (homeId: string): Home => ({
  homeId,
  name: "",
  timeZone: "UTC",
  createdAt: "2026-11-22T06:00:00.000Z",
  revision: 0,
});
const key = (byte: number) => {
  const secret = Buffer.alloc(32, byte);
  return { id: keyIdOf(secret), secret };
};

/** What every `HomeDirectory` does, with the keys of its homes. `make` gives an empty one. */
export function homeDirectoryConformance(make: () => Promise<{ homes: HomeDirectory; keys: HomeKeyring }>): void {
  const idsOf = async (homes: HomeDirectory) => {
    const ids: string[] = [];
    for await (const { homeId } of homes.list()) ids.push(homeId);
    return ids.sort();
  };

  describe("homes", () => {
    it("has what was added, with its key", async () => {
      const { homes, keys } = await make();
      expect(await homes.get("a")).toBeUndefined();
      expect(await keys.current("a")).toBeUndefined();
      await homes.add(home("a"), key(1));
      expect(await homes.get("a")).toEqual(home("a"));
      expect(await keys.current("a")).toEqual(key(1));
      expect(await keys.find("a", key(1).id)).toEqual(key(1));
      expect(await keys.find("a", key(2).id)).toBeUndefined();
      expect(await keys.find("b", key(1).id)).toBeUndefined();
    });

    it("refuses a home that is there, and leaves it and its key as they were", async () => {
      const { homes, keys } = await make();
      await homes.add(home("a"), key(1));
      await expect(homes.add({ ...home("a"), name: "other" }, key(2))).rejects.toMatchObject({ code: "conflict" });
      expect(await homes.get("a")).toEqual(home("a"));
      expect(await keys.find("a", key(2).id)).toBeUndefined();
      expect(await keys.current("a")).toEqual(key(1));
    });

    it("lists every home once, strange ids too", async () => {
      const { homes } = await make();
      const ids = [...Array.from({ length: 40 }, (_, at) => `home-${at}`), "a#b", "a%23b", "ü", "H#a"];
      for (const id of ids) await homes.add(home(id), key(1));
      expect(await idsOf(homes)).toEqual([...ids].sort());
    });

    it("takes the relay's facts only from a higher revision, and only of a home that is there", async () => {
      const { homes } = await make();
      await homes.add(home("a"), key(1));
      await homes.update("a", { name: "Home", timeZone: "Europe/Amsterdam", revision: 10, haVersion: "2026.11.0" });
      await homes.update("a", { name: "Older", timeZone: "UTC", revision: 9 });
      await homes.update("a", { name: "Same", timeZone: "UTC", revision: 10 });
      await homes.update("b", { name: "None", timeZone: "UTC", revision: 1 });
      expect(await homes.get("a")).toEqual({
        ...home("a"),
        name: "Home",
        timeZone: "Europe/Amsterdam",
        revision: 10,
        haVersion: "2026.11.0",
      });
      expect(await idsOf(homes)).toEqual(["a"]);
    });

    it("forgets a removed home and its keys, and takes it again", async () => {
      const { homes, keys } = await make();
      await homes.add(home("a"), key(1));
      await homes.add(home("b"), key(2));
      await homes.remove("a");
      await homes.remove("a");
      expect(await homes.get("a")).toBeUndefined();
      expect(await keys.find("a", key(1).id)).toBeUndefined();
      expect(await idsOf(homes)).toEqual(["b"]);
      await homes.add(home("a"), key(3));
      expect(await keys.current("a")).toEqual(key(3));
    });

    it("has several keys at once, the newest of which is current", async () => {
      const { homes, keys } = await make();
      await homes.add(home("a"), key(1));
      await homes.add(home("b"), key(1));
      await keys.add("a", key(3), "2026-11-22T06:00:00.002Z");
      await keys.add("a", key(2), "2026-11-22T06:00:00.001Z");
      expect(await keys.current("a")).toEqual(key(3));
      for (const byte of [1, 2, 3]) expect(await keys.find("a", key(byte).id)).toEqual(key(byte));
      expect(await keys.list("a")).toEqual([
        { id: key(1).id, createdAt: "2026-11-22T06:00:00.000Z" },
        { id: key(2).id, createdAt: "2026-11-22T06:00:00.001Z" },
        { id: key(3).id, createdAt: "2026-11-22T06:00:00.002Z" },
      ]);
      expect(await keys.find("b", key(3).id)).toBeUndefined();
      expect(await keys.current("b")).toEqual(key(1));
      expect(await keys.list("none")).toEqual([]);
    });

    it("takes a key out of use and back, and then the next newest is current", async () => {
      const { homes, keys } = await make();
      const retiredAt = new Date().toISOString();
      await homes.add(home("a"), key(1));
      await homes.add(home("b"), key(2));
      await keys.add("a", key(2), "2026-11-22T06:00:00.001Z");
      expect(await keys.setRetired("a", key(2).id, retiredAt)).toBe(true);
      expect(await keys.find("a", key(2).id)).toBeUndefined();
      expect(await keys.find("b", key(2).id)).toEqual(key(2));
      expect(await keys.current("a")).toEqual(key(1));
      expect((await keys.list("a"))[1]).toEqual({ id: key(2).id, createdAt: "2026-11-22T06:00:00.001Z", retiredAt });
      expect(await keys.setRetired("a", key(2).id, undefined)).toBe(true);
      expect(await keys.current("a")).toEqual(key(2));
      expect((await keys.list("a"))[1]).toEqual({ id: key(2).id, createdAt: "2026-11-22T06:00:00.001Z" });
      expect(await keys.setRetired("a", key(3).id, retiredAt)).toBe(false);
      expect(await keys.setRetired("none", key(1).id, undefined)).toBe(false);
    });

    it("is added by one of many at once", async () => {
      const { homes, keys } = await make();
      const adds = [1, 2, 3, 4].map((byte) =>
        homes.add(home("a"), key(byte)).then(
          () => byte,
          () => 0,
        ),
      );
      const winners = (await Promise.all(adds)).filter((byte) => byte > 0);
      expect(winners).toHaveLength(1);
      expect(await keys.current("a")).toEqual(key(winners[0] ?? 0));
    });
  });
}
