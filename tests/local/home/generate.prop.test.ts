import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { floatSecondsToUs } from "../../../lib/base/time.ts";
import { generateDay } from "../../../local/home/generate/day.ts";
import { CACHED_DAYS } from "../../../local/home/generate/day-book.ts";
import { createPast } from "../../../local/home/generate/past.ts";
import { restOf } from "../../../local/home/generate/rest.ts";
import { buildSensors } from "../../../local/home/generate/sensors.ts";
import { createStream } from "../../../local/home/generate/stream.ts";
import { buildHouse } from "../../../local/home/house/house.ts";
import { calendarOf } from "../../../local/home/people/calendar.ts";
import { createZone, dayNumberOf, wallClock } from "../../../local/home/people/zone.ts";
import { runs } from "../../support/depth.ts";

const zone = createZone("Europe/Amsterdam");
const seeds = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const days = fc.integer({ min: Date.UTC(2025, 0, 1) / 86_400_000, max: Date.UTC(2029, 0, 1) / 86_400_000 });
const RUNS = { numRuns: runs(10) };

describe("a generated day", () => {
  it("is the same for the same seed, and another for another", () => {
    fc.assert(
      fc.property(seeds, days, (seed, day) => {
        const [one, again] = [generateDay(buildHouse(seed), zone, day), generateDay(buildHouse(seed), zone, day)];
        expect(again).toEqual(one);
        const other = generateDay(buildHouse((seed + 1) % 2 ** 32), zone, day);
        expect(other.changes.map((change) => change.at)).not.toEqual(one.changes.map((change) => change.at));
      }),
      RUNS,
    );
  });

  it("ends as the next one begins, so that no day needs the one before", () => {
    fc.assert(
      fc.property(seeds, days, (seed, day) => {
        const house = buildHouse(seed);
        const last = new Map(generateDay(house, zone, day).changes.map((change) => [change.entityId, change.state]));
        const tomorrow = calendarOf(seed, day + 1);
        for (const entity of house.live) {
          const state = last.get(entity.id);
          // A button's state is the time it was pressed last: it has no rest.
          if (state === undefined || entity.domain === "event" || entity.id === "climate.living_room") continue;
          expect(`${entity.id} ${state}`).toBe(`${entity.id} ${restOf(entity, tomorrow).state}`);
        }
      }),
      // The hour that the clock change leaves out.
      { numRuns: runs(25), examples: [[3756055408, 20540]] },
    );
  });

  it("stays within its bounds, ascending, with natural keys that differ", () => {
    fc.assert(
      fc.property(seeds, days, (seed, day) => {
        const { changes, startsAt, endsAt } = generateDay(buildHouse(seed), zone, day);
        const keys = changes.map((change) => `${change.entityId} ${floatSecondsToUs(change.at)}`);
        expect(new Set(keys).size).toBe(keys.length);
        for (const [index, change] of changes.entries()) {
          expect(change.at).toBeGreaterThanOrEqual(Math.max(startsAt, changes[index - 1]?.at ?? startsAt));
          expect(change.at).toBeLessThan(endsAt);
        }
      }),
      RUNS,
    );
  });
});

describe("the wall clock", () => {
  it("says 04:00 at the beginning of each day, on the days of both clock changes too", () => {
    fc.assert(
      fc.property(days, fc.integer({ min: 240, max: 1679 }), (day, minute) => {
        const at = wallClock(zone, day)(minute);
        const wall = new Date(at * 1000 + zone.offsetMs(at * 1000));
        const isSkippedHour = wall.getUTCHours() * 60 + wall.getUTCMinutes() !== minute % 1440;
        expect(isSkippedHour ? zone.offsetMs(at * 1000 - 7_200_000) !== zone.offsetMs(at * 1000) : true).toBe(true);
        expect(dayNumberOf(zone, at * 1000)).toBe(day);
      }),
      {
        numRuns: 300,
        examples: [
          [Date.UTC(2026, 9, 24) / 86_400_000, 1590],
          [Date.UTC(2026, 2, 28) / 86_400_000, 1590],
        ],
      },
    );
  });
});

describe("the sensors", () => {
  const house = buildHouse(3);
  const moments = fc.double({ min: 1.7e9, max: 1.9e9, noNaN: true });
  const rates = fc.constantFrom(0.05, 0.3, 10, 2_000, 20_000);

  it("never report the same twice in a row, nor two readings in one microsecond; counters rise", () => {
    fc.assert(
      fc.property(moments, rates, (moment, rate) => {
        for (const sensor of buildSensors(house, rate)) {
          const k = sensor.firstAfter(moment);
          const [one, two] = [sensor.read(k), sensor.read(k + 1)];
          expect([two.state, two.attributes]).not.toEqual([one.state, one.attributes]);
          expect(floatSecondsToUs(sensor.at(k + 1))).toBeGreaterThan(floatSecondsToUs(sensor.at(k)));
          if (sensor.entity.spec.stateClass === "total_increasing")
            expect(Number(two.state)).toBeGreaterThan(Number(one.state));
        }
      }),
      RUNS,
    );
  });

  it("can be asked for any stretch: the stream has the same readings as the rows of the past", () => {
    fc.assert(
      fc.property(moments, (moment) => {
        const sensors = buildSensors(house, 1);
        const past = createPast({ house, zone, sensors, startsAt: moment - 1e6 });
        const stream = createStream(past, sensors, moment);
        const streamed = new Map<string, string[]>();
        let before = moment;
        while (stream.nextAt() < moment + 600) {
          const event = stream.take();
          expect(event.at).toBeGreaterThanOrEqual(before);
          before = event.at;
          streamed.set(event.entityId, [...(streamed.get(event.entityId) ?? []), `${event.at} ${event.state}`]);
        }
        for (const entity of house.live) {
          const rows = [...past.rows(entity, moment, moment + 600)].map((row) => `${row.at} ${row.state}`);
          expect(streamed.get(entity.id) ?? []).toEqual(rows);
        }
      }),
      { numRuns: runs(4) },
    );
  });
});

describe("the past", () => {
  it("knows the last row before any moment, as the rows say", () => {
    const house = buildHouse(5);
    const start = 1_790_000_000;
    const past = createPast({ house, zone, sensors: buildSensors(house, 0.3), startsAt: start });
    fc.assert(
      fc.property(fc.integer({ min: 10, max: 9 * 86_400 }), fc.constantFrom(...house.live), (after, entity) => {
        const rows = [...past.rows(entity, start - 1, start + after)];
        expect(past.stateAt(entity, start + after)).toEqual(rows.at(-1));
        expect(past.stateAt(entity, start - 1)).toBeUndefined();
      }),
      { numRuns: runs(25) },
    );
  });

  it("keeps a few days only, however long it is", () => {
    const house = buildHouse(5);
    const past = createPast({ house, zone, sensors: [], startsAt: 1_790_000_000 });
    const first = past.day(21_000);
    for (let day = 21_001; day < 21_001 + CACHED_DAYS; day++) past.day(day);
    expect(past.day(21_000)).not.toBe(first);
    expect(past.day(21_000)).toEqual(first);
  });
});
