import type { SQSEvent } from "aws-lambda";
import type { AwsClient } from "../../lib/adapters/aws/client.ts";
import type { SqsHandler } from "../../lib/wiring/handler.ts";
import { readBatchAnswer } from "../../local/stack/batch-answer.ts";
import { createSourceQueue, type ReceivedMessage } from "../../local/stack/source-queue.ts";
import { toSqsRecord } from "../../local/stack/sqs-record.ts";
import { type Functions, type Handler, lambdaContext } from "./pipeline-functions.ts";

/** The queues with the function behind each and its batch size, as in serverless.yml; in the order in which an event passes them. */
const SOURCES = {
  events: { name: "enrich", batchSize: 10 },
  store: { name: "store", batchSize: 10 },
  index: { name: "index-devices", batchSize: 100 },
  analysis: { name: "analyze", batchSize: 1 },
} as const;
export type WorkQueue = keyof typeof SOURCES;
export const WORK_QUEUES = Object.keys(SOURCES) as WorkQueue[];

/** How a batch is delivered: as it should be; again because its answer was lost; to two functions at the same moment. */
export type Delivery = "once" | "again" | "at-once";

export interface Delivered {
  readonly messages: number;
  /** How many of them come again. */
  readonly failed: number;
}

/** A dead letter: its body, and why it was set aside. */
export interface DeadLetter {
  readonly body: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly code: string | undefined;
}

const NOT_ENDING = 2_000;

/** What Lambda's event sources do, batch by batch, when the test says so. The queues must be there. */
export async function createPump(client: AwsClient, prefix: string, functions: Functions) {
  const queueCalled = async (name: string) => {
    const { QueueUrl } = await client.call<{ QueueUrl: string }>("GetQueueUrl", { QueueName: `${prefix}-${name}` });
    return createSourceQueue(client, QueueUrl);
  };
  const all = async (suffix: string) =>
    Object.fromEntries(
      await Promise.all(WORK_QUEUES.map(async (name) => [name, await queueCalled(`${name}${suffix}`)])),
    ) as Record<WorkQueue, Awaited<ReturnType<typeof queueCalled>>>;
  const sources = await all("");
  const deadLetters = await all("-dead");

  async function receive(name: WorkQueue, most: number = SOURCES[name].batchSize): Promise<ReceivedMessage[]> {
    const held: ReceivedMessage[] = [];
    while (held.length < most) {
      const some = await sources[name].receive(most - held.length, 0);
      if (some.length === 0) break;
      held.push(...some);
    }
    return held;
  }

  /** Calls a function with messages; the ids of those that shall come again, as Lambda reads its answer. */
  async function invoke(
    name: WorkQueue,
    held: readonly ReceivedMessage[],
    handler?: Handler,
  ): Promise<ReadonlySet<string>> {
    const Records = held.map((message) =>
      toSqsRecord(message, { queueArn: `arn:aws:sqs:us-east-1:0:${name}`, region: "us-east-1" }),
    );
    const ids = held.map(({ MessageId }) => MessageId);
    try {
      const work = (handler ?? functions.instanceOf(SOURCES[name].name)) as SqsHandler;
      return readBatchAnswer(await work({ Records } as unknown as SQSEvent, lambdaContext), ids).failed;
    } catch {
      return new Set(ids);
    }
  }

  /** Deletes what is done, shows again what is not. */
  async function settle(
    name: WorkQueue,
    held: readonly ReceivedMessage[],
    failed: ReadonlySet<string>,
  ): Promise<Delivered> {
    await sources[name].remove(held.filter(({ MessageId }) => !failed.has(MessageId)));
    const again = held.filter(({ MessageId }) => failed.has(MessageId));
    for (const message of again) await sources[name].hide(message, 0);
    return { messages: held.length, failed: again.length };
  }

  /** One batch of a queue. `loseAnswer`: the function does its work and nobody hears of it, so that all comes again. */
  async function deliver(
    name: WorkQueue,
    options: { readonly how?: Delivery; readonly loseAnswer?: boolean; readonly most?: number } = {},
  ): Promise<Delivered> {
    const { how = "once", loseAnswer = false } = options;
    const held = await receive(name, options.most);
    if (held.length === 0) return { messages: 0, failed: 0 };
    let failed: ReadonlySet<string>;
    if (how === "at-once") {
      const [one, other] = await Promise.all([
        invoke(name, held),
        invoke(name, held, functions.fresh(SOURCES[name].name)),
      ]);
      failed = new Set([...one, ...other]);
    } else {
      failed = await invoke(name, held);
      if (how === "again")
        failed = new Set([...failed, ...(await invoke(name, held, functions.fresh(SOURCES[name].name)))]);
    }
    return settle(name, held, loseAnswer ? new Set(held.map(({ MessageId }) => MessageId)) : failed);
  }

  /** Delivers until nothing is left in any queue: what fails again and again is left to the redrive policy. */
  async function drain(how: Delivery = "once"): Promise<void> {
    for (let batches = 0; batches < NOT_ENDING; ) {
      let messages = 0;
      for (const name of WORK_QUEUES) {
        const delivered = await deliver(name, { how });
        messages += delivered.messages;
        if (delivered.messages > 0) batches++;
      }
      if (messages === 0) return;
    }
    throw new Error(`The queues are not empty after ${NOT_ENDING} batches.`);
  }

  /** All dead letters of a queue, left where they are. Not the operator's `peek`, which waits a second for more. */
  async function dead(name: WorkQueue): Promise<DeadLetter[]> {
    const queue = deadLetters[name];
    const held: ReceivedMessage[] = [];
    for (let some = await queue.receive(10, 0); some.length > 0; some = await queue.receive(10, 0)) held.push(...some);
    for (const message of held) await queue.hide(message, 0);
    return held.map(({ Body: body, MessageAttributes = {} }) => {
      const attributes = Object.fromEntries(
        Object.entries(MessageAttributes).map(([key, value]) => [key, value.StringValue ?? ""]),
      );
      return { body, attributes, code: attributes.reason_code };
    });
  }

  return { receive, invoke, settle, deliver, drain, dead };
}
