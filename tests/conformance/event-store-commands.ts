import fc from "fast-check";
import { localTimeOf } from "../../lib/base/zone.ts";
import type { HomeEvent } from "../../lib/event/index.ts";
import type { AggregateQuery, RangeQuery, TileQuery } from "../../lib/store/ports.ts";
import { anyEvent, ENTITY_IDS, HOME_IDS, SOME_TIME_US } from "../support/events.ts";

const HOUR_US = 3_600_000_000;

/** What is done to a store and to its model alike. */
export type Command =
  | { readonly do: "write"; readonly events: readonly HomeEvent[] }
  | { readonly do: "write at once"; readonly batches: readonly (readonly HomeEvent[])[] }
  | {
      readonly do: "broken write";
      readonly events: readonly HomeEvent[];
      readonly choice: number;
      readonly isRetried: boolean;
    }
  | { readonly do: "broken compact"; readonly homeId: string; readonly beforeUs: number; readonly choice: number }
  | { readonly do: "range"; readonly query: RangeQuery }
  | { readonly do: "aggregate"; readonly query: AggregateQuery }
  | { readonly do: "tiles"; readonly query: TileQuery }
  | { readonly do: "stats"; readonly homeId: string; readonly fromUs: number; readonly toUs: number }
  | { readonly do: "oldest"; readonly homeId: string }
  | { readonly do: "prune" | "compact" | "compact twice"; readonly homeId: string; readonly beforeUs: number }
  | {
      readonly do: "compact and write";
      readonly homeId: string;
      readonly beforeUs: number;
      readonly events: readonly HomeEvent[];
    }
  | { readonly do: "reopen" | "crash" };

/** Some days in which events meet: mostly the same few minutes, at times hours or days away, so that closed days get late events. */
const farUs = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(HOUR_US, -HOUR_US, 23 * HOUR_US, 24 * HOUR_US, -25 * HOUR_US, 49 * HOUR_US),
  },
);
const someMoment = fc
  .tuple(
    fc.oneof(
      { weight: 3, arbitrary: fc.nat(9).map((step) => SOME_TIME_US + step) },
      { weight: 1, arbitrary: fc.nat(300_000_000).map((step) => SOME_TIME_US + step) },
    ),
    farUs,
  )
  .map(([nearUs, offsetUs]) => nearUs + offsetUs);
const someHome = fc.constantFrom(...HOME_IDS.slice(0, 3));

const someEvents = (maxLength: number) =>
  fc.array(
    fc.tuple(anyEvent, farUs).map(([event, offsetUs]) => {
      if (offsetUs === 0) return event;
      const atUs = event.atUs + offsetUs;
      return {
        ...event,
        atUs,
        lastChangedUs: event.lastChangedUs + offsetUs,
        localTime: localTimeOf(atUs, "Europe/Amsterdam").text,
      };
    }),
    { maxLength },
  );

const anyQuery = fc
  .record(
    {
      homeId: someHome,
      order: fc.constantFrom("asc" as const, "desc" as const),
      limit: fc.integer({ min: 1, max: 12 }),
      entityIds: fc.subarray(ENTITY_IDS),
      areaId: fc.constantFrom("kitchen", "bed'room", "a%", "none"),
      deviceId: fc.constantFrom("d1", "d2", "d_3"),
      domain: fc.constantFrom("light", "sensor", "switch"),
      fromUs: someMoment,
      toUs: someMoment,
    },
    { requiredKeys: ["homeId", "order", "limit"] },
  )
  .map((query) => query as RangeQuery);

const someEdges = fc.oneof(
  fc.uniqueArray(someMoment, { minLength: 2, maxLength: 8 }).map((edges) => edges.sort((a, b) => a - b)),
  // Whole hours, as most people ask, and whole hours of a zone half an hour off.
  fc
    .tuple(fc.integer({ min: -26, max: 0 }), fc.integer({ min: 1, max: 80 }), fc.constantFrom(0, HOUR_US / 2))
    .map(([first, count, shiftUs]) => {
      const startUs = Math.floor(SOME_TIME_US / HOUR_US) * HOUR_US + shiftUs;
      return Array.from({ length: count + 1 }, (_, index) => startUs + (first + index) * HOUR_US);
    }),
);

const someTiles = fc
  .record({
    homeId: someHome,
    widthUs: fc.constantFrom(60_000_000, HOUR_US, 24 * HOUR_US),
    from: fc.integer({ min: -30, max: 3 }),
    count: fc.nat(80),
  })
  .map(({ homeId, widthUs, from, count }) => {
    const fromUs = (Math.floor(SOME_TIME_US / widthUs) + from) * widthUs;
    return { homeId, widthUs, fromUs, toUs: fromUs + count * widthUs };
  });

const weighted = (weight: number, arbitrary: fc.Arbitrary<Command>) => ({ weight, arbitrary });

export const anyCommand: fc.Arbitrary<Command> = fc.oneof(
  weighted(6, fc.record({ do: fc.constant("write" as const), events: someEvents(30) })),
  weighted(
    1,
    fc.record({ do: fc.constant("write at once" as const), batches: fc.array(someEvents(8), { maxLength: 4 }) }),
  ),
  weighted(
    2,
    fc.record({
      do: fc.constant("broken write" as const),
      events: someEvents(12),
      choice: fc.nat(),
      isRetried: fc.boolean(),
    }),
  ),
  weighted(4, fc.record({ do: fc.constant("range" as const), query: anyQuery })),
  weighted(
    3,
    fc.record({
      do: fc.constant("aggregate" as const),
      query: fc.record({
        homeId: someHome,
        entityIds: fc.uniqueArray(fc.constantFrom(...ENTITY_IDS, "sensor.none"), { minLength: 1 }),
        edges: someEdges,
      }),
    }),
  ),
  weighted(2, fc.record({ do: fc.constant("tiles" as const), query: someTiles })),
  weighted(1, fc.record({ do: fc.constant("oldest" as const), homeId: someHome })),
  weighted(1, fc.record({ do: fc.constant("stats" as const), homeId: someHome, fromUs: someMoment, toUs: someMoment })),
  weighted(
    4,
    fc.record({
      do: fc.constantFrom("prune" as const, "compact" as const, "compact" as const, "compact twice"),
      homeId: someHome,
      beforeUs: someMoment,
    }),
  ),
  weighted(
    1,
    fc.record({
      do: fc.constant("compact and write" as const),
      homeId: someHome,
      beforeUs: someMoment,
      events: someEvents(8),
    }),
  ),
  weighted(
    1,
    fc.record({
      do: fc.constant("broken compact" as const),
      homeId: someHome,
      beforeUs: someMoment,
      choice: fc.nat(),
    }),
  ),
  weighted(2, fc.constantFrom({ do: "reopen" as const }, { do: "crash" as const })),
);
