import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { SQS_BATCH_MAX_MESSAGES } from "../../lib/limits.ts";
import { sqsRequests } from "./units.ts";

/** A function as serverless.yml deploys it. */
export interface Deployed {
  readonly memoryMb: number;
  readonly batchSize: number;
  readonly windowSeconds: number;
}

interface Template {
  readonly provider: { readonly memorySize: number };
  readonly functions: Readonly<
    Record<
      string,
      {
        readonly memorySize?: number;
        readonly events?: readonly { readonly sqs?: { batchSize?: number; maximumBatchingWindow?: number | string } }[];
      }
    >
  >;
}

/** Tags such as `!GetAtt` are of no interest here. */
const template = parse(readFileSync(new URL("../../serverless.yml", import.meta.url), "utf8"), {
  logLevel: "silent",
}) as Template;

/** A fleet is deployed with `--param storeWindow=1`. */
const FLEET_STORE_WINDOW_SECONDS = 1;

export function deployed(name: string, { isFleet = false } = {}): Deployed {
  const found = template.functions[name];
  if (!found) throw new Error(`serverless.yml has no function "${name}".`);
  const events = Array.isArray(found.events) ? found.events : [];
  const { batchSize = 10, maximumBatchingWindow = 0 } = events.find(({ sqs }) => sqs)?.sqs ?? {};
  return {
    memoryMb: found.memorySize ?? template.provider.memorySize,
    batchSize,
    // The store's is a parameter.
    windowSeconds:
      typeof maximumBatchingWindow === "number" ? maximumBatchingWindow : isFleet ? FLEET_STORE_WINDOW_SECONDS : 0,
  };
}

/** Lambda: so much memory has one whole processor; less has its share. Source: Lambda operator guide; read 2026-09. */
const MEMORY_OF_A_CPU_MB = 1_769;

/** GB-seconds of one call: what it computed here at its share of a processor, and what it waited for others; in whole ms. */
export function gbSeconds(memoryMb: number, { cpuMs, waitedMs }: { cpuMs: number; waitedMs: number }): number {
  const share = Math.min(1, memoryMb / MEMORY_OF_A_CPU_MB);
  return (Math.ceil(cpuMs / share + waitedMs) / 1000) * (memoryMb / 1024);
}

/** Lambda has so many readers on a queue that has little to do. Source: Lambda developer guide, "services-sqs-scaling"; read 2026-09. */
const READERS = 5;
/** serverless/queues.cjs: ReceiveMessageWaitTimeSeconds. */
const POLL_SECONDS = 20;
/** Receive, call and delete, when a batch is not waited for: in that time the next one gathers. */
const CYCLE_SECONDS = 0.12;
export const MONTH_SECONDS = 2_592_000;

/** Messages in a batch when so many come a second, evenly, from many homes; at least one. */
export function batchAt(messagesPerSecond: number, { batchSize, windowSeconds }: Deployed): number {
  const gathered = (messagesPerSecond * Math.max(windowSeconds, CYCLE_SECONDS)) / READERS;
  return Math.max(1, Math.min(batchSize, Math.floor(gathered)));
}

/**
 * Requests with which a batch is read and deleted. ReceiveMessage returns as soon as there is one message, so where a batch gathers over a window each message may take a request
 * of its own; without a window what gathered during the last call comes at once. DeleteMessageBatch takes ten.
 */
export function readingRequests(bodies: readonly string[], { windowSeconds }: Deployed): number {
  const bytes = bodies.reduce((sum, body) => sum + Buffer.byteLength(body), 0);
  const receives = windowSeconds > 0 ? bodies.length : 1;
  return Math.max(receives, sqsRequests(bytes)) + Math.ceil(bodies.length / SQS_BATCH_MAX_MESSAGES);
}

/** Requests a month of a queue that gives its readers nothing: what comes costs beside them. Busy queues are never waited at. */
export function idlePolls(messagesPerSecond: number): number {
  const waits = (READERS * MONTH_SECONDS) / POLL_SECONDS;
  return messagesPerSecond > READERS / POLL_SECONDS ? 0 : waits;
}
