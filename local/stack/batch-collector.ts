import type { Clock } from "../../lib/base/clock.ts";
import { messageOf } from "../../lib/base/errors.ts";
import type { Logger } from "../../lib/base/log.ts";
import type { Random } from "../../lib/base/random.ts";
import { backoffMs } from "../../lib/base/retry.ts";
import { LAMBDA_PAYLOAD_MAX_BYTES, SQS_BATCH_MAX_MESSAGES } from "../../lib/limits.ts";
import type { ReceivedMessage, SourceQueue } from "./source-queue.ts";
import { type SqsEventRecord, toSqsRecord } from "./sqs-record.ts";

export interface CollectorOptions {
  /** The function's key, for logs. */
  readonly name: string;
  readonly queue: SourceQueue;
  readonly queueArn: string;
  readonly region: string;
  /** 1 to 10,000. Default 10. */
  readonly batchSize?: number;
  /** How long a batch may wait for more once it has its first message, 0 to 300,000. Default 0: whatever one receive gives. */
  readonly windowMs?: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** A long poll is short here, so that a stop need not wait for long: an aborted poll could take messages along with it. */
const POLL_SECONDS = 1;
/** When a window has less than a second left, long polls are too coarse: the queue is asked this often. */
const WINDOW_STEP_MS = 200;
const RECORDS_FRAME_BYTES = 32;

/** A message with what its function gets, and how much of the payload that takes. */
export interface SqsMessage {
  readonly received: ReceivedMessage;
  readonly record: SqsEventRecord;
  readonly bytes: number;
}

function toSqsMessage(received: ReceivedMessage, options: CollectorOptions): SqsMessage {
  const record = toSqsRecord(received, options);
  return { received, record, bytes: Buffer.byteLength(JSON.stringify(record)) + 1 };
}

export interface Collector {
  /** The next batch: by size, window and payload. Empty when nothing came within a poll, or when the queue could not be reached. */
  collect(): Promise<readonly SqsMessage[]>;
  /** Whether messages were received that no batch has taken yet. */
  hasCarried(): boolean;
}

/** Collects batches from a queue. After `stopping` it receives no more, and gives what it holds at once. */
export function createCollector(options: CollectorOptions, stopping: AbortSignal): Collector {
  const { queue, clock, random, log, batchSize = 10, windowMs = 0 } = options;
  // Received already, but no room in the batch before.
  let carried: readonly SqsMessage[] = [];
  let failures = 0;

  async function receive(max: number, waitSeconds: number): Promise<readonly SqsMessage[]> {
    try {
      const messages = await queue.receive(max, waitSeconds);
      failures = 0;
      return messages.map((message) => toSqsMessage(message, options));
    } catch (thrown) {
      failures++;
      log.warn("could not receive", { source: options.name, attempt: failures, error: messageOf(thrown) });
      await clock.sleep(backoffMs(failures, random, { baseMs: 100, maxMs: 5_000 }), stopping);
      return [];
    }
  }

  async function collect(): Promise<readonly SqsMessage[]> {
    const batch: SqsMessage[] = [];
    let bytes = RECORDS_FRAME_BYTES;
    const take = (messages: readonly SqsMessage[]) => {
      for (const [index, message] of messages.entries()) {
        if (batch.length >= batchSize || (batch.length > 0 && bytes + message.bytes > LAMBDA_PAYLOAD_MAX_BYTES)) {
          carried = messages.slice(index);
          return;
        }
        batch.push(message);
        bytes += message.bytes;
      }
      carried = [];
    };
    take(carried);
    let until = clock.monotonicMs() + windowMs;
    while (carried.length === 0 && batch.length < batchSize && !stopping.aborted) {
      const leftMs = batch.length === 0 ? POLL_SECONDS * 1000 : until - clock.monotonicMs();
      if (leftMs <= 0) break;
      const waitSeconds = Math.min(POLL_SECONDS, Math.floor(leftMs / 1000));
      const wasEmpty = batch.length === 0;
      const received = await receive(Math.min(SQS_BATCH_MAX_MESSAGES, batchSize - batch.length), waitSeconds);
      take(received);
      if (wasEmpty && batch.length === 0) break;
      if (wasEmpty) until = clock.monotonicMs() + windowMs;
      if (received.length === 0 && waitSeconds === 0)
        await clock.sleep(Math.min(WINDOW_STEP_MS, Math.max(1, until - clock.monotonicMs())), stopping);
    }
    return batch;
  }

  return { collect, hasCarried: () => carried.length > 0 };
}
