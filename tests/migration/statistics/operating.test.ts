import { describe, expect, it } from "vitest";
import { seededRandom } from "../../../lib/base/random.ts";
import { expectedTime } from "../../../lib/migration/duration.ts";
import { planSchema } from "../../../lib/migration/plan.ts";
import {
  type ErrorSums,
  errorsOf,
  judgeErrors,
  mergeErrors,
  NO_ERRORS,
} from "../../../lib/migration/statistics/errors.ts";
import { runs } from "../../support/depth.ts";
import { migrate, simulate } from "./migrations.ts";

/** A thousand at HEARTHLINE_TEST_DEPTH=5 (`npm run test:peers`) for equal systems and those that are 20 % slower, at 10 for the rest. */
const ALL = 1_000;
const some = (count: number) => Math.min(ALL, runs(count));

/** One migration's reads, looked at in every step of 50, through nine stages. */
function errorsCourse(seed: number, rate: number): "passed" | "rolled back" | "held" {
  const random = seededRandom(seed);
  let [past, own, stage]: [ErrorSums, ErrorSums, number] = [NO_ERRORS, NO_ERRORS, 0];
  for (let step = 0; step < 1_000; step++) {
    const pairs = Array.from({ length: 50 }, () => (random() < rate ? { newError: "no" } : {}));
    own = mergeErrors(own, errorsOf(pairs));
    const { verdict, isRollback } = judgeErrors(past, own, { errorPercent: 1, alpha: 0.05 });
    if (verdict === "fail" && isRollback) return "rolled back";
    if (verdict !== "pass") continue;
    [past, own, stage] = [mergeErrors(past, own), NO_ERRORS, stage + 1];
    if (stage === 9) return "passed";
  }
  return "held";
}

const errors = (count: number, rate: number) => {
  const courses = Array.from({ length: count }, (_, i) => errorsCourse(7_000_000 + i, rate));
  return (ended: string) => courses.filter((one) => one === ended).length;
};

describe("simulated migrations, looked at in every step of nine stages", () => {
  it("of equal systems all end in pass and none is taken back; hardly one is told of", () => {
    const rates = simulate(some(200), {});
    expect(rates).toMatchObject({ passed: some(200), rolledBack: 0, held: 0 });
    expect(rates.alerted).toBeLessThanOrEqual(0.02 * some(200));
    expect(rates.pairs[1]).toBeLessThan(3_000);
  });

  it("of a NEW that is 20 % slower none passes, and at least 99 of 100 are taken back", () => {
    const rates = simulate(some(200), { ratio: 1.2 });
    expect(rates.passed).toBe(0);
    expect(rates.rolledBack).toBeGreaterThanOrEqual(0.99 * some(200));
    expect(rates.alerted).toBe(rates.rolledBack + rates.held);
  });

  it("of a NEW that is 10 % slower all are told of; they hold, and alpha of them at most are taken back or pass", () => {
    const rates = simulate(some(40), { ratio: 1.1 }, { stepsMax: 300 });
    expect(rates.alerted).toBe(rates.runs);
    expect(rates.passed + rates.rolledBack).toBeLessThanOrEqual(0.05 * rates.runs);
  });

  it("of a NEW that becomes 20 % slower at 50 % of its readers none passes", () => {
    const rates = simulate(some(50), { ratio: 1.2, fromStage: 3 });
    expect(rates).toMatchObject({ passed: 0, rolledBack: rates.runs });
  });

  it("are taken back within 120 pairs a kind where NEW takes five times as long", () => {
    const rates = simulate(some(50), { ratio: 5 });
    expect(rates.rolledBack).toBe(rates.runs);
    expect(rates.pairs[1]).toBeLessThanOrEqual(120);
  });

  it("are taken back for the slow end alone: 6 of 100 answers take four times as long", () => {
    expect(simulate(some(50), { outliers: { share: 0.06, times: 4 } })).toMatchObject({
      passed: 0,
      rolledBack: some(50),
    });
  });

  it("pass where both answer below the floor, whatever their ratio", () => {
    expect(simulate(some(20), { oldMs: 0.5, ratio: 3 })).toMatchObject({ passed: some(20), alerted: 0 });
  });

  it("with three kinds of queries: equal ones pass, slower ones do not", () => {
    const way = { kinds: 3 };
    expect(simulate(some(20), {}, way)).toMatchObject({ passed: some(20) });
    expect(simulate(some(20), { ratio: 1.2 }, way)).toMatchObject({ rolledBack: some(20) });
  });

  it("keep to it where neighbours share their luck: a cold start, a slow quarter of an hour, luck of a step", () => {
    for (const world of [{ bump: { pairs: 50, times: 5 } }, { stepSigma: 0.1 }, { memory: 0.5 }])
      expect(simulate(some(10), world)).toMatchObject({ rolledBack: 0, passed: some(10) });
    // Where each read is nearly as lucky as the one before, a step of 50 is worth three: of 250 one was taken back.
    expect(simulate(some(10), { memory: 0.9 }, { stepsMax: 400 }).rolledBack).toBeLessThanOrEqual(some(10) / 100);
    for (const world of [{ stepSigma: 0.1 }, { memory: 0.5 }])
      expect(simulate(some(20), { ...world, ratio: 1.2 })).toMatchObject({ rolledBack: some(20) });
  });
});

describe("how long the defaults take", () => {
  /** Of a plan's probes two kinds have two fifths each. */
  const way = { kinds: 3, pairsPerStep: [20, 20, 10] };
  const stepsOf = (stages: number) => {
    const steps = Array.from({ length: 60 }, (_, i) => migrate(100_000 + i, {}, { ...way, stages }).steps);
    return steps.toSorted((a, b) => a - b)[30] ?? 0;
  };

  it("is what a plan says: SHADOW, and all nine stages", () => {
    const brief = { soakSeconds: 1, stabiliseSeconds: 1, quietSeconds: 1 };
    const plan = planSchema.parse({ old: { kind: "http", url: "http://old.test" }, ...brief });
    const { shadowSeconds, wholeSeconds } = expectedTime(plan);
    expect(shadowSeconds / 300 / stepsOf(1)).toBeCloseTo(1, 0.5);
    expect(wholeSeconds / 300 / stepsOf(9)).toBeCloseTo(1, 0.5);
  });
});

describe("simulated errors against a limit of 1 %", () => {
  it("of .05 % all pass and none is taken back", () => expect(errors(some(200), 0.0005)("passed")).toBe(some(200)));

  it("of .5 %, half of the limit, hardly one is taken back and nearly all pass in the end", () => {
    const of = errors(some(100), 0.005);
    expect(of("rolled back")).toBeLessThanOrEqual(0.01 * some(100));
    expect(of("passed")).toBeGreaterThanOrEqual(0.95 * some(100));
  });

  it("of 2 % none passes and at least 99 of 100 are taken back", () => {
    const of = errors(some(200), 0.02);
    expect(of("passed")).toBe(0);
    expect(of("rolled back")).toBeGreaterThanOrEqual(0.99 * some(200));
  });
});
