import { describe, expect, it } from "vitest";
import { createMemorySpool } from "../../lib/adapters/memory/spool.ts";
import { HearthlineError } from "../../lib/base/errors.ts";
import { seededRandom } from "../../lib/base/random.ts";
import type { LossRecord } from "../../lib/event/index.ts";
import type { SinkAnswer, SinkMessage } from "../../lib/relay/ports.ts";
import { createShipper } from "../../lib/relay/ship.ts";
import { manualClock } from "../support/manual-clock.ts";
import { stateEntry } from "../support/relay-records.ts";
import { keepLog, pass, settle } from "./fakes.ts";
import { isMeant, numbersIn, PieceSink } from "./piece-sink.ts";

function start(sink = new PieceSink()) {
  const clock = manualClock();
  const spool = createMemorySpool({ relayId: "r", clock, sinks: [sink.name, "reader"], maxBytes: 1e9 });
  const { log, lines } = keepLog();
  const shipper = createShipper({ sink, spool, clock, random: seededRandom(3), log });
  const ended = shipper.run();
  const append = async (count: number) => {
    const numbers = await spool.append(Array.from({ length: count }, (_, at) => stateEntry(`e${at}`)));
    shipper.wake();
    await settle();
    return numbers;
  };
  const losses = async (): Promise<LossRecord[]> => {
    const records = await spool.read("reader", { limit: 1e6, maxBytes: 1e9 });
    return records.map(({ line }) => JSON.parse(line) as LossRecord).filter(({ t }) => t === "loss");
  };
  return { sink, clock, spool, shipper, ended, lines, append, losses };
}

const meant = (count: number) => Array.from({ length: count }, (_, at) => at + 1).filter(isMeant);
const refusing =
  (bad: readonly number[], isCertain: boolean) =>
  async (message: SinkMessage): Promise<SinkAnswer> =>
    numbersIn(message).some((n) => bad.includes(n))
      ? { outcome: "refused", reason: "it is bad", isCertain }
      : { outcome: "taken" };

describe("records that mean nothing to a sink", () => {
  it("are passed over, and its cursor with them", async () => {
    const { clock, append, sink, spool } = start();
    await append(5);
    await pass(clock, 2_000);
    expect([...sink.taken]).toEqual([1, 2, 3, 4]);
    expect(spool.state().cursors.old).toBe(5);
  });

  it("alone cost no request", async () => {
    const { clock, append, sink, spool } = start(new PieceSink({ maxRecords: 4 }));
    await append(4);
    await append(1);
    await pass(clock, 2_000);
    expect(sink.calls).toBe(1);
    expect(spool.state().cursors.old).toBe(5);
  });
});

describe.each([true, false])("a record that is refused (the sink is sure: %s)", (isCertain) => {
  it.each([
    ["in the middle", [17]],
    ["the first", [1]],
    ["the last", [38]],
    ["several beside each other", [6, 7, 8, 9, 11]],
  ])("is found and set aside, %s; everything else arrives", async (_, bad) => {
    const { clock, append, sink, spool, losses, lines } = start();
    sink.answer = refusing(bad, isCertain);
    const numbers = [...(await append(38))];
    await pass(clock, 600_000);
    numbers.push(...(await append(4)));
    await pass(clock, 600_000);
    const wanted = numbers.filter((n) => isMeant(n) && !bad.includes(n));
    expect([...sink.taken].toSorted((a, b) => a - b)).toEqual(wanted);
    expect((await losses()).map(({ first, last, sink: of, reason }) => ({ first, last, of, reason }))).toEqual(
      expect.arrayContaining(bad.map((n) => ({ first: n, last: n, of: "old", reason: "it is bad" }))),
    );
    expect(await losses()).toHaveLength(bad.length);
    expect(spool.state().cursors.old).toBe(spool.state().lastSequence);
    expect(lines.filter((line) => line.includes("set aside"))).toHaveLength(1);
  });
});

