import { describe, expect, it } from "vitest";
import { createMemorySpool } from "../../lib/adapters/memory/spool.ts";
import { seededRandom } from "../../lib/base/random.ts";
import type { NewRelayRecord, RelayRecord } from "../../lib/event/index.ts";
import { entryOf } from "../../lib/relay/entry.ts";
import { createShipper } from "../../lib/relay/ship.ts";
import { manualClock } from "../support/manual-clock.ts";
import { stateRecord } from "../support/relay-records.ts";
import { FakeSink, keepLog, pass, settle, unreachable } from "./fakes.ts";

const UNIT_BYTES = 65_536;

function start({ flushMs = 60_000, maxBytes = 1_000_000_000 } = {}) {
  const clock = manualClock();
  const spool = createMemorySpool({ relayId: "r", clock, sinks: ["cloud"], maxBytes });
  const sink = new FakeSink(clock, { flushMs });
  const { log, lines } = keepLog();
  const random = seededRandom(7);
  const shipper = createShipper({ sink, spool, clock, random, log });
  const ended = shipper.run();
  const append = async (records: readonly NewRelayRecord[]) => {
    const numbers = await spool.append(records.map(entryOf));
    shipper.wake();
    await settle();
    return numbers;
  };
  return { clock, spool, sink, shipper, ended, lines, append };
}

const some = (count: number, padding = 0) => Array.from({ length: count }, (_, i) => stateRecord(`e${i}`, padding));
/** Text that does not compress: what is packed is about as large as what is sealed. */
const noise = (bytes: number, seed: number): NewRelayRecord => {
  const random = seededRandom(seed);
  const noisy = Buffer.from(Array.from({ length: Math.ceil(bytes * 0.75) }, () => Math.floor(random() * 256)));
  return { ...stateRecord(`noise${seed}`), attributes: { noise: noisy.toString("base64") } } as NewRelayRecord;
};
const numbersOf = (records: readonly RelayRecord[]) => records.map(({ n }) => n);
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

describe("when a message goes", () => {
  it("after the flush time since the oldest unsent record, not before", async () => {
    const { clock, sink, append, spool } = start({ flushMs: 60_000 });
    await append(some(2));
    await pass(clock, 30_000);
    await append(some(1));
    await pass(clock, 29_000);
    expect(sink.messages).toEqual([]);
    await pass(clock, 1_000);
    expect(sink.messages.map(({ records }) => records.length)).toEqual([3]);
    expect(spool.state()).toMatchObject({ records: 0, cursors: { cloud: 3 } });
    await pass(clock, 600_000);
    expect(sink.messages).toHaveLength(1);
  });

  it("at once when a message is full", async () => {
    const { sink, append } = start();
    await append(Array.from({ length: 60 }, (_, seed) => noise(8_000, seed)));
    expect(sink.messages.length).toBeGreaterThanOrEqual(2);
    for (const { text } of sink.messages) expect(text.length).toBeLessThanOrEqual(UNIT_BYTES);
  });

  it("soon, when the clock was set back by an hour", async () => {
    const { clock, sink, append } = start();
    await append(some(1));
    clock.set(clock.nowMs() - 3_600_000);
    await pass(clock, 120_000);
    expect(sink.messages).toHaveLength(1);
  });
});

describe("packing", () => {
  it("keeps every message within one billing unit, in order, whatever compresses how well", async () => {
    const { clock, sink, append, spool } = start({ flushMs: 1_000 });
    const mixed = Array.from({ length: 400 }, (_, i) =>
      i % 7 === 0 ? noise((i * 37) % 30_000, i) : stateRecord(`e${i}`, i * 20),
    );
    await append(mixed);
    await pass(clock, 10_000);
    expect(numbersOf(sink.records)).toEqual(upTo(400));
    for (const { text } of sink.messages) expect(Buffer.byteLength(text)).toBeLessThanOrEqual(UNIT_BYTES);
    expect(spool.state().records).toBe(0);
  });

  it("learns how well a home's events compress, and fills its messages", async () => {
    const { clock, sink, append } = start({ flushMs: 1_000 });
    await append(
      some(20_000, 200).map((record, index) => ({ ...record, state: String(index * 7919) }) as NewRelayRecord),
    );
    await pass(clock, 10_000);
    expect(numbersOf(sink.records)).toEqual(upTo(20_000));
    const full = sink.messages
      .slice(2, -1)
      .map(({ records, text }) => text.length / UNIT_BYTES + (records.length >= 5_000 ? 1 : 0));
    expect(Math.min(...full)).toBeGreaterThan(0.6);
  });

  it("sends a record that is larger than a unit alone", async () => {
    const { clock, sink, append } = start({ flushMs: 1_000 });
    await append([stateRecord("a"), noise(400_000, 1), stateRecord("b")]);
    await pass(clock, 5_000);
    expect(sink.messages.map(({ records }) => numbersOf(records))).toEqual([[1], [2], [3]]);
  });

  it("gives up a record that no message can carry, and says so under a number of its own", async () => {
    const { clock, sink, append, spool, lines } = start({ flushMs: 1_000 });
    await append([stateRecord("a"), noise(1_500_000, 1), stateRecord("b")]);
    await pass(clock, 5_000);
    expect(numbersOf(sink.records)).toEqual([1, 3, 4]);
    expect(sink.records.at(-1)).toMatchObject({ t: "loss", first: 2, last: 2, count: 1 });
    expect(spool.state()).toMatchObject({ records: 0, losses: 1 });
    expect(lines.join()).toContain("more than the sink takes");
    expect(lines.join()).not.toContain("sensor.");
  });

  it("never packs over a hole in the numbers", async () => {
    const { clock, sink, append, spool } = start({ maxBytes: 1_048_576, flushMs: 1_000 });
    sink.failing = unreachable();
    for (let round = 0; round < 40; round++) await append([noise(40_000, round)]);
    sink.failing = undefined;
    await pass(clock, 120_000);
    expect(spool.state().records).toBe(0);
    const losses = sink.records.filter((record) => record.t === "loss");
    expect(losses.length).toBeGreaterThan(0);
    const known = new Set(numbersOf(sink.records));
    for (const { first, last } of losses) for (let n = first; n <= last; n++) known.add(n);
    expect(known.size).toBe(spool.state().lastSequence);
  });
});

