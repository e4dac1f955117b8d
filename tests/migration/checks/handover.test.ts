import { describe, expect, it } from "vitest";
import { STATISTICS_ORIGIN } from "../../../lib/event/index.ts";
import { canaryEntityOf } from "../../../lib/migration/canary-entity.ts";
import { createHandoverCheck } from "../../../lib/migration/checks/handover.ts";
import { START_US } from "../../support/migrations.ts";
import { rigOf, sink, statusOf } from "./rig.ts";

const HOUR = 3_600;

/** A migration that began three hours ago and goes back now. */
async function start(fedBy: "relay" | "home-assistant" = "home-assistant") {
  const rig = rigOf({}, { old: { kind: "influxdb", url: "http://old.test:8086", fedBy }, settleSeconds: 60 });
  const check = createHandoverCheck(rig);
  await rig.pass(3 * HOUR);
  const goBack = (epoch = 9) => {
    rig.migration = { ...rig.migration, state: "rolling_back", stagePercent: 0, epoch, sinceUs: rig.nowUs() };
  };
  const until = async (verdict: string, most = 20) => {
    for (let step = 1; step <= most; step++) {
      const result = await rig.one(check);
      if (result.verdict === verdict) return { result, step };
      await rig.pass(60);
    }
    throw new Error(`It never came to ${verdict}.`);
  };
  return { rig, check, goBack, until };
}

const idsIn = async (rig: Awaited<ReturnType<typeof start>>["rig"]) =>
  (await rig.old.range({ homeId: "home", order: "asc", limit: 1_000 })).events.map(
    ({ entityId, state }) => `${entityId}=${state}`,
  );

describe("what only NEW got", () => {
  it("goes to OLD once, and a second look proves it", async () => {
    const { rig, goBack, until } = await start();
    await rig.happen(START_US + 1_000_000, { state: "1" });
    await rig.happen(START_US + 2_000_000, { state: "2", inOld: false });
    await rig.happen(rig.at(-10), { state: "3", inOld: false });
    goBack();
    const { result } = await until("pass");
    expect(result.explanation).toContain("2 events were handed over");
    expect(rig.old.written.map(({ state }) => state)).toEqual(["2", "3"]);
    expect(await idsIn(rig)).toEqual(["sensor.a=1", "sensor.a=2", "sensor.a=3"]);
  });

  it("waits until what came last has settled", async () => {
    const { rig, check, goBack } = await start();
    goBack();
    expect((await rig.one(check)).explanation).toContain("has 60 s to settle");
    expect(rig.old.written).toEqual([]);
  });

  it("is neither our canaries, nor hours of statistics, nor what OLD cannot hold", async () => {
    const { rig, goBack, until } = await start();
    await rig.happen(rig.at(-100), { entityId: canaryEntityOf("m1"), inOld: false });
    await rig.happen(rig.at(-90), { kind: "snapshot", origin: STATISTICS_ORIGIN, inOld: false });
    await rig.happen(rig.at(-80), { state: "unavailable", inOld: false });
    await rig.happen(rig.at(-70), { kind: "removed", state: "", inOld: false });
    await rig.happen(rig.at(-60), { state: "7", source: "api", inOld: false });
    goBack();
    await until("pass");
    expect(rig.old.written.map(({ state }) => state)).toEqual(["7"]);
  });

  it("is written slice by slice over as many steps as it takes, killed at any of them, and never twice", async () => {
    const { rig, check, goBack } = await start();
    for (let minute = 0; minute < 170; minute += 7)
      await rig.happen(START_US + minute * 60_000_000, { state: String(minute), inOld: false });
    goBack();
    await rig.pass(120);
    let verdict = "inconclusive";
    for (let step = 0; verdict !== "pass"; step++) {
      // It is told to end while it works: after so many calls of OLD.
      const over = new AbortController();
      let left = 3;
      const { scan } = rig.old;
      rig.old.scan = (query) => {
        if (--left <= 0) over.abort();
        return scan.call(rig.old, query);
      };
      const isKilled = step % 2 === 0;
      verdict = (await rig.one(check, { signal: over.signal, isKilled })).verdict;
      if (isKilled) verdict = "inconclusive";
      rig.old.scan = scan;
      expect(step).toBeLessThan(40);
    }
    expect(rig.old.written).toHaveLength(25);
    expect(new Set(rig.old.written.map(({ atUs }) => atUs)).size).toBe(25);
    expect(await idsIn(rig)).toHaveLength(25);
  });

  it("comes twice at one of OLD's stamps: the last is what it keeps, and that does not go on for ever", async () => {
    const { rig, goBack, until } = await start();
    await rig.happen(rig.at(-100) + 100, { state: "1", inOld: false });
    await rig.happen(rig.at(-100) + 300, { state: "2", inOld: false });
    goBack();
    await until("pass");
    expect(await idsIn(rig)).toEqual(["sensor.a=2"]);
    expect(rig.old.written).toHaveLength(1);
  });

  it("that OLD refuses is named, and waited for no longer", async () => {
    const { rig, goBack, until } = await start();
    rig.old.refuses = ({ state }) => (state === "13" ? "unlucky" : undefined);
    await rig.happen(rig.at(-100), { state: "13", inOld: false });
    goBack();
    expect((await until("pass")).result.explanation).toContain("1 it cannot hold: sensor.a: unlucky");
  });

  it("that OLD takes and does not keep fails, and is tried on", async () => {
    const { rig, goBack, until } = await start();
    rig.old.drops = () => true;
    await rig.happen(rig.at(-100), { state: "5", inOld: false });
    goBack();
    const { result } = await until("fail");
    expect(result).toMatchObject({
      isAlert: true,
      explanation: expect.stringContaining("does not have it afterwards"),
    });
    rig.old.drops = () => false;
    expect((await until("pass")).result.verdict).toBe("pass");
  });

  it("waits for an OLD that is down: no verdict, nothing done", async () => {
    const { rig, check, goBack, until } = await start();
    await rig.happen(rig.at(-100), { state: "5", inOld: false });
    goBack();
    await rig.pass(120);
    rig.old.isDown = true;
    await expect(rig.one(check)).rejects.toMatchObject({ code: "service_unreachable" });
    rig.old.isDown = false;
    await until("pass");
    expect(rig.old.written).toHaveLength(1);
  });

  it("begins anew when the migration goes back a second time", async () => {
    const { rig, goBack, until } = await start();
    goBack(9);
    await until("pass");
    await rig.happen(rig.nowUs(), { state: "8", inOld: false });
    await rig.pass(10);
    goBack(12);
    await until("pass");
    expect(rig.old.written.map(({ state }) => state)).toEqual(["8"]);
  });
});

