import type { Clock } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import type { Queue } from "../../ingest/ports.ts";
import type { AwsClient } from "../aws/client.ts";
import { packSqsBatches, toSqsEntry } from "./message.ts";
import { createQueueUrl } from "./queue-url.ts";
import { callSqsBatch } from "./send.ts";

export interface SqsQueueOptions {
  readonly client: AwsClient;
  /** The queue's whole name, such as `hearthline-dev-events`. */
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * The queue port over SQS. All messages are checked before the first is sent.
 * @throws HearthlineError (from `send`) `queue_message_invalid`, `queue_unknown`, `queue_send_failed`, and the service errors
 */
export function createSqsQueue({ client, name, clock, random }: SqsQueueOptions): Queue {
  const url = createQueueUrl(client, name);
  return {
    async send(messages) {
      const batches = packSqsBatches(messages.map(toSqsEntry));
      if (batches.length === 0) return;
      const call = { operation: "SendMessageBatch", queueUrl: await url(), queue: name };
      for (const batch of batches) {
        const entries = batch.map(({ bytes: _, ...entry }) => entry);
        await callSqsBatch(call, entries, { client, clock, random });
      }
    },
  };
}
