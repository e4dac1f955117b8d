import type { Clock } from "../base/clock.ts";
import { HearthlineError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import type { NewRelayRecord, OutboxRefetch, OutboxSink } from "../event/index.ts";
import { createAdmission } from "./admit.ts";
import { createAttributeFilter } from "./attribute-filter.ts";
import type { Refetch } from "./backfill/refetch.ts";
import { createClockCheck } from "./clock-check.ts";
import { type ConnectionDeps, keepConnected } from "./connection.ts";
import { entryOf } from "./entry.ts";
import { createEntityFilter } from "./filter.ts";
import { healthOf, type Machine } from "./health.ts";
import type { RelayHealth } from "./health-shape.ts";
import { createIntake, type Intake } from "./intake.ts";
import { LastKnown } from "./last-known.ts";
import { Monitor } from "./monitor.ts";
import type { OutboxState } from "./outbox/runner.ts";
import type {
  HomeAssistant,
  LastKnownStore,
  ReferenceClock,
  RelaySink,
  SinkSwitches,
  SinkTunings,
  Spool,
} from "./ports.ts";
import { createSinks, type Sinks } from "./sinks.ts";
import type { Doubt } from "./snapshot-due.ts";
import { isStatusNews, type NewStatus } from "./status-news.ts";
export interface RelayOptions {
  readonly homeId: string;
  readonly homeAssistant: HomeAssistant;
  readonly spool: Spool;
  /** Keeps what was last known of each entity. Without it a restart of the relay leaves a gap that nobody sees. */
  readonly lastKnown?: LastKnownStore;
  readonly sinks: readonly RelaySink[];
  /** Keeps which sinks were stopped. Without it a restart starts them again. */
  readonly switches?: SinkSwitches;
  /** Keeps what was tuned. Without it a restart is back at the settings. */
  readonly tunings?: SinkTunings;
  /** How often it is looked whether the status is news. Default: every minute. */
  readonly statusEveryMs?: number;
  /** Whose clocks ours is compared with, beside the stamps of events. */
  readonly references: readonly ReferenceClock[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Patterns as `createEntityFilter` takes them. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** Rules as `createAttributeFilter` takes them. */
  readonly excludeAttributes?: readonly string[];
  /** For health: what the process and its disk say, and the spool's bound. */
  readonly machine?: Machine;
  readonly spoolMaxBytes?: number;
  /** For health; undefined: this relay does nothing for an outbox. */
  readonly outboxState?: () => OutboxState | undefined;
  /** Whether what the cloud says can reach the house's broker. */
  readonly publishes?: boolean;
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
  /** Puts records that do not come from Home Assistant into the spool, made of a new revision; durable when it resolves. @throws `spool_failed` */
  append(make: (revision: number) => readonly NewRelayRecord[]): Promise<void>;
  /**
   * Stops dual write, or starts it again: durable when it resolves. The same again changes nothing. Of the cloud's sink with a flush time or a number of records: it collects for so long, and puts so many into a
   * message at most; until the moment that is named or the relay's end, whichever is first, or, where none is named, over restarts too.
   * @throws HearthlineError `sink_unknown`, `spool_failed` (nothing has changed)
   */
  turnSink(asked: OutboxSink): Promise<void>;
  /**
   * Asks Home Assistant's recorder again for a span, and gives how many events of it are in the spool when it resolves.
   * @throws HearthlineError fate `retry`: `home_assistant_disconnected` (also while there is no session); fate `dead-letter`: `recorder_absent`
   */
  refetch(asked: OutboxRefetch): Promise<number>;
  /** Counts an event that was lost before it came here (a frame that could not be read), and logs the reason once a burst; then looks in the recorder for it. */
  reject(reason: string): void;
}

/** So often it is looked whether the status is news. */
const STATUS_EVERY_MS = 60_000;
/** Asking costs others a request: every tenth status. */
const REFERENCES_EVERY = 10;
/** A sensor gone mad must not fill the log. */
const REJECTION_LOG_MS = 60_000;
/** How the time of a stop is shared out: reading ends, memory goes to the spool, the spool to the sinks. */
const STOP_READING_MS = 500;
const STOP_APPENDING_MS = 1_500;
const STOP_SENDING_MS = 2_000;
/** For each of the two that are closed at the end: the last-known table, and the spool. */
const STOP_CLOSING_MS = 250;

const FORGETFUL: LastKnownStore = { load: async () => undefined, save: async () => {} };

export function createRelay(options: RelayOptions): Relay {
  return new HomeRelay(options);
}

class HomeRelay implements Relay {
  readonly #options: RelayOptions;
  readonly #monitor: Monitor;
  readonly #intake: Intake;
  readonly #lastKnown: LastKnown;
  #onDoubt: (cause: Doubt) => void = () => {};
  #refetch: Refetch | undefined;
  #onLost: () => void = () => {};
  readonly #sinks: Sinks;
  readonly #stopping = new AbortController();
  #intakeEnd: Promise<void> = Promise.resolve();
  #shipEnd: Promise<unknown> = Promise.resolve();
  #connectionEnd: Promise<void> = Promise.resolve();
  #stopped: Promise<void> | undefined;
  #revision = 0;
  #saidStatus: NewStatus | undefined;
  #rejectionLoggedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#monitor = new Monitor(options.clock);
    const { spool, clock, random, log } = options;
    this.#sinks = createSinks(options);
    const store = options.lastKnown ?? FORGETFUL;
    this.#lastKnown = new LastKnown({ homeId: options.homeId, spool, store, clock, log });
    const onAppended = (lastSequence: number) => {
      this.#lastKnown.reached(lastSequence);
      void this.#lastKnown.saveNowAndThen();
      this.#sinks.wake();
    };
    this.#intake = createIntake({ spool, clock, random, log, onAppended, onLost: () => this.#onLost() });
  }

  async run(): Promise<void> {
    const { include, exclude, excludeAttributes = [], spool } = this.#options;
    const isIncluded = createEntityFilter(include, exclude);
    const travelling = createAttributeFilter(excludeAttributes, this.#monitor.attributes);
    const admission = createAdmission(isIncluded, this.#monitor.secrets, travelling);
    this.#onLost = () => {
      this.#lastKnown.lost();
      admission.forget();
      this.#onDoubt("events_lost");
    };
    this.#monitor.noteLosses(spool.state().losses);
    this.#intakeEnd = this.#intake.run();
    this.#shipEnd = this.#sinks.run();
    // Not waited for: a reference that hangs must not hold up the end.
    void this.#reportStatus();
    this.#connectionEnd = this.#connect({
      ...this.#options,
      admission,
      intake: this.#intake,
      monitor: this.#monitor,
      lastKnown: this.#lastKnown,
      onDoubt: (call) => {
        this.#onDoubt = call;
      },
      onRefetch: (call) => {
        this.#refetch = call;
      },
      isIncluded,
      nextRevision: () => this.#nextRevision(),
      reject: (reason) => this.#countRejected(reason),
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
    const nowMs = this.#options.clock.nowMs();
    const outbox = this.#options.outboxState?.();
    return healthOf({
      ...this.#options,
      nowMs,
      ...(outbox && { outbox }),
      monitor: this.#monitor,
      intake: this.#intake,
      sinks: this.#sinks.states(),
    });
  }

  reject(reason: string): void {
    this.#countRejected(reason);
    this.#onDoubt("unreadable_frame");
  }

  async #connect(deps: ConnectionDeps): Promise<void> {
    await this.#lastKnown.load().catch((thrown: unknown) => {
      deps.log.error("The last-known table cannot be read: it is begun anew, and what was missed is not asked for.", {
        error: thrown,
      });
    });
    await keepConnected(deps);
  }

  #countRejected(reason: string): void {
    const { clock, log } = this.#options;
    this.#monitor.rejected += 1;
    if (clock.monotonicMs() - this.#rejectionLoggedAtMs < REJECTION_LOG_MS) return;
    this.#rejectionLoggedAtMs = clock.monotonicMs();
    log.warn("An event could not be taken and was rejected.", { reason, rejected_in_all: this.#monitor.rejected });
  }

  async append(make: (revision: number) => readonly NewRelayRecord[]): Promise<void> {
    await this.#options.spool.append(make(this.#nextRevision()).map(entryOf));
    this.#sinks.wake();
  }

  async turnSink(asked: OutboxSink): Promise<void> {
    await this.#sinks.turn(asked);
    this.#pushStatus();
  }

  async refetch(asked: OutboxRefetch): Promise<number> {
    if (this.#refetch) return this.#refetch(asked);
    throw new HearthlineError(
      "home_assistant_disconnected",
      "The recorder was to be asked again, but Home Assistant has not been connected yet.",
    );
  }

  async #stopInOrder(): Promise<void> {
    const { spool, log } = this.#options;
    this.#stopping.abort();
    await this.#within(STOP_READING_MS, this.#connectionEnd);
    this.#monitor.setConnection(false, { lastError: "the relay was stopped" });
    this.#pushStatus();
    this.#intake.close();
    await this.#within(STOP_APPENDING_MS, this.#intakeEnd);
    const saved = this.#lastKnown.save();
    this.#sinks.stop();
    await this.#within(STOP_SENDING_MS, this.#shipEnd);
    const { records, lastSequence } = spool.state();
    await this.#within(STOP_CLOSING_MS, saved);
    await this.#within(STOP_CLOSING_MS, spool.close());
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
      await clock.sleep(this.#options.statusEveryMs ?? STATUS_EVERY_MS, signal);
      if (!signal.aborted) this.#pushStatus(isStatusNews);
    }
  }

  #pushStatus(isNews: typeof isStatusNews = () => true): void {
    const state = this.#options.spool.state();
    this.#monitor.noteLosses(state.losses);
    const { publishes } = this.#options;
    const record = this.#monitor.record(state, {
      sinks: this.#sinks.states(),
      ...(publishes !== undefined && { publishes }),
      ...this.#sinks.cloud(),
    });
    if (!isNews(record, this.#saidStatus)) return;
    this.#saidStatus = record;
    this.#intake.push(entryOf(record));
  }

  /** The clock's milliseconds, but always more than the last, also of an earlier run with a clock that was ahead. */
  #nextRevision(): number {
    const before = Math.max(this.#revision, this.#options.spool.state().lastRevision);
    this.#revision = Math.max(before + 1, this.#options.clock.nowMs());
    return this.#revision;
  }
}
