import { afterAll, afterEach, describe, expect, it } from "vitest";
import { createAwsClient } from "../../lib/adapters/aws/client.ts";
import { createMemorySpool } from "../../lib/adapters/memory/spool.ts";
import { createSqsSink } from "../../lib/adapters/sqs/sink.ts";
import { type Clock, systemClock } from "../../lib/base/clock.ts";
import { seededRandom } from "../../lib/base/random.ts";
import { openEnvelope, readEnvelope } from "../../lib/event/index.ts";
import { createEnvelopePacker } from "../../lib/relay/index.ts";
import type { Spool } from "../../lib/relay/ports.ts";
import { createShipper, type Shipper } from "../../lib/relay/ship.ts";
import { KEY, keepLog } from "../relay/fakes.ts";
import { type Fault, type FaultProxy, startFaultProxy } from "../support/fault-proxy.ts";
import { sqsClientAt } from "../support/fauxqs.ts";
import { describePeer, freePort, peerFolder, startPeer, stopPeer } from "../support/peers.ts";
import { stateEntry } from "../support/relay-records.ts";
import { until } from "../support/stack.ts";

const { dir, remove } = await peerFolder("elasticmq");
const port = String(await freePort());

/** Back-off waits take a tenth of their time here; the server's time stays what it is. */
const hurried: Clock = {
  nowMs: systemClock.nowMs,
  monotonicMs: () => systemClock.monotonicMs() * 10,
  sleep: (ms, signal) => systemClock.sleep(ms / 10, signal),
};

interface Started {
  readonly spool: Spool;
  readonly shipper: Shipper;
  readonly lines: string[];
  append(count: number): Promise<void>;
}

