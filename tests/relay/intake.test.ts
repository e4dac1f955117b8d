import { describe, expect, it } from "vitest";
import { createMemorySpool } from "../../lib/adapters/memory/spool.ts";
import { HearthlineError } from "../../lib/base/errors.ts";
import type { RelayRecord } from "../../lib/event/index.ts";
import { entryOf } from "../../lib/relay/entry.ts";
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
  const slow = { ms: 0 };
  /** Places in a group that the spool refuses. */
  const refused = new Set<number>();
  const spool: Spool = {
    relayId: memory.relayId,
    append: async (records) => {
      if (fault.thrown) throw fault.thrown;
      groups.push(records.length);
      if (slow.ms > 0) await clock.sleep(slow.ms);
      const numbers = await memory.append(records.filter((_, place) => !refused.has(place)));
      return records.map((_, place) => (refused.has(place) ? 0 : (numbers[0] ?? 0) + place));
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
  return { clock, intake, ended, groups, fault, slow, refused, lines, records, appended: () => appended };
}

const push = (intake: ReturnType<typeof createIntake>, count: number, padding = 0) => {
  for (let index = 0; index < count; index++) intake.push(entryOf(stateRecord(`e${index}`, padding)));
};
const FULL_DISK = new HearthlineError("spool_failed", "the disk is full");

describe("the intake", () => {
  it("says of each entry when it is durable, in order, and then up to which number", async () => {
    const said: unknown[] = [];
    const { clock, intake, fault } = start({ onAppended: (last) => said.push(last) });
    intake.whenDurable(() => said.push("at once"));
    fault.thrown = FULL_DISK;
    for (const name of ["a", "b"]) intake.push(entryOf(stateRecord(name)), () => said.push(name));
    intake.whenDurable(() => said.push("both"));
    await pass(clock, 50);
    expect(said).toEqual(["at once"]);
    intake.whenDurable(() => said.push("both again"));
    delete fault.thrown;
    await pass(clock, 10_000);
    expect(said).toEqual(["at once", "a", "b", "both", "both again", 2]);
  });

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

  it("takes all that waits as one group, of bounded count and bytes", async () => {
    const { clock, intake, groups } = start({ maxBytes: 100_000_000 });
    push(intake, 45_000);
    await pass(clock, 100);
    expect(groups).toEqual([20_000, 20_000, 5_000]);
    push(intake, 10, 3_000_000);
    await pass(clock, 100);
    expect(groups.slice(3)).toEqual([5, 5]);
  });

  it("loses nothing of 10,000 events a second behind a disk whose every sync takes a second", async () => {
    const { clock, intake, slow, groups } = start();
    slow.ms = 1_000;
    for (let ten = 0; ten < 1_000; ten++) {
      push(intake, 100);
      await clock.advance(10);
      await settle(2);
    }
    expect(intake.state().lost).toBe(0);
    expect(Math.max(...groups)).toBeLessThanOrEqual(20_000);
  });

  it("counts what an entry really takes: two bytes a character where one is not Latin, and the objects around it", () => {
    const { intake } = start();
    const measured = (text: string) => {
      const before = intake.state().bytes;
      intake.push({ text });
      return intake.state().bytes - before;
    };
    const around = measured("{}") - 2;
    expect(around).toBeGreaterThanOrEqual(200);
    expect(measured("a".repeat(1_000))).toBe(1_000 + around);
    expect(measured(`温${"a".repeat(999)}`)).toBe(2_000 + around);
  });

  it("counts what is being appended as memory too", async () => {
    const { clock, intake, fault } = start({ maxRecords: 100 });
    fault.thrown = FULL_DISK;
    push(intake, 60);
    await pass(clock, 50);
    push(intake, 60);
    expect(intake.state().records).toBeLessThanOrEqual(100);
    expect(intake.state().lost).toBeGreaterThanOrEqual(20);
  });

  it("says of nothing that the spool refused that it is durable, and tells of the loss before it says so of others", async () => {
    const said: string[] = [];
    const { clock, intake, refused } = start({ onLost: () => said.push("lost") });
    for (const name of ["a", "b", "c"]) intake.push(entryOf(stateRecord(name)), () => said.push(name));
    refused.add(1);
    await pass(clock, 50);
    expect(said).toEqual(["lost", "a", "c"]);
    intake.push(entryOf(stateRecord("d")), () => said.push("d"));
    intake.whenDurable(() => said.push("all"));
    refused.clear();
    refused.add(0);
    await pass(clock, 50);
    expect(said.slice(3)).toEqual(["lost"]);
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
    // Whoever reads on from what was lost has read of the loss by then.
    expect(all[0]).toBe(loss);
    expect(all.at(-1)).toMatchObject({ entity_id: "sensor.e249" });
  });

  it("drops by bytes too", () => {
    const { intake } = start({ maxBytes: 10_000 });
    push(intake, 500);
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
