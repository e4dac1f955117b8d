import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { createParquetEventStore } from "../../../lib/adapters/parquet/event-store.ts";
import { createFolderObjects } from "../../../lib/adapters/parquet/folder-objects.ts";
import { DAY_US, dayOf, dayStartUs } from "../../../lib/adapters/parquet/names.ts";
import { createObjectSegments } from "../../../lib/adapters/parquet/object-segments.ts";
import type { HotSegments, ObjectStore } from "../../../lib/adapters/parquet/ports.ts";
import { seededRandom } from "../../../lib/base/random.ts";
import type { HomeEvent } from "../../../lib/event/index.ts";
import type { EventStore } from "../../../lib/store/ports.ts";
import { readAll, scanAll } from "../../conformance/event-store-support.ts";
import { runs } from "../../support/depth.ts";
import { buildEvent, SOME_TIME_US } from "../../support/events.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { PowerCut } from "./crashing-objects.ts";
import { memoryObjects } from "./memory-objects.ts";

const START_US = dayStartUs(dayOf(SOME_TIME_US));
const BEHIND_US = START_US + 2 * DAY_US;
const HOUR_US = 3_600_000_000;

const at = (hours: number, given: Partial<HomeEvent> = {}): HomeEvent =>
  buildEvent({ atUs: START_US + hours * HOUR_US, entityId: `light.l${hours % 3}`, ...given });
/** Of two days. */
const EVENTS = Array.from({ length: 48 }, (_, hour) => at(hour));

const storeOn = (objects: ObjectStore, more: { hot?: HotSegments; seed?: number } = {}): EventStore => {
  const { seed = 1, ...rest } = more;
  return createParquetEventStore({ objects, clock: impatientClock(), random: seededRandom(seed), ...rest });
};
const impatientClock = () => ({ ...manualClock(), sleep: async () => {} });
const all = (store: EventStore) => readAll(store, { homeId: "home", order: "asc", limit: 1_000 });
const writeInFours = async (store: EventStore): Promise<void> => {
  for (let hour = 0; hour < EVENTS.length; hour += 4) await store.write(EVENTS.slice(hour, hour + 4));
};

describe("segments in a place of their own that fails", () => {
  /** Every operation of either place counts; from one on nothing happens any more. */
  function dying(objects: ObjectStore, hot: HotSegments, last: number) {
    let steps = 0;
    const step = async <T>(work: () => Promise<T>): Promise<T> => {
      if (++steps >= last) throw new PowerCut(`step ${steps}`);
      return work();
    };
    return {
      objects: {
        ...objects,
        put: (name, bytes) => step(() => objects.put(name, bytes)),
        get: (name, range) => step(() => objects.get(name, range)),
        list: (prefix, bounds) => step(() => objects.list(prefix, bounds)),
        remove: async (names) => {
          for (const name of names) await step(() => objects.remove([name]));
        },
      } satisfies ObjectStore,
      hot: {
        ...hot,
        append: (segments) => step(() => hot.append(segments)),
        list: (homeId, from, to) => step(() => hot.list(homeId, from, to)),
        get: (homeId, day, names) => step(() => hot.get(homeId, day, names)),
        remove: async (homeId, day, names) => {
          for (const name of names) await step(() => hot.remove(homeId, day, [name]));
        },
      } satisfies HotSegments,
    };
  }

  it.each<[string, (store: EventStore) => Promise<unknown>, number]>([
    ["compaction", (store) => store.compact("home", BEHIND_US), Number.NEGATIVE_INFINITY],
    ["pruning of a part of a day", (store) => store.prune("home", START_US + 5 * HOUR_US), START_US + 5 * HOUR_US],
    ["pruning of days", (store) => store.prune("home", START_US + 30 * HOUR_US), START_US + 30 * HOUR_US],
  ])(
    "between any two steps of %s loses and doubles nothing that shall stay",
    async (_what, work, keptFromUs) => {
      const kept = EVENTS.filter(({ atUs }) => atUs >= keptFromUs);
      for (let last = 1, isDone = false; !isDone; last++) {
        const [files, segments] = [new Map<string, Uint8Array>(), new Map<string, Uint8Array>()];
        const [objects, hot] = [memoryObjects(files), createObjectSegments(memoryObjects(segments))];
        await writeInFours(storeOn(objects, { hot }));
        // Half of it is compacted already, and written to since.
        await storeOn(objects, { hot }).compact("home", START_US + DAY_US);
        await storeOn(objects, { hot }).write(EVENTS.slice(2, 9));
        isDone = await work(storeOn(objects, dying(objects, hot, last))).then(
          () => true,
          (thrown) => {
            expect(thrown).toBeInstanceOf(PowerCut);
            return false;
          },
        );
        const found = await all(storeOn(objects, { hot }));
        expect(found.filter(({ atUs }) => atUs >= keptFromUs)).toEqual(kept);
        await work(storeOn(objects, { hot }));
        await storeOn(objects, { hot }).compact("home", BEHIND_US);
        expect(await all(storeOn(objects, { hot }))).toEqual(kept);
        expect([...segments.keys()]).toEqual([]);
        expect([...files.keys()].filter((name) => name.startsWith("events/")).length).toBeLessThanOrEqual(2);
      }
    },
    60_000,
  );
});

