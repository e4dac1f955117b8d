import { describe, expect, it } from "vitest";
import { createMemoryLedger } from "../../../lib/adapters/memory/ledger.ts";
import { createLossCheck } from "../../../lib/migration/checks/loss.ts";
import { rigOf } from "./rig.ts";

function start() {
  const rig = rigOf({}, { thresholds: { lagSeconds: 300 } });
  const ledger = createMemoryLedger(rig.clock);
  const dead = { count: 0, examples: [] as string[] };
  const check = createLossCheck({ ledger, deadLetters: { of: async () => dead } });
  const arrive = (first: number, last: number, more = {}) =>
    ledger.record("home", "relay-1", [{ range: [first, last], ...more }]);
  return { rig, ledger, dead, check, arrive };
}

describe("loss", () => {
  it("is none while every number arrives", async () => {
    const { rig, check, arrive } = start();
    expect((await rig.one(check)).verdict).toBe("inconclusive");
    await arrive(1, 500);
    expect(await rig.one(check)).toMatchObject({
      ...{ verdict: "pass", sampleSize: 500, observed: 0 },
      explanation: "Every number has arrived (relay-1 up to 500).",
    });
  });

  it("takes the migration back for one event that the relay has given up, with its number and reason", async () => {
    const { rig, check, arrive } = start();
    await arrive(1, 500);
    await rig.step(check);
    await arrive(501, 502, { lost: [{ first: 501, last: 501, count: 1, reason: "the spool was full" }] });
    const result = await rig.one(check);
    expect(result).toMatchObject({ verdict: "fail", trigger: "loss", observed: 1 });
    expect(result.explanation).toContain(
      "1 given up by the relay, the last of them number 501 to 501: the spool was full",
    );
  });

  it("is not what was lost before the migration began", async () => {
    const { rig, check, arrive, dead } = start();
    dead.count = 4;
    await arrive(1, 100, { lost: [{ first: 7, last: 9, count: 3, reason: "long ago" }], rejected: [11] });
    expect((await rig.one(check)).verdict).toBe("pass");
    expect((await rig.one(check)).verdict).toBe("pass");
  });

  it("is a hole that does not close within the lag; one that closes is none", async () => {
    const { rig, check, arrive } = start();
    await arrive(1, 100);
    await arrive(104, 200);
    expect(await rig.one(check)).toMatchObject({
      verdict: "inconclusive",
      explanation: expect.stringContaining("3 missing from number 101 on"),
    });
    await rig.pass(299);
    expect((await rig.one(check)).verdict).toBe("inconclusive");
    await arrive(101, 103);
    expect((await rig.one(check)).verdict).toBe("pass");
    await arrive(202, 300);
    await rig.pass(200);
    await rig.step(check);
    await rig.pass(301);
    expect(await rig.one(check)).toMatchObject({ verdict: "fail", trigger: "loss", observed: 1 });
  });

  it("is what was set aside, until it was put back", async () => {
    const { rig, check, arrive, dead } = start();
    await arrive(1, 10);
    await rig.step(check);
    Object.assign(dead, { count: 2, examples: ["events: event_malformed, number 9"] });
    expect(await rig.one(check)).toMatchObject({
      ...{ verdict: "fail", trigger: "loss" },
      explanation: expect.stringContaining("2 messages set aside (events: event_malformed, number 9)"),
    });
    dead.count = 0;
    expect((await rig.one(check)).verdict).toBe("pass");
  });

  it("is what was lost before it had a number, and what a relay lost that is new since then", async () => {
    const { rig, check, arrive, ledger } = start();
    await arrive(1, 10);
    await rig.step(check);
    await arrive(11, 11, { unnumberedLost: [{ n: 11, first: 11, last: 11, count: 5, reason: "the disk was full" }] });
    expect((await rig.one(check)).explanation).toContain("5 lost by the relay before they had a number");
    const other = start();
    await other.arrive(1, 10);
    await other.rig.step(other.check);
    await other.ledger.record("home", "relay-2", [
      { range: [1, 3], lost: [{ first: 2, last: 2, count: 1, reason: "full" }] },
    ]);
    expect((await other.rig.one(other.check)).verdict).toBe("fail");
    expect(ledger).toBeDefined();
  });

  it("of OLD alone is OLD's: it is told, and takes nothing back", async () => {
    const { rig, check, arrive } = start();
    await arrive(1, 10);
    await rig.step(check);
    await arrive(11, 11, { otherSinksLost: [{ n: 11, first: 3, last: 5, count: 3, reason: "refused", sink: "old" }] });
    expect(await rig.one(check)).toMatchObject({
      verdict: "pass",
      isAlert: true,
      explanation: expect.stringContaining("OLD alone has lost 3"),
    });
  });

  it("is not a run of an import", async () => {
    const { rig, check, arrive, ledger } = start();
    await arrive(1, 10);
    await ledger.record("home", "import-x", [{ range: [5, 6] }]);
    expect((await rig.one(check)).verdict).toBe("pass");
  });
});
