import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Change, PATIENT, startRunningMove } from "../support/migration-running.ts";
import { startReader } from "../support/migration-way.ts";
import { until } from "../support/stack.ts";

/**
 * The running stack, and one migration after the other of the same home, each with a fault that begins in another of its states. Every gate is shut, so each waits in its state until the fault is found.
 * Rows of before are the business of the migrations before: each compares from its own beginning.
 */
/** Times below the floor are none: where slowness is no fault of a row, a busy machine has no part in it. */
const planOf = (url: string, { probes = 40, floorMs = 100 } = {}, more: object = {}) => ({
  old: { kind: "http", url, fed_by: "relay" },
  ...{ stages: [50, 100], soak_seconds: 1, stabilise_seconds: 600, quiet_seconds: 600 },
  ...{ settle_seconds: 3, recheck_seconds: 1, probes_per_step: probes, shadow_percent: 5 },
  gates: ["ramp", "stabilise", "rampdown", "cleanup"],
  from_us: Date.now() * 1000,
  ...more,
  thresholds: {
    alert_percent: 100,
    rollback_percent: 100,
    floor_ms: floorMs,
    error_percent: 10,
    alpha: 0.2,
    lag_seconds: 20,
  },
});

interface Fault {
  readonly name: string;
  /** Where the migration stands when it begins. */
  readonly state: string;
  readonly begin: () => unknown;
  readonly end: () => unknown;
  readonly trigger: string;
  readonly says: RegExp;
  /** Times below it are none; absent: those that a busy machine makes. */
  readonly floorMs?: number;
  /** NEW does not have everything afterwards: it has lost what it acknowledged. */
  readonly newLoses?: true;
}

let move: Awaited<ReturnType<typeof startRunningMove>>;
const oldFault = (faults: object) => ({ begin: () => move.setOld(faults), end: () => move.setOld({}) });
const newFault = (fault: string) => ({ begin: () => move.setNew(fault), end: () => move.setNew(undefined) });

/** What is found by comparing answers, or by comparing all: whichever looks first says it, in its words. */
const TAKEN_BACK: readonly Fault[] = [
  {
    ...{ name: "NEW is down", state: "dual_write", ...newFault("down"), trigger: "part-down" },
    says: /^health\.new failed \(part-down\): NEW is not well, also at the last of \d looks: store/,
  },
  {
    ...{ name: "NEW is down", state: "backfill", ...newFault("down"), trigger: "part-down" },
    says: /^health\.new failed \(part-down\): NEW is not well, also at the last of \d looks: store/,
  },
  {
    ...{ name: "OLD drops events", state: "shadow", ...oldFault({ drops: { rate: 0.3 } }) },
    ...{
      trigger: "inconsistency",
      says: /NEW has "[\w.]+" at .* and OLD has not: .*OLD lost it|OLD nothing, NEW "|[1-9]\d* missing in OLD/,
    },
  },
  {
    ...{ name: "OLD keeps wrong values", state: "shadow", ...oldFault({ wrong_values: { rate: 0.5 } }) },
    ...{
      trigger: "inconsistency",
      says: /OLD and NEW have another state of|state of [\w.]+ at .*OLD ".*, NEW "|[1-9]\d* different\)/,
    },
  },
  {
    ...{ name: "NEW is slow", state: "shadow", ...newFault("slow 25"), trigger: "performance", floorMs: 5 },
    says: /^performance\.[\w.]+ failed \(performance\): .*NEW takes [\d.]+ times OLD's time/,
  },
  {
    ...{ name: "NEW answers errors", state: "ramp", ...newFault("errors 3"), trigger: "errors" },
    says: /^errors failed \(errors\): \d+ of \d+ reads of this stage had no answer from NEW/,
  },
  {
    ...{ name: "NEW's queues hang", state: "ramp", trigger: "part-down" },
    begin: () => move.signal("queues", "SIGSTOP"),
    end: () => move.signal("queues", "SIGCONT"),
    says: /^health\.new failed \(part-down\): NEW is not well, also at the last of \d looks: queues: Do not answer/,
  },
  {
    ...{ name: "OLD shows events late", state: "stabilise", ...oldFault({ delays: { ms: 60_000 } }) },
    ...{ trigger: "inconsistency", says: /and OLD has not|OLD nothing, NEW "|[1-9]\d* missing in OLD/ },
  },
  {
    ...{ name: "NEW is down", state: "rampdown", ...newFault("down"), trigger: "part-down" },
    says: /^health\.new failed \(part-down\): NEW is not well, also at the last of \d looks: store/,
  },
  {
    ...{ name: "NEW loses what it acknowledged", state: "final_validation", ...newFault("loses"), newLoses: true },
    ...{
      trigger: "inconsistency",
      says: /OLD has "[\w.]+" at .* and NEW has not|OLD ".*, NEW nothing|[1-9]\d* missing in NEW/,
    },
  },
  {
    ...{ name: "OLD cuts stamps", state: "shadow", ...oldFault({ milliseconds: true }), trigger: "inconsistency" },
    says: /[\w.]+"? at \d.*(NEW has not|OLD has not|OLD nothing|NEW nothing)|[1-9]\d* missing in (OLD|NEW)/,
  },
];

/** An OLD that is away is nobody to go back to. */
const HELD = [
  {
    name: "hangs",
    state: "ramp",
    begin: () => move.signal("legacy", "SIGSTOP"),
    end: () => move.signal("legacy", "SIGCONT"),
  },
  { name: "is down", state: "final_validation", ...oldFault({ down: true }) },
] as const;

