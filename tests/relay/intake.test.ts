import { describe, expect, it } from "vitest";
import { createMemorySpool } from "../../lib/adapters/memory/spool.ts";
import { HearthlineError } from "../../lib/base/errors.ts";
import type { RelayRecord } from "../../lib/event/index.ts";
import { createIntake, type IntakeOptions } from "../../lib/relay/intake.ts";
import type { Spool } from "../../lib/relay/ports.ts";
import { manualClock } from "../support/manual-clock.ts";
import { stateRecord } from "../support/relay-records.ts";
import { keepLog, pass, settle } from "./fakes.ts";

function start(over: Partial<IntakeOptions> = {}) {
  const clock = manualClock();
  const memory = createMemorySpool({ relayId: "r", clock, sinks: ["cloud"], maxBytes: 100_000_000 });
  const groups: number[] = [];
  const fault: { thrown?: Error } = {};
  const spool: Spool = {
    relayId: memory.relayId,
    append: async (records) => {
      if (fault.thrown) throw fault.thrown;
      groups.push(records.length);
      return memory.append(records);
    },
    recordLoss: async (lost) => {
      if (fault.thrown) throw fault.thrown;
      return memory.recordLoss(lost);
    },
    read: (sink, options) => memory.read(sink, options),
    acknowledge: (sink, sequence) => memory.acknowledge(sink, sequence),
    state: () => memory.state(),
    close: () => memory.close(),
  };
  const { log, lines } = keepLog();
  let appended = 0;
  const intake = createIntake({ spool, clock, random: () => 0.5, log, onAppended: () => void appended++, ...over });
  const ended = intake.run();
  const records = async () =>
    (await memory.read("cloud", { limit: 1e6, maxBytes: 1e9 })).map(({ line }) => JSON.parse(line) as RelayRecord);
  return { clock, intake, ended, groups, fault, lines, records, appended: () => appended };
}

const push = (intake: ReturnType<typeof createIntake>, count: number, bytes = 100) => {
  for (let index = 0; index < count; index++) intake.push(stateRecord(`e${index}`), bytes);
};
const FULL_DISK = new HearthlineError("spool_failed", "the disk is full");

describe("the intake", () => {
  it("appends what comes within a moment as one group, in order", async () => {
    const { clock, intake, groups, records, appended } = start();
    push(intake, 3);
    await pass(clock, 10);
    push(intake, 2);
    await pass(clock, 10);
    expect(groups).toEqual([5]);
    expect(appended()).toBe(1);
    expect((await records()).map((record) => record.t === "state" && record.entity_id)).toEqual(
      ["e0", "e1", "e2", "e0", "e1"].map((name) => `sensor.${name}`),
    );
  });

  it("cuts a burst into groups of bounded count and bytes", async () => {
    const { clock, intake, groups } = start();
    push(intake, 2_500);
    await pass(clock, 100);
    expect(groups).toEqual([1000, 1000, 500]);
    push(intake, 10, 200_000);
    await pass(clock, 100);
    expect(groups.slice(3)).toEqual([3, 3, 3, 1]);
  });

  it("keeps events in memory while the spool fails, and loses none when it works again in time", async () => {
    const { clock, intake, fault, records, lines } = start();
    fault.thrown = FULL_DISK;
    push(intake, 3);
    await pass(clock, 20_000);
    push(intake, 4);
    expect(intake.state()).toMatchObject({ lastError: "the disk is full", lost: 0 });
    expect(lines.filter((line) => line.includes("cannot be written"))).toHaveLength(1);
    delete fault.thrown;
    await pass(clock, 10_000);
    expect(await records()).toHaveLength(7);
    expect(intake.state()).toEqual({ records: 0, bytes: 0, lost: 0 });
  });

  it("drops the oldest at its bound, and records how many when the spool works again", async () => {
    const { clock, intake, fault, records } = start({ maxRecords: 100 });
    fault.thrown = FULL_DISK;
    push(intake, 250);
    const { lost } = intake.state();
    expect(lost).toBeGreaterThanOrEqual(150);
    expect(intake.state().records).toBeLessThanOrEqual(100);
    await pass(clock, 20_000);
    delete fault.thrown;
    await pass(clock, 10_000);
    const all = await records();
    const losses = all.filter((record) => record.t === "loss");
    expect(losses.map(({ count }) => count)).toEqual([lost]);
    expect(all.length - losses.length + lost).toBe(250);
    const [loss] = losses;
    expect(loss?.first).toBe(loss?.n);
    expect(all.at(-2)).toMatchObject({ entity_id: "sensor.e249" });
  });

  it("drops by bytes too", () => {
    const { intake } = start({ maxBytes: 10_000 });
    push(intake, 500, 100);
    expect(intake.state().bytes).toBeLessThanOrEqual(10_000);
    expect(intake.state().lost).toBeGreaterThanOrEqual(400);
  });

  it("gives room to those who can wait, when half of it is free", async () => {
    const { clock, intake } = start({ maxRecords: 100 });
    push(intake, 60);
    let hasRoom = false;
    void intake.room().then(() => {
      hasRoom = true;
    });
    await settle();
    expect(hasRoom).toBe(false);
    await pass(clock, 30);
    expect(hasRoom).toBe(true);
  });

  it("appends what it holds when it is closed, at once", async () => {
    const { intake, ended, groups } = start();
    push(intake, 3);
    intake.close();
    await ended;
    expect(groups).toEqual([3]);
  });

  it("ends when it is closed while the spool fails, and says what is left", async () => {
    const { clock, intake, ended, fault, lines } = start();
    fault.thrown = FULL_DISK;
    push(intake, 3);
    await pass(clock, 1_000);
    intake.close();
    await ended;
    expect(lines.at(-1)).toContain('"count":3');
  });
});
