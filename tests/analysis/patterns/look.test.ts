import { describe, expect, it } from "vitest";
import type { Detector, DetectorHistory, HomeDay } from "../../../lib/analysis/detectors/types.ts";
import { look, lookBack } from "../../../lib/analysis/patterns/look.ts";
import { finding } from "../../quality/support.ts";

const dayOf = (date: string): HomeDay => ({
  date,
  weekday: "mon",
  hours: 24,
  hasContexts: true,
  activityByHour: [],
  silentSeconds: 0,
  isEligible: true,
});
const DATES = ["2026-01-01", "2026-01-02", "2026-01-04"];
const week = (date: string) => ({ layer: "weekly" as const, date, dates: [date], rows: ["week"] });
const history: DetectorHistory<unknown> = {
  homeId: "home",
  date: "2026-01-04",
  days: DATES.map((date) => ({ day: dayOf(date), rows: [date] })),
  weeks: [week("2025-12-29"), week("2026-01-04")],
};

/** Finds the rows that it sees: one finding a day, and a steady one from the second day on. */
function detectorOf(nightsToHold: number, seen: DetectorHistory<unknown>[] = []): Detector {
  const named = (key: string) => ({ ...finding("time-of-day", "light.a=on"), key });
  return {
    kind: "time-of-day",
    version: 1,
    nightsToHold,
    aggregate: () => [],
    merge: () => [],
    find(asked) {
      seen.push(asked);
      const steady = asked.days.length > 1 ? [named("steady")] : [];
      return [named(`only on ${asked.date}`), named("always"), ...steady];
    },
  };
}
const keys = (found: readonly { readonly key: string }[]) => found.map(({ key }) => key);

describe("what holds", () => {
  it("is found with the history cut by a day and by two as well", () => {
    const looked = look(detectorOf(3), history);
    expect(keys(looked.found)).toEqual(["only on 2026-01-04", "always", "steady"]);
    expect(keys(looked.holding)).toEqual(["always"]);
    expect(keys(look(detectorOf(2), history).holding)).toEqual(["always", "steady"]);
    expect(keys(look(detectorOf(1), history).holding)).toEqual(["only on 2026-01-04", "always", "steady"]);
  });

  it("cuts by days that were learned from, and takes weeks only when they have ended", () => {
    const seen: DetectorHistory<unknown>[] = [];
    look(detectorOf(3, seen), history);
    expect(seen.map(({ date }) => date)).toEqual(["2026-01-04", "2026-01-02", "2026-01-01"]);
    expect(seen.map(({ days }) => days.length)).toEqual([3, 2, 1]);
    expect(seen.map(({ weeks }) => weeks.length)).toEqual([2, 1, 1]);
  });

  it("is nothing when there are fewer days than nights", () => {
    const short = { ...history, days: history.days.slice(2) };
    expect(look(detectorOf(3), short).holding).toEqual([]);
  });

  it("of all detectors, in their order", () => {
    expect(keys(lookBack([detectorOf(3), detectorOf(2)], () => history))).toEqual(["always", "always", "steady"]);
  });
});
