import { describe, expect, it } from "vitest";
import { createMemoryMigrationStore } from "../../lib/adapters/memory/migration-store.ts";
import { createMemoryOutboxStore } from "../../lib/adapters/memory/outbox.ts";
import { topicProblem } from "../../lib/event/index.ts";
import { alertsOf, withAlerts } from "../../lib/migration/alerts.ts";
import { afterStep, decide } from "../../lib/migration/index.ts";
import type { CheckResult, Migration } from "../../lib/migration/types.ts";
import { keepLog } from "../relay/fakes.ts";
import { manualClock } from "../support/manual-clock.ts";
import { migrationOf, resultOf, resultsFor, SECOND_US, START_US, startedOf } from "../support/migrations.ts";

async function start(row: Migration = startedOf({ state: "ramp", stagePercent: 10 }, { soakSeconds: 3_600 })) {
  const clock = manualClock(START_US / 1000);
  const outbox = createMemoryOutboxStore(clock);
  const kept = keepLog();
  const plain = createMemoryMigrationStore();
  const faults = { outbox: undefined as Error | undefined };
  const store = withAlerts(plain, {
    clock,
    log: kept.log,
    outbox: {
      add: async (item) => {
        if (faults.outbox) throw faults.outbox;
        return outbox.add(item);
      },
    },
  });
  await store.create(migrationOf());
  let now: Migration = { ...row, revision: 2 };
  await store.commit(now, { expected: (await store.get("home", "m1"))?.revision ?? 1 });
  const told = async () => {
    const { items } = await outbox.list({ homeId: "home", nowMs: clock.nowMs(), limit: 1_000 });
    return items.flatMap(({ message }) =>
      message?.topic === "hearthline/home/migration" ? [JSON.parse(message.payload ?? "")] : [],
    );
  };
  const step = async (results: readonly CheckResult[]) => {
    await clock.advance(60_000);
    const look = { migration: now, results, nowUs: clock.nowMs() * 1000 };
    now = afterStep(look, decide(look));
    await store.commit(now, { expected: now.revision - 1 });
    return now;
  };
  return { store, outbox, told, step, clock, faults, lines: kept.lines };
}

describe("alerts", () => {
  it("are told once for each cause, however many steps find it", async () => {
    const { told, step } = await start();
    const slower = resultOf("performance.range", "pass", { isAlert: true, explanation: "12 % slower." });
    for (let look = 0; look < 5; look++) await step([...resultsFor("ramp", { performance: {} }), slower]);
    const [, ...problems] = await told();
    expect(problems.filter(({ title }) => title.includes("performance.range"))).toEqual([
      expect.objectContaining({ problem: "ON", text: "12 % slower.", state: "ramp", percent: 10 }),
    ]);
  });

  it("say that it goes back, with the cause", async () => {
    const { told, step } = await start();
    const row = await step(
      resultsFor("ramp", { consistency: { verdict: "fail", trigger: "inconsistency", explanation: "3 rows differ." } }),
    );
    expect(row.state).toBe("rolling_back");
    const last = (await told()).at(-1);
    expect(last).toMatchObject({ problem: "ON", title: "The migration goes back to OLD", state: "rolling_back" });
    expect(last.text).toContain("3 rows differ");
  });

  it("are only what the relay may publish, for an entity of our own device", async () => {
    const { outbox, clock } = await start();
    const { items } = await outbox.list({ homeId: "home", nowMs: clock.nowMs(), limit: 10 });
    expect(items).toHaveLength(2);
    for (const { message } of items) expect(topicProblem(message?.topic ?? "", message?.payload ?? "")).toBeUndefined();
  });

  it("of a step that was killed after its commit are told by the next one", async () => {
    const { told, step, faults, lines } = await start();
    faults.outbox = new Error("the outbox is away");
    await step(resultsFor("ramp", { loss: { verdict: "fail", explanation: "1 lost." } }));
    expect(lines.join()).toContain("the outbox is away");
    const before = (await told()).length;
    faults.outbox = undefined;
    await step(resultsFor("ramp", { loss: { verdict: "fail", explanation: "1 lost." } }));
    await step(resultsFor("ramp", { loss: { verdict: "fail", explanation: "1 lost." } }));
    expect((await told()).slice(before)).toEqual([
      expect.objectContaining({ title: "Migration (ramp, 10 %): loss failed" }),
    ]);
  });

  it("are bounded, and short", () => {
    const many = Array.from({ length: 40 }, (_, at) =>
      resultOf(`check.${at}`, "fail", { explanation: "x".repeat(5_000) }),
    );
    const alerts = alertsOf(startedOf({ state: "ramp", stagePercent: 10, checks: many }));
    expect(alerts).toHaveLength(5);
    expect(Math.max(...alerts.map(({ text }) => text.length))).toBeLessThanOrEqual(400);
  });

  it("end with news that switches the sensor off", () => {
    const lastChange = {
      epoch: 30,
      atUs: START_US + SECOND_US,
      actor: "x",
      from: "cleanup",
      to: "complete",
      reason: "All is done.",
    } as const;
    const row = startedOf({
      state: "complete",
      stagePercent: 100,
      epoch: 30,
      lastChange: { ...lastChange, percentFrom: 100, percentTo: 100, evidence: [] },
    });
    expect(alertsOf(row)).toEqual([
      { cause: "30 complete", title: "The migration is complete", text: "All is done.", severity: "news" },
    ]);
    const repaired = { ...lastChange, from: "rolled_back", to: "rolled_back", percentFrom: 0, percentTo: 0 } as const;
    const back = startedOf({ state: "rolled_back", epoch: 30, lastChange: { ...repaired, evidence: [] } });
    expect(alertsOf(back)).toMatchObject([{ title: "Migration: rolled_back", text: "All is done." }]);
  });
});
