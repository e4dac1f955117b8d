import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compareEvents, type HomeEvent } from "../../lib/event/index.ts";
import type { OldLimits, OldRow, OldSystem } from "../../lib/migration/ports.ts";
import type { RangeQuery } from "../../lib/store/ports.ts";
import { buildEvent, SOME_TIME_US } from "../support/events.ts";

export interface OldSystemUnderTest {
  readonly old: OldSystem;
  /** Forgets all events. */
  empty(): Promise<void>;
  dispose(): Promise<void>;
}

const MINUTE_US = 60_000_000;
/** A backslash before a blank or a comma is left out: InfluxDB 1.6 stores such a measurement where no question finds it. */
const NASTY_UNIT = `k W/h, = "quoted" 'single'\\n; DROP`;

const at = (offsetUs: number, entityId: string, state: string, attributes: Record<string, unknown> = {}): HomeEvent =>
  buildEvent({ entityId, atUs: SOME_TIME_US + offsetUs, state, attributes, source: "live" });

/** Numbers, texts, what is both, units that change, several entities at one moment, names that look like questions. */
const EVENTS: readonly HomeEvent[] = [
  at(0, "sensor.power", "12.5", { unit_of_measurement: "W" }),
  at(1, "sensor.power", "12.50", { unit_of_measurement: "W" }),
  at(2, "sensor.power", "0.0125", { unit_of_measurement: "kW" }),
  at(3, "sensor.nasty", "1", { unit_of_measurement: NASTY_UNIT }),
  at(4, "light.hall", "on", { brightness: 99, value: 7 }),
  at(4, "light.kitchen", "off"),
  at(4, "sensor.words", 'it\'s "quoted" \\ and = , é 温 😀', { value: 5 }),
  at(4, "binary_sensor.door", "on"),
  at(5, "sensor.power", "unavailable", { unit_of_measurement: "W" }),
  at(6, "sensor.power", "unknown", { unit_of_measurement: "W" }),
  at(7, "sensor.power", "", { unit_of_measurement: "W" }),
  at(8, "sensor.power", "nan", { unit_of_measurement: "W" }),
  at(9, "sensor.power", "-3", { unit_of_measurement: "W" }),
  at(2 * MINUTE_US, "light.hall", "off"),
  at(30 * 24 * 60 * MINUTE_US, "light.hall", "on"),
  { ...at(3 * MINUTE_US, "light.kitchen", ""), kind: "removed", attributes: {} },
];

/** What an OLD with these limits holds of events, as rows in their order. */
function heldOf(events: readonly HomeEvent[], limits: OldLimits): OldRow[] {
  return events.toSorted(compareEvents).flatMap((event): OldRow[] => {
    const { entityId, atUs, kind, state, attributes } = event;
    if (kind === "removed") return limits.hasRemovals ? [{ entityId, atUs, state: null }] : [];
    if (limits.statesLeftOut.includes(state) || (limits.isFiniteOnly && state === "nan")) return [];
    const isNumber = state.trim() !== "" && Number.isFinite(Number(state));
    return [
      {
        entityId,
        atUs,
        state: limits.isNumberTextLost && isNumber ? String(Number(state)) : state,
        ...(limits.attributes === "full" && { attributes, lastChangedUs: event.lastChangedUs }),
      },
    ];
  });
}

const END_US = SOME_TIME_US + 40 * 24 * 60 * MINUTE_US;
const ALL = { fromUs: SOME_TIME_US - MINUTE_US, toUs: END_US };

async function scanned(old: OldSystem, query: Parameters<OldSystem["scan"]>[0]): Promise<OldRow[]> {
  const rows: OldRow[] = [];
  for await (const piece of old.scan(query)) rows.push(...piece);
  return rows;
}

async function paged(old: OldSystem, query: Omit<RangeQuery, "homeId">): Promise<HomeEvent[]> {
  const events: HomeEvent[] = [];
  let after = query.after;
  for (let pages = 0; pages < 100; pages++) {
    const page = await old.range({ ...query, homeId: "home", ...(after && { after }) });
    events.push(...page.events);
    expect(page.events.length).toBeLessThanOrEqual(query.limit);
    if (!page.next) return events;
    after = page.next;
  }
  throw new Error("pages without end");
}

const keyOf = ({ entityId, atUs, state }: { entityId: string; atUs: number; state: string | null }) =>
  `${atUs} ${entityId} ${state ?? ""}`;

