import { describe, expect, it } from "vitest";
import { HearthlineError } from "../../../lib/base/errors.ts";
import { createHealthNewCheck, createHealthOldCheck, type PartOfNew } from "../../../lib/migration/checks/health.ts";
import { rigOf } from "./rig.ts";

describe("OLD's health", () => {
  const start = (...args: Parameters<typeof rigOf>) => {
    const rig = rigOf(...args);
    return { rig, check: createHealthOldCheck({ old: rig.old, clock: rig.clock }) };
  };

  it("is good when it answers, and says what it is", async () => {
    const { rig, check } = start();
    expect(await rig.one(check)).toMatchObject({
      verdict: "pass",
      explanation: expect.stringContaining("InfluxDB 1.8.10"),
    });
    expect(rig.old.calls).toBe(1);
  });

  it("holds when it is down, but only after it was looked at again for as long as the plan wants; nobody is taken back to it", async () => {
    const { rig, check } = start({}, { recheckSeconds: 30 });
    rig.old.isDown = true;
    const beganMs = rig.clock.nowMs();
    const result = await rig.one(check);
    expect(result).toMatchObject({ verdict: "fail", isAlert: true });
    expect(result).not.toHaveProperty("trigger");
    expect(result.explanation).toContain("Nobody answers at old.test");
    expect(rig.clock.nowMs() - beganMs).toBeGreaterThanOrEqual(30_000);
    expect(rig.clock.nowMs() - beganMs).toBeLessThan(40_000);
    expect(rig.old.calls).toBeLessThanOrEqual(5);
  });

  it("is good again when the second look finds it well", async () => {
    const { rig, check } = start();
    rig.old.failing = 1;
    expect((await rig.one(check)).verdict).toBe("pass");
  });

  it("waits over steps for a recheck that is longer than a step, and forgets a failure that ended", async () => {
    const { rig, check } = start({}, { recheckSeconds: 600 });
    rig.old.isDown = true;
    expect(await rig.one(check)).toMatchObject({ verdict: "inconclusive" });
    await rig.pass(300);
    rig.old.isDown = false;
    expect((await rig.one(check)).verdict).toBe("pass");
    rig.old.isDown = true;
    await rig.pass(400);
    expect((await rig.one(check)).verdict).toBe("inconclusive");
    await rig.pass(600);
    expect(await rig.one(check)).toMatchObject({ verdict: "fail", isAlert: true });
  });

  it("ends soon when the step's time is over, without a verdict", async () => {
    const { rig, check } = start();
    rig.old.isDown = true;
    expect((await rig.one(check, { signal: AbortSignal.abort() })).verdict).toBe("inconclusive");
    expect(rig.old.calls).toBe(1);
  });

  it("is down by the next step's first look when the step's time was over in the middle of a recheck", async () => {
    const { rig, check } = start({}, { recheckSeconds: 30 });
    rig.old.isDown = true;
    const over = new AbortController();
    const describe = rig.old.describe.bind(rig.old);
    rig.old.describe = async () => {
      over.abort();
      return describe();
    };
    expect((await rig.one(check, { signal: over.signal })).verdict).toBe("inconclusive");
    expect(rig.old.calls).toBe(1);
    rig.old.describe = describe;
    await rig.pass(30);
    expect(await rig.one(check)).toMatchObject({ verdict: "fail", isAlert: true });
    expect(rig.old.calls).toBe(2);
  });

  it("never fails by one look alone, also with a recheck of 0 seconds", async () => {
    const { rig, check } = start({}, { recheckSeconds: 0 });
    rig.old.failing = 1;
    expect((await rig.one(check)).verdict).toBe("pass");
  });

  it("holds, and takes nothing back, when its schema changes in the middle", async () => {
    const { rig, check } = start({ state: "prepared", stagePercent: 0 });
    await rig.step(check);
    rig.old.description = { ...rig.old.description, schema: "v2" };
    expect((await rig.one(check)).verdict).toBe("pass");
    rig.migration = { ...rig.migration, state: "ramp" };
    rig.old.description = { ...rig.old.description, schema: "v3" };
    const result = await rig.one(check);
    expect(result).toMatchObject({ verdict: "fail", isAlert: true });
    expect(result.trigger).toBeUndefined();
    expect(result.explanation).toContain('it was "v2" and is "v3"');
    rig.old.isDown = true;
    await rig.step(check);
    rig.old.isDown = false;
    expect((await rig.one(check)).explanation).toContain('it was "v2" and is "v3"');
  });

  it("tells a clock of its own, either way", async () => {
    const { rig, check } = start();
    for (const [clockSkewMs, words] of [
      [61_000, "61.0 s ahead of ours"],
      [-7_200_000, "7200.0 s behind ours"],
    ] as const) {
      rig.old.description = { ...rig.old.description, clockSkewMs };
      expect(await rig.one(check)).toMatchObject({
        verdict: "pass",
        isAlert: true,
        explanation: expect.stringContaining(words),
      });
    }
  });

  it("is none when it answers what is no answer, or nonsense", async () => {
    const { rig, check } = start();
    rig.old.describe = async () => {
      throw new HearthlineError("old_malformed", "OLD answered with HTML.");
    };
    expect(await rig.one(check)).toMatchObject({ verdict: "fail", isAlert: true });
    rig.old.describe = async () => ({ product: "x", schema: "1", oldestUs: 5, newestUs: 4 });
    expect((await rig.one(check)).explanation).toContain("its oldest row (5) is younger");
  });

  it.each([
    ["dual_write", 0, "Its readers have no answer until it is back"],
    ["ramp", 25, "NEW answers its readers meanwhile"],
    ["rolling_back", 0, "Its readers have no answer until it is back"],
  ] as const)("says in %s who answers while it is away", async (state, stagePercent, words) => {
    const { rig, check } = start({ state, stagePercent });
    rig.old.isDown = true;
    expect((await rig.one(check)).explanation).toContain(words);
  });

  it("tells the checks behind it whether OLD is away", async () => {
    const rig = rigOf();
    const said: (string | undefined)[] = [];
    const check = createHealthOldCheck({ ...rig, onLooked: (problem) => said.push(problem) });
    await rig.one(check);
    rig.old.isDown = true;
    await rig.one(check);
    expect(said).toEqual([undefined, expect.stringContaining("Nobody answers at old.test")]);
  });
});

