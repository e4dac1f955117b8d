import { HearthlineError, messageOf } from "../../lib/base/errors.ts";
import { readBatchAnswer } from "./batch-answer.ts";
import { type CollectorOptions, createCollector, type SqsMessage } from "./batch-collector.ts";
import type { SqsEventRecord } from "./sqs-record.ts";

export interface EventSourceOptions extends CollectorOptions {
  /** Calls the function. A throw means that the whole batch failed. */
  readonly invoke: (event: { readonly Records: readonly SqsEventRecord[] }) => Promise<unknown>;
  /** The function's time-out: an invocation that takes longer counts as failed. */
  readonly timeoutMs: number;
  /** Invocations at the same time, 1 or more. Default 2. */
  readonly concurrency?: number;
  /** Whether the answer names the messages that failed. If not, any answer means that all went well. */
  readonly reportsItemFailures?: boolean;
  /**
   * After how many seconds a failed message may come again, given how often it was received. Without it, it comes when its visibility time-out ends, as on AWS.
   * Never longer than that time-out, or the message would come late.
   */
  readonly retryAfterSeconds?: (receiveCount: number) => number;
}

export interface EventSource {
  /** Receives no more, lets the invocations under way end, and resolves then. */
  stop(): Promise<void>;
}

/**
 * A queue as a function's event source, as Lambda does it: batches by size, window and payload; the answer's failures come again, the rest is deleted;
 * after `maxReceiveCount` the queue itself sets a message aside. A crash between invocation and deletion delivers again.
 */
export function startEventSource(options: EventSourceOptions): EventSource {
  const { log, concurrency = 2 } = options;
  const stopping = new AbortController();
  const running = new Set<Promise<void>>();
  const collector = createCollector(options, stopping.signal);

  async function poll(): Promise<void> {
    while (!stopping.signal.aborted || collector.hasCarried()) {
      // Never more than can be worked on: what waits here would run into its visibility time-out.
      if (running.size >= concurrency) await Promise.race(running);
      const batch = await collector.collect();
      if (batch.length === 0) continue;
      const run: Promise<void> = work(batch, options)
        .catch((thrown: unknown) => log.error("batch given up", { source: options.name, error: messageOf(thrown) }))
        .finally(() => running.delete(run));
      running.add(run);
    }
    await Promise.all(running);
  }

  const polling = poll();
  return {
    stop: () => {
      stopping.abort();
      return polling;
    },
  };
}

async function work(batch: readonly SqsMessage[], options: EventSourceOptions): Promise<void> {
  const { queue, log, name } = options;
  const failed = await failuresOf(batch, options);
  const done = batch.filter(({ record }) => !failed.has(record.messageId));
  if (done.length > 0) {
    const kept = await queue.remove(done.map(({ received }) => received));
    if (kept.length > 0) log.warn("messages could not be deleted and come again", { source: name, count: kept.length });
  }
  if (!options.retryAfterSeconds) return;
  for (const { received, record } of batch) {
    if (!failed.has(record.messageId)) continue;
    const receiveCount = Number(record.attributes.ApproximateReceiveCount ?? 1);
    // Only an improvement: if it cannot be done the message comes when its visibility time-out ends.
    await queue.hide(received, options.retryAfterSeconds(receiveCount)).catch(() => {});
  }
}

async function failuresOf(batch: readonly SqsMessage[], options: EventSourceOptions): Promise<ReadonlySet<string>> {
  const { log, name } = options;
  const ids = batch.map(({ record }) => record.messageId);
  try {
    const answer = await withinTime(options.invoke({ Records: batch.map(({ record }) => record) }), options);
    if (!options.reportsItemFailures) return new Set();
    const { failed, reason } = readBatchAnswer(answer, ids);
    if (reason) log.error("batch failed", { source: name, count: ids.length, error: reason });
    return failed;
  } catch (thrown) {
    log.error("batch failed", { source: name, count: ids.length, error: messageOf(thrown) });
    return new Set(ids);
  }
}

async function withinTime<T>(work: Promise<T>, { clock, timeoutMs, name }: EventSourceOptions): Promise<T> {
  const done = new AbortController();
  const late = clock.sleep(timeoutMs, done.signal).then(() => {
    if (done.signal.aborted) return work;
    throw new HearthlineError("service_timeout", `"${name}" had no answer within its time-out of ${timeoutMs} ms.`);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    done.abort();
    late.catch(() => {});
  }
}
