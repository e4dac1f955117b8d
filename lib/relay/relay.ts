import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import type { HomeKey } from "../event/index.ts";
import { createAdmission } from "./admit.ts";
import { createClockCheck } from "./clock-check.ts";
import { keepConnected } from "./connection.ts";
import { createEntityFilter } from "./filter.ts";
import { healthOf, type RelayHealth } from "./health.ts";
import { createIntake, type Intake } from "./intake.ts";
import { Monitor } from "./monitor.ts";
import type { HomeAssistant, ReferenceClock, RelaySink, Spool } from "./ports.ts";
import { createShipper, type Shipper } from "./ship.ts";

export interface RelayOptions {
  readonly homeId: string;
  readonly key: HomeKey;
  readonly homeAssistant: HomeAssistant;
  readonly spool: Spool;
  readonly sinks: readonly RelaySink[];
  /** Whose clocks ours is compared with, beside the stamps of events. */
  readonly references: readonly ReferenceClock[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** No record waits longer than this for its message to fill. */
  readonly flushSeconds: number;
  /** Patterns as `createEntityFilter` takes them. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** End when Home Assistant refuses us, instead of asking again every five minutes. */
  readonly endsWhenRefused: boolean;
}

/** The relay: from Home Assistant into the spool, from the spool to the sinks. */
export interface Relay {
  /** Runs until `stop`. @throws a HearthlineError of fate `stop` when Home Assistant refuses us and `endsWhenRefused` is set; everything is closed by then */
  run(): Promise<void>;
  /** Stops reading, appends what is in memory, sends once more what it can, closes the spool: all within 4.5 s. Safe to call twice. */
  stop(): Promise<void>;
  health(): RelayHealth;
  /** Counts an event that was lost before it came here (a frame that could not be read), and logs the reason once a burst. */
  reject(reason: string): void;
}

const STATUS_EVERY_MS = 60_000;
/** Asking costs others a request: every tenth status. */
const REFERENCES_EVERY = 10;
/** A sensor gone mad must not fill the log. */
const REJECTION_LOG_MS = 60_000;
/** How the time of a stop is shared out: reading ends, memory goes to the spool, the spool to the sinks. */
const STOP_READING_MS = 500;
const STOP_APPENDING_MS = 1_500;
const STOP_SENDING_MS = 2_000;

export function createRelay(options: RelayOptions): Relay {
  return new HomeRelay(options);
}

class HomeRelay implements Relay {
  readonly #options: RelayOptions;
  readonly #monitor: Monitor;
  readonly #intake: Intake;
  readonly #shippers: readonly Shipper[];
  readonly #stopping = new AbortController();
  #intakeEnd: Promise<void> = Promise.resolve();
  #shipEnd: Promise<unknown> = Promise.resolve();
  #connectionEnd: Promise<void> = Promise.resolve();
  #stopped: Promise<void> | undefined;
  #revision = 0;
  #rejectionLoggedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#monitor = new Monitor(options.clock);
    const { spool, sinks, flushSeconds, clock, random, log } = options;
    const { homeId, key } = options;
    const flushMs = flushSeconds * 1000;
    this.#shippers = sinks.map((sink) => createShipper({ homeId, key, sink, spool, clock, random, log, flushMs }));
    const onAppended = () => {
      for (const shipper of this.#shippers) shipper.wake();
    };
    this.#intake = createIntake({ spool, clock, random, log, onAppended });
  }

  async run(): Promise<void> {
    const { include, exclude } = this.#options;
    const isIncluded = createEntityFilter(include, exclude);
    this.#intakeEnd = this.#intake.run();
    this.#shipEnd = Promise.all(this.#shippers.map((shipper) => shipper.run()));
    // Not waited for: a reference that hangs must not hold up the end.
    void this.#reportStatus();
    this.#connectionEnd = keepConnected({
      ...this.#options,
      admission: createAdmission(isIncluded, this.#monitor.secrets),
      intake: this.#intake,
      monitor: this.#monitor,
      isIncluded,
      nextRevision: () => this.#nextRevision(),
      reject: (reason) => this.reject(reason),
      onChange: () => this.#pushStatus(),
      signal: this.#stopping.signal,
    });
    try {
      await this.#connectionEnd;
    } finally {
      await this.stop();
    }
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stopInOrder();
    return this.#stopped;
  }

  health(): RelayHealth {
    const { homeId, spool, clock } = this.#options;
    const sinks = this.#shippers.map((shipper) => shipper.state());
    return healthOf({ homeId, nowMs: clock.nowMs(), monitor: this.#monitor, spool, intake: this.#intake, sinks });
  }

  reject(reason: string): void {
    const { clock, log } = this.#options;
    this.#monitor.rejected += 1;
    if (clock.monotonicMs() - this.#rejectionLoggedAtMs < REJECTION_LOG_MS) return;
    this.#rejectionLoggedAtMs = clock.monotonicMs();
    log.warn("An event could not be taken and was rejected.", { reason, rejected_in_all: this.#monitor.rejected });
  }

  async #stopInOrder(): Promise<void> {
    const { spool, log } = this.#options;
    this.#stopping.abort();
    await this.#within(STOP_READING_MS, this.#connectionEnd);
    this.#monitor.setConnection(false, { lastError: "the relay was stopped" });
    this.#pushStatus();
    this.#intake.close();
    await this.#within(STOP_APPENDING_MS, this.#intakeEnd);
    for (const shipper of this.#shippers) shipper.stop();
    await this.#within(STOP_SENDING_MS, this.#shipEnd);
    const { records, lastSequence } = spool.state();
    await spool.close();
    log.info("The relay has stopped.", { last_sequence: lastSequence, unsent_records: records });
  }

  /** What fails or hangs must not keep the next step from its turn. */
  async #within(ms: number, work: Promise<unknown>): Promise<void> {
    const timer = new AbortController();
    const { clock, log } = this.#options;
    const failed = (thrown: unknown) => log.debug("A part of the relay ended with an error.", { error: thrown });
    await Promise.race([work.catch(failed), clock.sleep(ms, timer.signal)]);
    timer.abort();
  }

  async #reportStatus(): Promise<void> {
    const { clock, log, references } = this.#options;
    const { signal } = this.#stopping;
    const check = createClockCheck(references, { clock, monitor: this.#monitor, log });
    for (let minute = 0; !signal.aborted; minute++) {
      if (minute % REFERENCES_EVERY === 0) await check.ask();
      check.judge();
      await clock.sleep(STATUS_EVERY_MS, signal);
      if (!signal.aborted) this.#pushStatus();
    }
  }

  #pushStatus(): void {
    const record = this.#monitor.record(this.#options.spool.state());
    this.#intake.push(record, JSON.stringify(record).length);
  }

  /** The clock's milliseconds, but always more than the last, also of an earlier run with a clock that was ahead. */
  #nextRevision(): number {
    const before = Math.max(this.#revision, this.#options.spool.state().lastRevision);
    this.#revision = Math.max(before + 1, this.#options.clock.nowMs());
    return this.#revision;
  }
}
