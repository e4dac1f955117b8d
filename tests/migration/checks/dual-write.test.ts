import { describe, expect, it } from "vitest";
import { canaryEntityOf } from "../../../lib/migration/canary-entity.ts";
import { createDualWriteCheck } from "../../../lib/migration/checks/dual-write.ts";
import { rigOf, sink, statusOf } from "./rig.ts";

function start(fedBy: "relay" | "home-assistant") {
  const rig = rigOf(
    {},
    { old: { kind: "influxdb", url: "http://old.test:8086", fedBy }, thresholds: { lagSeconds: 300 } },
  );
  return { rig, check: createDualWriteCheck(rig) };
}

describe("dual write by the relay", () => {
  it("is in step while both sinks are within the lag", async () => {
    const { rig, check } = start("relay");
    rig.statuses = [statusOf(rig.nowUs(), [sink("cloud", { lagRecords: 3, lagSeconds: 20 }), sink("old")])];
    expect(await rig.one(check)).toMatchObject({ verdict: "pass", observed: 20, limit: 300 });
  });

  it.each(["cloud", "old"])("holds, and takes nothing back, when %s is behind", async (name) => {
    const { rig, check } = start("relay");
    const late = { lagSeconds: 301, lagRecords: 90, breaker: "open" } as const;
    rig.statuses = [
      statusOf(
        rig.nowUs(),
        ["cloud", "old"].map((each) => sink(each, each === name ? late : {})),
      ),
    ];
    const result = await rig.one(check);
    expect(result).toMatchObject({ verdict: "fail", observed: 301 });
    expect(result.explanation).toContain(`"${name}" is 90 records (5 min) behind and its breaker is open`);
    expect(result.trigger).toBeUndefined();
  });

  it.each([
    ["has never taken anything", sink("old", { acknowledged: 0, lagRecords: 40, lagSeconds: 200 })],
    ["never taken anything", sink("old", { acknowledged: 0 })],
    ["its breaker is open", sink("old", { breaker: "open", lagRecords: 9, lagSeconds: 90 })],
    ["its breaker is half-open", sink("cloud", { breaker: "half-open", lagRecords: 9, lagSeconds: 90 })],
    ["it has refused all that it was given, 9 events", sink("old", { messages: 0, lost: 9 })],
  ])(
    "does not pass while a sink takes nothing (%s), however little it lags, and fails when that lasts",
    async (words, bad) => {
      const { rig, check } = start("relay");
      const look = async (one = bad) => {
        const sinks = [sink("cloud"), sink("old")].map((each) => (each.name === one.name ? one : each));
        rig.statuses = [statusOf(rig.nowUs(), sinks)];
        return rig.one(check);
      };
      expect(await look()).toMatchObject({ verdict: "inconclusive", explanation: expect.stringContaining(words) });
      await rig.pass(300);
      expect((await look()).verdict).toBe("inconclusive");
      await rig.pass(1);
      const result = await look();
      expect(result).toMatchObject({ verdict: "fail", isAlert: true, explanation: expect.stringContaining(words) });
      expect(result.trigger).toBeUndefined();
      expect((await look(sink("old", { messages: 1, lost: 9 }))).verdict).toBe("pass");
      expect((await look()).verdict).toBe("inconclusive");
    },
  );

  it("says nothing of a relay that says nothing, and of the one of several that lives", async () => {
    const { rig, check } = start("relay");
    expect((await rig.one(check)).verdict).toBe("inconclusive");
    rig.statuses = [statusOf(rig.at(-500), [sink("cloud"), sink("old")])];
    expect((await rig.one(check)).explanation).toContain("has said nothing for 8 min");
    rig.statuses = [...rig.statuses, { ...statusOf(rig.nowUs(), [sink("cloud"), sink("old")]), relayId: "r2" }];
    expect((await rig.one(check)).verdict).toBe("pass");
  });

  it("fails when the relay does not write to OLD at all, and says what is wanted", async () => {
    const { rig, check } = start("relay");
    rig.statuses = [statusOf(rig.nowUs(), [sink("cloud")])];
    expect((await rig.one(check)).explanation).toContain("HEARTHLINE_OLD_SINK");
    rig.statuses = [statusOf(rig.nowUs(), undefined)];
    expect((await rig.one(check)).explanation).toContain("never said");
  });

  it("asks the relay to begin again where an earlier migration has stopped it", async () => {
    const { rig, check } = start("relay");
    rig.statuses = [statusOf(rig.nowUs(), [sink("cloud"), sink("old", { isOff: true })])];
    expect((await rig.one(check)).verdict).toBe("inconclusive");
    expect(rig.turned).toEqual(["on"]);
  });

  it("tells what OLD refuses once it does, as OLD's loss, also over a restart of the relay", async () => {
    const { rig, check } = start("relay");
    const look = async (lost: number) => {
      rig.statuses = [statusOf(rig.nowUs(), [sink("cloud"), sink("old", { lost })])];
      return rig.one(check);
    };
    expect((await look(7)).isAlert).toBeUndefined();
    expect(await look(9)).toMatchObject({
      verdict: "pass",
      isAlert: true,
      explanation: expect.stringContaining("refused 2 events"),
    });
    expect((await look(9)).isAlert).toBeUndefined();
    expect((await look(1)).explanation).toContain("refused 1 events");
  });
});

