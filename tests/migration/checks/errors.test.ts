import { describe, expect, it } from "vitest";
import { createErrorsCheck } from "../../../lib/migration/checks/errors.ts";
import type { ReadPair } from "../../../lib/migration/ports.ts";
import { named, watched } from "./read-pairs.ts";

const errors = () => watched((store) => createErrorsCheck({ store }));

/** So many pairs, of which some had no answer. */
const pairs = (atUs: number, count: number, fail: { readonly new?: number; readonly old?: number } = {}): ReadPair[] =>
  Array.from({ length: count }, (_, i) => ({
    ...{ atUs: atUs + i * 1_000, query: "range", rows: 1, by: i % 2 === 0 ? "probe" : "shadow" },
    ...(i < (fail.new ?? 0) ? { newError: "service_timeout: no answer in 5 s" } : { newMs: 5 }),
    ...(i < (fail.old ?? 0) ? { oldError: "service_failed" } : { oldMs: 5 }),
  }));

describe("errors", () => {
  it("pass when enough reads had an answer, and say how many are wanted until then", async () => {
    const run = errors();
    expect(await run.look()).toMatchObject([{ verdict: "inconclusive", sampleSize: 0, samplesWanted: 409, limit: 1 }]);
    expect(await run.steps(8, (atUs) => pairs(atUs, 50))).toMatchObject([
      { verdict: "inconclusive", samplesWanted: 9 },
    ]);
    const [result] = await run.steps(1, (atUs) => pairs(atUs, 50));
    expect(result).toMatchObject({ verdict: "pass", observed: 0, low: 0, sampleSize: 450 });
    expect(result?.high).toBeLessThan(1);
  });

  it("fail with their trigger, and name what NEW said", async () => {
    const result = named(await errors().steps(6, (atUs) => pairs(atUs, 50, { new: 3 })), "errors");
    expect(result).toMatchObject({ verdict: "fail", trigger: "errors", observed: 6 });
    expect(result.explanation).toContain('"service_timeout: no answer in 5 s" (18)');
  });

  it("of OLD are told and do not count", async () => {
    const result = named(await errors().steps(10, (atUs) => pairs(atUs, 50, { old: 20 })), "errors");
    expect(result).toMatchObject({ verdict: "pass", observed: 0 });
    expect(result.explanation).toContain("OLD: 200.");
  });

  it("of both alike hold, and take nothing back to an OLD that errs as often", async () => {
    const result = named(await errors().steps(6, (atUs) => pairs(atUs, 50, { new: 5, old: 5 })), "errors");
    expect(result).toMatchObject({ verdict: "fail", isAlert: true });
    expect(result.trigger).toBeUndefined();
  });

  it("of one step hold until another step confirms them", async () => {
    const run = errors();
    const first = named(await run.steps(1, (atUs) => pairs(atUs, 50, { new: 50 })), "errors");
    expect(first).toMatchObject({ verdict: "inconclusive", isAlert: true });
    expect(first.explanation).toContain("All of it was in one step");
    const second = named(await run.steps(1, (atUs) => pairs(atUs, 50, { new: 1 })), "errors");
    expect(second).toMatchObject({ verdict: "fail", trigger: "errors" });
  });

  it("of a new stage are counted anew, beside those of the whole", async () => {
    const run = errors();
    await run.steps(20, (atUs) => pairs(atUs, 50));
    run.advance(1);
    run.move({ state: "ramp", stage: 0 });
    expect(await run.look()).toMatchObject([{ verdict: "inconclusive", sampleSize: 0, samplesWanted: 204, limit: 2 }]);
    expect(await run.steps(5, (atUs) => pairs(atUs, 50))).toMatchObject([{ verdict: "pass", sampleSize: 1_250 }]);
    expect(await run.steps(3, (atUs) => pairs(atUs, 50, { new: 5 }))).toMatchObject([
      { verdict: "fail", trigger: "errors" },
    ]);
  });

  it("are counted once, however often a step is run", async () => {
    const run = errors();
    run.add(pairs(run.nowUs() + 1, 50, { new: 1 }));
    await run.lookInVain();
    await run.look();
    expect(await run.look()).toMatchObject([{ sampleSize: 50, observed: 2 }]);
  });

  it("keep a bounded number of reasons, and begin anew over another version's memory", async () => {
    const run = errors();
    run.remember({ version: 9, past: 1 });
    run.add(pairs(run.nowUs() + 1, 50).map((pair, i) => ({ ...pair, newError: `${i} ${"x".repeat(500)}` })));
    await run.look();
    expect(JSON.stringify(run.memory()).length).toBeLessThan(4_000);
  });

  it("of a limit of nothing are judged against a tenth of a percent, and of all against a half", async () => {
    for (const [errorPercent, limit] of [
      [0, 0.1],
      [100, 50],
    ]) {
      const run = errors();
      const { plan } = run.migration();
      run.move({ plan: { ...plan, thresholds: { ...plan.thresholds, errorPercent: errorPercent ?? 0 } } });
      expect(await run.look()).toMatchObject([{ limit }]);
    }
  });
});
