import { describe, expect, it } from "vitest";
import { canaryEntityOf } from "../../../lib/migration/canary-entity.ts";
import { createCleanupCheck } from "../../../lib/migration/checks/cleanup.ts";
import { createQuietCheck } from "../../../lib/migration/checks/quiet.ts";
import { rigOf, sink, statusOf } from "./rig.ts";

function quiet() {
  const rig = rigOf({ state: "rampdown", stagePercent: 100 }, { quietSeconds: 3_600, settleSeconds: 60 });
  const use = { read: undefined as { atUs: number; reader?: string } | undefined };
  const check = createQuietCheck({ ...rig, use: { lastRead: async () => use.read } });
  return { rig, use, check };
}

describe("quiet", () => {
  it("is so after nobody has used OLD for as long as the plan wants, and says what it cannot see", async () => {
    const { rig, check } = quiet();
    await rig.pass(3_599);
    expect(await rig.one(check)).toMatchObject({ verdict: "inconclusive", observed: 3_599, limit: 3_600 });
    await rig.pass(1);
    expect(await rig.one(check)).toMatchObject({
      verdict: "pass",
      explanation: expect.stringContaining("are not seen from here"),
    });
  });

  it("begins anew with each read, and names who reads", async () => {
    const { rig, check, use } = quiet();
    await rig.pass(3_000);
    use.read = { atUs: rig.nowUs(), reader: "grafana" };
    await rig.pass(3_000);
    expect(await rig.one(check)).toMatchObject({
      verdict: "inconclusive",
      observed: 3_000,
      explanation: expect.stringContaining('by "grafana"'),
    });
    await rig.pass(600);
    expect((await rig.one(check)).verdict).toBe("pass");
  });

  it("begins anew when somebody else writes to OLD, not with what its feeder and we write", async () => {
    const { rig, check } = quiet();
    await rig.happen(rig.at(10));
    await rig.happen(rig.at(20), { entityId: canaryEntityOf("m1"), inNew: false });
    await rig.pass(3_700);
    expect((await rig.one(check)).verdict).toBe("pass");
    await rig.happen(rig.at(30), { entityId: "sensor.of_somebody", inNew: false });
    await rig.pass(100);
    expect(await rig.one(check)).toMatchObject({
      verdict: "inconclusive",
      observed: 70,
      explanation: expect.stringContaining("written by somebody else"),
    });
    await rig.pass(3_600);
    expect((await rig.one(check)).verdict).toBe("pass");
  });
});

function cleanup(fedBy: "relay" | "home-assistant") {
  const rig = rigOf(
    { state: "cleanup", stagePercent: 100 },
    {
      old: { kind: "influxdb", url: "http://old.test:8086", fedBy },
      settleSeconds: 60,
      thresholds: { lagSeconds: 300 },
    },
  );
  return { rig, check: createCleanupCheck(rig) };
}

