import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  behind,
  clockTextOf,
  medianNear,
  nearestTo,
  spreadAround,
  wrapped,
} from "../../../lib/analysis/detectors/circle.ts";
import { addMinutes, countOf, minutesOf, tenthsOf, timesOf } from "../../../lib/analysis/detectors/minutes.ts";

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
