import type { Clock } from "./clock.ts";
import { isHearthlineError } from "./errors.ts";
import type { Random } from "./random.ts";

export interface BackoffOptions {
  /** Wait before the second attempt, at most. Default 200 ms, at least 1. */
  readonly baseMs?: number;
  /** No wait is longer. Default 30,000 ms. */
  readonly maxMs?: number;
}

/**
 * The wait before attempt `attempt + 1` (`attempt` counts from 1): exponential, capped, with full jitter.
 * Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015 (full jitter).
 */
export function backoffMs(
  attempt: number,
  random: Random,
  { baseMs = 200, maxMs = 30_000 }: BackoffOptions = {},
): number {
  return Math.ceil(random() * Math.min(maxMs, baseMs * 2 ** Math.min(attempt - 1, 30)));
}

export interface RetryOptions extends BackoffOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Attempts in all. Default 5, at least 1. */
  readonly attempts?: number;
  readonly signal?: AbortSignal;
  /** Default: errors of ours whose fate is `retry`. */
  readonly isRetryable?: (thrown: unknown) => boolean;
}

/** Calls `work` until it succeeds, fails for good, or the attempts are used up; then throws what it threw last. */
export async function retry<T>(work: (attempt: number) => Promise<T>, options: RetryOptions): Promise<T> {
  const { clock, random, attempts = 5, signal } = options;
  const isRetryable = options.isRetryable ?? ((thrown) => isHearthlineError(thrown) && thrown.fate === "retry");
  for (let attempt = 1; ; attempt++) {
    try {
      return await work(attempt);
    } catch (thrown) {
      if (attempt >= attempts || signal?.aborted || !isRetryable(thrown)) throw thrown;
      await clock.sleep(backoffMs(attempt, random, options), signal);
      if (signal?.aborted) throw thrown;
    }
  }
}
