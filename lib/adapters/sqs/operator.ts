import type { QueueDepth, QueueMonitor } from "../../api/ports.ts";
import type { Clock } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import type { AwsClient } from "../aws/client.ts";
import type { SqsAttribute } from "./message.ts";
import { createQueueUrl, type QueueUrl } from "./queue-url.ts";
import { callSqsBatch } from "./send.ts";

/** Attributes that say why a message was set aside; a message that goes back to work leaves them behind. */
export const REASON_ATTRIBUTES = ["reason_code", "reason_detail", "sequence", "home_id"] as const;

/** A message as an operator looks at it. */
export interface PeekedMessage {
  readonly id: string;
  readonly body: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly sentAt?: string;
  /** How often it was received, this look included. */
  readonly receiveCount?: number;
}

export interface SqsOperator extends QueueMonitor {
  /**
   * Looks at up to `limit` messages (of a queue, or of `NAME-dead`) and puts them back at once; nothing is consumed.
   * SQS counts a look as a receive: looking often at a queue that has a redrive policy brings its messages nearer to the dead-letter queue.
   */
  peek(name: string, limit: number): Promise<readonly PeekedMessage[]>;
  /**
   * Moves messages from `NAME-dead` back to `NAME`: sends, then deletes. A crash in between leaves a message in both, never in neither.
   * At most as many as were there when it began (a message that fails again is not taken twice), and at most `limit`.
   */
  redrive(name: string, limit?: number): Promise<{ readonly moved: number; readonly remaining: number }>;
  /** Deletes every message of the queue (or of `NAME-dead`); how many there were, about. AWS takes one purge a minute. */
  purge(name: string): Promise<number>;
}

export interface SqsOperatorOptions {
  readonly client: AwsClient;
  readonly clock: Clock;
  readonly random: Random;
  /** Short names; a queue is called `PREFIX-NAME`, its dead-letter queue `PREFIX-NAME-dead`. */
  readonly names: readonly string[];
  readonly prefix: string;
}

interface Received {
  readonly MessageId: string;
  readonly ReceiptHandle: string;
  readonly Body: string;
  readonly Attributes?: Readonly<Record<string, string>>;
  readonly MessageAttributes?: Readonly<Record<string, SqsAttribute>>;
}

const RECEIVE_MAX_MESSAGES = 10;
/** How long messages in hand are hidden from others: longer than moving ten of them takes. */
const HOLD_SECONDS = 60;
/** A long poll asks every server of SQS, a short one only some: an empty answer then means little. */
const POLL_SECONDS = 1;
export const REDRIVE_MAX_MESSAGES = 100_000;

