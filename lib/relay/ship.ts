import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import { createBell } from "./bell.ts";
import type { BreakerState } from "./breaker.ts";
import { Condition } from "./condition.ts";
import { Delivery, type Slot } from "./deliver.ts";
import { dueInMs } from "./flush.ts";
import type { RelaySink, SinkMessage, Spool, SpooledRecord } from "./ports.ts";

/** One sink as `GET /health` shows it. */
export interface SinkState {
  readonly name: string;
  /** Everything up to this number has been taken by the sink, or is accounted for. */
  readonly cursor: number;
  readonly lagRecords: number;
  readonly breaker: BreakerState;
  readonly messages: number;
  /** Events that this sink refused, since the start. */
  readonly lost: number;
  /** When it last took something. */
  readonly takenAtMs?: number;
  /** When the oldest record came that it has not taken, as far as it has been read. */
  readonly oldestAtMs?: number;
  readonly lastError?: string;
  readonly failingSinceMs?: number;
  /** The control plane has stopped it. */
  readonly isOff?: true;
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

export interface ShipperOptions {
  readonly sink: RelaySink;
  /** Instead of the sink's own, while there is one. */
  readonly flushMs?: () => number | undefined;
  /** As `flushMs`, of the records of a message: never more than the packer takes. */
  readonly maxRecords?: () => number | undefined;
  readonly spool: Spool;
  readonly random: Random;
  readonly log: Logger;
  readonly clock: Clock;
}

const READ_MAX_RECORDS = 20_000;
/** Lines in memory that no message holds yet. */
const PENDING_MAX_BYTES = 4_194_304;
/** Messages that were sent and cannot be acknowledged because one before them is still open. */
const SLOTS_MAX = 1_000;
/** Looks for itself even when nobody wakes it: also tries an acknowledgement again that the spool did not take. */
const IDLE_MS = 60_000;

export function createShipper(options: ShipperOptions): Shipper {
  return new SinkShipper(options);
}

class SinkShipper implements Shipper {
  readonly #options: ShipperOptions;
  readonly #bell: ReturnType<typeof createBell>;
  readonly #condition: Condition;
  readonly #delivery: Delivery;
  readonly #stopping = new AbortController();
  #pending: SpooledRecord[] = [];
  #pendingBytes = 0;
  /** When a record was first pending, on the clock that nobody sets. */
  #pendingSinceMs = 0;
  #readUpTo = 0;
  /** In the order of their numbers: acknowledged from the front. */
  #slots: Slot[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #takenUpTo = 0;

  constructor(options: ShipperOptions) {
    const { clock, random, sink, spool } = options;
    this.#options = options;
    const log = options.log.with({ sink: sink.name });
    this.#bell = createBell(clock);
    const condition = new Condition({ clock, random, log });
    this.#condition = condition;
    const stopping = this.#stopping.signal;
    const onChange = () => void this.#land();
    this.#delivery = new Delivery({ sink, spool, clock, random, condition, stopping, onChange });
  }