describe("a sink that refuses everything", () => {
  it("is set up wrongly: nothing is given up, little is asked, and all arrives once it is mended", async () => {
    const { clock, append, sink, spool, losses, shipper } = start(new PieceSink({ maxRecords: 50 }));
    sink.answer = async () => ({ outcome: "refused", reason: "answered 400", isCertain: false });
    await append(500);
    await pass(clock, 86_400_000);
    expect(await losses()).toEqual([]);
    expect(spool.state().cursors.old).toBe(0);
    expect(shipper.state().lastError).toContain("refuses record");
    // About as often as a sink that does not answer, on the first day and with far more records in doubt on the second.
    expect(sink.calls).toBeLessThan(10_000);
    await pass(clock, 86_400_000);
    expect(sink.calls).toBeLessThan(20_000);
    let atOnce = 0;
    sink.answer = async () => {
      atOnce += 1;
      expect(atOnce).toBeLessThanOrEqual(2);
      await Promise.resolve();
      atOnce -= 1;
      return { outcome: "taken" };
    };
    await pass(clock, 1_300_000);
    expect([...sink.taken].toSorted((a, b) => a - b)).toEqual(meant(500));
    expect(spool.state().cursors.old).toBe(500);
    expect(shipper.state()).toMatchObject({ lost: 0, lagRecords: 0 });
    expect(shipper.state()).not.toHaveProperty("lastError");
  });
});

describe("a batch", () => {
  it("sends again only what failed, and acknowledges a prefix without holes", async () => {
    const { clock, append, sink, spool } = start(new PieceSink({ maxRecords: 4, batchMax: 5 }));
    sink.answer = async (message, call) =>
      call === 1 && [5, 13].includes(message.first)
        ? { outcome: "failed", error: new HearthlineError("queue_send_failed", "busy") }
        : { outcome: "taken" };
    await append(20);
    await settle();
    expect(spool.state().cursors.old).toBe(4);
    await pass(clock, 5_000);
    expect(sink.asked.map(([first]) => first)).toEqual([1, 6, 9, 13, 17, 6, 13]);
    expect(spool.state().cursors.old).toBe(20);
  });

  it("what the answer does not name was not taken", async () => {
    const { clock, append, sink, spool } = start(new PieceSink({ maxRecords: 4, batchMax: 2 }));
    const send = sink.send.bind(sink);
    sink.send = async (messages) => (sink.calls < 3 ? (await send(messages)).slice(0, 1) : send(messages));
    await append(8);
    await settle();
    expect(spool.state().cursors.old).toBe(4);
    await pass(clock, 60_000);
    expect(spool.state().cursors.old).toBe(8);
  });
});

describe("an error", () => {
  it("waits as long as the sink said", async () => {
    const { clock, append, sink } = start();
    const error = new HearthlineError("service_throttled", "slow down");
    sink.answer = async (_, call) =>
      call === 1 ? { outcome: "failed", error, retryAfterMs: 300_000 } : { outcome: "taken" };
    await append(3);
    await pass(clock, 300_000);
    expect(sink.calls).toBe(1);
    await pass(clock, 2_000);
    expect(sink.calls).toBe(2);
  });

  it("is logged once for its kind until the sink works again, and shown with its time", async () => {
    const { clock, append, sink, lines, shipper } = start();
    sink.before = async (call) => {
      throw new HearthlineError(call % 2 ? "service_timeout" : "service_unreachable", `attempt ${call}`);
    };
    await append(3);
    const sinceMs = clock.nowMs() + 1_000;
    await pass(clock, 600_000);
    expect(lines.filter((line) => line.includes("did not take"))).toHaveLength(2);
    expect(shipper.state()).toMatchObject({ breaker: "open", failingSinceMs: sinceMs });
    sink.before = async () => {};
    await pass(clock, 60_000);
    expect(lines.filter((line) => line.includes("again"))).toHaveLength(1);
    expect(shipper.state()).toMatchObject({ breaker: "closed", lagRecords: 0 });
  });
});

