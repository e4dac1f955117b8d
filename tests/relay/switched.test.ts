import { describe, expect, it } from "vitest";
import { createMemorySpool } from "../../lib/adapters/memory/spool.ts";
import { HearthlineError } from "../../lib/base/errors.ts";
import { seededRandom } from "../../lib/base/random.ts";
import type { OutboxSink } from "../../lib/event/index.ts";
import { entryOf } from "../../lib/relay/entry.ts";
import type { SinkSwitches } from "../../lib/relay/ports.ts";
import { createSwitchboard, createSwitchedShipper, requireSwitchable } from "../../lib/relay/switched.ts";
import { manualClock } from "../support/manual-clock.ts";
import { stateRecord } from "../support/relay-records.ts";
import { FakeSink, keepLog, pass, settle, unreachable } from "./fakes.ts";

class Kept implements SinkSwitches {
  off: readonly string[] = [];
  failing: Error | undefined;
  saves = 0;

  async load(): Promise<readonly string[]> {
    if (this.failing) throw this.failing;
    return this.off;
  }

  async save(off: readonly string[]): Promise<void> {
    if (this.failing) throw this.failing;
    this.saves += 1;
    this.off = off;
  }
}

function start(kept = new Kept()) {
  const clock = manualClock();
  const spool = createMemorySpool({ relayId: "r", clock, sinks: ["cloud", "old"], maxBytes: 1_000_000_000 });
  const { log } = keepLog();
  const random = seededRandom(3);
  const switchboard = createSwitchboard(kept, log);
  const sinks = { cloud: new FakeSink(clock, { name: "cloud" }), old: new FakeSink(clock, { name: "old" }) };
  const shipperOf = (sink: FakeSink) =>
    createSwitchedShipper({ sink, spool, clock, random, log }, () => switchboard.isOff(sink.name));
  const [cloud, old] = [shipperOf(sinks.cloud), shipperOf(sinks.old)];
  const ended = Promise.all([cloud.run(), old.run()]);
  const append = async (count: number) => {
    await spool.append(Array.from({ length: count }, (_, at) => entryOf(stateRecord(`e${at}`))));
    for (const shipper of [cloud, old]) shipper.wake();
    await pass(clock, 2_000);
  };
  const turn = async (state: OutboxSink["state"]) => {
    await switchboard.keep({ sink: "old", state });
    old.turn(state);
    await settle();
  };
  return { clock, spool, sinks, cloud, old, ended, append, turn, kept };
}

const countOf = (sink: FakeSink) => sink.records.length;

describe("dual write", () => {
  it("of a sink that is dead or hangs never delays the other, either way round", async () => {
    for (const [dead, alive] of [
      ["old", "cloud"],
      ["cloud", "old"],
    ] as const) {
      for (const fault of ["fails", "hangs"]) {
        const { sinks, spool, append, clock } = start();
        if (fault === "fails") sinks[dead].failing = unreachable();
        else sinks[dead].gate = () => new Promise(() => {});
        for (let round = 1; round <= 20; round++) {
          const before = clock.nowMs();
          await append(3);
          expect(countOf(sinks[alive])).toBe(3 * round);
          expect((sinks[alive].messages.at(-1)?.atMs ?? 0) - before).toBeLessThanOrEqual(sinks[alive].flushMs);
        }
        expect(countOf(sinks[dead])).toBe(0);
        expect(spool.state()).toMatchObject({ records: 60, losses: 0, cursors: { [alive]: 60, [dead]: 0 } });
      }
    }
  });

  it("gives a dead sink everything once it is back", async () => {
    const { sinks, spool, append, clock } = start();
    sinks.old.failing = unreachable();
    for (let round = 0; round < 10; round++) await append(5);
    sinks.old.failing = undefined;
    await pass(clock, 120_000);
    expect(countOf(sinks.old)).toBe(50);
    expect(spool.state().records).toBe(0);
  });
});

describe("a sink that is turned off", () => {
  it("gets nothing any more and holds nothing back, while the other goes on", async () => {
    const { sinks, spool, old, append, turn } = start();
    await append(4);
    await turn("off");
    await append(6);
    expect(countOf(sinks.old)).toBe(4);
    expect(countOf(sinks.cloud)).toBe(10);
    expect(spool.state()).toMatchObject({ records: 0, losses: 0, cursors: { old: 10 } });
    expect(old.state()).toMatchObject({ isOff: true, lagRecords: 0, breaker: "closed", messages: 1, lost: 0 });
  });

  it("holds nothing back either when it is dead, however long its breaker would wait", async () => {
    const { sinks, spool, old, append, turn, clock } = start();
    sinks.old.failing = unreachable();
    for (let round = 0; round < 8; round++) await append(5);
    await pass(clock, 300_000);
    expect(old.state()).toMatchObject({ breaker: "open", lagRecords: 40 });
    const asked = sinks.old.attempts;
    await turn("off");
    expect(spool.state().records).toBe(0);
    await append(5);
    await pass(clock, 300_000);
    expect(spool.state().records).toBe(0);
    expect(sinks.old.attempts - asked).toBeLessThanOrEqual(4);
  });

  it("stays off when the relay starts again, and the same again changes nothing", async () => {
    const first = start();
    await first.turn("off");
    await first.turn("off");
    const again = start(first.kept);
    await again.append(5);
    expect(countOf(again.sinks.old)).toBe(0);
    expect(again.spool.state().records).toBe(0);
    expect(again.old.state().isOff).toBe(true);
  });

  it("begins again with what comes then", async () => {
    const { sinks, append, turn, old } = start();
    await append(2);
    await turn("off");
    await append(3);
    await turn("on");
    await append(4);
    expect(sinks.old.records.map(({ n }) => n)).toEqual([1, 2, 6, 7, 8, 9]);
    expect(old.state()).toMatchObject({ messages: 2, lagRecords: 0 });
    expect(old.state().isOff).toBeUndefined();
  });

  it("ends with the relay, on or off", async () => {
    for (const state of ["on", "off"] as const) {
      const { cloud, old, ended, append, turn, spool } = start();
      await turn(state);
      await append(1);
      cloud.stop();
      old.stop();
      await ended;
      expect(spool.state().records).toBe(0);
    }
  });
});

describe("what is kept of it", () => {
  it("is on the disk before it is done; what cannot be kept is not done", async () => {
    const kept = new Kept();
    const { turn, old, append, sinks } = start(kept);
    kept.failing = new HearthlineError("spool_failed", "no room");
    await expect(turn("off")).rejects.toMatchObject({ code: "spool_failed" });
    await append(1);
    expect(countOf(sinks.old)).toBe(1);
    expect(old.state().isOff).toBeUndefined();
  });

  it("stops nothing when it cannot be read", async () => {
    const kept = new Kept();
    kept.off = ["old"];
    kept.failing = new HearthlineError("spool_failed", "torn");
    const { append, sinks } = start(kept);
    await append(1);
    expect(countOf(sinks.old)).toBe(1);
  });

  it("never stops the cloud, nor a sink that nobody knows", () => {
    expect(() => requireSwitchable("old", ["cloud", "old"])).not.toThrow();
    expect(() => requireSwitchable("cloud", ["cloud", "old"])).toThrow(/"cloud" was to be stopped.*"old"/);
    expect(() => requireSwitchable("old", ["cloud"])).toThrow(/none: HEARTHLINE_OLD_SINK is none/);
  });
});
