import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  behind,
  clockTextOf,
  medianNear,
  middleNear,
  nearestTo,
  spreadAround,
  wrapped,
} from "../../../lib/analysis/detectors/circle.ts";
import { addMinutes, countOf, minutesOf, tenthsOf, timesOf } from "../../../lib/analysis/detectors/minutes.ts";
import { seededRandom } from "../../../lib/base/random.ts";
import { normal } from "../../support/planted-days.ts";

const minute = fc.integer({ min: 0, max: 14_399 }).map((tenths) => tenths / 10);

describe("the circle of a day", () => {
  it("has no beginning: what is shifted together is the same", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -100, max: 100 }), { minLength: 1, maxLength: 20 }),
        minute,
        (offsets, at) => {
          const here = offsets.map((offset) => wrapped(at + offset));
          const centre = medianNear(here, at);
          const still = medianNear(offsets.map(wrapped), 0);
          expect(Math.abs(behind(centre, wrapped(at + still)))).toBeLessThan(1e-6);
          expect(spreadAround(here, centre)).toBeCloseTo(spreadAround(offsets.map(wrapped), still), 6);
        },
      ),
    );
  });

  it("has a middle wherever it begins, between the first and the last", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -100, max: 100 }), { minLength: 1, maxLength: 20 }),
        minute,
        (offsets, at) => {
          const here = behind(
            middleNear(
              offsets.map((offset) => wrapped(at + offset)),
              at,
            ),
            at,
          );
          expect(here).toBeCloseTo(behind(middleNear(offsets.map(wrapped), 0), 0), 6);
          expect(here).toBeGreaterThanOrEqual(Math.min(...offsets) - 1e-9);
          expect(here).toBeLessThanOrEqual(Math.max(...offsets) + 1e-9);
        },
      ),
    );
  });

  it("has a middle that is nearer to the truth than the median, and that one odd day does not move far", () => {
    const random = seededRandom(5);
    const squares = { middle: 0, median: 0 };
    for (let turn = 0; turn < 400; turn++) {
      const minutes = Array.from({ length: 16 }, () => wrapped(1430 + 35 * normal(random)));
      squares.middle += behind(middleNear(minutes, 1430), 1430) ** 2;
      squares.median += behind(medianNear(minutes, 1430), 1430) ** 2;
    }
    expect(squares.middle).toBeLessThan(0.8 * squares.median);
    const days = Array.from({ length: 15 }, (_, day) => 420 + (day % 5));
    expect(middleNear([...days, 500], 420) - middleNear(days, 420)).toBeLessThan(1);
  });

  it("knows the shorter way, the nearest, and the text of a time", () => {
    expect(behind(10, 1430)).toBe(20);
    expect(behind(1430, 10)).toBe(-20);
    expect(nearestTo([100, 1435], 5)).toBe(1435);
    expect(nearestTo([], 5)).toBeUndefined();
    expect(clockTextOf(421.6)).toBe("07:02");
    expect(clockTextOf(1439.9)).toBe("00:00");
  });
});

describe("times of day, added up", () => {
  it("add the same in any order and nesting, also where single times are given up for bins", () => {
    const part = fc.array(minute, { maxLength: 80 }).map((minutes) => minutesOf(minutes.map(tenthsOf)));
    fc.assert(
      fc.property(part, part, part, (a, b, c) => {
        const all = addMinutes([a, b, c]);
        expect(addMinutes([addMinutes([c, a]), b])).toEqual(all);
        expect(addMinutes([a, addMinutes([b, c])])).toEqual(all);
        expect(countOf(all)).toBe(countOf(a) + countOf(b) + countOf(c));
        expect(JSON.parse(JSON.stringify(all))).toEqual(all);
      }),
    );
  });

  it("are exact to a tenth while they are few", () => {
    expect(timesOf(minutesOf([tenthsOf(422.04), tenthsOf(5)]))).toEqual([5, 422]);
    expect(tenthsOf(1439.99)).toBe(0);
    expect(timesOf(minutesOf(new Array(97).fill(4222)))).toEqual([422.5]);
  });
});
