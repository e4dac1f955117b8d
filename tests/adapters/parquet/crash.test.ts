import { describe, expect, it } from "vitest";
import { createParquetEventStore } from "../../../lib/adapters/parquet/event-store.ts";
import { DAY_US, dayOf, dayStartUs } from "../../../lib/adapters/parquet/names.ts";
import type { ObjectStore } from "../../../lib/adapters/parquet/ports.ts";
import { seededRandom } from "../../../lib/base/random.ts";
import { compareEvents, type HomeEvent, naturalKey, rankOf } from "../../../lib/event/index.ts";
import type { EventStore } from "../../../lib/store/ports.ts";
import { readAll } from "../../conformance/event-store-support.ts";
import { buildEvent, SOME_TIME_US } from "../../support/events.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { crashingObjects, PowerCut } from "./crashing-objects.ts";
import { memoryObjects } from "./memory-objects.ts";

const START_US = dayStartUs(dayOf(SOME_TIME_US));
const HOMES = ["home", "home2"];

const storeOn = (objects: ObjectStore): EventStore =>
  createParquetEventStore({ objects, clock: manualClock(), random: seededRandom(1) });

/** What the port says of these writes. */
function modelOf(writes: readonly (readonly HomeEvent[])[]): HomeEvent[] {
  const model = new Map<string, HomeEvent>();
  for (const event of writes.flat()) {
    const there = model.get(naturalKey(event));
    if (!there || rankOf(event) >= rankOf(there)) model.set(naturalKey(event), event);
  }
  return [...model.values()].sort(compareEvents);
}

const at = (day: number, step: number, given: Partial<HomeEvent> = {}) =>
  buildEvent({ atUs: START_US + day * DAY_US + step * 3_600_000_000, ...given });

/** Two days; keys that are written again at the same rank, at a lower one, and removals. */
const WRITES: HomeEvent[][] = [
  [at(0, 1), at(0, 2), at(1, 1), at(1, 2, { homeId: "home2" })],
  [at(0, 1, { state: "again" }), at(0, 3, { entityId: "light.b" }), at(1, 3)],
  [at(0, 1, { state: "worse", source: "import" }), at(0, 2, { kind: "removed", state: "" }), at(1, 1, { state: "x" })],
];
const LATE: HomeEvent[][] = [
  [at(0, 1, { state: "late" }), at(0, 5, { entityId: "sensor.c", value: 7, state: "7" })],
  [at(0, 1, { state: "later" }), at(1, 1, { state: "y", areaId: "hall" })],
];

async function contentOf(objects: ObjectStore): Promise<HomeEvent[]> {
  const store = storeOn(objects);
  const homes = await Promise.all(HOMES.map((homeId) => readAll(store, { homeId, order: "asc", limit: 3 })));
  return homes.flat();
}
const ofHomes = (events: readonly HomeEvent[]) =>
  HOMES.flatMap((homeId) => events.filter((event) => event.homeId === homeId));

/** Runs the work on a copy of the objects again and again, ending it one half step later each time, until it comes through. */
async function atEveryStep(
  files: ReadonlyMap<string, Uint8Array>,
  work: (store: EventStore) => Promise<unknown>,
  check: (objects: ObjectStore, hasEnded: boolean) => Promise<void>,
): Promise<number> {
  for (let lastStep = 1; ; lastStep++) {
    const objects = memoryObjects(new Map(files));
    const { objects: crashing } = crashingObjects(objects, lastStep);
    const ended = await work(storeOn(crashing)).then(
      () => true,
      (thrown) => {
        expect(thrown).toBeInstanceOf(PowerCut);
        return false;
      },
    );
    await check(objects, ended);
    if (ended) return lastStep;
  }
}

async function filesAfter(work: (store: EventStore) => Promise<void>): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  await work(storeOn(memoryObjects(files)));
  return files;
}

const namesOf = async (objects: ObjectStore) => (await objects.list("")).map(({ name }) => name);

