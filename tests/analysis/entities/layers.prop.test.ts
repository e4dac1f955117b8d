import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createMemoryAggregateStore } from "../../../lib/adapters/memory/aggregates.ts";
import { createMemoryEventStore } from "../../../lib/adapters/memory/event-store.ts";
import { createMemoryLateDays } from "../../../lib/adapters/memory/late-days.ts";
import { mergeDays } from "../../../lib/analysis/entities/merge.ts";
import { type AggregateLayer, createEntityLayers, newJob, unpackRows, windowOf } from "../../../lib/analysis/index.ts";
import { periodOf } from "../../../lib/analysis/periods.ts";
import { addDays } from "../../../lib/base/zone.ts";
import type { HomeEvent } from "../../../lib/event/index.ts";
import { createRollup } from "../../../lib/series/index.ts";
import { noteLateDays } from "../../../lib/store/index.ts";
import { runs } from "../../support/depth.ts";
import { buildEvent } from "../../support/events.ts";
import { withCanonicalSums } from "../../support/exact-sums.ts";
import { manualClock } from "../../support/manual-clock.ts";

const ZONE = "Europe/Amsterdam";
const CALENDAR = { timeZone: ZONE, analysisTime: "03:00" };
/** Clocks go back on 25 October: the first of these weeks has 169 hours. */
const FIRST_DAY = "2026-10-18";
const DAYS = 16;
const FROM_US = periodOf("daily", FIRST_DAY, CALENDAR).fromUs;
const TO_US = periodOf("daily", addDays(FIRST_DAY, DAYS), CALENDAR).fromUs;

const anyReading = fc.record({
  atUs: fc.integer({ min: FROM_US, max: TO_US - 1 }),
  entity: fc.constantFrom("sensor.a", "sensor.b", "light.c"),
  value: fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.constant(undefined)),
  /** On which night's eve it comes; before its own day has ended: in time. */
  comesAfter: fc.integer({ min: 0, max: DAYS + 2 }),
});
type Reading = typeof anyReading extends fc.Arbitrary<infer T> ? T : never;

function eventOf({ atUs, entity, value }: Reading): HomeEvent {
  const { value: _, ...event } = buildEvent({ entityId: entity, atUs, state: String(value) });
  return { ...event, quality: value === undefined ? "unavailable" : "ok", ...(value !== undefined && { value }) };
}

/** A home of which each event comes when it comes, and of which each night's jobs run. */
async function live(readings: readonly Reading[], nights = DAYS + 3) {
  const clock = manualClock();
  const store = createMemoryEventStore();
  const aggregates = createMemoryAggregateStore({ clock });
  const lateDays = createMemoryLateDays();
  const retention = { rawDays: 7, dailyDays: 90, weeklyWeeks: 52 };
  const noting = noteLateDays(store, { lateDays, clock, analysisTime: "03:00" });
  const layers = createEntityLayers({
    ...{ store, aggregates, lateDays, retention, clock },
    analysisTime: "03:00",
    budgetMs: 1,
  });
  const arrival = (reading: Reading): number =>
    Math.max(reading.comesAfter, Math.floor((reading.atUs - FROM_US) / 86_400_000_000));
  for (let night = 0; night < nights; night++) {
    const date = addDays(FIRST_DAY, night);
    const { toUs } = periodOf("daily", date, CALENDAR);
    clock.set(toUs / 1000 - 1);
    await noting.write(readings.filter((reading) => arrival(reading) === night).map(eventOf));
    clock.set(toUs / 1000);
    const next = addDays(date, 1);
    await layers.daily(newJob("home", { kind: "daily", date }, 0), ZONE);
    if (new Date(`${next}T00:00:00Z`).getUTCDay() === 0)
      await layers.longer(newJob("home", { kind: "weekly", date }, 0), ZONE);
    if (next.endsWith("-01")) await layers.longer(newJob("home", { kind: "monthly", date }, 0), ZONE);
  }
  return { store, aggregates, layers, lateDays };
}

async function kept({ aggregates }: Awaited<ReturnType<typeof live>>, layer: AggregateLayer) {
  const found = [];
  const query = { homeId: "home", layer, kind: "entities", fromDate: "2026-01-01", toDate: "2027-01-01" };
  for await (const aggregate of aggregates.range(query)) found.push(aggregate);
  return found;
}

describe("layers 2 and 3", () => {
  it("say to the bit what the events themselves say, however late the events come while their day is kept", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyReading, { maxLength: 40 }), async (all) => {
        // Later than a week after its day it would meet a day that is pruned already.
        const readings = all.filter(
          ({ atUs, comesAfter }) => comesAfter - Math.floor((atUs - FROM_US) / 86_400_000_000) < 6,
        );
        const home = await live(readings);
        const layers = ["daily", "weekly", "monthly"] as const;
        for (const layer of layers) {
          for (const aggregate of await kept(home, layer)) {
            const { fromUs, toUs } = aggregate;
            expect(periodOf(layer, aggregate.date, CALENDAR)).toMatchObject({ fromUs, toUs });
            for (const row of unpackRows(aggregate)) {
              const [whole] = await home.store.aggregate({
                homeId: "home",
                entityIds: [row.entityId],
                edges: [fromUs, toUs],
              });
              expect(windowOf(row, aggregate)).toEqual(whole?.windows[0]);
            }
          }
        }
        // And none is missing: every event is in a day, and in as many as there are.
        const daily = await kept(home, "daily");
        const counted = daily.flatMap(unpackRows).reduce((sum, { rollup }) => sum + (rollup?.count ?? 0), 0);
        expect(counted).toBe((await home.store.stats({ homeId: "home" })).reduce((sum, { count }) => sum + count, 0));
        expect(await home.lateDays.list("home")).toEqual([]);
      }),
      { numRuns: runs(25) },
    );
  }, 60_000);

  it("merge in any grouping to the same", () => {
    fc.assert(
      fc.property(fc.array(anyReading, { maxLength: 30 }), fc.nat(DAYS), (readings, cut) => {
        const days = Array.from({ length: DAYS }, () => [] as Reading[]);
        for (const reading of [...readings].sort((a, b) => a.atUs - b.atUs))
          days[Math.min(DAYS - 1, Math.floor((reading.atUs - FROM_US) / 86_400_000_000))]?.push(reading);
        const rows = days.map((day) => rowsOf(day.map(eventOf)));
        const grouped = mergeDays([mergeDays(rows.slice(0, cut)), mergeDays(rows.slice(cut))]);
        expect(withCanonicalSums(grouped)).toEqual(withCanonicalSums(mergeDays(rows)));
      }),
    );
  });
});

function rowsOf(events: readonly HomeEvent[]) {
  return [...Map.groupBy(events, (event) => event.entityId)].map(([entityId, own]) => {
    const builder = createRollup();
    const seen = new Set<number>();
    for (const event of own) {
      if (!seen.has(event.atUs)) builder.add(event);
      seen.add(event.atUs);
    }
    const rollup = builder.finish();
    return { entityId, ...(rollup && { rollup }) };
  });
}
