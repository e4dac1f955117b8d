import type { Context } from "aws-lambda";
import type { Clock } from "../base/clock.ts";
import type { LogFields, Logger } from "../base/log.ts";

/** CloudWatch namespace of every metric of ours. Each has one dimension, `function`. */
export const METRICS_NAMESPACE = "Hearthline";

/**
 * Figures that CloudWatch keeps as metrics: each costs as much a month as 24,000 messages, so these are those that an alarm watches and those that say how much came and was kept. What
 * AWS counts by itself (messages, durations, errors) is none, and all others stand in the log line, where CloudWatch Logs Insights finds them.
 */
const PUBLISHED: ReadonlySet<string> = new Set(["EventsEnriched", "EventsStored", "EventsLost", "LedgerGap"]);

/** Figures of one batch; they go out in the batch's log line, some of them as CloudWatch embedded metrics too. Names in PascalCase with their unit. */
export interface BatchMetrics {
  /** Adds to a count. */
  count(name: string, by?: number): void;
  /** Notes a level; of several in one batch the highest is kept. */
  level(name: string, value: number): void;
}

export interface BatchContext {
  readonly log: Logger;
  readonly metrics: BatchMetrics;
  readonly requestId: string;
  /** Adds fields to the batch's one log line. */
  note(fields: LogFields): void;
  /** Until the function is stopped from outside. */
  remainingMs(): number;
}

/** One batch on its way. */
export interface Batch {
  readonly context: BatchContext;
  finish(outcome: LogFields & { readonly failed: number }): void;
}
/** Where a batch's lines go, and its time comes from. */
export interface Outside {
  readonly log: Logger;
  readonly clock: Clock;
  /** Takes the one line of the batch, at any level. */
  readonly batchLog: Logger;
}

let isColdStart = true;

/** Starts the clock of a batch; `finish` writes its line. */
export function startBatch(name: string, messages: number, lambda: Context, outside: Outside): Batch {
  const { clock } = outside;
  const startedMs = clock.monotonicMs();
  const requestId = lambda.awsRequestId ?? "";
  const log = outside.log.with({ function: name, requestId });
  const batchLog = outside.batchLog.with({ function: name, requestId });
  const counts = new Map<string, number>();
  const notes: Record<string, unknown> = {};
  const coldStart = isColdStart;
  isColdStart = false;
  return {
    context: {
      log,
      requestId,
      metrics: {
        count: (metric, by = 1) => void counts.set(metric, (counts.get(metric) ?? 0) + by),
        level: (metric, value) => void counts.set(metric, Math.max(counts.get(metric) ?? value, value)),
      },
      note: (fields) => void Object.assign(notes, fields),
      remainingMs: () => lambda.getRemainingTimeInMillis?.() ?? Number.POSITIVE_INFINITY,
    },
    finish: (outcome) => {
      const durationMs = Math.round((clock.monotonicMs() - startedMs) * 10) / 10;
      counts.set("MessagesIn", messages).set("MessagesFailed", outcome.failed).set("BatchDurationMs", durationMs);
      const fields = { messages, ...outcome, durationMs, coldStart, ...notes, ...embedded(counts, clock.nowMs()) };
      if ("error" in outcome) batchLog.error("batch failed", fields);
      else if (outcome.failed > 0) batchLog.warn("batch done in part", fields);
      else batchLog.info("batch done", fields);
    },
  };
}

/** CloudWatch's embedded metric format: the log line itself carries the metrics. Source: CloudWatch user guide, "Embedded metric format specification". */
function embedded(metrics: ReadonlyMap<string, number>, timestampMs: number): Record<string, unknown> {
  const plain = Object.fromEntries(metrics);
  const Metrics = [...metrics.keys()].filter((name) => PUBLISHED.has(name)).map((Name) => ({ Name, Unit: "Count" }));
  if (Metrics.length === 0) return plain;
  const CloudWatchMetrics = [{ Namespace: METRICS_NAMESPACE, Dimensions: [["function"]], Metrics }];
  return { ...plain, _aws: { Timestamp: timestampMs, CloudWatchMetrics } };
}