export function createSqsOperator(options: SqsOperatorOptions): SqsOperator {
  const { client, clock, random, names, prefix } = options;
  const urls = new Map<string, QueueUrl>();
  const urlOf = (name: string): Promise<string> => {
    const url = urls.get(name) ?? createQueueUrl(client, `${prefix}-${name}`);
    urls.set(name, url);
    return url();
  };

  async function counts(name: string): Promise<{ visible: number; inFlight: number }> {
    const { Attributes = {} } = await client.call<{ Attributes?: Record<string, string> }>("GetQueueAttributes", {
      QueueUrl: await urlOf(name),
      AttributeNames: ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    });
    return {
      visible: Number(Attributes.ApproximateNumberOfMessages ?? 0),
      inFlight: Number(Attributes.ApproximateNumberOfMessagesNotVisible ?? 0),
    };
  }

  async function receive(name: string, limit: number): Promise<readonly Received[]> {
    const answer = await client.call<{ Messages?: readonly Received[] }>(
      "ReceiveMessage",
      {
        QueueUrl: await urlOf(name),
        MaxNumberOfMessages: Math.min(limit, RECEIVE_MAX_MESSAGES),
        VisibilityTimeout: HOLD_SECONDS,
        WaitTimeSeconds: POLL_SECONDS,
        AttributeNames: ["SentTimestamp", "ApproximateReceiveCount"],
        MessageAttributeNames: ["All"],
      },
      { extraTimeoutMs: POLL_SECONDS * 1000 },
    );
    return answer.Messages ?? [];
  }

  const batch = async (operation: string, name: string, entries: readonly object[]) => {
    for (let start = 0; start < entries.length; start += RECEIVE_MAX_MESSAGES)
      await callSqsBatch(
        { operation, queueUrl: await urlOf(name), queue: `${prefix}-${name}` },
        entries.slice(start, start + RECEIVE_MAX_MESSAGES),
        { client, clock, random },
      );
  };
  const putBack = (name: string, held: readonly Received[]) =>
    batch(
      "ChangeMessageVisibilityBatch",
      name,
      held.map(({ ReceiptHandle }) => ({ ReceiptHandle, VisibilityTimeout: 0 })),
    );

  async function move(name: string, held: readonly Received[]): Promise<void> {
    const dead = `${name}-dead`;
    try {
      // One at a time: together they may be over the size of a batch, and a batch that fails half leaves more twins than needed.
      for (const message of held) {
        await batch("SendMessageBatch", name, [{ MessageBody: message.Body, ...withoutReasons(message) }]);
        await batch("DeleteMessageBatch", dead, [{ ReceiptHandle: message.ReceiptHandle }]);
      }
    } catch (thrown) {
      // What was not moved is looked for again soon; that this fails too changes nothing, the hold ends by itself.
      await putBack(dead, held).catch(() => {});
      throw thrown;
    }
  }

  return {
    depths: () =>
      Promise.all(
        names.map(async (name): Promise<QueueDepth> => {
          const [own, dead] = await Promise.all([counts(name), counts(`${name}-dead`)]);
          return { name, ...own, dead: dead.visible + dead.inFlight };
        }),
      ),

    async peek(name, limit) {
      const held = new Map<string, Received>();
      try {
        while (held.size < limit) {
          const received = await receive(name, limit - held.size);
          if (received.length === 0) break;
          for (const message of received) held.set(message.MessageId, message);
        }
      } finally {
        await putBack(name, [...held.values()]);
      }
      return [...held.values()].map(toPeeked);
    },

    async redrive(name, limit = REDRIVE_MAX_MESSAGES) {
      const { visible } = await counts(`${name}-dead`);
      const most = Math.min(limit, visible, REDRIVE_MAX_MESSAGES);
      let moved = 0;
      while (moved < most) {
        const held = await receive(`${name}-dead`, most - moved);
        if (held.length === 0) break;
        await move(name, held);
        moved += held.length;
      }
      const left = await counts(`${name}-dead`);
      return { moved, remaining: left.visible + left.inFlight };
    },

    async purge(name) {
      const { visible, inFlight } = await counts(name);
      await client.call("PurgeQueue", { QueueUrl: await urlOf(name) });
      return visible + inFlight;
    },
  };
}

function withoutReasons({ MessageAttributes = {} }: Received) {
  const kept = Object.entries(MessageAttributes).filter(
    ([name]) => !(REASON_ATTRIBUTES as readonly string[]).includes(name),
  );
  return kept.length > 0 ? { MessageAttributes: Object.fromEntries(kept) } : {};
}

function toPeeked({ MessageId, Body, Attributes = {}, MessageAttributes = {} }: Received): PeekedMessage {
  const { SentTimestamp, ApproximateReceiveCount } = Attributes;
  return {
    id: MessageId,
    body: Body,
    attributes: Object.fromEntries(
      Object.entries(MessageAttributes).map(([name, { StringValue, BinaryValue }]) => [
        name,
        StringValue ?? BinaryValue ?? "",
      ]),
    ),
    ...(SentTimestamp !== undefined && { sentAt: new Date(Number(SentTimestamp)).toISOString() }),
    ...(ApproximateReceiveCount !== undefined && { receiveCount: Number(ApproximateReceiveCount) }),
  };
}
