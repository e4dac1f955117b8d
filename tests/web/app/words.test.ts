import { describe, expect, it } from "vitest";
import type { WirePattern } from "../../../lib/api/index.ts";
import {
  lengthText,
  lifeText,
  meansText,
  millisecondsText,
  percentText,
  phaseLabel,
  reliabilityText,
  significanceText,
  weekdaysText,
  whenText,
} from "../../../lib/web/app/words.ts";

const pattern = (more: Partial<WirePattern> = {}): WirePattern => ({
  ...{ id: "a", home_id: "home", kind: "time-of-day", target: { entity_id: "light.a", state: "on" } },
  ...{ hits: 18, opportunities: 20, reliability: 0.74, significance: 1e-9, automated: false, status: "active" },
  ...{ first_seen: "2026-10-30", last_seen: "2026-11-20", title: "A" },
  ...more,
});

describe("the two numbers", () => {
  it("say how reliable it is, of days or of times", () => {
    expect(reliabilityText(pattern())).toBe("Happened on 18 of 20 days: most likely on at least 74 % of such days.");
    expect(reliabilityText(pattern({ kind: "co-occurrence", hits: 1_200, opportunities: 1_300 }))).toBe(
      "Happened 1,200 of 1,300 times: most likely at least 74 % of the time.",
    );
    expect(reliabilityText(pattern({ expected_share: 0.8467 }))).toBe(
      "Happened on 18 of 20 days: most likely on at least 74 % of such days. From now on, expect it on about 85 % of such days.",
    );
    expect(
      reliabilityText(pattern({ kind: "co-occurrence", hits: 500, opportunities: 500, expected_share: 0.9976 })),
    ).toBe(
      "Happened 500 of 500 times: most likely at least 74 % of the time. From now on, expect it about 99 % of the time.",
    );
    expect(reliabilityText(pattern({ kind: "anomaly" }))).toContain("Happened once");
  });

  it.each([
    [1, "100 %"],
    [0.999, "99 %"],
    [0.001, "1 %"],
    [0, "0 %"],
  ])("never say for certain what is not: %d", (share, text) => {
    expect(percentText(share)).toBe(text);
  });

  it.each([
    [0, "Coincidence: less than 1 in a million."],
    [1e-9, "Coincidence: less than 1 in a million."],
    [0.000_41, "Coincidence: about 1 in 2,400."],
    [0.01, "Coincidence: about 1 in 100."],
    [0.2, "Coincidence: about 1 in 5."],
    [0.9, "Coincidence: cannot be ruled out."],
  ])("say whether it could be chance: %d", (significance, text) => {
    expect(significanceText({ significance })).toBe(text);
  });
});

describe("words of patterns", () => {
  it.each([
    [undefined, "every day"],
    [["mon", "tue", "wed", "thu", "fri"], "Monday to Friday"],
    [["sun", "sat"], "Saturday and Sunday"],
    [["wed"], "Wednesday"],
    [["mon", "wed", "fri"], "Monday, Wednesday and Friday"],
    [["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "every day"],
  ] as const)("name weekdays: %j", (days, text) => {
    expect(weekdaysText(days && [...days])).toBe(text);
  });

  it.each([
    [{ at: "07:02", anchor: "clock", spread_minutes: 6.6 }, "Around 07:02, give or take 7 min, every day"],
    [{ at: "07:02", days: ["sat"] }, "Around 07:02, Saturday"],
    [{ at: "17:05", anchor: "sunset", offset_minutes: 22 }, "22 min after sunset, every day"],
    [{ at: "06:05", anchor: "sunrise", offset_minutes: -75 }, "1 h 15 min before sunrise, every day"],
    [{ at: "17:05", anchor: "sunset", offset_minutes: 0 }, "At sunset, every day"],
    [{ kind: "anomaly", at: "02:00" }, "At 02:00"],
    [{ kind: "day-type", days: ["sat", "sun"] }, "Saturday and Sunday"],
    [{ kind: "duration" }, undefined],
  ] as const)("say when: %j", (more, text) => {
    expect(whenText(pattern(more as unknown as Partial<WirePattern>))).toBe(text);
  });

  it("say how long", () => {
    expect(lengthText(pattern({ delay_seconds: { median: 3.2, p90: 65 } }))).toBe(
      "Usually after 3 s, nine times of ten within 1 min",
    );
    expect(lengthText(pattern({ duration_seconds: { median: 1_500, p90: 7_200 } }))).toBe(
      "Usually for 25 min, nine times of ten for less than 2 h",
    );
    expect(lengthText(pattern())).toBeUndefined();
  });

  it("say since when, and until when", () => {
    expect(lifeText(pattern())).toBe("Since Fri 30 Oct");
    expect(lifeText(pattern({ status: "ended" }))).toBe("Fri 30 Oct to Fri 20 Nov");
    expect(lifeText(pattern({ kind: "anomaly" }))).toBe("Fri 20 Nov");
  });
});

describe("words of nights and layers", () => {
  it("say how long phases took, and name also one that is new", () => {
    expect([12.4, 3_440, 125_000].map(millisecondsText)).toEqual(["12 ms", "3.4 s", "2 min"]);
    expect([phaseLabel("events"), phaseLabel("dreams")]).toEqual(["The day's events", "dreams"]);
  });

  it("say who deletes", () => {
    expect(meansText(["job", "ttl"])).toBe("Deleted by the nightly job and the table's expiry");
    expect(meansText([])).toBe("Never deleted");
  });
});
