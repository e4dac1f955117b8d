import middy from "@middy/core";
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import { type Clock, systemClock } from "../base/clock.ts";
import { isHearthlineError, messageOf } from "../base/errors.ts";
import { createLogger, LOG_LEVELS, type Logger } from "../base/log.ts";
import { type Cloud, createCloud, type FunctionOptions } from "./aws.ts";
import { type Batch, type BatchContext, startBatch } from "./batch.ts";
import { readConfig } from "./config.ts";

/** One message of a batch, with what the queue says of it. */
export interface SqsMessage {
  readonly messageId: string;
  readonly body: string;
  /** The message's own string attributes. */
  readonly attributes: Readonly<Record<string, string>>;
  /** How often it was received, this time included. */
  readonly receiveCount: number;
  readonly sentAtMs: number;
}

/** Works through a batch and gives the ids of the messages that shall come again. A throw makes the whole batch come again. */
export type BatchWork = (messages: readonly SqsMessage[], context: BatchContext) => Promise<readonly string[]>;

export interface HandlerOptions {
  readonly log?: Logger;
  readonly clock?: Clock;
}

export type SqsHandler = (event: SQSEvent, context: Context) => Promise<SQSBatchResponse>;

interface BatchLambdaContext extends Context {
  batch?: Batch;
}

/** What is left of a function's time when a batch that takes too long is given up: enough to write its log line. */
const GIVE_UP_EARLY_MS = 250;

/**
 * A function behind an SQS event source: middy around `work`, a partial batch answer, one log line a batch with its metrics in it.
 * An error that `work` throws is logged with its code and thrown on, so that the platform counts an error and the batch comes again.
 */
export function sqsHandler(name: string, work: BatchWork, options: HandlerOptions = {}): SqsHandler {
  const outside = {
    log: options.log ?? createLogger({ level: levelOf(process.env.HEARTHLINE_LOG_LEVEL) }),
    // The batch's line carries the metrics, so it is written at any level that is set.
    batchLog: options.log ?? createLogger(),
    clock: options.clock ?? systemClock,
  };
  const handler = middy<SQSEvent, SQSBatchResponse, Error, BatchLambdaContext>(
    async (event: SQSEvent, { batch }: BatchLambdaContext) => {
      const messages = event.Records.map(toMessage);
      const failed = new Set(batch && (await work(messages, batch.context)));
      // An id that is not in the batch would make Lambda take the whole batch for failed.
      const known = messages.filter((message) => failed.has(message.messageId));
      return { batchItemFailures: known.map((message) => ({ itemIdentifier: message.messageId })) };
    },
    { timeoutEarlyInMillis: GIVE_UP_EARLY_MS },
  )
    .before(({ event, context }) => {
      context.batch = startBatch(name, event.Records.length, context, outside);
    })
    .after(({ context, response }) => context.batch?.finish({ failed: response?.batchItemFailures.length ?? 0 }))
    .onError(({ event, context, error }) => {
      const code = isHearthlineError(error) ? error.code : "unexpected";
      context.batch?.finish({ failed: event.Records.length, code, error: messageOf(error) });
    });
  return (event, context) => handler(event, context) as Promise<SQSBatchResponse>;
}

/**
 * A function behind an SQS event source whose `join` is called once per process, at the first batch: a wrong setting fails that batch with its message, not the import.
 * Gives what makes the function of an environment; tests and whoever runs functions in a process of their own give another one.
 */
export const sqsFunction =
  (name: string, join: (cloud: Cloud) => BatchWork) =>
  (env: Readonly<Record<string, string | undefined>> = process.env, options: FunctionOptions = {}): SqsHandler => {
    let work: BatchWork | undefined;
    const joined: BatchWork = (messages, context) => {
      work ??= join(createCloud(readConfig(env), { env, ...options }));
      return work(messages, context);
    };
    return sqsHandler(name, joined, options);
  };

/**
 * Works through messages one by one, in order: those whose `work` throws are logged and their ids given, the others go on.
 * A message that can never succeed comes again too, until the queue's redrive policy sets it aside.
 */
export async function eachMessage(
  messages: readonly SqsMessage[],
  context: BatchContext,
  work: (message: SqsMessage) => Promise<void>,
): Promise<string[]> {
  const failed: string[] = [];
  for (const message of messages) {
    try {
      await work(message);
    } catch (thrown) {
      failed.push(message.messageId);
      logFailure(context.log, message, thrown);
    }
  }
  return failed;
}

/** One line about a message that comes again: an outside that is away is a warning, anything else an error. */
export function logFailure(log: Logger, message: SqsMessage, thrown: unknown): void {
  const known = isHearthlineError(thrown) ? thrown : undefined;
  const fields = {
    messageId: message.messageId,
    receiveCount: message.receiveCount,
    code: known?.code ?? "unexpected",
    error: messageOf(thrown),
    ...(!known && thrown instanceof Error && { stack: thrown.stack }),
  };
  if (known?.fate === "retry") log.warn("a message failed and comes again", fields);
  else log.error("a message failed and comes again", fields);
}

function toMessage(record: SQSRecord): SqsMessage {
  const attributes = Object.entries(record.messageAttributes ?? {}).flatMap(([name, value]) =>
    value.stringValue === undefined ? [] : [[name, value.stringValue] as const],
  );
  return {
    messageId: record.messageId,
    body: record.body,
    attributes: Object.fromEntries(attributes),
    receiveCount: Number(record.attributes?.ApproximateReceiveCount ?? 1),
    sentAtMs: Number(record.attributes?.SentTimestamp ?? 0),
  };
}

const levelOf = (text: string | undefined) => LOG_LEVELS.find((level) => level === text) ?? "info";