/** Each day one file and its rollups, nothing else. */
async function expectCompact(objects: ObjectStore): Promise<void> {
  const store = storeOn(objects);
  for (const homeId of HOMES) await store.compact(homeId, START_US + 2 * DAY_US);
  const days = ["home=home/day=0", "home=home/day=1", "home=home2/day=1"];
  const wanted = days.map((day) => day.replace(/\d$/, (number) => dayOf(START_US + Number(number) * DAY_US)));
  const shape = (await namesOf(objects)).map((name) => name.replace(/part-.*\./, ""));
  expect(shape).toEqual([
    ...wanted.map((day) => `events/${day}/parquet`),
    ...wanted.map((day) => `rollups/${day}/rollup`),
  ]);
}

describe("a process that ends in the middle", () => {
  it("of a compaction loses nothing and doubles nothing", async () => {
    const files = await filesAfter(async (store) => {
      for (const write of WRITES) await store.write(write);
    });
    const wanted = ofHomes(modelOf(WRITES));
    const compact = (store: EventStore) => store.compact("home", START_US + 2 * DAY_US);
    const steps = await atEveryStep(files, compact, async (objects) => {
      expect(await contentOf(objects)).toEqual(wanted);
      await expectCompact(objects);
      expect(await contentOf(objects)).toEqual(wanted);
    });
    expect(steps).toBeGreaterThan(30);
  });

  it("of a compaction after late events keeps the later ones", async () => {
    const files = await filesAfter(async (store) => {
      for (const write of WRITES) await store.write(write);
      for (const homeId of HOMES) await store.compact(homeId, START_US + 2 * DAY_US);
      for (const write of LATE) await store.write(write);
    });
    const wanted = ofHomes(modelOf([...WRITES, ...LATE]));
    const compact = (store: EventStore) => store.compact("home", START_US + 2 * DAY_US);
    await atEveryStep(files, compact, async (objects) => {
      expect(await contentOf(objects)).toEqual(wanted);
      // What comes next is the latest still.
      const next = at(0, 1, { state: "last of all" });
      await storeOn(objects).write([next]);
      const all = ofHomes(modelOf([...WRITES, ...LATE, [next]]));
      expect(await contentOf(objects)).toEqual(all);
      await expectCompact(objects);
      expect(await contentOf(objects)).toEqual(all);
    });
  });

  it.each([1.5, 26, 48])("of pruning (before hour %d) touches nothing from the moment on", async (hours) => {
    const beforeUs = START_US + hours * 3_600_000_000;
    const written = [...WRITES, ...LATE];
    const files = await filesAfter(async (store) => {
      for (const write of WRITES) await store.write(write);
      await store.compact("home", START_US + DAY_US);
      for (const write of LATE) await store.write(write);
    });
    const isKept = (event: HomeEvent) => event.homeId !== "home" || event.atUs >= beforeUs;
    const wanted = ofHomes(modelOf(written)).filter(isKept);
    await atEveryStep(
      files,
      (store) => store.prune("home", beforeUs),
      async (objects, hasEnded) => {
        const left = await contentOf(objects);
        expect(left.filter(isKept)).toEqual(wanted);
        if (hasEnded) expect(left).toEqual(wanted);
        await storeOn(objects).prune("home", beforeUs);
        expect(await contentOf(objects)).toEqual(wanted);
        expect(await storeOn(objects).prune("home", beforeUs)).toBe(0);
      },
    );
  });

  it("of a write may have stored a part, and is safe to write again", async () => {
    const files = await filesAfter((store) => store.write(WRITES[0] ?? []));
    const batch = WRITES.slice(1).flat();
    await atEveryStep(
      files,
      (store) => store.write(batch),
      async (objects, hasEnded) => {
        if (hasEnded) expect(await contentOf(objects)).toEqual(ofHomes(modelOf(WRITES)));
        await storeOn(objects).write(batch);
        expect(await contentOf(objects)).toEqual(ofHomes(modelOf(WRITES)));
      },
    );
  });
});
