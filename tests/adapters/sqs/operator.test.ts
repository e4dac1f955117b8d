import { expect, it } from "vitest";
import type { AwsClient } from "../../../lib/adapters/aws/client.ts";
import { createSqsOperator } from "../../../lib/adapters/sqs/operator.ts";
import { manualClock } from "../../support/manual-clock.ts";

/** Two queues in memory that note the order of operations; `failAt` throws before the operation of that number. */
function recorded(dead: readonly string[], failAt = Number.POSITIVE_INFINITY) {
  const queues = { "p-events": [] as string[], "p-events-dead": [...dead] };
  const held = new Set<string>();
  const log: string[] = [];
  let changes = 0;
  const client: AwsClient = {
    call: async <O>(operation: string, input: object): Promise<O> => {
      const {
        QueueName,
        QueueUrl = "",
        Entries = [],
        MaxNumberOfMessages = 1,
      } = input as {
        QueueName?: string;
        QueueUrl?: keyof typeof queues | "";
        Entries?: { Id: string; MessageBody: string; ReceiptHandle: string; VisibilityTimeout?: number }[];
        MaxNumberOfMessages?: number;
      };
      if (operation === "GetQueueUrl") return { QueueUrl: QueueName } as O;
      const queue = QueueUrl === "" ? [] : queues[QueueUrl];
      if (operation === "GetQueueAttributes")
        return { Attributes: { ApproximateNumberOfMessages: String(queue.length - held.size) } } as O;
      if (operation === "ReceiveMessage") {
        const bodies = queue.filter((body) => !held.has(body)).slice(0, MaxNumberOfMessages);
        for (const body of bodies) held.add(body);
        return { Messages: bodies.map((Body) => ({ MessageId: Body, ReceiptHandle: Body, Body })) } as O;
      }
      if (++changes === failAt) throw new Error("crash");
      for (const { MessageBody, ReceiptHandle } of Entries) {
        log.push(`${operation} ${MessageBody ?? ReceiptHandle}`);
        if (operation === "SendMessageBatch") queue.push(MessageBody);
        else held.delete(ReceiptHandle);
        if (operation === "DeleteMessageBatch") queue.splice(queue.indexOf(ReceiptHandle), 1);
      }
      return { Successful: Entries.map(({ Id }) => ({ Id })) } as O;
    },
  };
  const clock = manualClock();
  return {
    queues,
    log,
    operator: createSqsOperator({ client, clock, random: () => 0, names: ["events"], prefix: "p" }),
  };
}

it("sends before it deletes", async () => {
  const { operator, log } = recorded(["a", "b"]);
  await operator.redrive("events");
  expect(log).toEqual(["SendMessageBatch a", "DeleteMessageBatch a", "SendMessageBatch b", "DeleteMessageBatch b"]);
});

it.each([1, 2, 3, 4])("loses nothing when it is cut off at change %i, and goes on the next time", async (failAt) => {
  const { operator, queues } = recorded(["a", "b"], failAt);
  await expect(operator.redrive("events")).rejects.toThrow("crash");
  expect(new Set([...queues["p-events"], ...queues["p-events-dead"]])).toEqual(new Set(["a", "b"]));
  await operator.redrive("events");
  expect(new Set(queues["p-events"])).toEqual(new Set(["a", "b"]));
  expect(queues["p-events-dead"]).toEqual([]);
});
