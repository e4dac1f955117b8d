import { describe, expect, it } from "vitest";
import { afterStep, decide, ENDED, pointerOf, REQUIRED, STATES } from "../../lib/migration/index.ts";
import type { PlanInput } from "../../lib/migration/plan.ts";
import type { CheckResult, Migration, State } from "../../lib/migration/types.ts";
import { migrationOf, planOf, resultOf, resultsFor, SECOND_US, START_US, startedOf } from "../support/migrations.ts";

const stepOf = (migration: Migration, results: readonly CheckResult[], nowUs: number) => {
  const look = { migration, results, nowUs };
  const decision = decide(look);
  return { decision, next: afterStep(look, decision) };
};

/** Steps with passing checks every minute until it has ended or stands still. */
function walk(first: Migration, steps = 200) {
  const places: string[] = [];
  let migration = first;
  for (let at = 1; at <= steps && !ENDED.has(migration.state); at++) {
    const { next } = stepOf(migration, resultsFor(migration.state), START_US + at * 60 * SECOND_US);
    if (next.epoch !== migration.epoch) places.push(`${next.state} ${next.stagePercent}`);
    migration = next;
  }
  return { places, migration };
}

const at = (state: State, more: Partial<Migration> = {}, plan: Partial<PlanInput> = {}) =>
  startedOf({ state, lastStepUs: START_US, goodSinceUs: START_US, ...more }, plan);
const LATER = START_US + 60 * SECOND_US;

describe("the way", () => {
  it("goes through every state and stage, one a step, and ends", () => {
    const { places, migration } = walk(startedOf({}, { gates: [], stabiliseSeconds: 60 }));
    expect(places).toEqual([
      ...["dual_write 0", "backfill 0", "shadow 0"],
      ...[10, 25, 50, 75, 90, 100].map((percent) => `ramp ${percent}`),
      ...["stabilise 100", "final_validation 100", "rampdown 100", "cleanup 100", "complete 100"],
    ]);
    expect(migration.epoch).toBe(2 + places.length);
    expect(migration.lastChange).toMatchObject({ epoch: migration.epoch, from: "cleanup", to: "complete" });
  });

  it("waits at its gates, with nothing but the gate left", () => {
    const { migration } = walk(startedOf({}, { stabiliseSeconds: 60 }));
    expect(migration.state).toBe("rampdown");
    const { decision } = stepOf(migration, resultsFor("rampdown"), START_US + 1e12);
    expect(decision).toMatchObject({
      action: "hold",
      verdict: "pass",
      reason: expect.stringContaining("gate before cleanup"),
    });
  });

  it("does nothing before it is started, while it is paused, and after its end", () => {
    for (const still of [
      migrationOf(),
      startedOf({ state: "paused", pausedFrom: "ramp" }),
      startedOf({ state: "complete" }),
      startedOf({ state: "rolled_back" }),
    ])
      expect(stepOf(still, resultsFor("ramp"), LATER).next).toMatchObject({ state: still.state, epoch: still.epoch });
  });
});

describe.each(STATES.filter((state) => REQUIRED[state].length > 0))("in %s", (state) => {
  it.each(REQUIRED[state])("nothing goes on without a pass of %s", (name) => {
    const migration = at(state, { opened: ["start", "ramp", "stabilise", "rampdown", "cleanup"] }, { soakSeconds: 1 });
    const passing = resultsFor(state);
    expect(stepOf(migration, passing, START_US + 1e10).decision.action).toMatch(/^(next|hold)$/);
    const without = passing.filter((result) => result.name !== name);
    for (const results of [without, [...without, resultOf(name, "inconclusive")]]) {
      const { decision, next } = stepOf(migration, results, START_US + 1e10);
      expect(decision).toMatchObject({
        action: "hold",
        verdict: "inconclusive",
        reason: expect.stringContaining(name),
      });
      expect(next.epoch).toBe(migration.epoch);
    }
    const failed = stepOf(migration, [...without, resultOf(name, "fail")], START_US + 1e10);
    expect(failed.decision).toMatchObject({ action: "alert", verdict: "fail" });
    expect(failed.decision.alerts.map((alert) => alert.name)).toEqual([name]);
    expect(failed.next.goodSinceUs).toBeUndefined();
  });
});

