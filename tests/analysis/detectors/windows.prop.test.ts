import * as fc from "fast-check";
import { expect, it } from "vitest";
import { wrapped } from "../../../lib/analysis/detectors/circle.ts";
import {
  count,
  HALF_WIDTHS,
  newCountingSlate,
  STEP_MINUTES,
  STEPS,
  WINDOWS,
} from "../../../lib/analysis/detectors/time-of-day/windows.ts";

const CLASSES = 2;

/** As a window is defined: a day counts once where one of its minutes lies at most half a width from the middle. */
function plainly(times: readonly (readonly number[])[], shifts: readonly (number | undefined)[], ofDay: Int16Array) {
  const hits = new Uint16Array(CLASSES * WINDOWS);
  for (const [day, minutes] of times.entries()) {
    const shift = shifts[day];
    if (shift === undefined) continue;
    const cells = new Set<number>();
    for (const minute of minutes)
      for (const [w, halfWidth] of HALF_WIDTHS.entries()) {
        const at = wrapped(minute - shift);
        for (let step = -STEPS; step < 2 * STEPS; step++)
          if (Math.abs(step * STEP_MINUTES - at) <= halfWidth) cells.add(w * STEPS + ((step + STEPS) % STEPS));
      }
    for (const cell of cells)
      hits[(ofDay[day] ?? 0) * WINDOWS + cell] = (hits[(ofDay[day] ?? 0) * WINDOWS + cell] ?? 0) + 1;
  }
  return hits;
}

/** Quarters of a minute: without rounding, and some of them at the very beginning of a step. */
const minutes = fc
  .array(fc.integer({ min: 0, max: 1440 * 4 - 1 }), { maxLength: 12 })
  .map((quarters) => quarters.map((each) => (each % 3 === 0 ? each - (each % 40) : each) / 4).sort((a, b) => a - b));
const shift = fc.option(
  fc.integer({ min: 0, max: 1439 * 2 }).map((half) => half / 2),
  { nil: undefined },
);

it("counts a day once in every window that one of its minutes lies in, however the slate was left", () => {
  const slate = newCountingSlate(CLASSES);
  fc.assert(
    fc.property(fc.array(fc.tuple(minutes, shift), { minLength: 1, maxLength: 6 }), (days) => {
      const times = days.map(([each]) => each);
      const shifts = days.map(([, each]) => each);
      const ofDay = Int16Array.from(days, (_, index) => (shifts[index] === undefined ? -1 : index % CLASSES));
      const { hits, anyDays } = count(times, shifts, { ofDay, slate });
      expect(hits).toEqual(plainly(times, shifts, ofDay));
      const lived = days.filter(([each, by]) => each.length > 0 && by !== undefined).length;
      expect((anyDays[0] ?? 0) + (anyDays[1] ?? 0)).toBe(lived);
    }),
  );
});

it("goes on from what it has counted, where some of it is left out, as if it were counted anew", () => {
  const slate = newCountingSlate(CLASSES);
  const day = fc.record({ all: minutes, by: shift, isLess: fc.boolean(), keep: fc.integer({ min: 1, max: 3 }) });
  fc.assert(
    fc.property(fc.array(day, { minLength: 1, maxLength: 6 }), (days) => {
      const times = days.map(({ all }) => all);
      const less = days.map(({ all, isLess, keep }) => (isLess ? all.filter((_, index) => index % keep === 0) : all));
      const shifts = days.map(({ by }) => by);
      const ofDay = Int16Array.from(days, (_, index) => (shifts[index] === undefined ? -1 : index % CLASSES));
      count(times, shifts, { ofDay, slate });
      const goneOn = structuredClone(count(less, shifts, { ofDay, slate, isGoingOn: true }));
      expect(goneOn).toEqual(count(less, shifts, { ofDay, slate: newCountingSlate(CLASSES) }));
      expect(goneOn.hits).toEqual(plainly(less, shifts, ofDay));
    }),
  );
});
