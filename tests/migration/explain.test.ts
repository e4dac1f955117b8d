import { describe, expect, it } from "vitest";
import { explainPlan, situationOf, spanWords } from "../../lib/migration/explain.ts";
import { GATES, planSchema, TRIGGERS } from "../../lib/migration/plan.ts";
import { changed, newMigration } from "../../lib/migration/row.ts";
import { STATES } from "../../lib/migration/types.ts";

const OLD = { kind: "influxdb" as const, url: "http://influxdb.local:8086" };
const NOW_US = 1_764_000_000_000_000;
const words = (given: object = {}) => explainPlan(planSchema.parse({ old: OLD, ...given })).join("\n");

it.each([
  [1, "1 second"],
  [90, "90 seconds"],
  [60, "1 minute"],
  [300, "5 minutes"],
  [3_600, "1 hour"],
  [172_800, "2 days"],
  [5_400, "90 minutes"],
])("%d s are %s", (seconds, text) => expect(spanWords(seconds)).toBe(text));

describe("a plan in words", () => {
  it("says from where, in which stages, what takes it back, whom it asks, how it ends", () => {
    const text = words({ stages: [25, 100], soakSeconds: 600 });
    expect(text).toContain('the database "home_assistant" at http://influxdb.local:8086');
    expect(text).toContain("NEW answers for 25, 100 % of the entities");
    expect(text).toContain("good for 10 minutes without interruption");
    expect(text).toMatch(/goes back to OLD by itself when NEW is more than 20 % slower.*; when one event is lost/);
    expect(text).toContain("waits for you before anything of OLD is ended");
    expect(text).toContain("you remove the integration");
    expect(text).toContain("never deleted");
  });

  it("says it differently where the plan is another", () => {
    const off = Object.fromEntries(TRIGGERS.map((name) => [name, false]));
    expect(words({ triggers: off })).toContain("Nothing takes it back by itself");
    expect(words({ triggers: { loss: false } })).toContain("Only holding, not taking back: loss.");
    expect(words({ gates: [] })).toContain("It asks nobody");
    expect(words({ gates: GATES })).toContain("before NEW answers the first reader, and before");
    const simple = words({ way: "simple" });
    expect(simple).toContain("by: hearthline migrate simple --backup FILE");
    expect(simple).toContain("you remove the integration from Home Assistant, when it says so");
    expect(words({ way: "simple", old: { ...OLD, fedBy: "relay" } })).toContain("the relay stops writing to OLD");
    // What only the stages do.
    expect(simple).not.toMatch(/OLD by itself|advance|slower|whole past comes along/);
    expect(words({ old: { ...OLD, fedBy: "relay" } })).toContain("The relay writes every event to both");
    expect(words({ fromUs: NOW_US })).toContain("from 2025-11-24 on");
  });

  it("says how long it is expected to take, by its probes, stages and times", () => {
    const expected =
      "expect 5 hours until NEW answers the first reader and 16 hours until the end, with bad luck 20 hours";
    expect(words()).toContain(expected);
    expect(words({ probesPerStep: 500 })).toContain("expect 1 hour until NEW answers the first reader and 5 hours");
    expect(words({ soakSeconds: 86_400 })).toContain("expect 29 hours until NEW answers the first reader and 8 days");
  });

  it("names OLD as it was found", () => {
    const found = { product: "InfluxDB 1.8.10", schema: "x", oldestUs: 0, newestUs: NOW_US };
    const [first] = explainPlan(planSchema.parse({ old: OLD }), found);
    expect(first).toContain("(InfluxDB 1.8.10, from 1970-01-01 to 2025-11-24)");
    expect(explainPlan(planSchema.parse({ old: OLD }), { product: "Old", schema: "" })[0]).toContain("(Old)");
  });
});

describe("where a migration is", () => {
  const made = newMigration(planSchema.parse({ old: OLD }), {
    ...{ homeId: "home", id: "m", salt: "s", nowUs: NOW_US, actor: "anna" },
  });
  const by = { nowUs: NOW_US, actor: "anna", reason: "guests" };
  const started = changed(made, { ...by, row: { opened: ["start"] } });

  it("says on the way back stage by stage who answers, and what it waits for there", () => {
    const back = changed(started, { ...by, state: "rolling_back", stagePercent: 50, row: { reason: "guests" } });
    expect(situationOf({ ...back, lastStepUs: NOW_US }, NOW_US)).toBe(
      "On the way back, stage by stage: NEW still answers for 50 %. guests. Not enough is known yet: health.old.",
    );
  });

  it("is a sentence in every state, with what it waits for", () => {
    expect(situationOf(made, NOW_US)).toBe("Made, not started yet: nothing moves.");
    expect(situationOf(started, NOW_US)).toContain("No step has looked at it yet.");
    for (const state of STATES) {
      const row = { lastStepUs: NOW_US, reason: "guests" };
      const text = situationOf(changed(started, { ...by, state, row }), NOW_US);
      expect([state, text.length > 10, /undefined|NaN/.test(text)]).toEqual([state, true, false]);
    }
    const paused = changed(started, { ...by, state: "paused", row: { reason: "guests" } });
    expect(situationOf(paused, NOW_US)).toBe("Held by hand. guests.");
  });

  it("names the check that holds it, and how long it has been good", () => {
    const ramp = changed(started, { ...by, state: "ramp", stage: 1, stagePercent: 25, row: { lastStepUs: NOW_US } });
    const bad = { name: "errors", sampleSize: 3, explanation: "4 of 100 failed.", limit: 1 };
    const failed = { ...ramp, verdict: "fail" as const, checks: [{ ...bad, verdict: "fail" as const }] };
    expect(situationOf(failed, NOW_US)).toMatch(/^NEW answers for 25 %\. errors failed: 4 of 100 failed\./);
    const open = { ...ramp, checks: [{ ...bad, verdict: "inconclusive" as const }] };
    expect(situationOf(open, NOW_US)).toMatch(/Not enough is known yet: .*performance, errors, .*loss\./);
    const good = { ...ramp, verdict: "pass" as const, goodSinceUs: NOW_US - 120_000_000 };
    expect(situationOf(good, NOW_US)).toContain("120 of 300 seconds");
  });
});