describe("somebody who prunes while others compact", () => {
  it(
    "finds nothing again of what was pruned before the file was put, and takes nothing from the moment on",
    () =>
      fc.assert(
        fc.asyncProperty(fc.scheduler(), fc.integer({ min: 1, max: 47 }), fc.nat(2), async (scheduler, hour, more) => {
          const plain = memoryObjects();
          await writeInFours(storeOn(plain));
          const turn = <T>(label: string, work: () => Promise<T>): Promise<T> =>
            scheduler.schedule(Promise.resolve(label), label).then(work);
          const own = (seed: number) =>
            storeOn(
              {
                ...plain,
                put: (name, bytes) => turn(`put ${name}`, () => plain.put(name, bytes)),
                get: (name, range) => turn(`get ${name}`, () => plain.get(name, range)),
                list: (prefix, bounds) => turn(`list ${prefix}`, () => plain.list(prefix, bounds)),
                remove: async (names) => {
                  for (const name of names) await turn(`remove ${name}`, () => plain.remove([name]));
                },
              },
              { seed },
            );
          const beforeUs = START_US + hour * HOUR_US;
          // Who is unlucky eight times in a row says so, and comes again.
          const orConflict = (thrown: unknown) => expect(thrown).toMatchObject({ code: "conflict", fate: "retry" });
          const compacting = Array.from({ length: more + 1 }, (_, index) =>
            own(10 + index)
              .compact("home", BEHIND_US)
              .catch(orConflict),
          );
          await scheduler.waitFor(Promise.all([own(2).prune("home", beforeUs).catch(orConflict), ...compacting]));
          const kept = EVENTS.filter(({ atUs }) => atUs >= beforeUs);
          expect((await all(storeOn(plain))).filter(({ atUs }) => atUs >= beforeUs)).toEqual(kept);
          await storeOn(plain).prune("home", beforeUs);
          expect(await all(storeOn(plain))).toEqual(kept);
        }),
        { numRuns: runs(60) },
      ),
    120_000,
  );

  it("does not bring back a home that was removed while its day was being read", async () => {
    const plain = memoryObjects();
    await writeInFours(storeOn(plain));
    let isGone = false;
    const compactor = storeOn({
      ...plain,
      get: async (name, range) => {
        const bytes = await plain.get(name, range);
        if (!isGone && name.endsWith(".seg")) {
          isGone = true;
          await storeOn(plain).prune("home", Number.MAX_SAFE_INTEGER);
        }
        return bytes;
      },
    });
    await compactor.compact("home", BEHIND_US);
    expect(isGone).toBe(true);
    expect(await all(storeOn(plain))).toEqual([]);
  });
});

