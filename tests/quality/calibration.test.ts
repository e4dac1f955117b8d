import { describe, expect, it } from "vitest";
import type { DayFacts, Occurrence } from "../../lib/analysis/detectors/types.ts";
import { heldOf } from "../../quality/calibration.ts";
import { finding, tok } from "./support.ts";

const seen = (text: string, minute: number, seconds = 0): Occurrence => ({
  ...tok(text),
  atUs: (minute * 60 + seconds) * 1e6,
  domain: "light",
  actor: "person",
  act: 0,
  minute,
  role: "target",
});
const day = (weekday: DayFacts["weekday"], occurrences: readonly Occurrence[]): DayFacts => ({
  homeId: "a",
  date: "2026-01-01",
  weekday,
  fromUs: 0,
  toUs: 86_400e6,
  timeZone: "UTC",
  occurrences,
  unavailable: [],
  muted: [],
  hasContexts: true,
  silent: [],
});

describe("what came of a promise", () => {
  it("a time: days on which it happened within two and a half spreads, of its weekdays", () => {
    const promise = finding("time-of-day", "light.a=on", { at: "07:00", days: ["mon"], spreadMinutes: 10 });
    const days = [day("mon", [seen("light.a=on", 444)]), day("mon", [seen("light.a=on", 450)]), day("tue", [])];
    expect(heldOf(promise, days)).toMatchObject({ heldHits: 1, heldOpportunities: 2, share: 0.9, expected: 0.82 });
  });

  it("a pair: triggers that the target followed, without those at which it was so already", () => {
    const promise = finding("co-occurrence", "light.a=on", {
      trigger: tok("binary_sensor.m=on"),
      delaySeconds: { median: 5, p90: 10 },
    });
    const days = [
      day("mon", [
        seen("binary_sensor.m=on", 1),
        seen("light.a=on", 1, 20),
        seen("binary_sensor.m=on", 2),
        seen("light.a=off", 3),
        seen("binary_sensor.m=on", 4),
        seen("light.a=on", 8),
      ]),
    ];
    expect(heldOf(promise, days)).toMatchObject({ heldHits: 1, heldOpportunities: 2 });
  });

  it("nothing of what is automated, conditional, or of another kind", () => {
    expect(
      heldOf(finding("time-of-day", "light.a=on", { at: "07:00", automated: true }), [day("mon", [])]),
    ).toBeUndefined();
    expect(heldOf(finding("frequency", "light.a=on"), [day("mon", [])])).toBeUndefined();
  });
});