  async run(): Promise<void> {
    const { signal } = this.#stopping;
    for (;;) {
      await this.#readMore();
      await this.#acknowledge();
      const waitMs = this.#dueInMs();
      const isFree = this.#underWay.size < this.#options.sink.inFlightMax && this.#slots.length < SLOTS_MAX;
      if (waitMs <= 0 && isFree) this.#launch();
      else if (signal.aborted && this.#pending.length === 0) break;
      else await this.#bell.wait(waitMs <= 0 ? IDLE_MS : Math.min(waitMs, IDLE_MS));
      if (signal.aborted && this.#condition.lastError) break;
    }
    await Promise.all(this.#underWay);
    await this.#delivery.settled();
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
    const { breaker, messages, lost, takenAtMs, lastError, failingSinceMs } = this.#condition;
    const oldestAtMs = this.#slots[0]?.fromMs ?? this.#pending[0]?.appendedAtMs;
    return {
      name,
      cursor,
      lagRecords: lastSequence - cursor,
      breaker: breaker.state,
      messages,
      lost,
      ...(takenAtMs !== undefined && { takenAtMs }),
      ...(oldestAtMs !== undefined && { oldestAtMs }),
      ...(lastError && { lastError }),
      ...(failingSinceMs !== undefined && { failingSinceMs }),
    };
  }

  async #readMore(): Promise<void> {
    const { spool, sink, clock } = this.#options;
    const { targetBytes } = sink.packer;
    const wanted = Math.max(targetBytes, Math.min(targetBytes * sink.batchMax, PENDING_MAX_BYTES));
    const missing = wanted - this.#pendingBytes;
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
      this.#condition.spoolFailed("The spool cannot be read.", { error: thrown });
    }
  }

  #dueInMs(): number {
    const { clock, sink } = this.#options;
    const [oldest] = this.#pending;
    if (!oldest) return IDLE_MS;
    if (this.#stopping.signal.aborted) return 0;
    const { targetBytes } = sink.packer;
    return dueInMs(
      {
        records: this.#pending.length,
        bytes: this.#pendingBytes,
        oldestAtMs: oldest.appendedAtMs,
        sinceMs: this.#pendingSinceMs,
      },
      { flushMs: this.#options.flushMs?.() ?? sink.flushMs, targetBytes, maxRecords: this.#maxRecords(), clock },
    );
  }

  #maxRecords(): number {
    const { maxRecords } = this.#options.sink.packer;
    return Math.min(this.#options.maxRecords?.() ?? maxRecords, maxRecords);
  }

  /** As many messages as are due and one call takes: after an outage that is what the time goes into. */
  #launch(): void {
    const { sink } = this.#options;
    const batch: { slot: Slot; message: SinkMessage }[] = [];
    const work: Promise<void>[] = [];
    while (batch.length < sink.batchMax && this.#dueInMs() <= 0) {
      const most = this.#maxRecords();
      const packed = sink.packer.pack(this.#pending.length > most ? this.#pending.slice(0, most) : this.#pending);
      const [first] = this.#take(packed.fits ? packed.count : 1);
      const fromMs = first?.appendedAtMs ?? 0;
      const slot: Slot = { last: packed.fits ? packed.message.last : packed.n, fromMs, open: 1 };
      this.#slots.push(slot);
      if (packed.fits) batch.push({ slot, message: packed.message });
      else work.push(this.#delivery.giveUp(slot, { ...packed, atMs: fromMs }));
    }
    if (batch.length > 0) work.push(this.#delivery.deliver(batch));
    const all = Promise.all(work).then(() => {
      this.#underWay.delete(all);
      this.#bell.ring();
    });
    this.#underWay.add(all);
  }

  #take(count: number): readonly SpooledRecord[] {
    const taken = this.#pending.splice(0, count);
    for (const { line } of taken) this.#pendingBytes -= Buffer.byteLength(line);
    this.#pendingSinceMs = this.#options.clock.monotonicMs();
    return taken;
  }

  async #land(): Promise<void> {
    const open = this.#slots.findIndex(({ open: parts }) => parts > 0);
    const landed = this.#slots.splice(0, open === -1 ? this.#slots.length : open);
    this.#takenUpTo = Math.max(this.#takenUpTo, landed.at(-1)?.last ?? 0);
    await this.#acknowledge();
    this.#bell.ring();
  }

  async #acknowledge(): Promise<void> {
    const { spool, sink } = this.#options;
    if (this.#takenUpTo <= (spool.state().cursors[sink.name] ?? 0)) return;
    try {
      await spool.acknowledge(sink.name, this.#takenUpTo);
    } catch (thrown) {
      this.#condition.spoolFailed("A cursor cannot be moved: the sink may get messages again.", { error: thrown });
    }
  }
}
