import { afterEach, describe, expect, it } from "vitest";
import type { State } from "../../lib/migration/ports.ts";
import type { Faults } from "../../local/legacy/faults.ts";
import { type NewFault, startFaultyMove } from "../support/migration-faults.ts";

const STAGES = ["dual_write", "backfill", "shadow", "ramp", "stabilise", "final_validation"] as const;
type Stage = (typeof STAGES)[number];

interface Row {
  readonly name: string;
  readonly old?: Faults;
  readonly new?: NewFault;
  /** What takes it back, and what is said then; absent: OLD's own trouble, which harms nobody. */
  readonly back?: { readonly trigger: string; readonly says: RegExp; readonly isAtOnce?: true };
  /** Reads that one step asks of both: what is judged by numbers wants some. */
  readonly probes?: number;
}

/**
 * What is wanted of each fault, whichever stage it begins in. What rows, times or answers show is found from shadow on, where rows, times and answers are compared; a part that is down is found anywhere.
 *
 * An OLD that loses or changes rows is no truth, and still takes it back: from there on nobody can tell whether NEW is right, and readers are as well off as before; the reason names whose loss it is, and
 * after the hand-over OLD has what it had lost. What OLD does twice, late (within the settling time), in another order or slowly costs nobody anything: it goes on.
 */
const TABLE: readonly Row[] = [
  { name: "nothing is wrong" },
  {
    name: "OLD drops events",
    old: { drops: { rate: 0.3 } },
    back: {
      trigger: "inconsistency",
      says: /NEW has "sensor\.\w+" at .* and OLD has not: .*OLD lost it|OLD nothing, NEW "/,
    },
  },
  { name: "OLD keeps events twice", old: { duplicates: { rate: 0.5 } } },
  { name: "OLD shows events late", old: { delays: { ms: 45_000 } } },
  {
    name: "OLD keeps wrong values",
    old: { wrong_values: { rate: 0.3 } },
    back: {
      trigger: "inconsistency",
      says: /OLD and NEW have another state of|state of sensor\.\w+ at .*OLD "[\d.]+".*, NEW "[\d.]+"/,
    },
  },
  { name: "OLD answers in another order", old: { reordered: true } },
  { name: "OLD is slow", old: { slow: { ms: 150 } } },
  {
    name: "OLD is down",
    old: { down: true },
    back: {
      trigger: "part-down",
      says: /^health\.old failed \(part-down\): http\S+ is not well, also at the last of \d looks/,
      isAtOnce: true,
    },
  },
  {
    name: "OLD cuts stamps to milliseconds",
    old: { milliseconds: true },
    back: { trigger: "inconsistency", says: /sensor\.\w+"? at \d.*(NEW has not|OLD has not|OLD nothing|NEW nothing)/ },
  },
  {
    name: "NEW is slow",
    new: "slow",
    probes: 80,
    back: {
      trigger: "performance",
      says: /^performance\.\w+ failed \(performance\): The usual pair: NEW takes 6\.00 times OLD's time/,
    },
  },
  {
    name: "NEW answers errors",
    new: "errors",
    probes: 80,
    back: {
      trigger: "errors",
      says: /^errors failed \(errors\): \d+ of \d+ reads of this stage had no answer from NEW/,
    },
  },
  {
    name: "NEW loses one event that it acknowledged",
    new: "loses",
    back: { trigger: "inconsistency", says: /OLD has "sensor\.\w+" at .* and NEW has not|OLD ".*, NEW nothing/ },
  },
  {
    name: "NEW is down",
    new: "down",
    back: {
      trigger: "part-down",
      says: /^health\.new failed \(part-down\): NEW is not well, also at the last of \d looks: The store of NEW does not answer/,
      isAtOnce: true,
    },
  },
];

/** Two minutes apart each. */
const STEPS_MAX = 16;
const STEPS_OF_HARMLESS = 4;
const STEPS_BACK_MAX = 6;

let move: Awaited<ReturnType<typeof startFaultyMove>>;
afterEach(() => move.stop());

const isBack = (state: State) => state === "rolling_back" || state === "rolled_back";

/** Steps until it goes back, or for so many steps. */
async function goOn(steps: number) {
  let row = await move.row();
  for (let n = 0; n < steps && !isBack(row.state); n++) row = await move.step();
  return row;
}

async function expectBack(stage: Stage, back: NonNullable<Row["back"]>) {
  const row = await goOn(STEPS_MAX);
  expect(row).toMatchObject({ state: "rolling_back", trigger: back.trigger, stagePercent: 0 });
  expect(row.reason).toMatch(back.says);
  // Readers are OLD's with the step that decides, whatever is still to be done.
  expect(await move.migrations.pointer(row.homeId)).toMatchObject({ authority: "old", shadowBasisPoints: 0 });
  const audit = await move.migrations.audit(row.homeId, row.id);
  const isFoundThere = back.isAtOnce || (stage !== "dual_write" && stage !== "backfill");
  expect(audit.at(-1)).toMatchObject({
    from: isFoundThere ? stage : "shadow",
    trigger: back.trigger,
    evidence: expect.arrayContaining([expect.objectContaining({ verdict: "fail", trigger: back.trigger })]),
  });
}

async function expectReturned() {
  let row = await move.row();
  for (let n = 0; n < STEPS_BACK_MAX && row.state !== "rolled_back"; n++) row = await move.step();
  expect(row.state).toBe("rolled_back");
  expect((await move.migrations.pointer(row.homeId))?.authority).toBe("old");
}

/** Nothing is lost: OLD has everything that has happened, NEW too but for what it has lost itself; and OLD answers readers. */
async function expectWhole(lostByNew: number) {
  const { sent, inNew, inOld } = await move.held();
  expect(sent.filter((name) => !inOld.has(name))).toEqual([]);
  expect(sent.filter((name) => !inNew.has(name))).toHaveLength(lostByNew);
  expect((await move.old.describe()).product).toContain("legacy");
  const newest = move.sent.at(-1);
  const asked = { homeId: "home", entityIds: [newest?.entityId ?? ""], order: "desc", limit: 1 } as const;
  expect((await move.old.range(asked)).events).toMatchObject([{ atUs: newest?.atUs, state: newest?.state }]);
}

describe.each(STAGES)("a fault that begins in %s", (stage) => {
  it.each(TABLE)("$name", async ({ old, new: fault, back, probes }) => {
    move = await startFaultyMove(stage, probes);
    await move.setOld(old ?? {});
    move.setNew(fault);
    if (back) await expectBack(stage, back);
    else {
      const row = await goOn(STEPS_OF_HARMLESS);
      expect(row.checks.filter(({ verdict }) => verdict === "fail")).toEqual([]);
      expect(row.state).toBe(stage === "dual_write" || stage === "backfill" ? "shadow" : stage);
      const { count } = await move.migrations.differences(row.homeId, row.id);
      expect(count).toMatchObject({ "missing-in-new": 0, "missing-in-old": 0, different: 0 });
    }
    await move.setOld({});
    move.setNew(undefined);
    if (back) await expectReturned();
    await expectWhole(fault === "loses" ? 1 : 0);
  });
});
