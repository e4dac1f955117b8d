import { HearthlineError } from "../../base/errors.ts";
import type { Queue, QueueMessage } from "../../ingest/ports.ts";
import { SQS_MESSAGE_MAX_BYTES } from "../../limits.ts";

/** A queue that keeps what was sent, in the order in which it was sent. */
export interface MemoryQueue extends Queue {
  readonly messages: readonly QueueMessage[];
  /** All messages, which are gone from the queue then. */
  take(): readonly QueueMessage[];
}

/** Refuses, as SQS does, a message that is too large: then nothing of that `send` is taken. */
export function createMemoryQueue(): MemoryQueue {
  const messages: QueueMessage[] = [];
  return {
    messages,
    take: () => messages.splice(0),
    send: async (sent) => {
      for (const message of sent) {
        const bytes = bytesOf(message);
        if (bytes <= SQS_MESSAGE_MAX_BYTES && message.body !== "") continue;
        throw new HearthlineError(
          "queue_message_invalid",
          `A message of ${bytes} bytes was not sent: wanted are 1 to ${SQS_MESSAGE_MAX_BYTES} bytes.`,
        );
      }
      messages.push(...sent);
    },
  };
}

/** SQS counts the body and the names, types and values of attributes. */
const bytesOf = ({ body, attributes = {} }: QueueMessage): number =>
  Object.entries(attributes).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + "String".length + Buffer.byteLength(value),
    Buffer.byteLength(body),
  );
