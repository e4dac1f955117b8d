import { describe, expect, it } from "vitest";
import { createPrecisionCheck } from "../../../lib/migration/checks/precision.ts";
import type { Precision } from "../../../lib/migration/ports.ts";
import { PRECISION_US } from "../../../lib/migration/precision.ts";
import { buildEvent } from "../../support/events.ts";
import { down, LIMITS, rigOf } from "./rig.ts";

/** A home that has both sides since a while: OLD's stamps are cut to `cut`, the plan says `said`. */
async function homeOf(said: Precision, cut: number, { count = 40, isHeard = true, everyUs = 1_234_567 } = {}) {
  const rig = rigOf({ state: "prepared" }, { old: { kind: "influxdb", url: "http://old.test:8086", precision: said } });
  const events = Array.from({ length: count }, (_, n) => {
    const atUs = rig.nowUs() - (n + 1) * everyUs;
    return buildEvent({
      homeId: rig.migration.homeId,
      entityId: `sensor.s${n % 3}`,
      ...{ atUs, lastChangedUs: atUs, state: `${n}.5` },
    });
  });
  rig.old.limits = { ...LIMITS, precisionUs: cut };
  await rig.old.put(events);
  rig.old.limits = { ...LIMITS, precisionUs: PRECISION_US[said] };
  if (isHeard) await rig.store.write(events);
  const look = async () => (await rig.step(createPrecisionCheck({ old: rig.old, store: rig.store })))[0];
  return { rig, look };
}

describe("whether OLD's stamps are as fine as the plan says", () => {
  it("has nothing to say where the plan says microseconds and they are", async () => {
    expect(await (await homeOf("us", 1)).look()).toBeUndefined();
  });

  it("passes where they are cut as the plan says, with what was seen", async () => {
    const result = await (await homeOf("ms", 1_000)).look();
    expect(result).toMatchObject({ name: "old-precision", verdict: "pass" });
    expect(result?.explanation).toContain("as the plan says: all of 40 rows, 40 different moments");
    const few = await (await homeOf("s", 1_000_000, { count: 4 })).look();
    expect(few).toMatchObject({ verdict: "pass", explanation: expect.stringContaining("too few to tell") });
  });

  it.each([
    ["us", "ms", 1_000],
    ["us", "s", 1_000_000],
    ["ms", "s", 1_000_000],
  ] as const)("fails where the plan says %s and OLD cuts to %s, naming the remedy", async (said, is, cut) => {
    const result = await (await homeOf(said, cut)).look();
    expect(result).toMatchObject({ verdict: "fail", isAlert: true });
    expect(result).not.toHaveProperty("trigger");
    expect(result?.explanation).toContain(`plan anew with "old": {"precision": "${is}"}`);
  });

  it("does not take a home whose own moments are whole seconds for one whose stamps are cut", async () => {
    expect(await (await homeOf("us", 1, { everyUs: 3_000_000 })).look()).toBeUndefined();
  });

  it("knows nothing of a NEW that has heard nothing yet", async () => {
    expect(await (await homeOf("us", 1_000, { isHeard: false })).look()).toBeUndefined();
  });

  it("fails where OLD's rows are finer than the plan says", async () => {
    const result = await (await homeOf("s", 1_000)).look();
    expect(result).toMatchObject({ verdict: "fail", isAlert: true });
    expect(result?.explanation).toMatch(
      /whole seconds, and \d+ of its 40 newest rows are finer.*"precision": "ms".*HEARTHLINE_OLD_PRECISION=s/,
    );
  });

  it("leaves an OLD that is away to the health check", async () => {
    const { rig, look } = await homeOf("ms", 1_000);
    rig.old.isDown = true;
    expect(down().fate).toBe("retry");
    expect(await look()).toBeUndefined();
  });
});