describe("the log of an hour", () => {
  it("stays short while a sink takes one message and fails the next, a message a second", async () => {
    const { clock, append, sink, lines, shipper } = start();
    sink.answer = async (_, call) =>
      call % 2 ? { outcome: "taken" } : { outcome: "failed", error: new HearthlineError("service_failed", "500") };
    for (let second = 0; second < 3_600; second++) {
      await append(1);
      await clock.advance(1_000);
    }
    expect(sink.taken.size).toBeGreaterThan(2_800);
    expect(lines.length).toBeGreaterThan(2);
    expect(lines.length).toBeLessThanOrEqual(122);
    expect(shipper.state().breaker).toBe("closed");
  });

  it("stays short while the spool neither reads nor keeps a cursor", async () => {
    const { clock, append, sink, spool, lines } = start();
    const working = { read: spool.read, acknowledge: spool.acknowledge };
    const fails = async () => {
      throw new HearthlineError("spool_failed", "no space left");
    };
    Object.assign(spool, { acknowledge: fails });
    for (let second = 0; second < 600; second++) {
      await append(1);
      await clock.advance(1_000);
    }
    Object.assign(spool, { read: fails });
    for (let second = 0; second < 600; second++) {
      await append(1);
      await clock.advance(1_000);
    }
    expect(lines.length).toBeLessThanOrEqual(32);
    Object.assign(spool, working);
    await pass(clock, 61_000);
    expect(spool.state().cursors.old).toBe(1_200);
    expect([...sink.taken].toSorted((a, b) => a - b)).toEqual(meant(1_200));
  });
});

it("what means nothing to a sink that is away does not say that it is there", async () => {
  const { clock, append, sink, shipper } = start(new PieceSink({ maxRecords: 1 }));
  sink.before = async () => {
    throw new HearthlineError("service_unreachable", "away");
  };
  await append(4);
  await pass(clock, 300_000);
  expect(shipper.state().breaker).toBe("open");
  const { calls } = sink;
  await append(1);
  await pass(clock, 10_000);
  expect(shipper.state().breaker).toBe("open");
  expect(sink.calls - calls).toBeLessThan(5);
});

describe("a loss that cannot be written down", () => {
  it("keeps the cursor where it is until it can", async () => {
    const { clock, append, sink, spool, losses } = start();
    sink.answer = refusing([2], true);
    const recordLoss = spool.recordLoss.bind(spool);
    spool.recordLoss = async () => {
      throw new HearthlineError("spool_failed", "the disk is full");
    };
    await append(4);
    await pass(clock, 60_000);
    expect(spool.state().cursors.old).toBeLessThan(2);
    spool.recordLoss = recordLoss;
    await pass(clock, 10_000);
    expect(await losses()).toHaveLength(1);
    expect(spool.state().cursors.old).toBeGreaterThanOrEqual(4);
  });
});

it("two sinks on one spool: one that hangs or refuses holds up only itself, and the spool keeps what it has not taken", async () => {
  const clock = manualClock();
  const spool = createMemorySpool({ relayId: "r", clock, sinks: ["cloud", "old"], maxBytes: 1e9 });
  const [cloud, old] = [new PieceSink({ name: "cloud" }), new PieceSink()];
  const { log } = keepLog();
  const shippers = [cloud, old].map((sink) => createShipper({ sink, spool, clock, random: seededRandom(1), log }));
  for (const shipper of shippers) void shipper.run();
  old.before = () => new Promise(() => {});
  await spool.append(Array.from({ length: 100 }, (_, at) => stateEntry(`e${at}`)));
  for (const shipper of shippers) shipper.wake();
  await pass(clock, 5_000);
  expect([...cloud.taken]).toEqual(meant(100));
  expect(spool.state()).toMatchObject({ cursors: { cloud: 100, old: 0 }, records: 100 });
  expect(shippers.map((shipper) => shipper.state().lagRecords)).toEqual([0, 100]);
});

it("stops with a record in doubt: it is tried once more and stays in the spool", async () => {
  const { append, clock, sink, spool, shipper, ended, losses } = start();
  sink.answer = refusing([1], false);
  await append(1);
  await pass(clock, 5_000);
  const { calls } = sink;
  shipper.stop();
  await settle();
  await ended;
  expect(sink.calls).toBe(calls + 1);
  expect(spool.state().cursors.old).toBe(0);
  expect(await losses()).toEqual([]);
});