/** What every OLD does, whatever it holds. */
export function describeOldSystem(name: string, open: () => Promise<OldSystemUnderTest>, runs = 20): void {
  describe(`an old system: ${name}`, () => {
    let under: OldSystemUnderTest;
    let held: OldRow[];
    beforeAll(async () => {
      under = await open();
    });
    afterAll(async () => under.dispose());

    it("is empty before anything was written", async () => {
      const { old } = under;
      expect(await scanned(old, ALL)).toEqual([]);
      expect(await old.counts({ ...ALL, widthUs: MINUTE_US })).toEqual([]);
      expect(await old.range({ homeId: "home", order: "desc", limit: 10 })).toEqual({ events: [] });
      const { product, schema, newestUs, oldestUs } = await old.describe();
      expect(product).not.toBe("");
      expect(schema).not.toBe("");
      expect([newestUs, oldestUs]).toEqual([undefined, undefined]);
    });

    it("takes events, says of those that it cannot hold why, and takes them again without a change", async () => {
      const { old } = under;
      held = heldOf(EVENTS, old.limits);
      const { schema } = await old.describe();
      for (let time = 0; time < 2; time++) {
        const { taken, refused } = await old.write(EVENTS);
        expect(taken).toBe(held.length);
        expect(refused).toHaveLength(EVENTS.length - held.length);
        for (const { reason } of refused) expect(reason).not.toBe("");
        expect(await scanned(old, ALL)).toEqual(held);
      }
      const said = await old.describe();
      expect(said.schema).toBe(schema);
      expect(said.oldestUs).toBe(held[0]?.atUs);
      expect(said.newestUs).toBe(held.at(-1)?.atUs);
      // Date headers are whole seconds.
      expect(Math.abs(said.clockSkewMs ?? 0)).toBeLessThan(2_000);
    });

    it("gives a span half-open, and of the entities that were asked for", async () => {
      const { old } = under;
      const span = { fromUs: SOME_TIME_US + 1, toUs: SOME_TIME_US + 4 };
      expect(await scanned(old, span)).toEqual(held.filter(({ atUs }) => atUs >= span.fromUs && atUs < span.toUs));
      const entityIds = ["light.hall", "sensor.nasty", "sensor.is_not_there", "sensor.x' OR '1' = '1"];
      expect(await scanned(old, { ...ALL, entityIds })).toEqual(
        held.filter(({ entityId }) => entityIds.includes(entityId)),
      );
      expect(await scanned(old, { ...ALL, entityIds: [] })).toEqual([]);
    });

    it("counts what it gives, tile by tile", async () => {
      const { old } = under;
      for (const widthUs of [1, 3, MINUTE_US, 24 * 60 * MINUTE_US]) {
        const toUs = widthUs < MINUTE_US ? SOME_TIME_US + 100 : END_US;
        const fromUs = Math.floor(SOME_TIME_US / widthUs) * widthUs;
        const wanted = Map.groupBy(
          held.filter(({ atUs }) => atUs < toUs),
          ({ atUs }) => Math.floor(atUs / widthUs) * widthUs,
        );
        expect(await old.counts({ fromUs, toUs, widthUs })).toEqual(
          [...wanted].map(([from, rows]) => ({ fromUs: from, count: rows.length })),
        );
      }
      const hall = await old.counts({ ...ALL, entityIds: ["light.hall"], widthUs: END_US });
      expect(hall.map(({ count }) => count)).toEqual([held.filter((row) => row.entityId === "light.hall").length]);
    });

    it("answers readers in pages, both ways, whatever lies at one moment", async () => {
      const { old } = under;
      for (const limit of [1, 2, 3, 1_000]) {
        const ascending = await paged(old, { order: "asc", limit });
        expect(ascending.map(keyOf)).toEqual(held.map(keyOf));
        const descending = await paged(old, { order: "desc", limit });
        expect(descending.map(keyOf)).toEqual(held.map(keyOf).toReversed());
      }
      const sensors = await paged(old, { order: "desc", limit: 2, domain: "sensor", ...ALL });
      expect(sensors.map(keyOf)).toEqual(
        held
          .filter(({ entityId }) => entityId.startsWith("sensor."))
          .map(keyOf)
          .toReversed(),
      );
      const some = { entityIds: ["light.hall", "binary_sensor.door"], fromUs: SOME_TIME_US + 4, toUs: END_US - 1 };
      expect((await paged(old, { order: "asc", limit: 1, ...some })).map(({ entityId }) => entityId)).toEqual([
        ...["binary_sensor.door", "light.hall", "light.hall", "light.hall"],
      ]);
      for (const event of await paged(old, { order: "asc", limit: 100 }))
        expect(event).toMatchObject({ homeId: "home", source: "import", domain: event.entityId.split(".")[0] });
    });

    it("holds what any home says", async () => {
      const { old, empty } = under;
      const event = fc.record({
        offset: fc.integer({ min: 0, max: 50 }),
        name: fc.constantFrom("sensor.a", "sensor.b", "light.c", "light.d", "cover.e"),
        state: fc.oneof(
          fc.constantFrom("on", "off", "1", "1.0", "12.50", "-0.125", "text", "unknown", "open", "it's", 'a"b\\'),
          fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }).map((value) => String(value + 0)),
        ),
        unit: fc.constantFrom(undefined, "W", "kW", NASTY_UNIT),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(event, { maxLength: 40 }), fc.integer({ min: 1, max: 7 }), async (given, limit) => {
          await empty();
          const events = given.map(({ offset, name: entityId, state, unit }) =>
            // Only a number has a unit.
            at(
              offset,
              entityId,
              state,
              unit !== undefined && Number.isFinite(Number(state)) ? { unit_of_measurement: unit } : {},
            ),
          );
          const distinct = [...new Map(events.map((one) => [`${one.entityId} ${one.atUs}`, one])).values()];
          await old.write(distinct);
          const wanted = heldOf(distinct, old.limits);
          expect((await scanned(old, ALL)).map(keyOf)).toEqual(wanted.map(keyOf));
          for (const order of ["asc", "desc"] as const) {
            const pages = (await paged(old, { order, limit })).map(keyOf);
            expect(order === "asc" ? pages : pages.toReversed()).toEqual(wanted.map(keyOf));
          }
          const counts = await old.counts({ fromUs: SOME_TIME_US, toUs: SOME_TIME_US + 51, widthUs: 7 });
          expect(counts.reduce((sum, { count }) => sum + count, 0)).toBe(wanted.length);
        }),
        { numRuns: runs },
      );
    });
  });
}
