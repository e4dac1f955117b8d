import { SQS_BATCH_MAX_MESSAGES } from "../../lib/limits.ts";
import type { Cloud } from "../../lib/wiring/aws.ts";

/** A message as ReceiveMessage gives it. Names are SQS' own. */
export interface ReceivedMessage {
  readonly MessageId: string;
  readonly ReceiptHandle: string;
  readonly Body: string;
  readonly MD5OfBody?: string;
  readonly Attributes?: Readonly<Record<string, string>>;
  readonly MessageAttributes?: Readonly<
    Record<string, { readonly DataType: string; readonly StringValue?: string; readonly BinaryValue?: string }>
  >;
}

/** What an event source needs of its queue. */
export interface SourceQueue {
  /** Up to `max` messages (at most 10), waiting up to `waitSeconds` (0 to 20) for the first. */
  receive(max: number, waitSeconds: number): Promise<readonly ReceivedMessage[]>;
  /** The ids of the messages that could not be deleted; they come again. */
  remove(messages: readonly ReceivedMessage[]): Promise<readonly string[]>;
  /** Hides a message for `seconds` from now. */
  hide(message: ReceivedMessage, seconds: number): Promise<void>;
}

/** A queue over SQS' own protocol. Retries are the client's; nothing here is tried again. */
export function createSourceQueue(sqs: Cloud["sqs"], queueUrl: string): SourceQueue {
  return {
    async receive(max, waitSeconds) {
      const { Messages = [] } = await sqs.call<{ Messages?: ReceivedMessage[] }>(
        "ReceiveMessage",
        {
          QueueUrl: queueUrl,
          MaxNumberOfMessages: Math.min(max, SQS_BATCH_MAX_MESSAGES),
          WaitTimeSeconds: waitSeconds,
          AttributeNames: ["All"],
          MessageAttributeNames: ["All"],
        },
        { extraTimeoutMs: waitSeconds * 1000, attempts: 1 },
      );
      return Messages;
    },
    async remove(messages) {
      const failed: string[] = [];
      for (let from = 0; from < messages.length; from += SQS_BATCH_MAX_MESSAGES) {
        const some = messages.slice(from, from + SQS_BATCH_MAX_MESSAGES);
        const { Failed = [] } = await sqs.call<{ Failed?: { Id: string }[] }>("DeleteMessageBatch", {
          QueueUrl: queueUrl,
          Entries: some.map((message, index) => ({ Id: String(index), ReceiptHandle: message.ReceiptHandle })),
        });
        failed.push(...Failed.flatMap(({ Id }) => some[Number(Id)]?.MessageId ?? []));
      }
      return failed;
    },
    async hide(message, seconds) {
      await sqs.call("ChangeMessageVisibility", {
        QueueUrl: queueUrl,
        ReceiptHandle: message.ReceiptHandle,
        VisibilityTimeout: seconds,
      });
    },
  };
}