await describePeer(
  "the cloud's sink against a real SQS server",
  () => startPeer("elasticmq", ["--dir", dir, "--port", port]),
  ({ url, version, pid }) =>
    describe(`the cloud's sink against ElasticMQ ${version}`, () => {
      const direct = sqsClientAt(url);
      const running: { shipper: Shipper; ended: Promise<void>; proxy: FaultProxy }[] = [];
      /** What was taken out of the queue, over its life: numbers by relay. */
      const received = new Set<number>();
      let serverPid = pid;
      let queues = 0;
      let queue = "";

      afterEach(async () => {
        for (const { shipper, ended, proxy } of running.splice(0)) {
          shipper.stop();
          await ended;
          await proxy.stop();
        }
      });
      afterAll(async () => {
        await stopPeer(dir);
        await remove();
      });

      const createQueue = () => direct.call("CreateQueue", { QueueName: queue });
      const queueUrl = async () =>
        (await direct.call<{ QueueUrl: string }>("GetQueueUrl", { QueueName: queue })).QueueUrl;

      async function start(decide: FaultProxy["decide"], timeoutMs = 2_000): Promise<Started & { proxy: FaultProxy }> {
        queue = `sinks-${++queues}-events`;
        received.clear();
        await createQueue();
        const proxy = await startFaultProxy(url);
        proxy.decide = decide;
        const random = seededRandom(queues);
        const client = createAwsClient({
          service: "sqs",
          region: "us-east-1",
          endpoint: proxy.url,
          credentials: () => ({ accessKeyId: "test", secretAccessKey: "test" }),
          clock: systemClock,
          random,
          timeoutMs,
        });
        const clock = hurried;
        const spool = createMemorySpool({ relayId: "r", clock, sinks: ["cloud"], maxBytes: 1e9 });
        const packer = createEnvelopePacker({ homeId: "home", relayId: "r", key: KEY, clock });
        const sink = createSqsSink({ name: "cloud", client, queue, packer, flushMs: 200 });
        const { log, lines } = keepLog();
        const shipper = createShipper({ sink, spool, clock, random, log });
        running.push({ shipper, ended: shipper.run(), proxy });
        const append = async (count: number) => {
          await spool.append(Array.from({ length: count }, (_, at) => stateEntry(`e${at}`)));
          shipper.wake();
        };
        return { spool, shipper, lines, append, proxy };
      }

      /** Takes what is there out of the queue. */
      async function drain(): Promise<void> {
        const QueueUrl = await queueUrl();
        for (;;) {
          const { Messages = [] } = await direct.call<{ Messages?: { Body: string; ReceiptHandle: string }[] }>(
            "ReceiveMessage",
            { QueueUrl, MaxNumberOfMessages: 10 },
          );
          if (Messages.length === 0) return;
          for (const { Body, ReceiptHandle } of Messages) {
            for (const line of openEnvelope(readEnvelope(Body), KEY))
              received.add((JSON.parse(line) as { n: number }).n);
            await direct.call("DeleteMessage", { QueueUrl, ReceiptHandle });
          }
        }
      }

      const sent = ({ spool, shipper }: Started) =>
        until(
          async () => shipper.state(),
          ({ lagRecords }) => lagRecords === 0 && spool.state().lastSequence > 0,
          { deadlineMs: 90_000 },
        );
      const expectComplete = ({ spool }: Started) => {
        const missing: number[] = [];
        for (let n = 1; n <= spool.state().lastSequence; n++) if (!received.has(n)) missing.push(n);
        expect(missing).toEqual([]);
      };

      it("everything arrives through throttling, 5xx, resets, lost answers and slow answers", async () => {
        const random = seededRandom(11);
        const throttled = JSON.stringify({ __type: "com.amazonaws.sqs#RequestThrottled", message: "Rate exceeded" });
        const faults: readonly Fault[] = [
          { how: "answer", status: 400, body: throttled },
          { how: "answer", status: 503, body: "<html>busy</html>" },
          { how: "answer", status: 500, body: JSON.stringify({ __type: "InternalFailure" }) },
          { how: "answer", status: 429, body: "" },
          { how: "reset" },
          { how: "lose" },
          { how: "pass", delayMs: 2_500 },
          { how: "pass", delayMs: 100 },
        ];
        let faulty = 0;
        const started = await start(() => {
          const fault = ++faulty <= 24 && random() < 0.7 ? faults[Math.floor(random() * faults.length)] : undefined;
          return fault ?? { how: "pass" };
        });
        for (let round = 0; round < 15; round++) {
          await started.append(200);
          await new Promise((done) => setTimeout(done, 60));
        }
        await sent(started);
        await drain();
        expectComplete(started);
        expect(started.spool.state().losses).toBe(0);
        expect(started.proxy.counts.size).toBeGreaterThanOrEqual(3);
        expect(started.shipper.state()).not.toHaveProperty("lastError");
      });

      it("a server that is killed and started again in the middle", async () => {
        const started = await start(() => ({ how: "pass" }));
        await started.append(2_000);
        await until(
          async () => started.shipper.state().cursor,
          (cursor) => cursor > 0,
        );
        await drain();
        process.kill(serverPid, "SIGKILL");
        await started.append(2_000);
        const broken = await until(
          async () => started.shipper.state(),
          ({ lastError }) => lastError !== undefined,
        );
        expect(broken.lastError).toMatch(/could not reach|does not exist/);
        // In memory only: the queue is gone with the server, and so is what was in it and not taken out.
        const atKill = broken.cursor;
        ({ pid: serverPid } = await startPeer("elasticmq", ["--dir", dir, "--port", port]));
        await until(
          async () => started.shipper.state().lastError,
          (error) => error?.includes("does not exist") === true,
          { deadlineMs: 60_000 },
        );
        expect(started.shipper.state().cursor).toBe(atKill);
        await createQueue();
        await sent(started);
        await drain();
        for (let n = atKill + 1; n <= started.spool.state().lastSequence; n++) expect(received.has(n)).toBe(true);
        expect(started.lines.filter((line) => line.includes("takes messages again"))).toHaveLength(1);
      });

      it("a queue that is deleted and made again, and one that is purged", async () => {
        const started = await start(() => ({ how: "pass" }));
        await started.append(100);
        await sent(started);
        await drain();
        await direct.call("DeleteQueue", { QueueUrl: await queueUrl() });
        await started.append(100);
        const gone = await until(
          async () => started.shipper.state(),
          ({ lastError }) => lastError !== undefined,
        );
        expect(gone.lastError).toContain(`The queue "${queue}" was looked up and does not exist`);
        await createQueue();
        await sent(started);
        await drain();
        await direct.call("PurgeQueue", { QueueUrl: await queueUrl() });
        await started.append(100);
        await sent(started);
        await drain();
        expectComplete(started);
      });

      it("credentials that have expired: nothing is lost, and the reason is said until they are renewed", async () => {
        let isExpired = true;
        const body = JSON.stringify({ __type: "com.amazon.coral.service#ExpiredTokenException", message: "expired" });
        const started = await start(() => (isExpired ? { how: "answer", status: 403, body } : { how: "pass" }));
        await started.append(500);
        const broken = await until(
          async () => started.shipper.state(),
          ({ lastError }) => lastError !== undefined,
        );
        expect(broken).toMatchObject({ cursor: 0, lastError: expect.stringContaining("ExpiredTokenException") });
        isExpired = false;
        await sent(started);
        await drain();
        expectComplete(started);
      });

      it("the backlog of an outage goes in batches", async () => {
        let isAway = true;
        const started = await start(() => ({ how: isAway ? "reset" : "pass" }), 10_000);
        const random = seededRandom(5);
        // As a home's events: their texts differ, so that a message holds hundreds, not thousands.
        for (let round = 0; round < 60; round++) {
          await started.spool.append(
            Array.from({ length: 1_000 }, () => {
              const { text } = stateEntry("sensor", 200);
              return { text: text.replaceAll("x", () => random().toString(36)[3] ?? "x") };
            }),
          );
        }
        started.shipper.wake();
        await until(
          async () => started.shipper.state(),
          ({ lastError }) => lastError !== undefined,
        );
        isAway = false;
        const { messages } = await sent(started);
        const passed = started.proxy.counts.get("pass") ?? 0;
        expect(messages / passed).toBeGreaterThan(3);
        await drain();
        expectComplete(started);
      });
    }),
);
