import { describe, expect, it } from "vitest";
import { clockText, minuteOf, petalsOf, pointAt, sector } from "../../../lib/web/app/clock-face.ts";

describe("a face of 24 hours", () => {
  it.each([
    [0, [0, -10]],
    [360, [10, 0]],
    [720, [0, 10]],
    [1080, [-10, 0]],
  ] as const)("has minute %i at %j", (minute, point) => {
    expect(pointAt(minute, 10)).toEqual(point);
  });

  it("draws a piece of the ring with the clock's hands, over midnight too", () => {
    const radii = { inner: 5, outer: 10 };
    expect(sector({ from: 0, to: 360 }, radii)).toBe("M0 -10A10 10 0 0 1 10 0L5 0A5 5 0 0 0 0 -5Z");
    expect(sector({ from: -360, to: 0 }, radii)).toBe("M-10 0A10 10 0 0 1 0 -10L0 -5A5 5 0 0 0 -5 0Z");
    // More than half of the day takes the long way round; a whole day stays a path that is drawn.
    expect(sector({ from: 0, to: 1080 }, radii)).toContain("A10 10 0 1 1 -10 0");
    expect(sector({ from: 0, to: 1440 }, radii)).toMatch(/^M0 -10A10 10 0 1 1 0 -10/);
  });

  it("lets the area of a petal grow with its count, and leaves empty bins out", () => {
    const petals = petalsOf({ edges: [0, 60, 120, 180], counts: [4, 0, 1] }, { inner: 0, outer: 10 });
    expect(petals.map(({ fromMinute, count }) => [fromMinute, count])).toEqual([
      [0, 4],
      [120, 1],
    ]);
    expect(petals[0]?.path).toContain("A10 10");
    // A quarter of the count: half of the radius.
    expect(petals[1]?.path).toContain("A5 5");
  });

  it("draws nothing of nothing", () => {
    expect(petalsOf({ edges: [0, 60], counts: [0] }, { inner: 1, outer: 2 })).toEqual([]);
    expect(petalsOf({ edges: [], counts: [] }, { inner: 1, outer: 2 })).toEqual([]);
  });

  it("reads and says times of day", () => {
    expect([minuteOf("07:02"), minuteOf("00:00"), minuteOf("24:00"), minuteOf(undefined)]).toEqual([
      422,
      0,
      undefined,
      undefined,
    ]);
    expect([clockText(422.4), clockText(-10), clockText(1450)]).toEqual(["07:02", "23:50", "00:10"]);
  });
});
