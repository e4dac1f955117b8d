import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createMemoryAggregateStore, createMemoryRetentionRecords } from "../../../lib/adapters/memory/aggregates.ts";
import { createMemoryEventStore } from "../../../lib/adapters/memory/event-store.ts";
import { createMemoryLateDays } from "../../../lib/adapters/memory/late-days.ts";
import {
  AGGREGATE_LAYERS,
  type AggregateLayer,
  type AggregateStore,
  createEntityLayers,
  newJob,
  retentionPhase,
  unpackRows,
  windowOf,
} from "../../../lib/analysis/index.ts";
import { periodOf } from "../../../lib/analysis/periods.ts";
import { addDays } from "../../../lib/base/zone.ts";
import { type LateDays, noteLateDays } from "../../../lib/store/index.ts";
import { runs } from "../../support/depth.ts";
import { buildEvent } from "../../support/events.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { unlimitedTime } from "../../support/phase-time.ts";

const ZONE = "Europe/Amsterdam";
const CALENDAR = { timeZone: ZONE, analysisTime: "03:00" };
const FIRST = "2026-10-20";
const DAYS = 14;
const FROM_US = periodOf("daily", FIRST, CALENDAR).fromUs;
const TO_US = periodOf("daily", addDays(FIRST, DAYS), CALENDAR).fromUs;

const anyEvent = fc
  .record({
    entityId: fc.constantFrom("sensor.a", "light.b"),
    atUs: fc.integer({ min: FROM_US, max: TO_US - 1 }),
    value: fc.oneof(fc.integer({ min: -9, max: 9 }), fc.boolean()),
  })
  .map((given) => buildEvent({ ...given, state: String(given.value) }));
const anyJob = fc.record({
  kind: fc.constantFrom(...AGGREGATE_LAYERS, "daily" as const, "daily" as const),
  day: fc.nat(DAYS - 1),
  /** After so many calls of a store the function that runs it is gone. */
  diesAfter: fc.option(fc.nat(40), { nil: undefined, freq: 3 }),
});
/** What happens at the same time: jobs, and events that come. */
const anyRound = fc.record({
  jobs: fc.array(anyJob, { maxLength: 3 }),
  events: fc.array(anyEvent, { maxLength: 4 }),
});

class Gone extends Error {}

/** Every call of the store waits for its turn, and none comes back once its function is gone. */
function slowed<T extends object>(store: T, turn: (name: string) => Promise<void>): T {
  return new Proxy(store, {
    get(target, name) {
      const method = Reflect.get(target, name);
      if (typeof method !== "function") return method;
      if (name !== "scan" && (name !== "range" || !("change" in target)))
        return async (...args: unknown[]) => {
          await turn(String(name));
          return Reflect.apply(method, target, args);
        };
      return async function* (...args: unknown[]) {
        await turn(name);
        for await (const each of Reflect.apply(method, target, args) as AsyncIterable<unknown>) {
          yield each;
          await turn(name);
        }
      };
    },
  });
}

function makeHome(retention: { rawDays: number; dailyDays: number; weeklyWeeks: number }) {
  const clock = manualClock(TO_US / 1000 + 60_000);
  const store = createMemoryEventStore();
  const aggregates = createMemoryAggregateStore({ clock });
  const lateDays = createMemoryLateDays();
  const records = createMemoryRetentionRecords();
  const noting = noteLateDays(store, { lateDays, clock, analysisTime: "03:00" });

  async function run(kind: AggregateLayer, date: string, turn: (name: string) => Promise<void> = async () => {}) {
    const options = {
      store: slowed(store, turn),
      aggregates: slowed<AggregateStore>(aggregates, turn),
      lateDays: slowed<LateDays>(lateDays, turn),
      ...{ records, retention, clock },
      analysisTime: "03:00",
      budgetMs: 60_000,
    };
    const layers = createEntityLayers(options);
    const job = newJob("home", { kind, date }, 0);
    if (kind !== "daily") return void (await layers.longer(job, ZONE));
    await layers.daily(job, ZONE);
    await retentionPhase({ ...options, layers }).run(job, ZONE, unlimitedTime);
  }

  return { store, aggregates, lateDays, noting, run };
}
type Home = ReturnType<typeof makeHome>;

