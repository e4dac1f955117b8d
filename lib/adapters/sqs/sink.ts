import { HearthlineError, isHearthlineError, messageOf } from "../../base/errors.ts";
import { SQS_BATCH_MAX_MESSAGES } from "../../limits.ts";
import type { Packer, RelaySink, SinkAnswer, SinkMessage } from "../../relay/ports.ts";
import { type AwsClient, AwsError } from "../aws/client.ts";
import { packSqsBatches, type SqsEntry, toSqsEntry } from "./message.ts";
import { createQueueUrl, isQueueMissing, unknownQueue } from "./queue-url.ts";

export interface SqsSinkOptions {
  readonly name: string;
  readonly client: AwsClient;
  /** The queue's whole name, such as `hearthline-dev-events`. */
  readonly queue: string;
  readonly packer: Packer;
  readonly flushMs: number;
}

interface BatchAnswer {
  readonly Successful?: readonly { readonly Id: string }[];
  readonly Failed?: readonly { readonly Id: string; readonly Code?: string; readonly Message?: string }[];
}

interface Entry extends SqsEntry {
  /** The place of its message among those given. */
  readonly at: number;
}

const IN_FLIGHT_MAX = 4;
/** A home's line may be slow: a full batch gets the time that this many bytes a second take. */
const SLOWEST_BYTES_PER_SECOND = 16_384;

/** The message itself is wrong, says SQS; it says so of a character, never of the queue. */
const CONTENT = /InvalidMessageContents/;
/** Wrong or too large, but a queue that is set up wrongly (a small MaximumMessageSize) says the same of every message. */
const INPUT =
  /InvalidParameterValue|InvalidAttributeValue|MessageTooLong|MessageTooLarge|BatchRequestTooLong|RequestEntityTooLarge|Http413/;

/**
 * The relay's sink over SQS: batches of up to 10 messages and 1 MiB, one attempt each (the shipper tries again). Each message has its own answer, by what the service confirmed:
 * one that it does not name is not taken. A queue that is gone is looked up again at the next attempt.
 */
export function createSqsSink(options: SqsSinkOptions): RelaySink {
  const { name, client, queue, packer, flushMs } = options;
  const once: AwsClient = { call: (operation, input, more) => client.call(operation, input, { ...more, attempts: 1 }) };
  const url = createQueueUrl(once, queue);

  async function sendBatch(entries: readonly Entry[]): Promise<ReadonlyMap<number, SinkAnswer>> {
    const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
    try {
      const Entries = entries.map(({ at, bytes: _, ...entry }) => ({ ...entry, Id: String(at) }));
      const answer = await once.call<BatchAnswer>(
        "SendMessageBatch",
        { QueueUrl: await url(), Entries },
        { extraTimeoutMs: (bytes / SLOWEST_BYTES_PER_SECOND) * 1000 },
      );
      return new Map(entries.map(({ at }) => [at, answerOf(answer, String(at), queue)]));
    } catch (thrown) {
      if (isQueueMissing(thrown)) url.forget();
      const type = thrown instanceof AwsError ? thrown.type : "";
      if ((CONTENT.test(type) || INPUT.test(type)) && entries.length > 1) return sendSingly(entries);
      const error = isQueueMissing(thrown) ? unknownQueue(queue, thrown) : thrown;
      return new Map(entries.map(({ at }) => [at, refusalOf(type, messageOf(thrown)) ?? { outcome: "failed", error }]));
    }
  }

  /** One wrong message may have the whole request refused. */
  async function sendSingly(entries: readonly Entry[]): Promise<ReadonlyMap<number, SinkAnswer>> {
    const answers = new Map<number, SinkAnswer>();
    for (const entry of entries) for (const [at, answer] of await sendBatch([entry])) answers.set(at, answer);
    return answers;
  }

  return {
    name,
    packer,
    flushMs,
    batchMax: SQS_BATCH_MAX_MESSAGES,
    inFlightMax: IN_FLIGHT_MAX,
    async send(messages) {
      const answers = new Map<number, SinkAnswer>();
      const entries: Entry[] = [];
      for (const [at, message] of messages.entries()) {
        const entry = entryOf(message);
        if ("outcome" in entry) answers.set(at, entry);
        else entries.push({ ...entry, at });
      }
      for (const batch of packSqsBatches(entries))
        for (const [at, answer] of await sendBatch(batch)) answers.set(at, answer);
      return messages.map((_, at) => answers.get(at) ?? notNamed(queue));
    },
  };
}

/** An envelope is one piece. */
function entryOf({ pieces: [piece] }: SinkMessage): SqsEntry | SinkAnswer {
  try {
    return toSqsEntry({ body: piece?.text ?? "" });
  } catch (thrown) {
    if (!isHearthlineError(thrown)) throw thrown;
    return { outcome: "refused", reason: thrown.message, isCertain: true };
  }
}

function answerOf({ Successful = [], Failed = [] }: BatchAnswer, id: string, queue: string): SinkAnswer {
  if (Successful.some(({ Id }) => Id === id)) return { outcome: "taken" };
  const failed = Failed.find(({ Id }) => Id === id);
  if (!failed) return notNamed(queue);
  const { Code = "no reason", Message = "" } = failed;
  const said = `${Code}${Message && `: ${Message}`}`;
  const why = `A message for the queue "${queue}" was not taken: "${said}".`;
  const code = /Throttl|SlowDown|TooManyRequests/.test(Code) ? "service_throttled" : "queue_send_failed";
  return refusalOf(Code, said) ?? { outcome: "failed", error: new HearthlineError(code, why) };
}

function refusalOf(type: string, said: string): SinkAnswer | undefined {
  const isCertain = CONTENT.test(type);
  return isCertain || INPUT.test(type)
    ? { outcome: "refused", reason: `SQS refuses it: ${said}`, isCertain }
    : undefined;
}

const notNamed = (queue: string): SinkAnswer => ({
  outcome: "failed",
  error: new HearthlineError("queue_send_failed", `SQS did not say what became of a message for "${queue}".`),
});
