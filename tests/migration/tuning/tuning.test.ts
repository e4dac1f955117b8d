import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../../../lib/base/random.ts";
import type { State } from "../../../lib/migration/ports.ts";
import { createTuning } from "../../../lib/migration/tuning/check.ts";
import type { Tuning } from "../../../lib/migration/tuning/memory.ts";
import type { Measured, Meter, Tunable } from "../../../lib/migration/tuning/ports.ts";
import { propose } from "../../../lib/migration/tuning/propose.ts";
import { chanceOfLower } from "../../../lib/migration/tuning/rank-sum.ts";
import { readsBack } from "../../../lib/migration/tuning/reads-back.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { migrationOf, resultOf } from "../../support/migrations.ts";

const STEP_MS = 300_000;
const OWN = 5;
/** Of the canary, from the queue on. */
const WAY_MS = 1_000;

/** A relay whose figures follow its flush time as `figures` says; a value with an end goes back by itself. */
function home(
  figures: (flushSeconds: number, random: () => number) => Partial<Measured>,
  { seed = 1, keeps = true } = {},
) {
  const clock = manualClock();
  const random = seededRandom(seed);
  let asked: { value: number; untilUs?: number } = { value: OWN };
  const sets: { value: number; untilUs?: number }[] = [];
  const nowUs = () => clock.nowMs() * 1000;
  const inForce = () => (asked.untilUs !== undefined && nowUs() >= asked.untilUs ? OWN : asked.value);
  const tunable: Tunable = {
    setting: "flush-seconds",
    read: async () => inForce(),
    set: async (_, wanted) => {
      sets.push(wanted);
      if (keeps || wanted.untilUs !== undefined) asked = wanted;
    },
  };
  const counted = { acknowledged: 0, messages: 0 };
  const meter: Meter = {
    read: async () => {
      const flushSeconds = inForce();
      const { messages = 100, delaySeconds = 10 } = figures(flushSeconds, random);
      counted.acknowledged += 1_000;
      counted.messages += messages;
      return { relayId: "r", atMs: clock.nowMs(), ...counted, lagSeconds: delaySeconds - WAY_MS / 1000, flushSeconds };
    },
    facts: async () => ({}),
  };
  const check = createTuning({ meter, tunables: [tunable] });
  let memory: unknown;
  const step = async ({ state = "rampdown" as State, isKilled = false } = {}) => {
    const { signal } = new AbortController();
    const outcome = await check.run({
      migration: migrationOf({ state, checks: [resultOf("canary", "pass", { observed: WAY_MS })] }),
      nowUs: nowUs(),
      memory,
      signal,
    });
    if (!isKilled) memory = JSON.parse(JSON.stringify(outcome.memory));
    await clock.advance(STEP_MS);
    expect(outcome.results[0]?.verdict).toBe("pass");
    return outcome.results[0]?.explanation ?? "";
  };
  return { clock, step, sets, inForce, tuning: () => memory as Tuning };
}

/** Messages go with 1/flush, delay grows with it. */
const honest = (flush: number, random: () => number) => ({
  messages: Math.round((1_000 / flush) * (0.95 + random() / 10)),
  delaySeconds: 2 + flush,
});