describe("NEW's health", () => {
  it("names each part that is not well, after a second look, and takes the migration back", async () => {
    const rig = rigOf();
    let found: readonly PartOfNew[] = [{ name: "store" }, { name: "queue:events" }];
    const check = createHealthNewCheck({ parts: { look: async () => found }, clock: rig.clock });
    expect(await rig.one(check)).toMatchObject({ verdict: "pass", sampleSize: 2 });
    found = [{ name: "store", problem: "it does not answer." }, { name: "queue:events" }];
    const result = await rig.one(check);
    expect(result).toMatchObject({ verdict: "fail", trigger: "part-down" });
    expect(result.explanation).toBe("NEW is not well, also at the last of 4 looks: store: it does not answer.");
  });

  it("counts what cannot even be asked as a part that is down", async () => {
    const rig = rigOf();
    const look = async () => Promise.reject(new Error("no table"));
    const check = createHealthNewCheck({ parts: { look }, clock: rig.clock });
    expect(await rig.one(check)).toMatchObject({ verdict: "fail", trigger: "part-down" });
  });

  it("is looked at until the end, OLD's until nobody is sent there any more", () => {
    const rig = rigOf();
    expect(createHealthNewCheck({ parts: { look: async () => [] }, clock: rig.clock }).states.has("cleanup")).toBe(
      true,
    );
    expect(createHealthOldCheck({ old: rig.old, clock: rig.clock }).states.has("rampdown")).toBe(false);
    expect(createHealthOldCheck({ old: rig.old, clock: rig.clock }).states.has("rolling_back")).toBe(true);
  });
});