describe("faults while a home moves, on the running stack", { timeout: 1_200_000 }, () => {
  let reader: ReturnType<typeof startReader>;
  beforeAll(async () => {
    move = await startRunningMove();
    reader = startReader(move.stack, { lagMs: 15_000 });
  }, 180_000);
  afterAll(() => move?.stop());
  // So that the next one can begin, whatever became of this one.
  afterEach(() => move.abort());

  const isBack = ({ state }: { readonly state: string }) => state === "rolling_back" || state === "rolled_back";

  const lostByNew = new Set<string>();
  /** Nothing that the home has sent is missing anywhere, but what NEW has acknowledged and lost; the ledger has no hole. */
  async function expectWhole(newLoses = false) {
    const isKnown = (name: string) => lostByNew.has(name);
    const { sent, missingInOld, missingInNew } = await move.held(newLoses ? () => true : isKnown);
    expect(sent.length).toBeGreaterThan(50);
    if (newLoses) {
      expect(missingInNew.length).toBeGreaterThan(0);
      for (const name of missingInNew) lostByNew.add(name);
    }
    expect({ missingInOld, missingInNew: missingInNew.filter((name) => !isKnown(name)) }).toEqual({
      missingInOld: [],
      missingInNew: [],
    });
    await move.ledger();
  }

  async function expectOldAnswers() {
    const answer = await move.stack.fetch("/api/v1/events?order=desc&limit=5");
    expect([answer.status, answer.headers.get("x-hearthline-authority")]).toEqual([200, "old"]);
    expect(((await answer.json()) as { events: unknown[] }).events).toHaveLength(5);
  }

  it.each(TAKEN_BACK)("$name, in $state: taken back", async (fault) => {
    const id = await move.bringTo(fault.state, planOf(move.old.url, fault));
    await fault.begin();
    await move.goOn();
    try {
      await until(() => move.row(id), isBack, PATIENT);
    } finally {
      await fault.end();
    }
    await until(
      () => move.row(id),
      ({ state }) => state === "rolled_back",
      PATIENT,
    );
    const back = (await move.history()).find(({ to }: Change) => to === "rolling_back");
    expect(back).toMatchObject({ from: fault.state, trigger: fault.trigger });
    expect(back?.reason).toMatch(fault.says);
    expect(back?.evidence).toContainEqual(expect.objectContaining({ verdict: "fail", trigger: fault.trigger }));
    await expectWhole(fault.newLoses);
    await expectOldAnswers();
  });

  it.each(HELD)("OLD $name in $state: held, and NEW answers until it is back", async ({ state, begin, end }) => {
    const id = await move.bringTo(state, planOf(move.old.url));
    await begin();
    await move.goOn();
    const ofOld = ({ checks }: Awaited<ReturnType<typeof move.row>>) => checks.find((one) => one.name === "health.old");
    try {
      const held = await until(
        () => move.row(id),
        (now) => isBack(now) || ofOld(now)?.verdict === "fail",
        PATIENT,
      );
      expect([held.state, ofOld(held)]).toEqual([
        state,
        expect.objectContaining({
          is_alert: true,
          explanation: expect.stringMatching(
            /is not well, also at the last of \d looks: .*NEW answers its readers meanwhile/,
          ),
        }),
      ]);
      const answer = await move.stack.fetch("/api/v1/events?order=desc&limit=5");
      expect([answer.status, answer.headers.get("x-hearthline-authority")]).toEqual([200, "new"]);
    } finally {
      await end();
    }
    await until(
      () => move.row(id),
      (now) => isBack(now) || ofOld(now)?.verdict === "pass",
      PATIENT,
    );
    await move.command("rollback", "--reason", "It was enough.");
    await until(
      () => move.row(id),
      (now) => now.state === "rolled_back",
      PATIENT,
    );
    expect((await move.history()).filter(({ trigger }) => trigger !== undefined)).toEqual([]);
    await expectWhole();
    await expectOldAnswers();
  });

  it("OLD keeps twice, answers in another order and is slow: goes on by itself, and comes to no harm", async () => {
    await move.setOld({ duplicates: { rate: 0.5 }, reordered: true, slow: { ms: 5 } });
    const plan = planOf(move.old.url, { probes: 60 }, { gates: ["stabilise"], stages: [100] });
    const { id } = await move.begin(plan);
    const waits = ({ situation }: { readonly situation: string }) => situation.includes("opened by hand (advance)");
    const gate = await until(
      () => move.row(id),
      (now) => waits(now) || isBack(now),
      PATIENT,
    );
    expect(gate).toMatchObject({ state: "ramp", stage_percent: 100 });
    expect(gate.checks.filter(({ verdict }) => verdict === "fail")).toEqual([]);
    await move.setOld({});
    await move.command("rollback", "--reason", "It was enough.");
    await until(
      () => move.row(id),
      (now) => now.state === "rolled_back",
      PATIENT,
    );
    expect((await move.history()).filter(({ trigger }) => trigger !== undefined)).toEqual([]);
    await expectWhole();
    await expectOldAnswers();
  });

  it("answers its readers all the time, but for one or two who wait for an OLD that freezes right after a move", async () => {
    const { failures } = await reader.end();
    // Moves are forced here, a pointer may be two seconds old, and a frozen OLD is known after ten: whoever asked in between is told that it does not answer, and is answered when asking again.
    const waited = failures.filter((failure) => failure.includes(" 503: "));
    expect(failures.filter((failure) => !waited.includes(failure))).toEqual([]);
    expect(waited.length).toBeLessThanOrEqual(2);
  });
});