describe("a check that fails with a trigger", () => {
  const BACK: readonly State[] = [
    ...(["dual_write", "backfill", "shadow", "ramp", "stabilise", "final_validation", "rampdown"] as const),
  ];
  const results = [resultOf("loss", "fail", { trigger: "loss", explanation: "1 event lost." })];

  it.each(BACK)("takes it back from %s at once, and says why", (state) => {
    const { decision, next } = stepOf(at(state, { stagePercent: 25 }), results, LATER);
    expect(decision).toMatchObject({
      action: "rollback",
      trigger: "loss",
      reason: "loss failed (loss): 1 event lost.",
    });
    expect(next).toMatchObject({ state: "rolling_back", stagePercent: 0, trigger: "loss" });
    expect(next.lastChange).toMatchObject({
      from: state,
      to: "rolling_back",
      percentFrom: 25,
      trigger: "loss",
      evidence: results,
    });
    expect(pointerOf(next)).toMatchObject({ authority: "old", isNewComplete: false, readers: {} });
  });

  it.each(["prepared", "cleanup"] as const)(
    "holds in %s: there is nothing to take back, or nothing to go back to",
    (state) => {
      expect(stepOf(at(state), results, LATER).decision.action).toBe("alert");
    },
  );

  it.each(["fail", "inconclusive"] as const)(
    "holds while OLD's health is %s: there is nobody to go back to; and goes with the first look that finds OLD well",
    (verdict) => {
      const withOld = (one: CheckResult["verdict"]) => [...results, resultOf("health.old", one)];
      expect(stepOf(at("ramp"), withOld(verdict), LATER).decision).toMatchObject({ action: "alert", verdict: "fail" });
      expect(stepOf(at("ramp"), withOld("pass"), LATER).decision).toMatchObject({
        action: "rollback",
        trigger: "loss",
      });
    },
  );

  it("holds and alerts where the plan has its switch off", () => {
    const migration = at("ramp", {}, { triggers: { loss: false } });
    expect(stepOf(migration, results, LATER).decision).toMatchObject({ action: "alert", verdict: "fail" });
  });

  it("names the cause before its consequences", () => {
    const both = [
      resultOf("errors", "fail", { trigger: "errors" }),
      resultOf("health.new", "fail", { trigger: "part-down" }),
    ];
    expect(stepOf(at("ramp"), both, LATER).decision.trigger).toBe("part-down");
  });
});

describe("the soak", () => {
  const ramp = (more: Partial<Migration> = {}) => at("ramp", { stagePercent: 10, ...more }, { soakSeconds: 120 });
  const pass = resultsFor("ramp");
  const look = (migration: Migration, results: readonly CheckResult[], seconds: number) =>
    stepOf(migration, results, START_US + seconds * SECOND_US);

  it("is over when the checks have passed for so long", () => {
    expect(look(ramp(), pass, 119).decision.reason).toContain("119 of 120 seconds");
    expect(look(ramp(), pass, 120).decision).toMatchObject({ action: "next", to: { stage: 1, stagePercent: 25 } });
  });

  it("begins anew after a failure, and stands still over what is inconclusive", () => {
    const { next: failed } = look(ramp(), resultsFor("ramp", { devices: "fail" }), 60);
    const { next: first } = look(failed, pass, 70);
    expect(look(first, pass, 189).decision.action).toBe("hold");
    expect(look(first, pass, 190).decision.action).toBe("next");

    const { next: unsure } = look(ramp(), resultsFor("ramp", { errors: "inconclusive" }), 100);
    expect(look(unsure, pass, 219).decision.action).toBe("hold");
    expect(look(unsure, pass, 220).decision.action).toBe("next");
  });

  it("counts at most a quarter of an hour between two looks", () => {
    const hour = at("stabilise", { stagePercent: 100 }, { stabiliseSeconds: 3_600 });
    let { next, decision } = look(hour, resultsFor("stabilise"), 3_600);
    expect(decision.reason).toContain("900 of 3600");
    for (const hours of [2, 3]) ({ next, decision } = look(next, resultsFor("stabilise"), hours * 3_600));
    expect(decision.reason).toContain("2700 of 3600");
    expect(look(next, resultsFor("stabilise"), 4 * 3_600).decision.action).toBe("next");
  });

  it("begins anew in each stage", () => {
    const { next } = look(ramp(), pass, 120);
    expect(next).toMatchObject({ stage: 1, sinceUs: START_US + 120 * SECOND_US });
    expect(next.goodSinceUs).toBeUndefined();
    expect(look(next, pass, 10_000).decision.action).toBe("hold");
  });
});