describe("Proposals from figures", () => {
  const measured: Measured = { flushSeconds: 5, events: 1_000, messages: 200, delaySeconds: 8 };

  it("wait longer where messages are nearly empty, as long as nobody notices", () => {
    expect(propose(measured)).toMatchObject([
      {
        setting: "flush-seconds",
        from: 5,
        to: 10,
        metric: "messages-per-1000-events",
        expected: { from: 200, to: 100 },
      },
    ]);
    expect(propose({ ...measured, flushSeconds: 60, delaySeconds: 80 })).toEqual([]);
  });

  it("wait less where events come late, or messages are full anyway", () => {
    expect(propose({ ...measured, flushSeconds: 60, messages: 30, delaySeconds: 120 })).toMatchObject([
      { to: 30, metric: "delay-seconds", expected: { from: 120, to: 90 } },
    ]);
    expect(propose({ ...measured, messages: 2 })).toMatchObject([{ from: 5, to: 3 }]);
  });

  it("say nothing where the figures say nothing", () => {
    expect(propose({ events: 0, messages: 0 })).toEqual([]);
    expect(propose({ ...measured, events: 40 })).toEqual([]);
    expect(propose({ ...measured, messages: 20 })).toEqual([]);
  });

  it("put more into a message where nearly all are full, and less where each is worked through for long", () => {
    const busy: Measured = { events: 10_000, messages: 21, delaySeconds: 12, waySeconds: 1, batchRecords: 500 };
    expect(propose(busy)).toMatchObject([
      { setting: "batch-size", from: 500, to: 1_000, metric: "messages-per-1000-events", allowed: 0 },
    ]);
    expect(propose({ ...busy, batchRecords: 5_000 })).toEqual([]);
    expect(propose({ ...busy, batchRecords: 5_000, waySeconds: 8 })).toMatchObject([
      { from: 5_000, to: 238, metric: "delay-seconds", expected: { from: 12, to: 8 } },
    ]);
    expect(propose({ ...busy, messages: 5_000, waySeconds: 8 })).toEqual([]);
  });

  it("leave retention to a person, and hold what the earlier reads need against the later ones", () => {
    const none = { events: 0, messages: 0 };
    const of = (rawDays: number, earlierDays: number, laterDays = earlierDays, count = 100) =>
      propose({ ...none, rawDays, bytesPerDay: 2e6, reads: { count, earlierDays, laterDays } });
    const [found] = of(30, 5);
    expect(found).toMatchObject({ setting: "raw-days", from: 30, to: 10 });
    expect(found?.metric).toBeUndefined();
    expect(found?.explanation).toContain("40.0 MB less");
    expect(of(7, 1)).toEqual([]);
    expect(of(7, 6)).toMatchObject([{ from: 7, to: 12 }]);
    expect(of(30, 5, 12)).toMatchObject([{ to: 10, isRefuted: true, explanation: expect.stringContaining("too few") }]);
    expect(of(30, 5, 5, 39)).toEqual([]);
  });

  it("know how far people read back by their own reads alone", () => {
    const pair = (by: "probe" | "shadow", days?: number) => ({
      ...{ atUs: 0, by, query: "range", rows: 1 },
      ...(days !== undefined && { backSeconds: days * 86_400 }),
    });
    const reads = [pair("probe", 300), pair("shadow", 2), pair("shadow"), pair("shadow", 1), pair("shadow", 4)];
    expect(readsBack(reads)).toEqual({ count: 3, earlierDays: 2, laterDays: 4 });
    expect(readsBack([pair("probe", 300)])).toBeUndefined();
  });
});