describe("fed by the relay", () => {
  it("waits until OLD's cursor has passed what NEW had when the rollback began", async () => {
    const { rig, check, goBack, until } = await start("relay");
    goBack();
    rig.statuses = [
      statusOf(rig.nowUs(), [sink("cloud", { acknowledged: 480 }), sink("old", { acknowledged: 300 })], 500),
    ];
    expect((await rig.one(check)).explanation).toContain("still has 200 records for OLD");
    rig.statuses = [
      statusOf(rig.nowUs(), [sink("cloud", { acknowledged: 900 }), sink("old", { acknowledged: 499 })], 900),
    ];
    expect((await rig.one(check)).explanation).toContain("still has 1 records");
    rig.statuses = [
      statusOf(rig.nowUs(), [sink("cloud", { acknowledged: 900 }), sink("old", { acknowledged: 500 })], 900),
    ];
    await until("pass");
  });

  it("does not wait for ever for a spool that does not drain, nor for a sink that is off: it reads", async () => {
    const { rig, goBack, until } = await start("relay");
    await rig.happen(rig.at(-100), { state: "5", inOld: false });
    goBack();
    rig.statuses = [statusOf(rig.nowUs(), [sink("cloud"), sink("old", { acknowledged: 1 })], 500)];
    await until("pass");
    expect(rig.old.written).toHaveLength(1);
  });
});

describe("what is validated afterwards (C12)", () => {
  it("is that OLD is as fast as it was in shadow", async () => {
    const { rig, check, goBack, until } = await start();
    await rig.happen(rig.at(-100));
    rig.migration = { ...rig.migration, state: "shadow", stagePercent: 0 };
    rig.old.slowMs = 40;
    expect(await rig.step(check)).toEqual([]);
    goBack();
    expect((await until("pass")).result).toMatchObject({ observed: 40, sampleSize: 20 });
  });

  it("tells an OLD that has become slower, after some looks, and still ends", async () => {
    const { rig, check, goBack, until } = await start();
    await rig.happen(rig.at(-100));
    rig.migration = { ...rig.migration, state: "shadow", stagePercent: 0 };
    await rig.step(check);
    rig.old.slowMs = 200;
    goBack();
    await rig.pass(120);
    expect((await rig.one(check)).explanation).toContain("It is looked at again");
    expect((await until("pass")).result).toMatchObject({
      isAlert: true,
      explanation: expect.stringContaining("OLD itself has become slower"),
    });
  });

  it("says so when it was never measured", async () => {
    const { rig, goBack, until } = await start();
    goBack();
    expect((await until("pass")).result.explanation).toContain("never measured");
    expect(rig.old.calls).toBeGreaterThan(0);
  });
});