describe("who was moved to OLD by hand", () => {
  it("holds the ramp-down", () => {
    const validated = at("final_validation", { stagePercent: 100, readers: { grafana: "old", app: "new" } });
    const { decision } = stepOf(validated, resultsFor("final_validation"), LATER);
    expect(decision).toMatchObject({ action: "hold", reason: expect.stringContaining('"grafana"') });
    expect(decision.reason).not.toContain("app");
  });
});

describe("the way back", () => {
  const results = resultsFor("rolling_back");
  it("ends when OLD has everything, is well and agrees", () => {
    const back = at("rolling_back");
    for (const name of REQUIRED.rolling_back)
      expect(stepOf(back, resultsFor("rolling_back", { [name]: "fail" }), LATER).next.state).toBe("rolling_back");
    expect(stepOf(back, results, LATER).next).toMatchObject({ state: "rolled_back", epoch: back.epoch + 1 });
  });

  it("goes down the stages, a soak each, while OLD is well", () => {
    let migration = at("rolling_back", { stagePercent: 90, stage: 4 });
    const percents: number[] = [];
    for (let step = 1; step <= 40 && migration.state === "rolling_back"; step++) {
      const held = stepOf(
        migration,
        resultsFor("rolling_back", { "health.old": "inconclusive" }),
        START_US + step * 60e6,
      );
      expect(held.next.stagePercent).toBe(migration.stagePercent);
      const { next } = stepOf(migration, results, START_US + step * 60e6);
      if (next.stagePercent !== migration.stagePercent) percents.push(next.stagePercent);
      migration = next;
    }
    expect(percents).toEqual([75, 50, 25, 10, 0]);
    expect(migration.state).toBe("rolled_back");
  });

  it("goes the rest at once when NEW fails meanwhile, but not for OLD", () => {
    const migration = at("rolling_back", { stagePercent: 90, stage: 4 });
    const fail = (name: string) => [...results, resultOf(name, "fail", { trigger: "part-down" })];
    expect(stepOf(migration, fail("health.new"), LATER).next).toMatchObject({ state: "rolling_back", stagePercent: 0 });
    const noOld = resultsFor("rolling_back", { "health.old": { verdict: "fail", trigger: "part-down" } });
    expect(stepOf(migration, noOld, LATER).next).toMatchObject({ stagePercent: 90 });
  });
});

describe("the pointer", () => {
  const pointed = (state: State, stagePercent = 0, more: Partial<Migration> = {}) => {
    const { authority, basisPoints, shadowBasisPoints, isNewComplete, isOldComplete } = pointerOf(
      at(state, { stagePercent, ...more }),
    );
    return [authority, basisPoints, shadowBasisPoints, isNewComplete, isOldComplete];
  };
  it.each([
    ["prepared", 0, ["old", 0, 0, false, true]],
    ["dual_write", 0, ["old", 0, 0, false, true]],
    ["backfill", 0, ["old", 0, 0, false, true]],
    ["shadow", 0, ["old", 0, 10_000, true, true]],
    ["ramp", 10, ["split", 1_000, 10_000, true, true]],
    ["ramp", 99.99, ["split", 9_999, 10_000, true, true]],
    ["ramp", 100, ["new", 10_000, 10_000, true, true]],
    ["stabilise", 100, ["new", 10_000, 10_000, true, true]],
    ["final_validation", 100, ["new", 10_000, 10_000, true, true]],
    ["rampdown", 100, ["new", 10_000, 0, true, true]],
    ["cleanup", 100, ["new", 10_000, 0, true, false]],
    ["complete", 100, ["new", 10_000, 0, true, false]],
    ["rolling_back", 75, ["split", 7_500, 0, false, true]],
    ["rolling_back", 0, ["old", 0, 0, false, true]],
    ["rolled_back", 0, ["old", 0, 0, false, true]],
  ] as const)("of %s at %d %%", (state, percent, wanted) => {
    expect(pointed(state, percent)).toEqual(wanted);
  });
  it("stays where it was when it is paused", () => {
    expect(pointed("paused", 25, { pausedFrom: "ramp" })).toEqual(pointed("ramp", 25));
  });
  it("carries the epoch, the salt and where OLD is", () => {
    const old = planOf().old;
    expect(pointerOf(startedOf({ epoch: 7 }))).toMatchObject({ migrationId: "m1", epoch: 7, salt: "salt", old });
  });
});
