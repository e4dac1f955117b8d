import { describe, expect, it } from "vitest";
import { afterStep, decide, moveReader } from "../../lib/migration/index.ts";
import { planSchema } from "../../lib/migration/plan.ts";
import { readPlan } from "../../lib/wiring/read-plan.ts";
import { resultsFor, SECOND_US, START_US, startedOf } from "../support/migrations.ts";

/** Wrong input, clocks that jump, names that nobody expects. */

const OLD = { kind: "http", url: "http://old.local" };
const wrongIn = (given: object): readonly string[] => {
  const read = readPlan({ old: OLD, ...given });
  return "errors" in read ? read.errors.map(({ field }) => field) : [];
};

describe("a plan", () => {
  it.each<[string, object, string]>([
    ["a password in the query", { old: { ...OLD, url: "http://old.local/?u=me&p=secret" } }, "old.url"],
    ["a fragment", { old: { ...OLD, url: "http://old.local/#secret" } }, "old.url"],
    ["a password in the list's address", { old: { ...OLD, devices: "http://me:secret@old.local/d" } }, "old.devices"],
    ["a token in the list's address", { old: { ...OLD, devices: "http://old.local/d?key=secret" } }, "old.devices"],
    ["a list's address that is none", { old: { ...OLD, devices: "http://" } }, "old.devices"],
    ["a list where nobody can ask", { old: { ...OLD, devices: "ftp://old.local/d" } }, "old.devices"],
    ["a strategy that nobody knows", { devices: { strategy: "loudest-wins" } }, "devices.strategy"],
    ["a strategy for a field that nobody has", { devices: { strategy: "mood:old-wins" } }, "devices.strategy"],
    ["a stage that is no entity's", { stages: [0.001, 100] }, "stages.0"],
    ["a stage that is the one before it", { stages: [10, 10.001, 100] }, "stages.1"],
    ["a name without end", { old: { ...OLD, measurement: "x".repeat(300) } }, "old.measurement"],
    ["more gates than there are", { gates: Array.from({ length: 50 }, () => "ramp") }, "gates"],
    ["no stages", { stages: [] }, "stages"],
    ["what is no number", { soak_seconds: Number.NaN }, "soak_seconds"],
    ["what has no end", { thresholds: { alert_percent: Number.POSITIVE_INFINITY } }, "thresholds.alert_percent"],
  ])("with %s is refused by its member's name, once, and repeats no secret", (_what, given, field) => {
    expect(wrongIn(given)).toEqual([field]);
    expect(JSON.stringify(readPlan({ old: OLD, ...given }))).not.toContain("secret");
  });

  it("takes what is right", () => {
    for (const devices of ["/data/devices.db", "C:\\devices.db", "http://old.local/api/devices"])
      expect(wrongIn({ old: { ...OLD, devices } })).toEqual([]);
    expect(wrongIn({ devices: { strategy: "newest-wins,name:old-wins" }, stages: [0.01, 0.02, 100] })).toEqual([]);
    expect(planSchema.parse({ old: OLD }).stages.at(-1)).toBe(100);
  });
});

describe("a clock that is set back by an hour", () => {
  it("neither loses what was watched nor makes anybody wait for it to come round", () => {
    const state = "shadow";
    const results = resultsFor(state);
    const look = (migration: ReturnType<typeof startedOf>, nowUs: number) => ({ migration, results, nowUs });
    let at = START_US;
    let migration = startedOf({ state, sinceUs: at });
    const soakSeconds = migration.plan.soakSeconds;
    const step = (toUs: number) => {
      at = toUs;
      const found = look(migration, at);
      const decision = decide(found);
      migration = afterStep(found, decision);
      return decision;
    };
    step(at);
    for (let second = 60; second < soakSeconds - 60; second += 60) step(at + 60 * SECOND_US);
    expect(step(at - 3_600 * SECOND_US).action).toBe("hold");
    const left = [step(at + 60 * SECOND_US), step(at + 60 * SECOND_US), step(at + 60 * SECOND_US)];
    expect(left.map(({ action }) => action)).toContain("next");
  });
});

describe("a reader", () => {
  it.each(["constructor", "toString", "__proto__"])("may be called %s", (reader) => {
    const by = { actor: "owner", nowUs: START_US + SECOND_US, reader };
    const moved = moveReader(startedOf({ state: "shadow" }), { ...by, to: "old" });
    expect(Object.entries(moved.readers)).toEqual([[reader, "old"]]);
    expect(moved.lastChange?.reason).toContain("(was: with the others)");
    const back = moveReader(moved, { ...by, to: undefined });
    expect(Object.keys(back.readers)).toEqual([]);
    expect(back.lastChange?.reason).toContain("(was: old)");
  });
});