describe("a sink that fails", () => {
  it("gets everything once it works again, in order, and its breaker is seen to open and close", async () => {
    const { clock, sink, append, shipper, spool, lines } = start({ flushMs: 1_000 });
    sink.failing = unreachable();
    await append(some(3));
    await pass(clock, 1_000);
    expect(shipper.state()).toMatchObject({ breaker: "closed", lastError: "nobody answers", lagRecords: 3 });
    await pass(clock, 120_000);
    expect(shipper.state().breaker).toBe("open");
    const attempts = sink.attempts;
    await pass(clock, 600_000);
    // At most 30 s between two attempts, and with full jitter about 15 s.
    expect(sink.attempts - attempts).toBeGreaterThanOrEqual(20);
    expect(sink.attempts - attempts).toBeLessThan(150);
    expect(spool.state().cursors).toEqual({ cloud: 0 });
    sink.failing = undefined;
    await append(some(2));
    await pass(clock, 62_000);
    expect(numbersOf(sink.records)).toEqual(upTo(5));
    expect(shipper.state()).toMatchObject({ breaker: "closed", lagRecords: 0 });
    expect(shipper.state()).not.toHaveProperty("lastError");
    expect(lines.filter((line) => line.includes("did not take"))).toHaveLength(1);
  });

  it("one message probes an open breaker; the others wait", async () => {
    const { clock, sink, append, shipper } = start();
    sink.failing = unreachable();
    await append(Array.from({ length: 60 }, (_, seed) => noise(8_000, seed)));
    await pass(clock, 120_000);
    expect(shipper.state().breaker).toBe("open");
    let inside = 0;
    let most = 0;
    const doors: (() => void)[] = [];
    sink.gate = () =>
      new Promise((resolve) => {
        inside += 1;
        most = Math.max(most, inside);
        doors.push(() => {
          inside -= 1;
          resolve();
        });
      });
    await pass(clock, 31_000);
    expect(most).toBe(1);
    expect(shipper.state().breaker).toBe("half-open");
    sink.failing = undefined;
    sink.gate = async () => {};
    for (const open of doors) open();
    await pass(clock, 62_000);
    expect(numbersOf(sink.records).toSorted((a, b) => a - b)).toEqual(upTo(60));
    expect(shipper.state()).toMatchObject({ breaker: "closed", lagRecords: 0 });
  });
});

describe("several messages at once", () => {
  it("at most four; acknowledged in order though taken out of order", async () => {
    const { clock, sink, append, spool } = start();
    const doors: (() => void)[] = [];
    sink.gate = () => new Promise((resolve) => void doors.push(resolve));
    await append(Array.from({ length: 60 }, (_, seed) => noise(8_000, seed)));
    await pass(clock, 61_000);
    expect(doors).toHaveLength(4);
    doors[2]?.();
    doors[1]?.();
    await settle();
    expect(spool.state().cursors).toEqual({ cloud: 0 });
    expect(doors).toHaveLength(6);
    doors[0]?.();
    await settle();
    const taken = sink.messages.slice(0, 3).flatMap(({ records }) => numbersOf(records));
    expect(spool.state().cursors).toEqual({ cloud: Math.max(...taken) });
    expect(doors).toHaveLength(7);
  });
});

describe("the end", () => {
  it("sends what is left at once", async () => {
    const { sink, append, shipper, ended, spool } = start();
    await append(some(3));
    shipper.stop();
    await ended;
    expect(numbersOf(sink.records)).toEqual([1, 2, 3]);
    expect(spool.state().records).toBe(0);
  });

  it("tries once more where the sink had failed, and then ends without an acknowledgement", async () => {
    const { clock, sink, append, shipper, ended, spool } = start({ flushMs: 1_000 });
    sink.failing = unreachable();
    await append(some(3));
    await pass(clock, 120_000);
    const attempts = sink.attempts;
    shipper.stop();
    await ended;
    expect(sink.attempts).toBe(attempts + 1);
    expect(spool.state()).toMatchObject({ records: 3, cursors: { cloud: 0 } });
  });
});
