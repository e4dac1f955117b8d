import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { HotSegments } from "../../lib/adapters/parquet/ports.ts";

const bytesOf = (length: number, seed = 0) => Uint8Array.from({ length }, (_, index) => (index * 7 + seed) % 256);
const HOMES = ["home", "HOME", "ho#me", "h%", "ü", "2026-11-22"];

/** What every place for the segments of open days does. */
export function hotSegmentsConformance(name: string, open: () => Promise<HotSegments>): void {
  describe(`hot segments: ${name}`, () => {
    let hot: HotSegments;
    beforeEach(async () => {
      hot = await open();
    });
    afterEach(() => hot.drop());
    const add = (homeId: string, day: string, segment: string, seed = 0) =>
      hot.append([{ homeId, segment: { day, name: segment }, bytes: bytesOf(100, seed) }]);

    it("lists by day and name what was appended, between two days, of one home", async () => {
      for (const homeId of HOMES) {
        for (const day of ["2026-11-23", "2026-11-22", "1969-12-31"]) {
          for (const segment of ["0002-b", "0001-a"]) await add(homeId, day, segment);
        }
      }
      for (const homeId of HOMES) {
        const all = ["1969-12-31", "2026-11-22", "2026-11-23"].flatMap((day) => [
          { day, name: "0001-a" },
          { day, name: "0002-b" },
        ]);
        expect(await hot.list(homeId, "0000-01-01", "9999-12-31")).toEqual(all);
        expect(await hot.list(homeId, "2026-11-22", "2026-11-22")).toEqual(all.slice(2, 4));
        expect(await hot.list(homeId, "1970-01-01", "2026-11-23")).toEqual(all.slice(2));
        expect(await hot.list(homeId, "2026-11-24", "9999-12-31")).toEqual([]);
      }
      expect(await hot.list("none", "0000-01-01", "9999-12-31")).toEqual([]);
    });

    it("gives the bytes of those that are there, and none of what was removed", async () => {
      for (let index = 0; index < 130; index++) await add("home", "2026-11-22", `s${1000 + index}`, index);
      const names = Array.from({ length: 131 }, (_, index) => `s${1000 + index}`);
      const found = await hot.get("home", "2026-11-22", names);
      expect(found.size).toBe(130);
      expect(Buffer.from(found.get("s1100") ?? [])).toEqual(Buffer.from(bytesOf(100, 100)));
      expect((await hot.get("home2", "2026-11-22", names)).size).toBe(0);
      await hot.remove("home", "2026-11-22", names.slice(0, 60));
      await hot.remove("home", "2026-11-22", names.slice(0, 60));
      expect([...(await hot.get("home", "2026-11-22", names)).keys()].sort()).toEqual(names.slice(60, 130));
      expect(await hot.list("home", "2026-11-22", "2026-11-22")).toHaveLength(70);
    });

    it("takes segments of many homes and sizes together, none or 60, and keeps the homes apart", async () => {
      await hot.append([]);
      const sizes = [1, 700, 1_500, 5_000, 9_000, 40_000];
      const segments = Array.from({ length: 60 }, (_, index) => ({
        homeId: HOMES[index % HOMES.length] ?? "",
        segment: { day: index % 4 === 0 ? "2026-11-23" : "2026-11-22", name: `s${1000 + index}` },
        bytes: bytesOf(sizes[(index * 7) % sizes.length] ?? 1, index),
      }));
      await hot.append(segments);
      await hot.append(segments);
      const left = segments.filter(({ homeId }) => homeId !== "home");
      const check = async (some: typeof segments) => {
        for (const [place, own] of Map.groupBy(some, ({ homeId, segment }) => `${segment.day} ${homeId}`)) {
          const [day, homeId] = [place.slice(0, 10), place.slice(11)];
          const names = own.map(({ segment }) => segment.name);
          expect((await hot.list(homeId, day, day)).map(({ name }) => name)).toEqual(names);
          const found = await hot.get(homeId, day, names);
          for (const { segment, bytes } of own)
            expect(Buffer.from(found.get(segment.name) ?? []).equals(bytes)).toBe(true);
          for (const other of HOMES)
            if (other !== homeId)
              expect([...(await hot.get(other, day, names)).keys()].filter((name) => names.includes(name))).toEqual([]);
        }
      };
      await check(segments);
      for (const day of ["2026-11-22", "2026-11-23"])
        await hot.remove(
          "home",
          day,
          segments.map(({ segment }) => segment.name),
        );
      expect(await hot.list("home", "0000-01-01", "9999-12-31")).toEqual([]);
      await check(left);
    });

    it("knows the newest of a day", async () => {
      expect(await hot.newest("home", "2026-11-22")).toBeUndefined();
      for (const segment of ["0002-b", "0003-c", "0001-a"]) await add("home", "2026-11-22", segment);
      await add("home", "2026-11-23", "0009-z");
      expect(await hot.newest("home", "2026-11-22")).toBe("0003-c");
      expect(await hot.newest("home", "2026-11-21")).toBeUndefined();
      expect(await hot.newest("HOME", "2026-11-22")).toBeUndefined();
    });

    it("takes a segment as large as it says, and drops all of every home", async () => {
      const size = Math.min(hot.maxBytes, 2_000_000);
      await hot.append([{ homeId: "home", segment: { day: "2026-11-22", name: "large" }, bytes: bytesOf(size) }]);
      const found = await hot.get("home", "2026-11-22", ["large"]);
      expect(Buffer.from(found.get("large") ?? []).equals(bytesOf(size))).toBe(true);
      await add("home2", "2026-11-22", "a");
      await hot.drop();
      await hot.drop();
      for (const homeId of ["home", "home2"]) expect(await hot.list(homeId, "0000-01-01", "9999-12-31")).toEqual([]);
      await add("home2", "2026-11-22", "b");
      await hot.drop();
      expect(await hot.list("home2", "0000-01-01", "9999-12-31")).toEqual([]);
    });
  });
}
