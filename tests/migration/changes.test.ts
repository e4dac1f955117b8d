import { describe, expect, it } from "vitest";
import {
  abort,
  advance,
  moveReader,
  pause,
  pointerOf,
  resume,
  rollback,
  STATES,
  start,
} from "../../lib/migration/index.ts";
import type { Migration, State } from "../../lib/migration/types.ts";
import { migrationOf, resultsFor, SECOND_US, START_US, startedOf } from "../support/migrations.ts";

const by = { actor: "owner", nowUs: START_US + 100 * SECOND_US };
const forced = { ...by, force: true, reason: "I have looked myself." };

/** As the last step, a second after the state began, left it. */
const looked = (state: State, more: Partial<Migration> = {}) =>
  startedOf({
    ...{ state, checks: resultsFor(state), sinceUs: START_US, goodSinceUs: START_US, verdict: "pass" },
    ...{ lastStepUs: START_US + 90 * SECOND_US, ...more },
  });

const codeOf = (work: () => unknown): string | undefined => {
  try {
    work();
    return undefined;
  } catch (thrown) {
    return (thrown as { code?: string }).code;
  }
};
const takenFrom = (make: (migration: Migration) => unknown): readonly State[] =>
  STATES.filter((state) => {
    const pausedFrom = state === "paused" ? { pausedFrom: "ramp" as const } : {};
    return codeOf(() => make(looked(state, pausedFrom))) !== "migration_state_wrong";
  });
const ALL: readonly State[] = STATES.filter((state) => !["cleanup", "complete", "rolled_back"].includes(state));

describe("a change by hand", () => {
  it("is one epoch and one revision, with who and why", () => {
    const before = migrationOf();
    const after = start(before, { ...by, reason: "Now." });
    expect(after).toMatchObject({ epoch: 2, revision: 2, state: "prepared", opened: ["start"], sinceUs: by.nowUs });
    expect(after.lastChange).toEqual({
      ...{ epoch: 2, atUs: by.nowUs, actor: "owner", from: "prepared", to: "prepared" },
      ...{ percentFrom: 0, percentTo: 0, reason: "Now.", evidence: [] },
    });
  });

  it("is possible only where it means something", () => {
    expect(codeOf(() => start(startedOf(), by))).toBe("migration_state_wrong");
    expect(takenFrom((migration) => start(migration, by))).toEqual([]);
    expect(takenFrom((migration) => pause(migration, by))).toEqual(
      ALL.filter((state) => !["paused", "rolling_back"].includes(state)),
    );
    expect(takenFrom((migration) => resume(migration, by))).toEqual(["paused"]);
    expect(takenFrom((migration) => advance(migration, by))).toEqual(
      STATES.filter((state) => !["complete", "paused", "rolling_back", "rolled_back"].includes(state)),
    );
    expect(takenFrom((migration) => rollback(migration, { ...by, at: "once" }))).toEqual(
      ALL.filter((state) => state !== "rolling_back"),
    );
    expect(takenFrom((migration) => abort(migration, by))).toEqual(ALL);
    expect(takenFrom((migration) => moveReader(migration, { ...by, reader: "app", to: "old" }))).toEqual(
      ALL.filter((state) => !["rampdown", "rolling_back"].includes(state)),
    );
  });
});

describe("pause and resume", () => {
  it("leave the readers where they are, and soak again", () => {
    const running = looked("ramp", { stage: 1, stagePercent: 25 });
    const paused = pause(running, { ...by, reason: "Holiday." });
    expect(paused).toMatchObject({
      state: "paused",
      pausedFrom: "ramp",
      stage: 1,
      stagePercent: 25,
      reason: "Holiday.",
    });
    expect({ ...pointerOf(paused), epoch: 0 }).toEqual({ ...pointerOf(running), epoch: 0 });
    const resumed = resume(paused, by);
    expect(resumed).toMatchObject({ state: "ramp", stage: 1, stagePercent: 25, sinceUs: by.nowUs });
    for (const name of ["pausedFrom", "reason", "goodSinceUs"]) expect(resumed).not.toHaveProperty(name);
  });
});