async function kept({ aggregates }: Home, layer: AggregateLayer) {
  const found = [];
  const query = { homeId: "home", layer, kind: "entities", fromDate: "2026-01-01", toDate: "2027-01-01" };
  for await (const each of aggregates.range(query)) found.push(each);
  return found;
}

/** Rounds one after the other; in each everything at once, in the scheduler's order. */
async function live(
  home: Home,
  scheduler: fc.Scheduler,
  rounds: readonly (typeof anyRound extends fc.Arbitrary<infer T> ? T : never)[],
  after: () => Promise<void>,
) {
  for (const { jobs, events } of rounds) {
    const work = jobs.map(async ({ kind, day, diesAfter }) => {
      let calls = 0;
      const turn = async (name: string): Promise<void> => {
        if (diesAfter !== undefined && calls++ >= diesAfter) throw new Gone();
        await scheduler.schedule(Promise.resolve(), `${kind} ${name}`);
      };
      await home.run(kind, addDays(FIRST, day), turn).catch((thrown: unknown) => {
        if (!(thrown instanceof Gone)) throw thrown;
      });
    });
    const writing = (async () => {
      for (const event of events) {
        await scheduler.schedule(Promise.resolve(), "an event");
        await home.noting.write([event]);
      }
    })();
    await scheduler.waitFor(Promise.all([...work, writing]));
    await after();
  }
}

describe("jobs of one home at the same time, in any order, that may end in the middle", () => {
  it("leave in the end to the bit what the events themselves say", async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.array(anyRound, { maxLength: 4 }), async (scheduler, rounds) => {
        const home = makeHome({ rawDays: 60, dailyDays: 90, weeklyWeeks: 52 });
        await live(home, scheduler, rounds, async () => {});
        await home.run("daily", addDays(FIRST, DAYS - 1));
        for (const layer of AGGREGATE_LAYERS)
          for (const each of await kept(home, layer))
            for (const row of unpackRows(each)) {
              const edges = [each.fromUs, each.toUs];
              const [whole] = await home.store.aggregate({ homeId: "home", entityIds: [row.entityId], edges });
              expect(windowOf(row, each)).toEqual(whole?.windows[0]);
            }
        const counted = (await kept(home, "daily"))
          .flatMap(unpackRows)
          .reduce((sum, row) => sum + (row.rollup?.count ?? 0), 0);
        expect(counted).toBe((await home.store.stats({ homeId: "home" })).reduce((sum, { count }) => sum + count, 0));
        expect(await home.lateDays.list("home")).toEqual([]);
      }),
      { numRuns: runs(50), endOnFailure: true },
    );
  });

  it("never take away what was kept, whatever is pruned meanwhile", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(anyRound, { maxLength: 5 }),
        fc.record({
          rawDays: fc.integer({ min: 1, max: 9 }),
          dailyDays: fc.constant(90),
          weeklyWeeks: fc.constant(52),
        }),
        async (scheduler, rounds, retention) => {
          const home = makeHome(retention);
          const was = new Map<string, number>();
          await live(home, scheduler, rounds, async () => {
            for (const layer of AGGREGATE_LAYERS)
              for (const each of await kept(home, layer))
                for (const row of unpackRows(each)) {
                  const name = `${layer} ${each.date} ${row.entityId}`;
                  const { count } = windowOf(row, each);
                  expect([name, count]).toEqual([name, Math.max(count, was.get(name) ?? 0)]);
                  was.set(name, count);
                }
          });
        },
      ),
      { numRuns: runs(50), endOnFailure: true },
    );
  });
});