describe("clean-up of a relay's dual write", () => {
  it("asks once, waits until the relay's own status says so, and looks that nothing notices", async () => {
    const { rig, check } = cleanup("relay");
    const both = (isOff: boolean, acknowledged = 100) => [sink("cloud", { acknowledged }), sink("old", { isOff })];
    rig.statuses = [statusOf(rig.nowUs(), both(false))];
    await rig.step(check);
    rig.outcome = { status: "pending" };
    await rig.step(check);
    rig.outcome = { status: "delivered" };
    expect((await rig.one(check)).explanation).toContain("its status that says so is on its way");
    expect(rig.turned).toEqual(["off"]);
    await rig.pass(10);
    rig.statuses = [statusOf(rig.nowUs(), both(true))];
    expect((await rig.one(check)).verdict).toBe("inconclusive");
    await rig.pass(61);
    expect((await rig.one(check)).explanation).toContain("Nothing depends on that");
    rig.statuses = [statusOf(rig.nowUs(), both(true, 150))];
    expect(await rig.one(check)).toMatchObject({
      verdict: "pass",
      explanation: expect.stringContaining("NEW has taken 50 records since"),
    });
  });

  it("does not wait for the relay's next status, which is rare, where NEW has an event of the home since", async () => {
    const { rig, check } = cleanup("relay");
    rig.statuses = [statusOf(rig.nowUs(), [sink("cloud"), sink("old", { isOff: true })])];
    await rig.step(check);
    await rig.pass(61);
    await rig.happen(rig.at(30), { entityId: canaryEntityOf("m1") });
    await rig.happen(rig.nowUs() - 70_000_000);
    expect((await rig.one(check)).explanation).toContain("Nothing depends on that");
    await rig.happen(rig.nowUs() - 20_000_000);
    expect(await rig.one(check)).toMatchObject({
      verdict: "pass",
      explanation: expect.stringContaining("so it goes on: nothing has noticed"),
    });
  });

  it("asks nothing twice when it is killed after it has asked: the outbox gives the item that waits", async () => {
    const { rig, check } = cleanup("relay");
    rig.statuses = [statusOf(rig.nowUs(), [sink("cloud"), sink("old")])];
    await rig.step(check, { isKilled: true });
    await rig.step(check);
    rig.outcome = { status: "pending" };
    await rig.step(check);
    expect(rig.turned).toEqual(["off", "off"]);
  });

  it("is done where the relay has no such sink any more", async () => {
    const { rig, check } = cleanup("relay");
    rig.statuses = [statusOf(rig.nowUs(), [sink("cloud")])];
    await rig.step(check);
    await rig.pass(61);
    rig.statuses = [statusOf(rig.nowUs(), [sink("cloud")])];
    expect((await rig.one(check)).verdict).toBe("pass");
    expect(rig.turned).toEqual([]);
  });

  it("asks again when nobody did it, and at last says what a person can do", async () => {
    const { rig, check } = cleanup("relay");
    rig.statuses = [statusOf(rig.nowUs(), [sink("cloud"), sink("old")])];
    rig.outcome = { status: "failed", error: "outbox_item_malformed: too old" };
    const results = [];
    for (let step = 0; step < 6; step++) results.push(await rig.one(check));
    expect(rig.turned).toHaveLength(5);
    expect(results[1]?.explanation).toContain("again (the last time: outbox_item_malformed: too old)");
    expect(results.at(-1)).toMatchObject({
      verdict: "fail",
      isAlert: true,
      explanation: expect.stringContaining("HEARTHLINE_OLD_SINK=none"),
    });
    expect(results.every(({ trigger }) => trigger === undefined)).toBe(true);
  });

  it("fails when NEW falls behind after it", async () => {
    const { rig, check } = cleanup("relay");
    rig.statuses = [statusOf(rig.nowUs(), [sink("cloud"), sink("old", { isOff: true })])];
    await rig.step(check);
    await rig.pass(400);
    rig.statuses = [statusOf(rig.nowUs(), [sink("cloud", { lagSeconds: 350 }), sink("old", { isOff: true })])];
    expect((await rig.one(check)).explanation).toContain("NEW is 6 min behind");
  });
});

describe("clean-up where Home Assistant feeds OLD", () => {
  it("says what a person removes, and waits until OLD stands still while NEW goes on", async () => {
    const { rig, check } = cleanup("home-assistant");
    const live = async () => {
      await rig.pass(60);
      rig.statuses = [statusOf(rig.nowUs(), [sink("cloud")])];
    };
    for (let minute = 0; minute < 10; minute++) {
      await rig.happen(rig.nowUs());
      expect(await rig.one(check)).toMatchObject({
        verdict: "inconclusive",
        isAlert: true,
        explanation: expect.stringContaining('Remove the integration "influxdb"'),
      });
      await live();
    }
    // It is removed. Our own canary does not count.
    const verdicts: string[] = [];
    for (let minute = 0; minute < 9; minute++) {
      await rig.happen(rig.nowUs(), { inOld: false });
      await rig.happen(rig.nowUs(), { entityId: canaryEntityOf("m1") });
      verdicts.push((await rig.one(check)).verdict);
      await live();
    }
    expect(verdicts.slice(0, 5)).toEqual(Array(5).fill("inconclusive"));
    expect(verdicts.at(-1)).toBe("pass");
  });

  it("does not take a quiet home for one that was cleaned up", async () => {
    const { rig, check } = cleanup("home-assistant");
    await rig.happen(rig.nowUs());
    for (let minute = 0; minute < 20; minute++) {
      expect((await rig.one(check)).verdict).toBe("inconclusive");
      await rig.pass(60);
    }
  });

  it("takes an OLD that was switched off for one that stands still, after as long", async () => {
    const { rig, check } = cleanup("home-assistant");
    await rig.happen(rig.nowUs());
    await rig.step(check);
    rig.old.isDown = true;
    const verdicts: string[] = [];
    for (let minute = 0; minute < 9; minute++) {
      await rig.pass(60);
      rig.statuses = [statusOf(rig.nowUs(), [sink("cloud")])];
      await rig.happen(rig.nowUs(), { inOld: false });
      verdicts.push((await rig.one(check)).verdict);
    }
    expect(verdicts.slice(0, 4)).toEqual(Array(4).fill("inconclusive"));
    expect(verdicts.at(-1)).toBe("pass");
  });
});