describe("advance", () => {
  it("goes on where all is well", () => {
    expect(advance(looked("ramp"), by)).toMatchObject({ state: "ramp", stage: 1, stagePercent: 25 });
    expect(advance(looked("rampdown", { stagePercent: 100 }), by)).toMatchObject({
      state: "cleanup",
      opened: ["start", "cleanup"],
    });
  });

  it("opens the gate and leaves the rest to the step where something is open", () => {
    const open = looked("rampdown", { checks: resultsFor("rampdown", { quiet: "inconclusive" }) });
    const opened = advance(open, by);
    expect(opened).toMatchObject({ state: "rampdown", opened: ["start", "cleanup"], goodSinceUs: START_US });
    expect(opened.lastChange?.reason).toContain("quiet is inconclusive");
  });

  const REFUSED: readonly [string, Migration][] = [
    ["a check that failed", looked("ramp", { checks: resultsFor("ramp", { loss: "fail" }) })],
    ["a check that failed before a gate", looked("rampdown", { checks: resultsFor("rampdown", { quiet: "fail" }) })],
    ["an inconclusive one", looked("ramp", { checks: resultsFor("ramp", { errors: "inconclusive" }) })],
    ["a soak that is not over", looked("ramp", { goodSinceUs: START_US + 90 * SECOND_US })],
    ["no look since the stage began", looked("ramp", { lastStepUs: START_US })],
    ["a look of long ago", looked("ramp", { lastStepUs: START_US - 3_600 * SECOND_US, sinceUs: 0 })],
  ];
  it.each(REFUSED)("refuses over %s, unless with force and a reason that the audit keeps", (_what, migration) => {
    expect(codeOf(() => advance(migration, by))).toBe("migration_refused");
    expect(codeOf(() => advance(migration, { ...by, force: true }))).toBe("migration_refused");
    expect(codeOf(() => advance(migration, { ...by, reason: "Please." }))).toBe("migration_refused");
    const next = advance(migration, forced);
    expect(next.epoch).toBe(migration.epoch + 1);
    expect(next.lastChange).toMatchObject({ isForced: true, reason: forced.reason, actor: "owner" });
    expect([next.state, next.stage]).not.toEqual([migration.state, migration.stage]);
  });

  it("says what is wrong", () => {
    const migration = looked("ramp", { checks: resultsFor("ramp", { loss: "fail" }) });
    expect(() => advance(migration, by)).toThrow("loss failed: loss said fail.");
  });
});

describe("rollback", () => {
  it("at once gives every reader to OLD", () => {
    const back = rollback(looked("ramp", { stagePercent: 75, stage: 3, readers: { app: "new" } }), {
      ...by,
      at: "once",
    });
    expect(back).toMatchObject({ state: "rolling_back", stage: 0, stagePercent: 0 });
    expect(pointerOf(back)).toMatchObject({ authority: "old", readers: {} });
  });

  it("stepwise begins where it stands, and can be hurried", () => {
    const back = rollback(looked("stabilise", { stagePercent: 100 }), { ...by, at: "stepwise" });
    expect(back).toMatchObject({ state: "rolling_back", stagePercent: 100 });
    expect(codeOf(() => rollback(back, { ...by, at: "stepwise" }))).toBe("migration_state_wrong");
    expect(rollback(back, { ...by, at: "once" })).toMatchObject({ state: "rolling_back", stagePercent: 0 });
  });

  it("of what has touched nothing ends at once, also from a pause", () => {
    for (const untouched of [migrationOf(), startedOf(), startedOf({ state: "paused", pausedFrom: "prepared" })])
      expect(rollback(untouched, { ...by, at: "once" })).toMatchObject({ state: "rolled_back" });
    const paused = looked("paused", { pausedFrom: "ramp", stagePercent: 50 });
    const back = rollback(paused, { ...by, at: "once" });
    expect(back.state).toBe("rolling_back");
    expect(back).not.toHaveProperty("pausedFrom");
  });
});

describe("abort", () => {
  it("ends it where nobody depends on NEW, elsewhere only with force and a reason", () => {
    expect(abort(looked("shadow"), by)).toMatchObject({ state: "rolled_back", lastChange: { actor: "owner" } });
    for (const used of [
      looked("ramp", { stagePercent: 10 }),
      looked("shadow", { readers: { app: "new" } }),
      looked("rolling_back"),
    ]) {
      expect(codeOf(() => abort(used, by))).toBe("migration_refused");
      expect(abort(used, forced)).toMatchObject({
        state: "rolled_back",
        stagePercent: 0,
        lastChange: { isForced: true },
      });
    }
  });
});

describe("a reader that is moved", () => {
  it("is moved alone, there and back", () => {
    const moved = moveReader(looked("shadow"), { ...by, reader: "grafana", to: "new" });
    expect(pointerOf(moved).readers).toEqual({ grafana: "new" });
    expect(moved).toMatchObject({ epoch: 3, goodSinceUs: START_US });
    expect(moveReader(moved, { ...by, reader: "grafana", to: undefined }).readers).toEqual({});
  });

  it("does not go to NEW before NEW has the past", () => {
    const early = looked("backfill");
    const order = { reader: "app", to: "new" } as const;
    expect(codeOf(() => moveReader(early, { ...by, ...order }))).toBe("migration_refused");
    expect(moveReader(early, { ...forced, ...order }).lastChange).toMatchObject({ isForced: true });
  });
});

describe("a migration of the simple way", () => {
  const simple = (more: Partial<Migration> = {}) => migrationOf(more, { way: "simple" });
  const messageOf = (work: () => unknown): string => {
    try {
      work();
      return "";
    } catch (thrown) {
      return (thrown as Error).message;
    }
  };

  it("is not started, but carried out by its command", () => {
    expect(messageOf(() => start(simple(), by))).toContain("wanted is: hearthline migrate simple --backup FILE");
  });

  it("can be given up before anything was switched, and is its command's to end afterwards", () => {
    expect(abort(simple(), by).state).toBe("rolled_back");
    expect(rollback(simple(), { ...by, at: "once" }).state).toBe("rolled_back");
    const switched = simple({ state: "final_validation", stagePercent: 100 });
    for (const change of [
      () => abort(switched, forced),
      () => rollback(switched, { ...by, at: "once" }),
      () => moveReader(switched, { ...by, reader: "tv", to: "old" }),
    ])
      expect(messageOf(change)).toContain("hearthline migrate simple");
  });
});
