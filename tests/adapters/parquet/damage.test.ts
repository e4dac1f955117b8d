import { mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createParquetEventStore } from "../../../lib/adapters/parquet/event-store.ts";
import { createFolderObjects } from "../../../lib/adapters/parquet/folder-objects.ts";
import { DAY_US } from "../../../lib/adapters/parquet/names.ts";
import type { ObjectStore } from "../../../lib/adapters/parquet/ports.ts";
import { systemClock } from "../../../lib/base/clock.ts";
import { seededRandom } from "../../../lib/base/random.ts";
import { manyEvents, SOME_TIME_US } from "../../support/events.ts";
import { memoryObjects } from "./memory-objects.ts";

const OLDEST = { homeId: "home", order: "asc", limit: 1000 } as const;
const BEHIND_US = SOME_TIME_US + 2 * DAY_US;
const events = manyEvents(300);
const storeOn = (objects: ObjectStore) =>
  createParquetEventStore({ objects, clock: systemClock, random: seededRandom(1) });

async function storedFiles(isCompact: boolean): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  const store = storeOn(memoryObjects(files));
  await store.write(events);
  if (isCompact) await store.compact("home", BEHIND_US);
  return files;
}

const only = (files: ReadonlyMap<string, Uint8Array>, ending: string): string => {
  const [name, another] = [...files.keys()].filter((one) => one.endsWith(ending));
  if (name === undefined || another !== undefined) throw new Error(`${ending}: ${[...files.keys()].join()}`);
  return name;
};

describe("damage", () => {
  it.each([
    ["a day file", ".parquet", true],
    ["a segment", ".seg", false],
  ])("of %s is told by its name, whichever byte it is", async (_, ending, isCompact) => {
    const files = await storedFiles(isCompact);
    const name = only(files, ending);
    const good = files.get(name) ?? new Uint8Array();
    // The first four bytes of a Parquet file say only that it is one.
    for (let at = 4; at < good.length; at += 1 + (at % 37)) {
      const bad = Uint8Array.from(good);
      bad[at] = (bad[at] ?? 0) ^ 0x10;
      files.set(name, bad);
      const reading = storeOn(memoryObjects(files)).range(OLDEST);
      await expect(reading, `byte ${at}`).rejects.toMatchObject({ code: "store_damaged" });
      await expect(reading).rejects.toThrow(name.split("/").at(-1)?.replace(".seg", "") ?? "");
    }
    for (const length of [0, 1, 11, good.length >> 1, good.length - 1]) {
      files.set(name, good.slice(0, length));
      await expect(storeOn(memoryObjects(files)).range(OLDEST)).rejects.toMatchObject({ code: "store_damaged" });
      await expect(storeOn(memoryObjects(files)).compact("home", BEHIND_US))
        .rejects.toMatchObject({ code: "store_damaged" })
        .catch(
          // A day that is compact already is not looked into.
          async () => expect(isCompact).toBe(true),
        );
    }
    files.set(name, good);
    expect((await storeOn(memoryObjects(files)).range(OLDEST)).events).toEqual(events);
  });

  it("of rollups costs their speed only", async () => {
    const files = await storedFiles(true);
    const name = only(files, ".rollup");
    const query = {
      homeId: "home",
      entityIds: ["sensor.part_0", "light.part_1"],
      edges: [SOME_TIME_US - 1_000_000_000, SOME_TIME_US + 10_000_000, BEHIND_US],
    };
    const wanted = await storeOn(memoryObjects(files)).aggregate(query);
    const good = files.get(name) ?? new Uint8Array();
    for (const bad of [good.slice(0, 9), good.map((byte, at) => (at === 50 ? byte ^ 1 : byte)), undefined]) {
      if (bad) files.set(name, bad);
      else files.delete(name);
      expect(await storeOn(memoryObjects(files)).aggregate(query)).toEqual(wanted);
    }
    // The next night makes new ones.
    const store = storeOn(memoryObjects(files));
    await store.compact("home", BEHIND_US);
    expect([...files.keys()].filter((one) => one.endsWith(".rollup"))).toHaveLength(1);
    expect(await store.aggregate(query)).toEqual(wanted);
  });

  it("of the layout's version is no version of ours", async () => {
    const files = await storedFiles(false);
    files.set("hearthline-store.json", Buffer.from('{"format":"hearthline-parquet","version":2}'));
    const store = storeOn(memoryObjects(files));
    await expect(store.write(events)).rejects.toMatchObject({ code: "store_incompatible" });
    await expect(store.range(OLDEST)).rejects.toThrow('has version "2"; this program knows version 1');
    await expect(store.setUp({ rawDays: 10 })).rejects.toMatchObject({ code: "store_incompatible" });
    files.set("hearthline-store.json", Buffer.from("{"));
    await expect(storeOn(memoryObjects(files)).range(OLDEST)).rejects.toMatchObject({ code: "store_damaged" });
    files.delete("hearthline-store.json");
    // What was asked in vain is asked again.
    expect((await store.range(OLDEST)).events).toEqual(events);
  });
});

