import { describe, expect, it } from "vitest";
import { createLogger } from "../../../lib/base/log.ts";
import { type EventSourceOptions, startEventSource } from "../../../local/stack/event-source.ts";
import type { SqsEventRecord } from "../../../local/stack/sqs-record.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { fakeQueue } from "./fake-queue.ts";

type Answer = (records: readonly SqsEventRecord[]) => unknown;
const fail = (...ids: string[]) => ({ batchItemFailures: ids.map((itemIdentifier) => ({ itemIdentifier })) });
const idsOf = (records: readonly SqsEventRecord[], body: string) =>
  records.filter((record) => record.body === body).map(({ messageId }) => messageId);

function setUp(
  answer: Answer,
  more: Partial<EventSourceOptions> = {},
  queueOptions: { maxReceiveCount?: number } = {},
) {
  const clock = manualClock();
  const fake = fakeQueue({ clock, ...queueOptions });
  const batches: string[][] = [];
  const lines: string[] = [];
  const start = () =>
    startEventSource({
      name: "take",
      queue: fake.queue,
      queueArn: "arn:aws:sqs:us-east-1:000000000000:work",
      region: "us-east-1",
      invoke: async ({ Records }) => {
        batches.push(Records.map(({ body }) => body));
        return answer(Records);
      },
      timeoutMs: 2_000,
      reportsItemFailures: true,
      clock,
      random: () => 0.5,
      log: createLogger({ write: (line) => lines.push(line), clock }),
      ...more,
    });
  return { clock, fake, batches, lines, start };
}

/** Stops a source; the clock goes on meanwhile, as long as its last poll needs. */
async function stop(clock: ReturnType<typeof manualClock>, source: { stop(): Promise<void> }) {
  let isStopped = false;
  const stopped = source.stop().then(() => {
    isStopped = true;
  });
  for (let step = 0; step < 100 && !isStopped; step++) await clock.advance(500);
  await stopped;
}