describe("a place whose listings lag behind", () => {
  it("loses and doubles nothing, and says conflict, not something else, where it cannot go on", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(3), { minLength: 1, maxLength: 40 }), async (lags) => {
        const files = new Map<string, Uint8Array>();
        const history: Map<string, Uint8Array>[] = [];
        const plain = memoryObjects(files);
        const remember = async <T>(work: () => Promise<T>): Promise<T> => {
          const result = await work();
          history.push(new Map(files));
          return result;
        };
        let turns = 0;
        const lagging: ObjectStore = {
          ...plain,
          put: (name, bytes) => remember(() => plain.put(name, bytes)),
          remove: (names) => remember(() => plain.remove(names)),
          list: (prefix, bounds) => {
            const then = history.at(-1 - (lags[turns++ % lags.length] ?? 0));
            return then ? memoryObjects(then).list(prefix, bounds) : plain.list(prefix, bounds);
          },
        };
        const orConflict = (thrown: unknown) => expect(thrown).toMatchObject({ code: "conflict" });
        await writeInFours(storeOn(plain));
        history.push(new Map(files));
        for (let step = 0; step < 4; step++) {
          await storeOn(lagging).write([at(step * 7, { state: `late ${step}` })]);
          await storeOn(lagging).compact("home", BEHIND_US).catch(orConflict);
          await scanAll(storeOn(lagging), { homeId: "home" }).catch(orConflict);
          await storeOn(lagging).stats({ homeId: "home" }).catch(orConflict);
        }
        await storeOn(plain).compact("home", BEHIND_US);
        const late = new Map([0, 1, 2, 3].map((step) => [step * 7, `late ${step}`]));
        const wanted = EVENTS.map((event, hour) => ({ ...event, state: late.get(hour) ?? event.state }));
        expect(await all(storeOn(plain))).toEqual(wanted);
      }),
      { numRuns: runs(40) },
    );
  }, 120_000);

  it("an object that is listed and never there is a conflict for every reader", async () => {
    const plain = memoryObjects();
    await writeInFours(storeOn(plain));
    const empty = storeOn({
      ...plain,
      get: async (name, range) => (name.endsWith(".seg") ? undefined : plain.get(name, range)),
    });
    const wanted = { code: "conflict", fate: "retry" };
    await expect(all(empty)).rejects.toMatchObject(wanted);
    await expect(scanAll(empty, { homeId: "home" })).rejects.toMatchObject(wanted);
    await expect(empty.stats({ homeId: "home" })).rejects.toMatchObject(wanted);
    const span = { homeId: "home", fromUs: START_US, toUs: BEHIND_US, widthUs: DAY_US };
    await expect(empty.tiles(span)).rejects.toMatchObject(wanted);
    const edges = [START_US, BEHIND_US];
    await expect(empty.aggregate({ homeId: "home", entityIds: ["light.l1"], edges })).rejects.toMatchObject(wanted);
    await expect(empty.compact("home", BEHIND_US)).rejects.toMatchObject(wanted);
    await expect(empty.prune("home", START_US + HOUR_US)).rejects.toMatchObject(wanted);
    expect(await all(storeOn(plain))).toEqual(EVENTS);
  });
});

describe("a clock that goes back", () => {
  it("makes no write an earlier one, before, between and after compactions and in another process", async () => {
    const objects = memoryObjects();
    const clock = manualClock(SOME_TIME_US / 1000);
    const states: string[] = [];
    for (const [step, backMs] of [0, 3_600_000, 7_200_000, -60_000, 86_400_000, 0, 0].entries()) {
      const now = { ...clock, nowMs: () => SOME_TIME_US / 1000 - backMs };
      const store = createParquetEventStore({ objects, clock: now, random: seededRandom(step) });
      states.push(`state ${step}`);
      await store.write([at(3, { state: `state ${step}` })]);
      expect((await all(storeOn(objects))).map(({ state }) => state)).toEqual(states.slice(-1));
      if (step % 2 === 1) await store.compact("home", BEHIND_US);
      expect((await all(storeOn(objects))).map(({ state }) => state)).toEqual(states.slice(-1));
    }
  });
});

