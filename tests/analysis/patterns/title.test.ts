import { expect, it } from "vitest";
import { lengthOf, titleOf } from "../../../lib/analysis/patterns/title.ts";
import { PATTERN_KINDS, type PatternFacts } from "../../../lib/analysis/patterns/types.ts";

const names = {
  entity: (id: string) =>
    ({
      "light.hall": "Hall light",
      "binary_sensor.hall": "Hall motion",
      "lock.door": "Front door",
      "binary_sensor.garden": "Garden door",
    })[id] ?? id,
  deviceClass: (id: string) => (id === "binary_sensor.garden" ? "door" : undefined),
  area: () => "the hall",
};
const title = (facts: Partial<PatternFacts> & Pick<PatternFacts, "kind">): string =>
  titleOf(
    {
      ...{ target: { entityId: "light.hall", state: "on" }, hits: 1, opportunities: 1, reliability: 1 },
      ...{ significance: 0, automated: false, days90: [] },
      ...facts,
    },
    names,
  );
const motion = { entityId: "binary_sensor.hall", state: "on" };
const door = { entityId: "binary_sensor.garden", state: "on" };
const off = { entityId: "light.hall", state: "off" };

it.each<[Partial<PatternFacts> & Pick<PatternFacts, "kind">, string]>([
  [{ kind: "time-of-day", at: "07:02", anchor: "clock" }, "Hall light turns on around 07:02"],
  [
    { kind: "time-of-day", at: "07:02", days: ["fri", "mon", "tue", "wed", "thu"] },
    "Hall light turns on around 07:02 on weekdays",
  ],
  [
    { kind: "time-of-day", anchor: "sunset", offsetMinutes: -15, days: ["tue"] },
    "Hall light turns on about 15 minutes before sunset on Tuesdays",
  ],
  [
    { kind: "time-of-day", anchor: "sunrise", offsetMinutes: 1, days: ["sat", "sun"] },
    "Hall light turns on at sunrise at weekends",
  ],
  [
    { kind: "co-occurrence", trigger: motion, delaySeconds: { median: 12, p90: 30 } },
    "When Hall motion is triggered, Hall light turns on about 12 seconds later",
  ],
  [
    { kind: "sequence", steps: [motion, { entityId: "lock.door", state: "locked" }, off] },
    "Hall motion is triggered, then Front door is locked, then Hall light turns off",
  ],
  [{ kind: "room", areaId: "hall", steps: [off, motion] }, "In the hall, Hall light and Hall motion are used together"],
  [
    {
      kind: "room",
      areaId: "hall",
      at: "22:10",
      days: ["sat", "sun"],
      steps: [off, { entityId: "fan.b", state: "off" }],
    },
    "In the hall, Hall light and fan.b are turned off together around 22:10 at weekends",
  ],
  [
    { kind: "room", steps: [motion, { entityId: "media_player.b", state: "playing" }] },
    "Hall motion and media_player.b are turned on together",
  ],
  [
    {
      ...{ kind: "duration", target: off, trigger: { entityId: "light.hall", state: "on" } },
      ...{ durationSeconds: { median: 1210, p90: 1500 }, details: { finding: "fixed" } },
    },
    "Hall light stays on for about 20 minutes",
  ],
  [
    {
      ...{ kind: "duration", target: off, trigger: { entityId: "light.hall", state: "on" } },
      ...{ durationSeconds: { median: 1800, p90: 2000 }, details: { finding: "forgotten" } },
    },
    "Hall light stays on for about 30 minutes, but is sometimes forgotten",
  ],
  [
    { kind: "anomaly", details: { finding: "too-much", date: "2026-11-21", observed: 45, expected: 9.2 } },
    "Hall light turned on 45 times on 2026-11-21, where 9.2 times would be usual",
  ],
  [
    { kind: "anomaly", details: { finding: "too-few", date: "2026-11-21", observed: 1, expected: 9.2 } },
    "Hall light turned on only once on 2026-11-21, where 9.2 times would be usual",
  ],
  [
    { kind: "anomaly", details: { finding: "absent", date: "2026-11-21", observed: 0, expected: 1, at: "06:00" } },
    "Hall light did not turn on on 2026-11-21, as it always does",
  ],
  [
    {
      kind: "anomaly",
      details: { finding: "held", date: "2026-11-21", seconds: 10_200, usualSeconds: 40, at: "00:10" },
    },
    "Hall light stayed on for 3 hours from 00:10 on 2026-11-21, where 40 seconds is usual",
  ],
  [
    { kind: "frequency", details: { finding: "change", before: 8.2, after: 16 } },
    "Hall light turns on more often than before: 16 times a day, 8.2 before",
  ],
  [{ kind: "frequency", details: { finding: "rhythm", perDay: 1 } }, "Hall light turns on once a day"],
  [
    { kind: "frequency", at: "20:10", details: { finding: "rhythm", perDay: 1 } },
    "Hall light turns on once a day, around 20:10",
  ],
  [
    { kind: "frequency", details: { finding: "change", before: 3.2, after: 1 } },
    "Hall light turns on less often than before: once a day, 3.2 before",
  ],
  [
    {
      ...{ kind: "co-occurrence", trigger: motion, delaySeconds: { median: 0.4, p90: 3 } },
      details: { condition: "dark" },
    },
    "When Hall motion is triggered while it is dark, Hall light turns on at once",
  ],
  [
    {
      ...{ kind: "co-occurrence", trigger: door, target: off, delaySeconds: { median: 70, p90: 90 } },
      details: { condition: "evening" },
    },
    "When Garden door opens in the evening, Hall light turns off about 70 seconds later",
  ],
  [
    {
      ...{ kind: "duration", target: { ...door, state: "off" }, trigger: door },
      ...{ durationSeconds: { median: 300, p90: 400 }, details: { finding: "fixed" } },
    },
    "Garden door stays open for about 5 minutes",
  ],
  [
    {
      ...{ kind: "anomaly", target: door },
      details: { finding: "held", date: "2026-11-21", seconds: 10_200, usualSeconds: 40, at: "00:10" },
    },
    "Garden door stayed open for 3 hours from 00:10 on 2026-11-21, where 40 seconds is usual",
  ],
  [
    { kind: "anomaly", details: { finding: "too-few", date: "2026-11-21", observed: 0, expected: 9.2 } },
    "Hall light did not turn on on 2026-11-21, where 9.2 times would be usual",
  ],
  [
    {
      ...{ kind: "anomaly", target: { entityId: "media_player.tv", state: "playing" } },
      details: { finding: "absent", date: "2026-11-21" },
    },
    "Media_player.tv did not start to play on 2026-11-21, as it always does",
  ],
  [
    {
      ...{ kind: "anomaly", target: { entityId: "lock.door", state: "locked" } },
      details: { finding: "absent", date: "2026-11-21" },
    },
    "Front door was not locked on 2026-11-21, as it always is",
  ],
  [
    {
      kind: "sequence",
      steps: [
        { entityId: "person.anna", state: "Work" },
        { entityId: "event.remote", state: "double_press" },
        { entityId: "alarm_control_panel.home", state: "armed_away" },
        { entityId: "climate.hall", state: "heat_cool" },
      ],
    },
    "Person.anna arrives at Work, then event.remote sends double press, then alarm_control_panel.home is armed away, then climate.hall is set to heat cool",
  ],
])("is said in plain words: %j", (facts, expected) => {
  expect(title(facts)).toBe(expected);
});

it("is something for every kind, whatever is missing", () => {
  for (const kind of PATTERN_KINDS) expect(title({ kind })).toMatch(/^[A-Z].{5,}[^ ]$/);
});

it("gives lengths in the unit in which people say them", () => {
  expect([1, 45, 600, 5_400, 86_400 * 3].map(lengthOf)).toEqual([
    "1 second",
    "45 seconds",
    "10 minutes",
    "1.5 hours",
    "3 days",
  ]);
});