describe("an event source", () => {
  it("deletes what went well and leaves what failed until its visibility time-out ends", async () => {
    const { clock, fake, batches, start } = setUp((records) => fail(...idsOf(records, "b")));
    fake.send("a", "b", "c");
    const source = start();
    await clock.advance(100);
    expect(batches).toEqual([["a", "b", "c"]]);
    expect(fake.left()).toEqual(["b"]);
    await clock.advance(9_000);
    expect(batches).toHaveLength(1);
    await clock.advance(3_000);
    expect(batches[1]).toEqual(["b"]);
    await stop(clock, source);
  });

  it("sets a message aside after maxReceiveCount receives, its neighbours long done", async () => {
    const { clock, fake, batches, start } = setUp(
      (records) => fail(...idsOf(records, "poison")),
      {},
      { maxReceiveCount: 3 },
    );
    fake.send("a", "poison", "z");
    const source = start();
    await clock.advance(60_000);
    expect(fake.dead).toEqual(["poison"]);
    expect(fake.left()).toEqual([]);
    expect(batches.filter((batch) => batch.includes("poison"))).toHaveLength(3);
    expect(batches.flat().filter((body) => body === "a")).toHaveLength(1);
    await stop(clock, source);
  });

  it("lets a failed message come again earlier when a back-off is set", async () => {
    const asked: number[] = [];
    const retryAfterSeconds = (count: number) => {
      asked.push(count);
      return 2;
    };
    let calls = 0;
    const { clock, fake, batches, start } = setUp((records) => (++calls < 3 ? fail(...idsOf(records, "a")) : null), {
      retryAfterSeconds,
    });
    fake.send("a");
    const source = start();
    await clock.advance(8_000);
    expect(batches).toHaveLength(3);
    expect(asked).toEqual([1, 2]);
    expect(fake.left()).toEqual([]);
    await stop(clock, source);
  });

  it.each<[string, Answer]>([
    [
      "a throw",
      () => {
        throw new Error("broken");
      },
    ],
    ["an id that is not in the batch", () => fail("unknown")],
    ["an empty id", () => fail("")],
    ["an entry without an id", () => ({ batchItemFailures: [{ id: "m1" }] })],
    ["a list that is no list", () => ({ batchItemFailures: "m1" })],
    ["text", () => "done"],
  ])("takes the whole batch for failed after %s", async (_, answer) => {
    const { clock, fake, lines, start } = setUp(answer);
    fake.send("a", "b");
    const source = start();
    await clock.advance(100);
    expect(fake.left()).toEqual(["a", "b"]);
    expect(lines.some((line) => line.includes("batch failed"))).toBe(true);
    await stop(clock, source);
  });

  it("takes the whole batch for failed when the function is too slow", async () => {
    const { clock, fake, lines, start } = setUp(() => new Promise(() => {}));
    fake.send("a");
    const source = start();
    await clock.advance(1_900);
    expect(lines).toEqual([]);
    await clock.advance(200);
    expect(lines[0]).toContain("time-out of 2000 ms");
    expect(fake.left()).toEqual(["a"]);
    await stop(clock, source);
  });

  it("deletes everything, whatever the answer, where item failures are not reported", async () => {
    const { clock, fake, start } = setUp((records) => fail(...idsOf(records, "a")), { reportsItemFailures: false });
    fake.send("a", "b");
    const source = start();
    await clock.advance(100);
    expect(fake.left()).toEqual([]);
    await stop(clock, source);
  });

  it("collects several receives into one batch", async () => {
    const { clock, fake, batches, start } = setUp(() => null, { batchSize: 25, windowMs: 3_000 });
    fake.send(...Array.from({ length: 30 }, (_, index) => `${index}`));
    const source = start();
    await clock.advance(100);
    expect(batches[0]).toHaveLength(25);
    expect(fake.receives.slice(0, 3).map(({ max }) => max)).toEqual([10, 10, 5]);
    await stop(clock, source);
  });

  it("waits for more as long as the window is open, counted from the first message", async () => {
    const { clock, fake, batches, start } = setUp(() => null, { batchSize: 100, windowMs: 3_000 });
    const source = start();
    await clock.advance(5_000);
    fake.send("a");
    await clock.advance(2_000);
    fake.send("b");
    expect(batches).toEqual([]);
    await clock.advance(3_000);
    expect(batches).toEqual([["a", "b"]]);
    await stop(clock, source);
  });

  it("keeps a batch under Lambda's 6 MiB and carries the rest over", async () => {
    const { clock, fake, batches, start } = setUp(() => null, { batchSize: 10 });
    fake.send(...Array.from({ length: 10 }, () => "x".repeat(1_000_000)));
    const source = start();
    await clock.advance(2_000);
    expect(batches.map((batch) => batch.length)).toEqual([6, 4]);
    expect(fake.left()).toEqual([]);
    await stop(clock, source);
  });

  it("runs no more invocations at once than it may, and receives nothing that nobody can take", async () => {
    const ends: (() => void)[] = [];
    const { clock, fake, batches, start } = setUp(() => new Promise((resolve) => ends.push(() => resolve(null))), {
      concurrency: 2,
      batchSize: 1,
      timeoutMs: 60_000,
    });
    fake.send("a", "b", "c");
    const source = start();
    await clock.advance(100);
    expect(batches).toEqual([["a"], ["b"]]);
    expect(fake.receives).toHaveLength(2);
    ends[0]?.();
    await clock.advance(100);
    expect(batches).toEqual([["a"], ["b"], ["c"]]);
    for (const end of ends) end();
    await stop(clock, source);
  });

  it("goes on after the queue could not be reached", async () => {
    const { clock, fake, batches, lines, start } = setUp(() => null);
    fake.failNext(3);
    fake.send("a");
    const source = start();
    await clock.advance(2_000);
    expect(lines).toHaveLength(3);
    expect(batches).toEqual([["a"]]);
    await stop(clock, source);
  });

  it("delivers again when it dies between invocation and deletion", async () => {
    const { clock, fake, batches, start } = setUp(() => null);
    const remove = fake.queue.remove;
    fake.queue.remove = () => new Promise(() => {});
    fake.send("a");
    void start();
    await clock.advance(100);
    fake.queue.remove = remove;
    const source = start();
    await clock.advance(12_000);
    expect(batches).toEqual([["a"], ["a"]]);
    expect(fake.left()).toEqual([]);
    await stop(clock, source);
  });

  it("when stopped, works off what it holds and takes nothing more", async () => {
    let end = () => {};
    const { clock, fake, batches, start } = setUp(
      () =>
        new Promise((resolve) => {
          end = () => resolve(null);
        }),
      { batchSize: 100, windowMs: 60_000, timeoutMs: 120_000 },
    );
    fake.send("a");
    const source = start();
    await clock.advance(1_000);
    expect(batches).toEqual([]);
    let isStopped = false;
    const stopped = source.stop().then(() => {
      isStopped = true;
    });
    await clock.advance(2_000);
    fake.send("late");
    expect(batches).toEqual([["a"]]);
    expect(isStopped).toBe(false);
    end();
    await clock.advance(1_000);
    await stopped;
    expect(fake.left()).toEqual(["late"]);
  });

  it("hands a message to the function in Lambda's shape", async () => {
    const seen: SqsEventRecord[] = [];
    const { clock, fake, start } = setUp((records) => void seen.push(...records));
    fake.send("a");
    const source = start();
    await clock.advance(100);
    expect(seen[0]).toEqual({
      messageId: "m1",
      receiptHandle: "m1/1",
      body: "a",
      attributes: { ApproximateReceiveCount: "1" },
      messageAttributes: {},
      md5OfBody: "-",
      eventSource: "aws:sqs",
      eventSourceARN: "arn:aws:sqs:us-east-1:000000000000:work",
      awsRegion: "us-east-1",
    });
    await stop(clock, source);
  });
});
