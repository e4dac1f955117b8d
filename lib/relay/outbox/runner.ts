import type { Clock } from "../../base/clock.ts";
import { isHearthlineError, messageOf } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { Random } from "../../base/random.ts";
import { backoffMs } from "../../base/retry.ts";
import type { NewRelayRecord, OutboxOutcome, OutboxRefetch, OutboxSink } from "../../event/index.ts";
import type { BreakerState } from "../breaker.ts";
import type { AutomationFile, BrokerSession, MessageBroker, OutboxFeed, OutboxWork } from "./ports.ts";
import { failedBy, refusal } from "./refusal.ts";
import { capabilityRecords, readBridgeDevices } from "./zigbee.ts";

export interface OutboxRunnerOptions {
  readonly feed: OutboxFeed;
  /** Absent: HEARTHLINE_MQTT_URL is not set, and nothing can be published. */
  readonly broker?: MessageBroker;
  /** Absent: the owner does not want automations to be written (HEARTHLINE_WRITE_AUTOMATIONS). */
  readonly automations?: AutomationFile;
  /** Of each Zigbee2MQTT in the home. */
  readonly baseTopics: readonly string[];
  /** Stops or starts dual write, durably. @throws `sink_unknown`, `spool_failed` */
  turnSink(asked: OutboxSink): Promise<void>;
  /** Asks Home Assistant's recorder again; durable when it resolves. Errors as of `Relay.refetch` */
  refetch(asked: OutboxRefetch): Promise<unknown>;
  readonly intervalSeconds: number;
  /** Makes records of a new revision and puts them into the spool; durable when it resolves. @throws `spool_failed` */
  append(make: (revision: number) => readonly NewRelayRecord[]): Promise<void>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** The outbox in the relay's health. Counts are since the start. */
export interface OutboxState {
  readonly breaker: BreakerState;
  /** Items that waited at the last look and are not done yet. */
  readonly waiting: number;
  readonly delivered: number;
  readonly failed: number;
  /** When the cloud was last asked with success, ISO 8601. */
  readonly looked_at?: string;
  /** A code and why. */
  readonly last_error?: string;
}

/** Does what the cloud's outbox asks for. */
export interface OutboxRunner {
  /** Looks again and again until `stop`; then finishes the item in hand. Never rejects. */
  run(): Promise<void>;
  stop(): void;
  state(): OutboxState;
}

/** The first look, at most so long after the start: relays of a fleet that start together do not ask together. */
const FIRST_LOOK_MAX_MS = 5_000;
/** After a look that found work: there may be more, or somebody waits for the next step. */
const AGAIN_MS = 1_000;
const FAILURE_BASE_MS = 2_000;
const FAILURE_MAX_MS = 300_000;
/** A refused user or token stays refused until a person has acted. */
const REFUSED_MS = 300_000;
/** As of the sinks' breakers: for health. */
const FAILURES_TO_OPEN = 5;
/** The past waits for the next look after that, so that what has come meanwhile does not wait for it. */
const REFETCH_MAX_MS = 20_000;
/** An item that has failed so often by a fault goes behind the others: if it is the cause, it holds up nobody. It ends by its own time. */
const TRIES_IN_ORDER = 3;

export function createOutboxRunner(options: OutboxRunnerOptions): OutboxRunner {
  return new Runner(options);
}

class Runner implements OutboxRunner {
  readonly #options: OutboxRunnerOptions;
  readonly #stopping = new AbortController();
  /** Done, as far as the house goes; forgotten when the cloud no longer lists them. So a cloud that does not hear us makes nothing be published twice. */
  readonly #done = new Map<string, OutboxOutcome>();
  readonly #tries = new Map<string, number>();
  #failures = 0;
  #isRefused = false;
  #isLooking = false;
  #waiting = 0;
  #delivered = 0;
  #failed = 0;
  #lookedAt: string | undefined;
  #lastError: string | undefined;

  constructor(options: OutboxRunnerOptions) {
    this.#options = options;
  }

