import type { Clock } from "../base/clock.ts";
import { isHearthlineError, messageOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import { Breaker } from "./breaker.ts";
import { createSeldom } from "./seldom.ts";

/** How one sink is: its breaker, its last error, what it took; and one log line at each change of that, of a sink that comes and goes once a minute. */
export class Condition {
  readonly breaker: Breaker;
  readonly #clock: Clock;
  readonly #log: Logger;
  /** Kinds of errors that were logged since the sink worked last. */
  readonly #said = new Set<string>();
  #failing: { readonly sinceMs: number; readonly error: string } | undefined;
  readonly #isTimeFor: (kind: string) => boolean;
  messages = 0;
  /** When it last took something. */
  takenAtMs: number | undefined;
  /** Events that this sink will never have. */
  lost = 0;

  constructor({ clock, random, log }: { clock: Clock; random: Random; log: Logger }) {
    this.breaker = new Breaker(clock, random);
    this.#clock = clock;
    this.#log = log;
    this.#isTimeFor = createSeldom(clock);
  }

  get lastError(): string | undefined {
    return this.#failing?.error;
  }

  get failingSinceMs(): number | undefined {
    return this.#failing?.sinceMs;
  }

  /** An answer came, whatever it was: the sink is there. */
  answered(): void {
    this.breaker.succeeded();
  }

  took(messages: number): void {
    this.messages += messages;
    this.takenAtMs = this.#clock.nowMs();
    if (this.#said.size > 0) this.#log.info("The sink takes messages again.");
    this.#failing = undefined;
    this.#said.clear();
  }

  failed(thrown: unknown, retryAfterMs = 0): void {
    this.breaker.failed(retryAfterMs);
    this.note(thrown);
  }

  /** Events that this sink will never have; each reason is logged at most once a minute. */
  lose(count: number, { reason, first, last }: { reason: string; first: number; last: number }): void {
    this.lost += count;
    if (this.#isTimeFor(`lost: ${reason}`))
      this.#log.error("Events were set aside for this sink.", { reason, first, last, count, lost_in_all: this.lost });
  }

  /** The spool failed on this sink's behalf: what it holds is neither lost nor given up. */
  spoolFailed(message: string, fields: Readonly<Record<string, unknown>>): void {
    if (this.#isTimeFor(message)) this.#log.error(message, fields);
  }

  /** Remembers an error without holding up other messages. */
  note(thrown: unknown): void {
    const error = messageOf(thrown);
    // By kind, because texts carry counts and ids.
    const kind = isHearthlineError(thrown) ? `${thrown.code} ${(thrown as { type?: unknown }).type ?? ""}` : error;
    this.#failing = { sinceMs: this.#failing?.sinceMs ?? this.#clock.nowMs(), error };
    if (this.#said.has(kind) || !this.#isTimeFor(kind)) return;
    this.#said.add(kind);
    this.#log.warn("The sink did not take a message.", { error: thrown });
  }
}
