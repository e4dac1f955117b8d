import { describe, expect, it } from "vitest";
import type { AwsClient } from "../../lib/adapters/aws/client.ts";
import { createSqsOperator } from "../../lib/adapters/sqs/operator.ts";
import { createSqsQueue } from "../../lib/adapters/sqs/queue.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { systemRandom } from "../../lib/base/random.ts";
import type { QueueMessage } from "../../lib/ingest/ports.ts";
import { provisionQueues } from "../support/provision.ts";
import { queueConformance } from "./queue.ts";

interface Received {
  readonly Body: string;
  readonly ReceiptHandle: string;
  readonly MessageAttributes?: Record<string, { StringValue: string }>;
}

let number = 0;

/** Takes at least `count` messages, or what came until two polls in a row were empty. */
async function receiveAll(client: AwsClient, name: string, count: number): Promise<QueueMessage[]> {
  const { QueueUrl } = await client.call<{ QueueUrl: string }>("GetQueueUrl", { QueueName: name });
  const got: QueueMessage[] = [];
  for (let empty = 0; got.length < count && empty < 2; ) {
    const { Messages = [] } = await client.call<{ Messages?: Received[] }>("ReceiveMessage", {
      QueueUrl,
      MaxNumberOfMessages: 10,
      WaitTimeSeconds: 1,
      MessageAttributeNames: ["All"],
    });
    if (Messages.length === 0) empty++;
    for (const { Body, ReceiptHandle, MessageAttributes } of Messages) {
      await client.call("DeleteMessage", { QueueUrl, ReceiptHandle });
      const attributes = Object.entries(MessageAttributes ?? {}).map(([key, { StringValue }]) => [key, StringValue]);
      got.push({ body: Body, ...(attributes.length > 0 && { attributes: Object.fromEntries(attributes) }) });
    }
  }
  return got;
}

/** Queue, operator and provisioning against whatever speaks SQS there. */
export function sqsConformance(clientOf: () => AwsClient, limits?: Parameters<typeof queueConformance>[1]): void {
  const queueOf = (name: string) =>
    createSqsQueue({ client: clientOf(), name, clock: systemClock, random: systemRandom });
  const fresh = async () => {
    const prefix = `conformance-${++number}`;
    await provisionQueues(clientOf(), [{ name: `${prefix}-events`, visibilitySeconds: 30, maxReceiveCount: 2 }]);
    const operator = createSqsOperator({
      client: clientOf(),
      clock: systemClock,
      random: systemRandom,
      names: ["events"],
      prefix,
    });
    return { name: `${prefix}-events`, operator };
  };

  queueConformance(async () => {
    const { name } = await fresh();
    return { queue: queueOf(name), received: (count) => receiveAll(clientOf(), name, count) };
  }, limits);

  describe("operator", () => {
    const dead = (body: string): QueueMessage => ({
      body,
      attributes: { reason_code: "event_malformed", reason_detail: "why", sequence: "7", home_id: "home", kept: "yes" },
    });

    it("counts what is visible and what is dead", async () => {
      const { name, operator } = await fresh();
      await queueOf(name).send([{ body: "a" }, { body: "b" }]);
      await queueOf(`${name}-dead`).send([dead("c")]);
      expect(await operator.depths()).toEqual([{ name: "events", visible: 2, inFlight: 0, dead: 1 }]);
    });

    it("peeks without consuming, with the reasons", async () => {
      const { name, operator } = await fresh();
      const bodies = Array.from({ length: 13 }, (_, at) => `dead ${String(at).padStart(2, "0")}`);
      await queueOf(`${name}-dead`).send(bodies.map(dead));
      for (let look = 0; look < 2; look++) {
        const peeked = await operator.peek("events-dead", 20);
        expect(peeked.map(({ body }) => body).sort()).toEqual(bodies);
        expect(peeked[0]?.attributes).toEqual(dead("").attributes);
        expect(Date.parse(peeked[0]?.sentAt ?? "")).not.toBeNaN();
      }
      expect(await operator.peek("events-dead", 3)).toHaveLength(3);
      expect(await operator.depths()).toMatchObject([{ visible: 0, dead: 13 }]);
      expect(await receiveAll(clientOf(), `${name}-dead`, 13)).toHaveLength(13);
    });

    it("redrives: back in the queue without the reasons, gone from the dead", async () => {
      const { name, operator } = await fresh();
      const bodies = Array.from({ length: 12 }, (_, at) => `dead ${String(at).padStart(2, "0")}`);
      await queueOf(`${name}-dead`).send(bodies.map(dead));
      expect(await operator.redrive("events", 2)).toEqual({ moved: 2, remaining: 10 });
      expect(await operator.redrive("events")).toEqual({ moved: 10, remaining: 0 });
      expect(await operator.redrive("events")).toEqual({ moved: 0, remaining: 0 });
      const got = await receiveAll(clientOf(), name, 12);
      expect(got.map(({ body }) => body).sort()).toEqual(bodies);
      expect(got[0]?.attributes).toEqual({ kept: "yes" });
    });

    it("purges one queue only", async () => {
      const { name, operator } = await fresh();
      await queueOf(name).send([{ body: "a" }]);
      await queueOf(`${name}-dead`).send([dead("b"), dead("c")]);
      expect(await operator.purge("events-dead")).toBe(2);
      expect(await operator.depths()).toMatchObject([{ visible: 1, dead: 0 }]);
    });

    it("names a queue that is not there", async () => {
      const { operator } = await fresh();
      await expect(operator.peek("nothing", 1)).rejects.toMatchObject({ code: "queue_unknown" });
      await expect(queueOf("not-there").send([{ body: "a" }])).rejects.toMatchObject({ code: "queue_unknown" });
    });
  });

  it("provisions again and changes what differs; a message too often received is dead", async () => {
    const { name } = await fresh();
    const client = clientOf();
    await provisionQueues(client, [{ name, visibilitySeconds: 1, maxReceiveCount: 1 }]);
    const { QueueUrl } = await client.call<{ QueueUrl: string }>("GetQueueUrl", { QueueName: name });
    const { Attributes } = await client.call<{ Attributes: Record<string, string> }>("GetQueueAttributes", {
      QueueUrl,
      AttributeNames: ["All"],
    });
    expect(Attributes.VisibilityTimeout).toBe("1");
    expect(JSON.parse(Attributes.RedrivePolicy ?? "{}")).toMatchObject({
      deadLetterTargetArn: expect.stringContaining(`${name}-dead`),
    });
    await queueOf(name).send([{ body: "poison" }]);
    const receive = () =>
      client.call<{ Messages?: Received[] }>("ReceiveMessage", { QueueUrl, VisibilityTimeout: 0, WaitTimeSeconds: 1 });
    expect((await receive()).Messages).toHaveLength(1);
    expect((await receive()).Messages ?? []).toHaveLength(0);
    expect((await receiveAll(client, `${name}-dead`, 1)).map(({ body }) => body)).toEqual(["poison"]);
  });
}
