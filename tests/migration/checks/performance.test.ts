import { describe, expect, it } from "vitest";
import { createPerformanceCheck } from "../../../lib/migration/checks/performance.ts";
import { named, pairMaker, watched } from "./read-pairs.ts";

const performance = () => watched((store) => createPerformanceCheck({ store }));

describe("performance", () => {
  it("knows nothing before there is a pair", async () => {
    expect(await performance().look()).toEqual([
      expect.objectContaining({ name: "performance", verdict: "inconclusive", sampleSize: 0, samplesWanted: 600 }),
    ]);
  });

  it("is inconclusive at first, says how many more pairs are wanted, and passes where both are equal", async () => {
    const [run, make] = [performance(), pairMaker(1)];
    const early = named(await run.steps(3, (atUs) => make(atUs, 20)), "performance.range");
    expect(early).toMatchObject({ verdict: "inconclusive", sampleSize: 60, limit: 1.1 });
    expect(early.samplesWanted).toBeGreaterThan(50);
    const late = await run.steps(24, (atUs) => make(atUs, 100));
    expect(late).toMatchObject([
      { name: "performance.range", verdict: "pass", sampleSize: 2_460 },
      { name: "performance.range.p95", verdict: "pass", limit: 1.2 },
    ]);
    const { low = 0, high = 9, explanation } = named(late, "performance.range");
    expect(low).toBeLessThan(1);
    expect(high).toBeLessThan(1.1);
    expect(explanation).toMatch(/every look counted.*shown to be below 1\.10.*bootstrap.*signed-rank p/);
  });

  it("fails with its trigger where NEW is half as slow again, each kind of query for itself", async () => {
    const [run, make] = [performance(), pairMaker(2)];
    const results = await run.steps(15, (atUs) => [...make(atUs, 20), ...make(atUs + 9e6, 20, 1.5, "aggregate")]);
    expect(named(results, "performance.aggregate")).toMatchObject({
      verdict: "fail",
      trigger: "performance",
      isAlert: true,
    });
    expect(named(results, "performance.range").verdict).not.toBe("fail");
  });

  it("fails without a trigger where it is more than told and less than taken back", async () => {
    const [run, make] = [performance(), pairMaker(3)];
    run.move({ plan: { ...planWith(run, { alertPercent: 5, rollbackPercent: 60 }) } });
    const result = named(await run.steps(40, (atUs) => make(atUs, 40, 1.2)), "performance.range");
    expect(result).toMatchObject({ verdict: "fail", isAlert: true });
    expect(result.trigger).toBeUndefined();
    expect(result.explanation).toContain("a person decides");
  });

  it("counts no pair twice: a step that is killed, run twice, run late, or that reads what came late", async () => {
    const [run, make] = [performance(), pairMaker(4)];
    const pairs = make(run.nowUs() + 1e6, 40);
    run.add(pairs.filter((_, i) => i % 2 === 0));
    run.advance(10);
    await run.lookInVain();
    await run.look();
    const once = run.memory();
    await run.look();
    expect(run.memory()).toEqual(once);
    run.add(pairs.filter((_, i) => i % 2 === 1));
    expect(named(await run.look(), "performance.range").sampleSize).toBe(40);
    run.advance(3_600);
    expect(named(await run.look(), "performance.range").sampleSize).toBe(40);
  });

  it("wants evidence of each stage anew, and keeps that of the whole", async () => {
    const [run, make] = [performance(), pairMaker(5)];
    await run.steps(24, (atUs) => make(atUs, 100));
    run.move({ state: "ramp", stage: 0 });
    expect(named(await run.look(), "performance.range")).toMatchObject({
      verdict: "inconclusive",
      sampleSize: 0,
      limit: 1.2,
    });
    const results = await run.steps(20, (atUs) => make(atUs, 20));
    expect(named(results, "performance.range")).toMatchObject({ verdict: "pass", sampleSize: 2_800 });
  });

  it("finds a stage that is slower, however long all was well before", async () => {
    const [run, make] = [performance(), pairMaker(6)];
    await run.steps(24, (atUs) => make(atUs, 100));
    run.move({ state: "ramp", stage: 2 });
    const result = named(await run.steps(15, (atUs) => make(atUs, 20, 1.6)), "performance.range");
    expect(result).toMatchObject({ verdict: "fail", trigger: "performance" });
    expect(result.explanation).toContain("this stage");
  });

  it("forgets what was measured before somebody paused and resumed it", async () => {
    const [run, make] = [performance(), pairMaker(7)];
    await run.steps(15, (atUs) => make(atUs, 20, 2));
    run.move({
      lastChange: {
        ...{ epoch: 5, atUs: run.nowUs(), actor: "owner", from: "paused", to: "shadow" },
        ...{ percentFrom: 0, percentTo: 0, reason: "An index was added.", evidence: [] },
      },
    });
    const result = named(await run.steps(3, (atUs) => make(atUs, 20)), "performance.range");
    expect(result).toMatchObject({ verdict: "inconclusive", sampleSize: 60 });
  });

  it("begins anew over a memory of another shape", async () => {
    const [run, make] = [performance(), pairMaker(8)];
    for (const other of [
      "text",
      { version: 0 },
      { version: 1, cursor: 7 },
      {
        version: 1,
        cursor: { floorUs: 0, seen: [] },
        kinds: { range: { past: { tail: { s: [], v: [] } }, stage: { tail: { s: [], v: [] } } } },
      },
    ]) {
      run.remember(other);
      run.advance(60);
      run.add(make(run.nowUs() - 1e6, 5));
      expect(named(await run.look(), "performance.range").sampleSize).toBeGreaterThan(0);
    }
  });

  it("takes no time from users' reads, whose order is not drawn, nor from reads that failed", async () => {
    const run = performance();
    run.add(pairMaker(9, { by: "shadow" })(run.nowUs() + 1e6, 20, 5));
    run.add(pairMaker(9, { newError: "no" })(run.nowUs() + 9e6, 20, 5));
    expect(await run.look()).toMatchObject([{ name: "performance", sampleSize: 0 }]);
  });

  it("keeps within its memory over weeks and many kinds", async () => {
    const [run, make] = [performance(), pairMaker(10)];
    const kinds = Array.from({ length: 12 }, (_, i) => `kind-${i}`);
    const results = await run.steps(12, (atUs) => kinds.flatMap((kind, i) => make(atUs + i * 1e6, 50, 1, kind)));
    expect(results).toHaveLength(14);
    expect(named(results, "performance.others").sampleSize).toBe(3_600);
    expect(JSON.stringify(run.memory()).length).toBeLessThan(300_000);
  });
});

function planWith(run: ReturnType<typeof performance>, thresholds: { alertPercent: number; rollbackPercent: number }) {
  const { plan } = run.migration();
  return { ...plan, thresholds: { ...plan.thresholds, ...thresholds } };
}
