import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Context, SQSEvent } from "aws-lambda";
import { createDynamodbHomeDirectory } from "../../lib/adapters/dynamodb/homes.ts";
import { createDynamodbJobStore } from "../../lib/adapters/dynamodb/jobs.ts";
import { createSqliteEventStore } from "../../lib/adapters/sqlite/event-store.ts";
import { startDynaliteServer, tableAt } from "./dynalite.ts";
import { startFauxqsServer } from "./fauxqs.ts";

/** Queues, a table and a store in this process, and the environment that leads a function to them. */
export async function startOutside() {
  const [sqs, dynamodb] = await Promise.all([startFauxqsServer(), startDynaliteServer()]);
  const folder = mkdtempSync(join(tmpdir(), "hearthline-wiring-"));
  const path = join(folder, "store.db");
  for (const name of ["store", "analysis"]) {
    await sqs.client.call("CreateQueue", { QueueName: `t-${name}` });
    await sqs.client.call("CreateQueue", { QueueName: `t-${name}-dead` });
  }
  const table = await tableAt(dynamodb.url, "t-index");
  const store = createSqliteEventStore({ path });
  return {
    env: {
      AWS_ENDPOINT_URL_SQS: sqs.url,
      AWS_ENDPOINT_URL_DYNAMODB: dynamodb.url,
      HEARTHLINE_QUEUE_PREFIX: "t",
      HEARTHLINE_TABLE: "t-index",
      HEARTHLINE_SQLITE_PATH: path,
      HEARTHLINE_LOG_LEVEL: "error",
    },
    store,
    jobs: createDynamodbJobStore(table),
    homes: createDynamodbHomeDirectory(table),
    /** What lies in a queue, taken out of it. */
    received: async (name: string) => {
      const { QueueUrl } = await sqs.client.call<{ QueueUrl: string }>("GetQueueUrl", { QueueName: `t-${name}` });
      const answer = await sqs.client.call<{
        Messages?: { Body: string; MessageAttributes?: Record<string, { StringValue: string }> }[];
      }>("ReceiveMessage", { QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: ["All"] });
      return answer.Messages ?? [];
    },
    stop: async () => {
      await store.close();
      await Promise.all([sqs.stop(), dynamodb.stop()]);
      rmSync(folder, { recursive: true });
    },
  };
}

/** The event of an SQS event source. */
export const sqsEvent = (...bodies: string[]) =>
  ({ Records: bodies.map((body, at) => ({ messageId: `m${at}`, body })) }) as unknown as SQSEvent;

export const lambdaContext = {
  awsRequestId: "r1",
  getRemainingTimeInMillis: () => 30_000,
} as unknown as Context;
