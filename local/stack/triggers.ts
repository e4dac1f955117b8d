import type { Clock } from "../../lib/base/clock.ts";
import type { Logger } from "../../lib/base/log.ts";
import type { Random } from "../../lib/base/random.ts";
import type { Cloud } from "../../lib/wiring/aws.ts";
import { startEventSource } from "./event-source.ts";
import type { Invoke } from "./invoke.ts";
import type { QueueUrls } from "./provision.ts";
import { startSchedules } from "./schedules.ts";
import type { ScheduleTrigger, SqsTrigger } from "./serverless.ts";
import { createSourceQueue } from "./source-queue.ts";
import { queueOfArn, type StackSpec } from "./template.ts";

/** A function of serverless.yml with what sets it off. */
export interface StackFunction {
  readonly key: string;
  readonly name: string;
  readonly file: string;
  readonly exported: string;
  readonly timeoutMs: number;
  readonly memoryMb: number;
  readonly sqs: readonly SqsTrigger[];
  readonly schedules: readonly ScheduleTrigger[];
}

/** What runs until it is stopped; resolves when all that was under way has ended. */
export interface Stoppable {
  stop(): Promise<void>;
}

interface TriggerOptions {
  readonly spec: StackSpec;
  readonly urls: QueueUrls;
  readonly sqs: Cloud["sqs"];
  readonly region: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** All functions share one thread here: more at once only waits. */
const MAX_CONCURRENCY = 4;
/** SQS' own, where the template sets none. */
const DEFAULT_VISIBILITY_SECONDS = 30;

/** Begins to poll the function's queues and to follow its schedules. */
export function startTriggers(one: StackFunction & { readonly invoke: Invoke }, options: TriggerOptions): Stoppable[] {
  const isEnabled = (trigger: { readonly enabled?: boolean }) => trigger.enabled !== false;
  return [
    ...one.sqs.filter(isEnabled).map((trigger) => startSqs(one, trigger, options)),
    ...one.schedules.filter(isEnabled).map((trigger) =>
      startSchedules({
        name: one.key,
        expressions: trigger.rate,
        timeZone: trigger.timezone ?? "UTC",
        ...(trigger.input !== undefined && { input: trigger.input }),
        invoke: one.invoke,
        ...options,
      }),
    ),
  ];
}

function startSqs(
  one: StackFunction & { readonly invoke: Invoke },
  trigger: SqsTrigger,
  options: TriggerOptions,
): Stoppable {
  const { spec, urls, sqs, region } = options;
  const { name, attributes } = queueOfArn(trigger.arn, spec);
  const visibilitySeconds = Number(attributes.VisibilityTimeout ?? DEFAULT_VISIBILITY_SECONDS);
  return startEventSource({
    name: one.key,
    queue: createSourceQueue(sqs, urls.get(name) ?? ""),
    queueArn: `arn:aws:sqs:${region}:000000000000:${name}`,
    invoke: one.invoke,
    timeoutMs: one.timeoutMs,
    batchSize: trigger.batchSize ?? 10,
    windowMs: (trigger.maximumBatchingWindow ?? 0) * 1000,
    concurrency: Math.min(trigger.maximumConcurrency ?? 2, MAX_CONCURRENCY),
    reportsItemFailures: trigger.functionResponseType === "ReportBatchItemFailures",
    retryAfterSeconds: (receiveCount) => retryAfterSeconds(receiveCount, visibilitySeconds),
    ...options,
  });
}

/** 5, 20, 80, ... seconds and never later than the visibility time-out: a passing failure is over soon, and one that lasts minutes still meets a last attempt. */
const retryAfterSeconds = (receiveCount: number, visibilitySeconds: number): number =>
  Math.min(visibilitySeconds, 5 * 4 ** Math.min(receiveCount - 1, 10));