  async run(): Promise<void> {
    const { clock, random, intervalSeconds } = this.#options;
    const { signal } = this.#stopping;
    await clock.sleep(random() * Math.min(FIRST_LOOK_MAX_MS, intervalSeconds * 1000), signal);
    while (!signal.aborted) await clock.sleep(await this.#look(), signal);
  }

  stop(): void {
    this.#stopping.abort();
  }

  state(): OutboxState {
    const isOpen = this.#isRefused || this.#failures >= FAILURES_TO_OPEN;
    return {
      breaker: isOpen ? (this.#isLooking ? "half-open" : "open") : "closed",
      waiting: this.#waiting,
      delivered: this.#delivered,
      failed: this.#failed,
      ...(this.#lookedAt !== undefined && { looked_at: this.#lookedAt }),
      ...(this.#lastError !== undefined && { last_error: this.#lastError }),
    };
  }

  /** One look; gives how long to wait for the next. */
  async #look(): Promise<number> {
    const { feed, clock, random, log, intervalSeconds } = this.#options;
    const before = { delivered: this.#delivered, failed: this.#failed };
    this.#isLooking = true;
    try {
      const items = await feed.pending();
      this.#lookedAt = new Date(clock.nowMs()).toISOString();
      this.#forgetAllBut(items);
      this.#waiting = items.length;
      await this.#work(items);
      if (this.#lastError) log.info("The outbox goes on.", { failures: this.#failures });
      this.#lastError = undefined;
      this.#failures = 0;
      this.#isRefused = false;
      const did = { delivered: this.#delivered - before.delivered, failed: this.#failed - before.failed };
      if (did.delivered + did.failed === 0) return intervalSeconds * 1000 * (0.9 + random() * 0.2);
      log.info("Items of the outbox are done.", did);
      return AGAIN_MS;
    } catch (thrown) {
      return this.#waitAfter(thrown);
    } finally {
      this.#isLooking = false;
    }
  }

  #waitAfter(thrown: unknown): number {
    const { random, log } = this.#options;
    this.#failures += 1;
    const isRefused = isHearthlineError(thrown) && thrown.fate === "stop";
    this.#isRefused = isRefused;
    const error = `${isHearthlineError(thrown) ? thrown.code : "unexpected"}: ${messageOf(thrown)}`;
    const waitMs = isRefused
      ? REFUSED_MS * (1 + random() / 10)
      : Math.max(1_000, backoffMs(this.#failures, random, { baseMs: FAILURE_BASE_MS, maxMs: FAILURE_MAX_MS }));
    const level = isRefused ? "error" : "warn";
    // A broker that is away for a night shall not fill the log.
    if (error !== this.#lastError)
      log[level]("The outbox cannot be worked through; what waits stays.", {
        error: thrown,
        waiting: this.#waiting,
        wait_ms: Math.round(waitMs),
      });
    this.#lastError = error;
    return waitMs;
  }

  #forgetAllBut(items: readonly OutboxWork[]): void {
    const listed = new Set(items.map(({ id }) => id));
    for (const memory of [this.#done, this.#tries])
      for (const id of memory.keys()) if (!listed.has(id)) memory.delete(id);
  }

  async #work(items: readonly OutboxWork[]): Promise<void> {
    const todo: OutboxWork[] = [];
    for (const item of items) {
      const outcome = this.#done.get(item.id) ?? refusal(item, this.#options);
      if (outcome) await this.#settle(item, outcome);
      else todo.push(item);
    }
    const isLate = ({ id }: OutboxWork) => (this.#tries.get(id) ?? 0) >= TRIES_IN_ORDER;
    const inOrder = [...todo.filter((one) => !isLate(one)), ...todo.filter(isLate)];
    const of = (...kinds: OutboxWork["kind"][]) => inOrder.filter(({ kind }) => kinds.includes(kind));
    // Home Assistant and the broker are two: that one of them is away holds up nobody who waits for the other.
    const ends = await Promise.allSettled([
      this.#turnSinks(of("sink")),
      this.#refetch(of("refetch")),
      this.#write(of("automation")),
      this.#publish(of("mqtt", "capabilities")),
    ]);
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  }

  async #turnSinks(items: readonly OutboxWork[]): Promise<void> {
    for (const item of items) {
      const { sink } = item;
      if (this.#stopping.signal.aborted || !sink) return;
      await this.#finish(item, () => this.#options.turnSink(sink));
    }
  }

  async #refetch(items: readonly OutboxWork[]): Promise<void> {
    const { clock } = this.#options;
    const untilMs = clock.monotonicMs() + REFETCH_MAX_MS;
    for (const item of items) {
      const { refetch } = item;
      if (this.#stopping.signal.aborted || !refetch || clock.monotonicMs() >= untilMs) return;
      await this.#finish(item, async () => void (await this.#options.refetch(refetch)));
    }
  }

  async #write(items: readonly OutboxWork[]): Promise<void> {
    const { automations } = this.#options;
    for (const item of items) {
      const { automation } = item;
      if (this.#stopping.signal.aborted || !automations || !automation) return;
      const { id, config } = automation;
      await this.#finish(item, () => (config ? automations.write(id, config) : automations.remove(id)));
    }
  }

  async #publish(items: readonly OutboxWork[]): Promise<void> {
    const { broker } = this.#options;
    if (items.length === 0 || !broker || this.#stopping.signal.aborted) return;
    const session = await broker.connect();
    try {
      for (const item of items) {
        if (this.#stopping.signal.aborted) return;
        await this.#finish(item, () => this.#do(session, item));
      }
    } finally {
      await session.close();
    }
  }

  async #do(session: BrokerSession, { message }: OutboxWork): Promise<void> {
    const { baseTopics, append } = this.#options;
    if (message) return session.publish(message);
    const rows = await readBridgeDevices(session, baseTopics);
    await append((revision) => capabilityRecords(rows, revision));
  }

  /** Does an item and tells the cloud. @throws what may be otherwise another time */
  async #finish(item: OutboxWork, work: () => Promise<void>): Promise<void> {
    const attempts = (this.#tries.get(item.id) ?? 0) + 1;
    this.#tries.set(item.id, attempts);
    await this.#settle(item, await this.#outcomeOf(work, attempts));
  }

  async #outcomeOf(work: () => Promise<void>, attempts: number): Promise<OutboxOutcome> {
    try {
      await work();
      return { status: "delivered", attempts };
    } catch (thrown) {
      if (isHearthlineError(thrown) && thrown.fate === "dead-letter") return failedBy(thrown, attempts);
      throw thrown;
    }
  }

  /** Tells the cloud, after the house. */
  async #settle({ id, kind }: OutboxWork, outcome: OutboxOutcome): Promise<void> {
    const { feed, log } = this.#options;
    if (!this.#done.has(id)) {
      this.#done.set(id, outcome);
      if (outcome.status === "delivered") this.#delivered += 1;
      else this.#failed += 1;
      if (outcome.status === "failed") log.warn("An item of the outbox can never be done.", { id, kind, ...outcome });
    }
    await feed.acknowledge(id, outcome);
    this.#waiting = Math.max(0, this.#waiting - 1);
  }
}
