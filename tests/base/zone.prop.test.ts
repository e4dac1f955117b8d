import fc from "fast-check";
import { Temporal } from "temporal-polyfill";
import { describe, expect, it } from "vitest";
import { addDays, homeDayOf, localTimeOf, localToUs, zonedDayStartUs } from "../../lib/base/zone.ts";

describe("every zone and moment", () => {
  const zone = fc.constantFrom(...Intl.supportedValuesOf("timeZone"), "UTC");
  const moment = fc.integer({ min: Date.UTC(1990, 0, 1), max: Date.UTC(2037, 0, 1) });
  // Near changes of the clock most of the time: the last Sundays of March and October, and the second ones of the Americas.
  const nearChange = fc
    .tuple(
      fc.integer({ min: 1990, max: 2036 }),
      fc.constantFrom(2, 3, 8, 9, 10),
      fc.integer({ min: 0, max: 31 * 1440 }),
    )
    .map(([year, month, minute]) => Date.UTC(year, month, 1) + minute * 60_000);
  const ms = fc.oneof(moment, nearChange);
  const temporalOf = (epochMs: number, name: string) =>
    Temporal.Instant.fromEpochMilliseconds(epochMs).toZonedDateTimeISO(name);

  it("local time agrees with Temporal", () => {
    fc.assert(
      fc.property(zone, ms, fc.integer({ min: 0, max: 999 }), (name, epochMs, micro) => {
        const wanted = temporalOf(epochMs, name).add({ microseconds: micro });
        expect(localTimeOf(epochMs * 1000 + micro, name).text).toBe(
          wanted.toString({ smallestUnit: "microsecond", timeZoneName: "never" }),
        );
      }),
      { numRuns: 500 },
    );
  });

  it("the way back gives the first moment that shows the same clock", () => {
    fc.assert(
      fc.property(zone, ms, (name, epochMs) => {
        const local = temporalOf(epochMs, name).toPlainDateTime();
        const back = localToUs(local.toString({ smallestUnit: "microsecond" }), name);
        expect(back).toBe(local.toZonedDateTime(name, { disambiguation: "earlier" }).epochMilliseconds * 1000);
      }),
      { numRuns: 500 },
    );
  });

  it("days follow one another and hold their moments", () => {
    fc.assert(
      fc.property(zone, ms, fc.constantFrom("00:00", "02:30", "03:00"), (name, epochMs, time) => {
        const date = homeDayOf(epochMs * 1000, time, name);
        const startUs = zonedDayStartUs(date, time, name);
        const nextUs = zonedDayStartUs(addDays(date, 1), time, name);
        expect(startUs).toBeLessThanOrEqual(epochMs * 1000);
        expect(nextUs).toBeGreaterThan(epochMs * 1000);
        expect((nextUs - startUs) / 3_600_000_000).toBeLessThanOrEqual(48);
      }),
      { numRuns: 500 },
    );
  });
});