describe("a folder", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "hearthline-parquet-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  const objects = () => createFolderObjects({ folder, clock: systemClock });

  it("holds no file outside, whatever a home is called", async () => {
    const store = storeOn(objects());
    const homes = [
      "../../escape",
      "/etc",
      "..",
      ".",
      "a/b",
      "a\\b",
      "C:",
      "con",
      "\u0000",
      "ü",
      "u\u0308",
      "HOME",
      "home",
      "x".repeat(255),
    ];
    for (const homeId of homes) await store.write([{ ...manyEvents(1)[0], homeId } as (typeof events)[number]]);
    for (const homeId of homes) {
      const { events: own } = await store.range({ ...OLDEST, homeId });
      expect(own.map((event) => event.homeId)).toEqual([homeId]);
    }
    const below = await readdir(join(folder, "hot"));
    expect(below).toHaveLength(homes.length);
    for (const name of below) expect(name).toMatch(/^home=[a-z0-9_~-]{1,200}$/);
    expect(await readdir(folder)).toEqual(["hot"]);
  });

  it("refuses names that could lead out of it", async () => {
    const under = objects();
    for (const name of ["../x", "a/../../x", "/x", "a//x", "a/", "", ".", "a/.new-1", "A", "a\\b", "a\u0000", "ü"]) {
      await expect(under.put(name, Uint8Array.of(1))).rejects.toMatchObject({
        code: "store_refused",
      });
      await expect(under.get(name)).rejects.toMatchObject({ code: "store_refused" });
      await expect(under.remove(["a", name])).rejects.toMatchObject({ code: "store_refused" });
    }
    expect(await readdir(folder)).toEqual([]);
  });

  it("takes no notice of what a broken-off write left, and cleans it up when it is old", async () => {
    const store = storeOn(objects());
    await store.write(events);
    const [home = ""] = await readdir(join(folder, "hot"));
    const [day = ""] = await readdir(join(folder, "hot", home));
    const [young, old] = [".new-1-1", ".new-1-2"].map((name) => join(folder, "hot", home, day, name));
    for (const path of [young, old]) await writeFile(path ?? "", "half a segm");
    const hourAgo = Date.now() / 1000 - 3_700;
    await utimes(old ?? "", hourAgo, hourAgo);
    expect((await store.range(OLDEST)).events).toEqual(events);
    await store.compact("home", SOME_TIME_US - DAY_US);
    const left = await readdir(join(folder, "hot", home, day));
    expect(left.filter((name) => name.startsWith("."))).toEqual([".new-1-1"]);
    await store.compact("home", BEHIND_US);
    expect((await store.range(OLDEST)).events).toEqual(events);
  });

  it("that is a file, or that is gone, is told so", async () => {
    const path = join(folder, "file");
    await writeFile(path, "x");
    const store = storeOn(createFolderObjects({ folder: path, clock: systemClock }));
    await expect(store.check()).rejects.toMatchObject({ code: "store_read_only" });
    await expect(store.write(events)).rejects.toThrow(path);
    await expect(store.setUp({ rawDays: 1 })).rejects.toThrow("wanted is a folder that may be written");
  });
});
