import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import { createBell } from "./bell.ts";
import { Breaker, type BreakerState } from "./breaker.ts";
import { createPacker, type Packed, type PackerOptions } from "./pack.ts";
import type { RelaySink, Spool, SpooledRecord } from "./ports.ts";

/** One sink as `GET /health` shows it. */
export interface SinkState {
  readonly name: string;
  /** Everything up to this number has been taken by the sink. */
  readonly cursor: number;
  readonly lagRecords: number;
  readonly breaker: BreakerState;
  readonly messages: number;
  readonly lastError?: string;
}

/** Moves records from the spool to one sink, in order, each at least once. One sink's trouble is no other's. */
export interface Shipper {
  /** Runs until `stop`, then sends what is left, once. */
  run(): Promise<void>;
  /** New records are in the spool. */
  wake(): void;
  stop(): void;
  state(): SinkState;
}

export interface ShipperOptions extends Omit<PackerOptions, "relayId"> {
  readonly sink: RelaySink;
  readonly spool: Spool;
  readonly random: Random;
  readonly log: Logger;
  readonly clock: Clock;
  /** No record waits longer for its message to fill. */
  readonly flushMs: number;
}

/** Messages under way at once; they are acknowledged in order. */
const IN_FLIGHT_MAX = 4;
const READ_MAX_RECORDS = 5_000;
/** Looks for itself even when nobody wakes it: also tries an acknowledgement again that the spool did not take. */
const IDLE_MS = 60_000;
const SPOOL_RETRY_MS = 5_000;

interface Flight {
  readonly last: number;
  isTaken: boolean;
  readonly done: Promise<void>;
}

export function createShipper(options: ShipperOptions): Shipper {
  return new SinkShipper(options);
}

class SinkShipper implements Shipper {
  readonly #options: ShipperOptions;
  readonly #packer: ReturnType<typeof createPacker>;
  readonly #bell: ReturnType<typeof createBell>;
  readonly #breaker: Breaker;
  readonly #stopping = new AbortController();
  #pending: SpooledRecord[] = [];
  #pendingBytes = 0;
  /** When a record was first pending, on the clock that nobody sets. */
  #pendingSinceMs = 0;
  #readUpTo = 0;
  #flights: Flight[] = [];
  #takenUpTo = 0;
  #messages = 0;
  #lastError: string | undefined;

  constructor(options: ShipperOptions) {
    this.#options = options;
    this.#packer = createPacker({ ...options, relayId: options.spool.relayId });
    this.#bell = createBell(options.clock);
    this.#breaker = new Breaker(options.clock, options.random);
  }

