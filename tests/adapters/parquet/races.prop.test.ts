import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createParquetEventStore } from "../../../lib/adapters/parquet/event-store.ts";
import { DAY_US, dayOf, dayStartUs } from "../../../lib/adapters/parquet/names.ts";
import type { ObjectStore } from "../../../lib/adapters/parquet/ports.ts";
import { systemClock } from "../../../lib/base/clock.ts";
import { seededRandom } from "../../../lib/base/random.ts";
import { compareEvents, type HomeEvent, naturalKey } from "../../../lib/event/index.ts";
import { runs } from "../../support/depth.ts";
import { buildEvent, SOME_TIME_US } from "../../support/events.ts";
import { memoryObjects } from "./memory-objects.ts";

const START_US = dayStartUs(dayOf(SOME_TIME_US));
const BEHIND_US = START_US + DAY_US;

/** Every operation waits for the scheduler: those of several processes come in any order. */
function scheduledObjects(objects: ObjectStore, scheduler: fc.Scheduler): ObjectStore {
  const turn = <T>(label: string, work: () => Promise<T>): Promise<T> =>
    scheduler.schedule(Promise.resolve(label), label).then(work);
  return {
    ...objects,
    put: (name, bytes) => turn(`put ${name}`, () => objects.put(name, bytes)),
    get: (name, range) => turn(`get ${name}`, () => objects.get(name, range)),
    list: (prefix, bounds) => turn(`list ${prefix}`, () => objects.list(prefix, bounds)),
    remove: async (names) => {
      for (const name of names) await turn(`remove ${name}`, () => objects.remove([name]));
    },
  };
}

const eventAt = (step: number, state: string): HomeEvent =>
  buildEvent({ atUs: START_US + step * 1_000_000, state, entityId: `light.l${step % 2}` });

describe("processes at the same time", () => {
  it(
    "read all that was acknowledged before they began, whoever compacts meanwhile",
    () =>
      fc.assert(
        fc.asyncProperty(
          fc.scheduler(),
          fc.array(fc.array(fc.nat(9), { minLength: 1, maxLength: 4 }), { minLength: 2, maxLength: 5 }),
          fc.nat(2),
          async (scheduler, batches, compactions) => {
            const plain = memoryObjects();
            const process = (seed: number) =>
              createParquetEventStore({
                objects: scheduledObjects(plain, scheduler),
                clock: systemClock,
                random: seededRandom(seed),
              });
            const acknowledged = new Map<string, HomeEvent>();
            const writer = process(1);
            const readers = [process(2), writer];
            const read = async (reader: (typeof readers)[number]) => {
              const must = new Map(acknowledged);
              const { events } = await reader.range({ homeId: "home", order: "asc", limit: 1000 });
              const found = new Map(events.map((event) => [naturalKey(event), event]));
              expect(found.size).toBe(events.length);
              for (const [key, event] of must) {
                // One that was written again since may be there already; an older one never.
                expect(Number(found.get(key)?.state)).toBeGreaterThanOrEqual(Number(event.state));
              }
            };
            const writing = (async () => {
              for (const [index, batch] of batches.entries()) {
                const events = batch.map((step) => eventAt(step, String(index)));
                await writer.write(events);
                for (const event of events) acknowledged.set(naturalKey(event), event);
                await Promise.all(readers.map(read));
              }
            })();
            const compacting = Array.from({ length: compactions + 1 }, async (_, index) => {
              const own = process(10 + index);
              await own.compact("home", BEHIND_US);
              await own.compact("home", BEHIND_US);
            });
            const reading = readers.map(async (reader) => {
              for (let times = 0; times < 3; times++) await read(reader);
            });
            await scheduler.waitFor(Promise.all([writing, ...compacting, ...reading]));
            const last = createParquetEventStore({ objects: plain, clock: systemClock, random: seededRandom(3) });
            const wanted = [...acknowledged.values()].sort(compareEvents);
            expect((await last.range({ homeId: "home", order: "asc", limit: 1000 })).events).toEqual(wanted);
            await last.compact("home", BEHIND_US);
            expect((await last.range({ homeId: "home", order: "asc", limit: 1000 })).events).toEqual(wanted);
            expect(await plain.list("hot/")).toEqual([]);
            expect(await plain.list("events/")).toHaveLength(1);
          },
        ),
        { numRuns: runs(25) },
      ),
    60_000,
  );
});
