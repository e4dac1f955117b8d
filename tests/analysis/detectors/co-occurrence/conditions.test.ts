import { describe, expect, it } from "vitest";
import { bestCondition, isDark } from "../../../../lib/analysis/detectors/co-occurrence/conditions.ts";
import type { Trial } from "../../../../lib/analysis/detectors/co-occurrence/trials.ts";
import { buildFacts, buildHomeDay } from "../../../support/detector-days.ts";

const day = { day: buildHomeDay(buildFacts(0, [])), startMinute: 180, silent: [], entities: new Map(), tokens: [] };
const trials = (minute: number, hits: number, misses: number): Trial[] =>
  Array.from({ length: hits + misses }, (_, index) => ({
    day,
    at: 0,
    minute,
    outcome: index < hits ? "person" : "miss",
    delaySeconds: 5,
  }));
const isHit = ({ outcome }: Trial) => outcome === "person";

describe("the condition of a pair", () => {
  it("is none where it says no more than the pair alone", () => {
    const best = bestCondition([...trials(600, 9, 1), ...trials(1200, 9, 1)], isHit);
    expect(best).toMatchObject({ condition: "always", hits: 18, opportunities: 20 });
  });

  it("is the dark, rather than a part of the day that is hardly better", () => {
    const best = bestCondition([...trials(600, 0, 20), ...trials(1200, 10, 1), ...trials(1400, 10, 1)], isHit);
    expect(best).toMatchObject({ condition: "dark", hits: 20, opportunities: 22 });
  });

  it("is a part of the day that is much better than the dark", () => {
    const best = bestCondition([...trials(600, 0, 20), ...trials(1200, 20, 1), ...trials(1400, 0, 20)], isHit);
    expect(best).toMatchObject({ condition: "evening", hits: 20, opportunities: 21 });
  });

  it("is none that leaves a fifth of the hits out", () => {
    const best = bestCondition([...trials(600, 5, 20), ...trials(1200, 20, 1)], isHit);
    expect(best.condition).toBe("always");
  });

  it("is never the light or the dark of a home that does not tell when it is", () => {
    const { sunriseMinute: _rise, sunsetMinute: _set, ...blind } = day.day;
    expect([isDark(blind, 0), isDark(day.day, 479), isDark(day.day, 480), isDark(day.day, 1020)]).toEqual([
      undefined,
      true,
      false,
      true,
    ]);
  });
});