  async run(): Promise<void> {
    for (;;) {
      await this.#readMore();
      await this.#acknowledge();
      const waitMs = this.#dueInMs();
      if (waitMs <= 0 && this.#flights.length < IN_FLIGHT_MAX) await this.#launch();
      else if (this.#stopping.signal.aborted && this.#pending.length === 0) break;
      // The first one: those behind it may have been taken long ago and still wait for their turn.
      else if (waitMs <= 0) await this.#flights[0]?.done;
      else await this.#bell.wait(Math.min(waitMs, IDLE_MS));
      if (this.#stopping.signal.aborted && this.#lastError) break;
    }
    await Promise.all(this.#flights.map(({ done }) => done));
    await this.#acknowledge();
  }

  wake(): void {
    this.#bell.ring();
  }

  stop(): void {
    this.#stopping.abort();
    this.#bell.ring();
  }

  state(): SinkState {
    const { cursors, lastSequence } = this.#options.spool.state();
    const { name } = this.#options.sink;
    const cursor = cursors[name] ?? 0;
    return {
      name,
      cursor,
      lagRecords: lastSequence - cursor,
      breaker: this.#breaker.state,
      messages: this.#messages,
      ...(this.#lastError && { lastError: this.#lastError }),
    };
  }

  async #readMore(): Promise<void> {
    const { spool, sink, log, clock } = this.#options;
    const missing = this.#packer.targetBytes - this.#pendingBytes;
    const limit = READ_MAX_RECORDS - this.#pending.length;
    if (missing <= 0 || limit <= 0) return;
    try {
      const more = await spool.read(sink.name, { limit, maxBytes: missing, after: this.#readUpTo });
      if (this.#pending.length === 0) this.#pendingSinceMs = clock.monotonicMs();
      for (const record of more) {
        this.#pending.push(record);
        this.#pendingBytes += Buffer.byteLength(record.line);
        this.#readUpTo = record.n;
      }
    } catch (thrown) {
      log.error("The spool cannot be read.", { sink: sink.name, error: thrown });
    }
  }

  #dueInMs(): number {
    const { clock, flushMs } = this.#options;
    const [oldest] = this.#pending;
    if (!oldest) return IDLE_MS;
    const isFull = this.#pendingBytes >= this.#packer.targetBytes * 0.95 || this.#pending.length >= READ_MAX_RECORDS;
    if (isFull || this.#stopping.signal.aborted) return 0;
    // By the wall clock, so that a restart does not begin the wait anew; but that clock may have been set back since.
    const byWallMs = oldest.appendedAtMs + flushMs - clock.nowMs();
    return Math.min(byWallMs, this.#pendingSinceMs + flushMs - clock.monotonicMs());
  }

  async #launch(): Promise<void> {
    const packed = this.#packer.pack(this.#pending);
    const gone = this.#pending.splice(0, packed.fits ? packed.count : 1);
    for (const { line } of gone) this.#pendingBytes -= Buffer.byteLength(line);
    this.#pendingSinceMs = this.#options.clock.monotonicMs();
    const last = packed.fits ? packed.last : packed.n;
    const flight: Flight = { last, isTaken: false, done: Promise.resolve() };
    const work = packed.fits ? this.#send(packed.message) : this.#giveUp(packed, gone);
    const done = work.then((isTaken) => {
      flight.isTaken = isTaken;
      return this.#land();
    });
    this.#flights.push(Object.assign(flight, { done }));
  }

  /** Tries until the sink has taken it; false only when the relay ends. */
  async #send(message: string): Promise<boolean> {
    const { sink, log } = this.#options;
    for (;;) {
      const isLastTry = this.#stopping.signal.aborted;
      await this.#breaker.enter(this.#stopping.signal);
      try {
        await sink.send(message);
        if (this.#lastError) log.info("The sink takes messages again.", { sink: sink.name });
        this.#lastError = undefined;
        this.#breaker.succeeded();
        this.#messages += 1;
        return true;
      } catch (thrown) {
        const before = this.#lastError;
        this.#lastError = messageOf(thrown);
        this.#breaker.failed();
        if (before !== this.#lastError)
          log.warn("The sink did not take a message.", { sink: sink.name, error: thrown });
        if (isLastTry || this.#stopping.signal.aborted) return false;
      }
    }
  }

  /** A record that no message can carry becomes a loss record, so that the numbers stay accounted for. */
  async #giveUp(packed: Packed & { fits: false }, [record]: readonly SpooledRecord[]): Promise<boolean> {
    const { spool, clock, log, sink } = this.#options;
    const atMs = record?.appendedAtMs ?? clock.nowMs();
    const reason = `the record takes ${packed.bytes} bytes as a message, more than a queue takes`;
    while (!this.#stopping.signal.aborted) {
      try {
        await spool.recordLoss({ count: 1, reason, fromMs: atMs, toMs: atMs, range: [packed.n, packed.n] });
        log.error("A record is too large for any message and was given up.", { sink: sink.name, sequence: packed.n });
        return true;
      } catch (thrown) {
        log.error("A loss could not be recorded.", { sink: sink.name, sequence: packed.n, error: thrown });
        await clock.sleep(SPOOL_RETRY_MS, this.#stopping.signal);
      }
    }
    return false;
  }

  async #land(): Promise<void> {
    const open = this.#flights.findIndex(({ isTaken }) => !isTaken);
    const landed = this.#flights.splice(0, open === -1 ? this.#flights.length : open);
    this.#takenUpTo = Math.max(this.#takenUpTo, landed.at(-1)?.last ?? 0);
    await this.#acknowledge();
    this.#bell.ring();
  }

  async #acknowledge(): Promise<void> {
    const { spool, sink, log } = this.#options;
    if (this.#takenUpTo <= (spool.state().cursors[sink.name] ?? 0)) return;
    try {
      await spool.acknowledge(sink.name, this.#takenUpTo);
    } catch (thrown) {
      log.error("A cursor cannot be moved: the sink may get messages again.", { sink: sink.name, error: thrown });
    }
  }
}
