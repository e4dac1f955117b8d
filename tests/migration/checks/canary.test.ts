import { describe, expect, it } from "vitest";
import { canaryEntityOf, isCanary } from "../../../lib/migration/canary-entity.ts";
import { type Canary, createCanaryCheck } from "../../../lib/migration/checks/canary.ts";
import { buildEvent } from "../../support/events.ts";
import { rigOf } from "./rig.ts";

function start(more = {}, plan = {}) {
  const rig = rigOf(more, plan);
  const sent: Canary[] = [];
  const eventOf = ({ entityId, atUs, state }: Canary) => buildEvent({ entityId, atUs, state, source: "api" });
  const way = {
    /** How long NEW takes; Infinity: it never comes. */
    delayMs: 300,
    arriving: [] as { readonly canary: Canary; readonly atMs: number }[],
    send: async (canary: Canary) => {
      rig.clock.slip(20);
      sent.push(canary);
      way.arriving.push({ canary, atMs: rig.clock.nowMs() + way.delayMs });
    },
    find: async (canary: Canary) => {
      const arrived = way.arriving.find((one) => one.canary.atUs === canary.atUs && one.atMs <= rig.clock.nowMs());
      return arrived && { state: arrived.canary.state };
    },
    eventOf,
  };
  return { rig, way, sent, check: createCanaryCheck({ way, old: rig.old, clock: rig.clock }) };
}

describe("the canary", () => {
  it("goes through every hop of NEW, to OLD and back, and says how long each took", async () => {
    const { rig, check, sent } = start();
    const result = await rig.one(check);
    expect(result.verdict).toBe("pass");
    expect(result.observed).toBeGreaterThanOrEqual(320);
    expect(result.explanation).toMatch(
      /into the queue 20 ms, .* at most \d+ ms; http:\/\/old\.test:8086 took it in 1 ms/,
    );
    expect(sent).toHaveLength(1);
    expect(sent[0]?.entityId).toBe("sensor.hearthline_canary_m1");
    expect(rig.old.written.map(({ atUs, state }) => [atUs, state])).toEqual([[sent[0]?.atUs, sent[0]?.state]]);
  });

  it("is no verdict while it is late: the step that comes later finds it, and sends the next", async () => {
    const { rig, check, way, sent } = start();
    way.delayMs = 100_000;
    expect(await rig.one(check)).toMatchObject({
      verdict: "inconclusive",
      explanation: expect.stringContaining("not in NEW yet, in OLD"),
    });
    await rig.pass(60);
    expect((await rig.one(check)).verdict).toBe("inconclusive");
    expect(sent).toHaveLength(1);
    await rig.pass(60);
    expect((await rig.one(check)).verdict).toBe("pass");
    expect(sent).toHaveLength(2);
  });

  it("is a loss, which takes the migration back, when it does not come within the plan's lag", async () => {
    const { rig, check, way } = start({}, { thresholds: { lagSeconds: 300 } });
    way.delayMs = Number.POSITIVE_INFINITY;
    await rig.step(check);
    await rig.pass(301);
    const result = await rig.one(check);
    expect(result).toMatchObject({ verdict: "fail", trigger: "loss" });
    expect(result.explanation).toContain("2026-11-22T06:00:00");
  });

  it("that was lost stays one until three in a row have come", async () => {
    const { rig, check, way } = start();
    way.delayMs = Number.POSITIVE_INFINITY;
    await rig.step(check);
    way.delayMs = 100;
    const verdicts: string[] = [];
    for (let step = 0; step < 4; step++) {
      await rig.pass(301);
      verdicts.push((await rig.one(check)).verdict);
    }
    expect(verdicts).toEqual(["fail", "fail", "fail", "pass"]);
  });

  it("names OLD's trouble, and takes nothing back for it", async () => {
    const { rig, check } = start();
    rig.old.isDown = true;
    expect((await rig.one(check)).verdict).toBe("inconclusive");
    await rig.pass(301);
    const result = await rig.one(check);
    expect(result).toMatchObject({
      verdict: "fail",
      explanation: expect.stringContaining("OLD has not got it: Nobody answers"),
    });
    expect(result.trigger).toBeUndefined();
    rig.old.isDown = false;
    rig.old.drops = () => true;
    await rig.step(check);
    await rig.pass(301);
    expect((await rig.one(check)).explanation).toContain("it took the event and does not give it back");
  });

  it("is handed to OLD in a later step, when OLD was away in the first", async () => {
    const { rig, check } = start();
    rig.old.isDown = true;
    const beganMs = rig.clock.nowMs();
    await rig.step(check);
    // NEW took 300 ms; nobody waits for an OLD that is away.
    expect(rig.clock.nowMs() - beganMs).toBeLessThan(1_000);
    rig.old.isDown = false;
    expect((await rig.one(check)).verdict).toBe("pass");
  });

  it("says so when OLD cannot hold such an event", async () => {
    const { rig, check } = start();
    rig.old.refuses = () => "no numbers here";
    expect(await rig.one(check)).toMatchObject({
      verdict: "pass",
      explanation: expect.stringContaining("cannot hold such an event: no numbers here"),
    });
  });

  it("that cannot be sent is no verdict of its own, neither now nor at the next step", async () => {
    const { rig, check, way } = start();
    const { send } = way;
    await rig.step(check);
    way.send = async () => Promise.reject(new Error("no queue"));
    await rig.pass(60);
    await expect(rig.one(check)).rejects.toThrow("no queue");
    way.send = send;
    expect((await rig.one(check)).verdict).toBe("pass");
  });

  it("comes to the same when a step is killed before its commit", async () => {
    const { rig, check, sent } = start();
    await rig.step(check, { isKilled: true });
    await rig.step(check, { isKilled: true });
    expect((await rig.one(check)).verdict).toBe("pass");
    expect(new Set(sent.map(({ atUs }) => atUs)).size).toBe(sent.length);
  });

  it("has an entity of its own, which says nothing of the home", () => {
    expect(canaryEntityOf("2026-11 A/b")).toBe("sensor.hearthline_canary_2026_11_a_b");
    expect(isCanary(canaryEntityOf("x"))).toBe(true);
    expect(isCanary("sensor.hearthline_suggestions")).toBe(false);
  });
});
