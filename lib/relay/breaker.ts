import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import { backoffMs } from "../base/retry.ts";

/**
 * - `closed`: the sink takes messages (after a failure each attempt waits its back-off).
 * - `open`: it failed too often; nothing is sent until the wait is over.
 * - `half-open`: one message tries whether it takes them again.
 */
export type BreakerState = "closed" | "open" | "half-open";

/** So many failures one after the other open the breaker. */
const FAILURES_TO_OPEN = 5;
/** No wait is longer: a sink that comes back is found within half a minute. */
const WAIT_MAX_MS = 30_000;
/** A sink's own word on when to come again is heeded up to this. */
const RETRY_AFTER_MAX_MS = 3_600_000;
/** How often those who wait for a probe look whether it has ended. */
const LOOK_MS = 250;

/** One sink's breaker. Attempts ask `enter` first and say afterwards how it went. */
export class Breaker {
  readonly #clock: Clock;
  readonly #random: Random;
  #failures = 0;
  #notBeforeMs = 0;
  #isProbing = false;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  get state(): BreakerState {
    if (this.#failures < FAILURES_TO_OPEN) return "closed";
    return this.#isProbing ? "half-open" : "open";
  }

  /** Resolves when an attempt may be made, or when `hurry` aborts: then everyone may make one last attempt. */
  async enter(hurry: AbortSignal): Promise<void> {
    while (!hurry.aborted) {
      const waitMs = this.#notBeforeMs - this.#clock.monotonicMs();
      const isOpen = this.#failures >= FAILURES_TO_OPEN;
      if (waitMs <= 0 && !(isOpen && this.#isProbing)) {
        this.#isProbing = isOpen;
        return;
      }
      await this.#clock.sleep(waitMs > 0 ? waitMs : LOOK_MS, hurry);
    }
  }

  succeeded(): void {
    this.#failures = 0;
    this.#notBeforeMs = 0;
    this.#isProbing = false;
  }

  /** `retryAfterMs`: the sink itself said when to come again. */
  failed(retryAfterMs = 0): void {
    this.#failures += 1;
    this.#isProbing = false;
    const wait = Math.max(
      backoffMs(this.#failures, this.#random, { maxMs: WAIT_MAX_MS }),
      Math.min(retryAfterMs, RETRY_AFTER_MAX_MS),
    );
    this.#notBeforeMs = Math.max(this.#notBeforeMs, this.#clock.monotonicMs() + wait);
  }
}
