import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ObjectStore } from "../../lib/adapters/parquet/ports.ts";

export interface ObjectStoreUnderTest {
  readonly objects: ObjectStore;
  dispose(): Promise<void>;
}

const bytes = (...values: number[]) => Uint8Array.from(values);
const part = fc.stringMatching(/^[a-z0-9_=~-][a-z0-9._=~-]{0,5}$/);
const someName = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));

/** What every place for objects does. */
export function objectStoreConformance(name: string, open: () => Promise<ObjectStoreUnderTest>): void {
  describe(`object store: ${name}`, () => {
    let under: ObjectStoreUnderTest;
    let objects: ObjectStore;
    beforeEach(async () => {
      under = await open();
      objects = under.objects;
    });
    afterEach(() => under.dispose());
    const namesOf = async (prefix: string, bounds?: { after?: string; until?: string }) =>
      (await objects.list(prefix, bounds)).map((object) => object.name);

    it("gives back what was put, whole and in parts, and what was put last", async () => {
      const all = Uint8Array.from({ length: 70_000 }, (_, index) => index % 251);
      await objects.put("a/b.bin", all);
      expect(await objects.get("a/b.bin")).toEqual(all);
      expect(await objects.get("a/b.bin", { start: 10, end: 13 })).toEqual(bytes(10, 11, 12));
      expect(await objects.get("a/b.bin", { start: 69_999, end: 80_000 })).toEqual(all.subarray(69_999));
      expect(await objects.get("a/b.bin", { start: 5, end: 5 })).toEqual(bytes());
      expect(await objects.get("a/b.bin", { start: 70_000, end: 70_001 })).toEqual(bytes());
      await objects.put("a/b.bin", bytes(1));
      expect(await objects.get("a/b.bin")).toEqual(bytes(1));
    });

    it("knows nothing of what was never put or was removed", async () => {
      expect(await objects.get("none")).toBeUndefined();
      expect(await objects.get("none/of/these", { start: 0, end: 5 })).toBeUndefined();
      expect(await objects.list("")).toEqual([]);
      expect(await objects.list("none/")).toEqual([]);
      await objects.remove(["none", "none/of/these"]);
      await objects.put("x/y/z", bytes(1, 2));
      await objects.remove(["x/y/z"]);
      await objects.remove(["x/y/z"]);
      expect(await objects.get("x/y/z")).toBeUndefined();
      expect(await objects.list("")).toEqual([]);
      await objects.put("x/y/z", bytes(3));
      expect(await objects.list("")).toEqual([{ name: "x/y/z", bytes: 1 }]);
    });

    it("tells names apart that look alike, and keeps escapes as they are", async () => {
      const names = ["home=a~20b/x", "home=a~7e20b/x", "home=~c3~9c/x", "home=~~/x", "a=b=c/x-y_z.w"];
      for (const [index, one] of names.entries()) await objects.put(one, bytes(index));
      for (const [index, one] of names.entries()) expect(await objects.get(one)).toEqual(bytes(index));
      expect(await namesOf("")).toEqual([...names].sort());
      expect(await namesOf("home=~c3~9c/")).toEqual(["home=~c3~9c/x"]);
    });

    it("lists in the order of names, by prefix and bounds, through more than one page", async () => {
      const names = Array.from({ length: 1_205 }, (_, index) => `p/day=${String(index).padStart(5, "0")}/x`);
      for (let at = 0; at < names.length; at += 50) {
        await Promise.all(names.slice(at, at + 50).map((one) => objects.put(one, bytes(1))));
      }
      await objects.put("q/other", bytes(1));
      expect(await namesOf("p/")).toEqual(names);
      expect(await namesOf("p/day=0000")).toEqual(names.slice(0, 10));
      expect(await namesOf("p/", { after: "p/day=01200" })).toEqual(names.slice(1_200));
      expect(await namesOf("p/", { after: names[1_200] ?? "" })).toEqual(names.slice(1_201));
      expect(await namesOf("p/", { until: "p/day=00002" })).toEqual(names.slice(0, 2));
      expect(await namesOf("p/", { after: "p/day=00998", until: "p/day=010020" })).toEqual(names.slice(998, 1_003));
      await objects.remove(names);
      expect(await namesOf("")).toEqual(["q/other"]);
    }, 120_000);

    it("does as a map does", () =>
      fc.assert(
        fc.asyncProperty(
          fc.array(
            fc.record({
              name: someName,
              value: fc.option(fc.uint8Array({ minLength: 1, maxLength: 20 }), { nil: undefined }),
            }),
            {
              maxLength: 15,
            },
          ),
          async (commands) => {
            await objects.remove((await objects.list("")).map((object) => object.name));
            const model = new Map<string, Uint8Array>();
            for (const { name: one, value } of commands) {
              // A file system cannot have a file and a folder of one name; the store never wants them.
              const isTaken = [...model.keys()].some(
                (other) => other.startsWith(`${one}/`) || one.startsWith(`${other}/`),
              );
              if (isTaken) continue;
              if (value) {
                await objects.put(one, value);
                model.set(one, value);
              } else {
                await objects.remove([one]);
                model.delete(one);
              }
            }
            const wanted = [...model].sort(([a], [b]) => (a < b ? -1 : 1));
            expect(await objects.list("")).toEqual(wanted.map(([one, value]) => ({ name: one, bytes: value.length })));
            for (const [one, value] of wanted) expect(await objects.get(one)).toEqual(value);
          },
        ),
        { numRuns: 15 },
      ));

    it("answers when asked whether it is there, and is set up any number of times", async () => {
      await objects.setUp();
      await objects.setUp();
      await expect(objects.check()).resolves.toBeUndefined();
    });

    it("expires by prefix, where it can, and leaves the rules of others alone", async () => {
      const { expiry } = objects;
      if (!expiry) return;
      expect(await expiry.read(["a/", "b/"])).toBeUndefined();
      await expiry.set(["other/"], 3);
      await expiry.set(["a/", "b/"], 40);
      await expiry.set(["a/", "b/"], 40);
      expect(await expiry.read(["a/", "b/"])).toBe(40);
      expect(await expiry.read(["a/", "c/"])).toBeUndefined();
      await expiry.set(["a/"], 30);
      expect(await expiry.read(["a/", "b/"])).toBe(30);
      await expiry.clear(["a/", "b/"]);
      await expiry.clear(["a/", "b/"]);
      expect(await expiry.read(["a/"])).toBeUndefined();
      expect(await expiry.read(["other/"])).toBe(3);
      await expiry.clear(["other/"]);
    });
  });
}
