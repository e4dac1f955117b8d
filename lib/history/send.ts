import type { Clock } from "../base/clock.ts";
import { HearthlineError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import { retry } from "../base/retry.ts";
import type { ImportSink } from "./ports.ts";

export interface SenderOptions {
  readonly sink: ImportSink;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
  /** Called when the import begins to wait for the cloud, with how many messages lie there. */
  readonly onWait?: (waiting: number) => void;
}

/** With so many messages waiting in front of the store an import stops for a while: live events share the queue with it, and local queues live in memory. */
const AHEAD_MAX_MESSAGES = 100;
const LOOK_MS = 500;
/** So long nothing is taken from the queues before the import gives up: whoever takes it does not run. */
const STUCK_MS = 120_000;
/** About a minute in all. */
const ATTEMPTS = 10;

/** Sends one batch after the other, each until it was taken. */
export class Sender {
  readonly #options: SenderOptions;
  #sending: Promise<unknown> = Promise.resolve(undefined);

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  /** Begins to send, and returns. The batch before must have been taken: see `taken`. */
  begin(messages: readonly string[]): void {
    // Settled as a value: nobody may be waiting for it at the moment at which it fails.
    this.#sending = this.#send(messages).then(
      () => undefined,
      (thrown: unknown) => ({ thrown }),
    );
  }

  /** Resolves when the batch was taken. @throws what sending it threw last; `service_timeout` when nobody takes from the queues */
  async taken(): Promise<void> {
    const failed = (await this.#sending) as { thrown: unknown } | undefined;
    if (failed) throw failed.thrown;
  }

  async #send(messages: readonly string[]): Promise<void> {
    if (messages.length === 0) return;
    const { sink, clock, random, signal } = this.#options;
    const options = { clock, random, signal, attempts: ATTEMPTS };
    await this.#room();
    await retry(() => sink.send(messages), options);
  }

  async #room(): Promise<void> {
    const { sink, clock, random, signal, onWait } = this.#options;
    let fewest = Number.POSITIVE_INFINITY;
    let sinceMs = clock.monotonicMs();
    while (!signal.aborted) {
      const waiting = await retry(() => sink.waiting(), { clock, random, signal, attempts: ATTEMPTS });
      if (waiting <= AHEAD_MAX_MESSAGES) return;
      if (waiting < fewest) {
        fewest = waiting;
        sinceMs = clock.monotonicMs();
      }
      if (clock.monotonicMs() - sinceMs > STUCK_MS) {
        throw new HearthlineError(
          "service_timeout",
          `${waiting} messages wait in the queues and none was taken for ${STUCK_MS / 1000} s: the functions behind them do not run. What was read so far is kept; run the import again when they do.`,
        );
      }
      onWait?.(waiting);
      await clock.sleep(LOOK_MS, signal);
    }
  }
}
