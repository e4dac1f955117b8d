import { afterEach, describe, expect, it } from "vitest";
import type { State } from "../../lib/migration/ports.ts";
import type { Faults } from "../../local/legacy/faults.ts";
import { startFaultyMove } from "../support/migration-faults.ts";
import type { NewFault } from "../support/migration-faults-parts.ts";

const STAGES = ["dual_write", "backfill", "shadow", "ramp", "stabilise", "final_validation"] as const;
type Stage = (typeof STAGES)[number];

interface Row {
  readonly name: string;
  readonly old?: Faults;
  readonly new?: NewFault;
  /** What takes it back, and what is said then; absent: OLD's own trouble, which takes nothing back. */
  readonly back?: { readonly trigger: string; readonly says: RegExp; readonly isAtOnce?: true };
  /** Without anything that takes it back: what is said while it holds. */
  readonly held?: RegExp;
  /** There it comes to nothing: the back-fill brings from OLD what NEW has lost before. */
  readonly healedIn?: Stage;
  /** Reads that one step asks of both: what is judged by numbers wants some. */
  readonly probes?: number;
}

/**
 * What is wanted of each fault, whichever stage it begins in. What rows, times or answers show is found from shadow on, where rows, times and answers are compared; a part that is down is found anywhere.
 *
 * An OLD that loses or changes rows is no truth, and still takes it back: from there on nobody can tell whether NEW is right, and readers are as well off as before; the reason names whose loss it is, and
 * after the hand-over OLD has what it had lost. What OLD does twice, late (within the settling time), in another order or slowly costs nobody anything: it goes on. An OLD that is down is nobody to go back
 * to: it holds until OLD is back.
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
    held: /^http\S+ is not well, also at the last of \d looks: .*(NEW answers its readers meanwhile|Its readers have no answer until it is back)/,
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
    healedIn: "dual_write",
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

/** Where a migration may be after a few steps in which nothing is wrong: stages last for an hour. */
const GOES_TO: Readonly<Record<Stage, readonly State[]>> = {
  dual_write: ["shadow"],
  backfill: ["shadow"],
  shadow: ["shadow"],
  ramp: ["ramp"],
  stabilise: ["stabilise"],
  final_validation: ["final_validation", "rampdown"],
};

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

async function expectHeld(stage: Stage, held: RegExp) {
  const row = await goOn(STEPS_OF_HARMLESS);
  expect(row).toMatchObject({ state: stage, verdict: "fail" });
  const failed = row.checks.filter(({ verdict }) => verdict === "fail");
  expect(failed).toContainEqual(
    expect.objectContaining({ name: "health.old", isAlert: true, explanation: expect.stringMatching(held) }),
  );
  expect(failed.filter(({ trigger }) => trigger !== undefined)).toEqual([]);
}

/** It may go on as far as its checks let it: never back. */
async function expectHarmless(stage: Stage) {
  const row = await goOn(STEPS_OF_HARMLESS);
  expect(row.checks.filter(({ verdict }) => verdict === "fail")).toEqual([]);
  expect(GOES_TO[stage]).toContain(row.state);
  const { count } = await move.migrations.differences(row.homeId, row.id);
  expect(count).toMatchObject({ "missing-in-new": 0, "missing-in-old": 0, different: 0 });
}

async function expectReturned() {
  let row = await move.row();
  for (let n = 0; n < STEPS_BACK_MAX && row.state !== "rolled_back"; n++) row = await move.step();
  expect(row.state).toBe("rolled_back");
  expect((await move.migrations.pointer(row.homeId))?.authority).toBe("old");
}

/**
 * Nothing is lost: OLD has everything that has happened, NEW too but for what it has lost itself; OLD's past is in NEW as soon as the back-fill is done; and OLD answers readers.
 */
async function expectWhole(lostByNew: number) {
  const { past, sent, inNew, inOld } = await move.held();
  expect([...past, ...sent].filter((name) => !inOld.has(name))).toEqual([]);
  expect(sent.filter((name) => !inNew.has(name))).toHaveLength(lostByNew);
  const row = await move.row();
  const audit = await move.migrations.audit(row.homeId, row.id);
  const isBeforeShadow = audit.some(({ from }) => from === "dual_write" || from === "backfill");
  if (!isBeforeShadow || audit.some(({ to }) => to === "shadow"))
    expect(past.filter((name) => !inNew.has(name))).toEqual([]);
  expect((await move.old.describe()).product).toContain("legacy");
  const newest = move.sent.at(-1);
  const asked = { homeId: "home", entityIds: [newest?.entityId ?? ""], order: "desc", limit: 1 } as const;
  expect((await move.old.range(asked)).events).toMatchObject([{ atUs: newest?.atUs, state: newest?.state }]);
}

describe.each(STAGES)("a fault that begins in %s", (stage) => {
  it.each(TABLE)("$name", async ({ old, new: fault, held, probes, healedIn, ...wanted }) => {
    const back = healedIn === stage ? undefined : wanted.back;
    move = await startFaultyMove(stage, probes);
    await move.setOld(old ?? {});
    move.setNew(fault);
    if (back) await expectBack(stage, back);
    else if (held) await expectHeld(stage, held);
    else await expectHarmless(stage);
    await move.setOld({});
    move.setNew(undefined);
    if (back) await expectReturned();
    if (held) await expectHarmless(stage);
    await expectWhole(fault === "loses" && back ? 1 : 0);
  });
});