describe("dual write by Home Assistant", () => {
  it("is in step when the newest rows of both are near each other, or nothing happens", async () => {
    const { rig, check } = start("home-assistant");
    await rig.happen(rig.at(-1_000));
    await rig.happen(rig.at(-900), { inOld: false });
    expect(await rig.one(check)).toMatchObject({ verdict: "pass", observed: 100 });
    await rig.pass(5_000);
    expect((await rig.one(check)).verdict).toBe("pass");
  });

  it("waits for what has just come, and fails when OLD is not fed any more", async () => {
    const { rig, check } = start("home-assistant");
    await rig.happen(rig.at(-3_000));
    await rig.happen(rig.at(-10), { inOld: false });
    expect((await rig.one(check)).verdict).toBe("inconclusive");
    await rig.pass(400);
    const result = await rig.one(check);
    expect(result).toMatchObject({
      verdict: "fail",
      isAlert: true,
      explanation: expect.stringContaining("OLD is not fed any more"),
    });
    expect(result.trigger).toBeUndefined();
  });

  it("is not deceived by our own canary in OLD, nor by what OLD cannot hold or was never given", async () => {
    const { rig, check } = start("home-assistant");
    await rig.happen(rig.at(-4_000), { entityId: "sensor.a" });
    await rig.happen(rig.at(-1_000), { entityId: "sensor.a", inOld: false });
    await rig.happen(rig.at(-5), { entityId: canaryEntityOf("m1") });
    expect((await rig.one(check)).verdict).toBe("fail");

    const other = start("home-assistant");
    await other.rig.happen(other.rig.at(-4_000), { entityId: "sensor.a" });
    await other.rig.happen(other.rig.at(-1_000), { entityId: "sensor.a", state: "unavailable" });
    await other.rig.happen(other.rig.at(-900), { entityId: "sensor.excluded", inOld: false });
    await other.rig.happen(other.rig.at(-800), { kind: "snapshot", inOld: false });
    expect((await other.rig.one(other.check)).verdict).toBe("pass");
  });

  it("takes the migration back when NEW is behind OLD, but not for what NEW's owner keeps at home", async () => {
    const { rig, check } = start("home-assistant");
    await rig.happen(rig.at(-3_000), { entityId: "sensor.a" });
    await rig.happen(rig.at(-400), { entityId: "sensor.kept_at_home", inNew: false });
    expect((await rig.one(check)).verdict).toBe("pass");
    await rig.happen(rig.at(-350), { entityId: "sensor.a", inNew: false });
    expect(await rig.one(check)).toMatchObject({
      verdict: "fail",
      trigger: "part-down",
      explanation: expect.stringContaining("NEW is behind OLD"),
    });
  });
});