describe("A trial", () => {
  it("keeps what was better, without an end, and goes on from there", async () => {
    const { step, sets, inForce, tuning } = home(honest);
    for (let i = 0; i < 20; i++) await step();
    expect(sets[0]).toMatchObject({ value: 10 });
    expect(sets[0]?.untilUs).toBeGreaterThan(0);
    expect(tuning().outcomes[0]).toMatchObject({ setting: "flush-seconds", from: 5, to: 10, isKept: true });
    expect(sets[1]).toEqual({ value: 10 });
    expect(inForce()).toBeGreaterThanOrEqual(10);
  });

  it.each<[string, (flush: number, random: () => number) => Partial<Measured>, RegExp]>([
    ["made no difference", (_, random) => ({ messages: 90 + Math.round(random() * 20) }), /not better beyond noise/],
    [
      "made the other figure worse",
      (flush, random) => ({ ...honest(flush, random), delaySeconds: flush > OWN ? 80 : 7 }),
      /rose from 7\.0 to 80\.0/,
    ],
  ])("reverts what %s, and does not try it again", async (_, figures, reason) => {
    const { step, sets, inForce, tuning } = home(figures);
    for (let i = 0; i < 40; i++) await step();
    expect(tuning().outcomes).toMatchObject([{ isKept: false, reason: expect.stringMatching(reason) }]);
    expect(tuning().trial).toBeUndefined();
    expect(inForce()).toBe(OWN);
    expect(sets.map(({ value }) => value)).toEqual([10, OWN]);
  });

  it("of which the relay has not kept the value is told so, after it was asked for again and again", async () => {
    const { step, sets, inForce, tuning } = home(honest, { keeps: false });
    for (let i = 0; i < 22; i++) await step();
    expect(tuning()).toMatchObject({ trial: { phase: "keeping" }, outcomes: [{ isKept: true }] });
    for (let i = 0; i < 60; i++) await step();
    const [outcome] = tuning().outcomes;
    expect(outcome).toMatchObject({ isKept: false, reason: expect.stringContaining("the relay did not keep it") });
    expect(inForce()).toBe(OWN);
    expect(sets.filter(({ untilUs }) => untilUs === undefined).length).toBeGreaterThan(2);
  });

  it("ends when the migration goes back", async () => {
    const { step, inForce, tuning } = home(honest);
    for (let i = 0; i < 12; i++) await step();
    expect(inForce()).toBe(10);
    await step({ state: "rolling_back" });
    expect(inForce()).toBe(OWN);
    await step({ state: "rolling_back" });
    expect(tuning()).toMatchObject({ outcomes: [{ isKept: false, reason: "the migration went back" }] });
    expect(tuning().trial).toBeUndefined();
  });

  it("goes back by itself when nobody comes any more", async () => {
    const { step, inForce, clock } = home(honest);
    for (let i = 0; i < 12; i++) await step();
    expect(inForce()).toBe(10);
    await clock.advance(3 * 3_600_000);
    expect(inForce()).toBe(OWN);
  });

  it("killed anywhere, any number of times: the value in force is the relay's own, one that is being tried with an end, or one that was kept", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.boolean(), { maxLength: 40 }),
        fc.nat(1_000),
        fc.boolean(),
        async (kills, seed, isHonest) => {
          const noise = (_: number, random: () => number) => ({ messages: 50 + Math.round(random() * 100) });
          const { step, sets, inForce, tuning } = home(isHonest ? honest : noise, { seed });
          for (const isKilled of kills) await step({ isKilled });
          for (let i = 0; i < 45; i++) await step();
          const kept = (tuning().outcomes ?? []).filter((one) => one.isKept).map(({ to }) => to);
          const { trial } = tuning();
          expect([OWN, ...kept, ...(trial?.phase === "trial" ? [trial.to] : [])]).toContain(inForce());
          for (const { value, untilUs } of sets) if (untilUs === undefined) expect([OWN, ...kept]).toContain(value);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("keeps of settings that do nothing hardly any", async () => {
    let kept = 0;
    for (let seed = 0; seed < 200; seed++) {
      const { step, tuning } = home((_, random) => ({ messages: 80 + Math.round(random() * 60) }), { seed });
      for (let i = 0; i < 22; i++) await step();
      kept += tuning().outcomes.filter((one) => one.isKept).length;
    }
    expect(kept).toBe(0);
  });
});

describe("The rank-sum test", () => {
  it("is exact", () => {
    expect(chanceOfLower([4, 5, 6], [1, 2, 3])).toBeCloseTo(1 / 20);
    expect(chanceOfLower([1, 2, 3], [4, 5, 6])).toBe(1);
    expect(chanceOfLower([2, 4], [1, 3])).toBeCloseTo(2 / 6);
    expect(chanceOfLower([1, 1, 1], [1, 1, 1])).toBe(1);
    expect(chanceOfLower([], [1])).toBe(1);
  });
});