describe("a folder in which somebody else writes, too", () => {
  let folder = "";
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("is read, compacted, pruned and dropped around what is not ours, which stays", async () => {
    folder = await mkdtemp(join(tmpdir(), "hearthline-foreign-"));
    const clock = impatientClock();
    const objects = createFolderObjects({ folder, clock });
    const store = createParquetEventStore({ objects, clock, random: seededRandom(1) });
    await store.write(EVENTS);
    await store.compact("home", START_US + DAY_US);
    const day = `home=home/day=${dayOf(START_US)}`;
    const [part = ""] = (await objects.list(`events/${day}/`)).map(({ name }) => name);
    const foreign = [
      "events/Thumbs.db",
      "events/READ ME.txt",
      `events/${day}/part-1.parquet`,
      `events/${day}/_SUCCESS`,
      `events/${day}/.part.crc`,
      `events/${day}/other.parquet`,
      // A copy that somebody has put beside.
      `events/home=home/copies/day=${dayOf(START_US)}/${part.split("/").at(-1)}`,
      `hot/home=home/day=${dayOf(START_US)}/notes.txt`,
      `hot/home=home/old/day=${dayOf(START_US)}/0000000000000001-00-00-0-0-1.seg`,
      `rollups/${day}/notes.txt`,
    ];
    const isCopy = (name: string) => name.includes("/copies/");
    for (const name of foreign) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), isCopy(name) ? await readFile(join(folder, part)) : "not ours");
    }
    expect(await all(store)).toEqual(EVENTS);
    await store.write([at(1, { state: "late" })]);
    await store.compact("home", BEHIND_US);
    const late = EVENTS.map((event, hour) => (hour === 1 ? at(1, { state: "late" }) : event));
    expect(await all(store)).toEqual(late);
    expect(await store.prune("home", START_US + DAY_US)).toBe(24);
    const there = async () => (await readdir(folder, { recursive: true })).map((name) => name.replaceAll("\\", "/"));
    expect(await there()).toEqual(expect.arrayContaining(foreign));
    expect(await all(store)).toEqual(EVENTS.slice(24));
    await store.drop();
    expect(await all(store)).toEqual([]);
    // Of a drop everything goes that has a name of ours; names that no object can have stay.
    expect(await there()).toEqual(expect.arrayContaining(["events/Thumbs.db", "events/READ ME.txt"]));
  });

  it("takes a half-written file under a name of ours for damage, and says which", async () => {
    folder = await mkdtemp(join(tmpdir(), "hearthline-half-"));
    const clock = impatientClock();
    const objects = createFolderObjects({ folder, clock });
    const open = () => createParquetEventStore({ objects, clock, random: seededRandom(1) });
    await open().write(EVENTS);
    await open().compact("home", BEHIND_US);
    const [part = "", other = ""] = (await objects.list("events/")).map(({ name }) => name);
    const whole = await readFile(join(folder, part));
    for (const bytes of [0, 7, Math.floor(whole.length / 2), whole.length - 1]) {
      await writeFile(join(folder, part), whole.subarray(0, bytes));
      await expect(all(open())).rejects.toMatchObject({
        code: "store_damaged",
        message: expect.stringContaining(part),
      });
      await expect(open().compact("home", BEHIND_US)).resolves.toBeUndefined();
      // The other day is read as ever, and the damaged one is as it was.
      const fromUs = START_US + DAY_US;
      expect(await scanAll(open(), { homeId: "home", fromUs })).toEqual(EVENTS.slice(24));
      expect((await readFile(join(folder, part))).length).toBe(bytes);
    }
    await writeFile(join(folder, part), whole);
    expect(await all(open())).toEqual(EVENTS);
    expect(other).not.toBe("");
  });
});
