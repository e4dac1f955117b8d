import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import { backoffMs } from "../base/retry.ts";
import type { NewRelayRecord } from "../event/index.ts";
import { createBell } from "./bell.ts";
import type { Spool } from "./ports.ts";

/**
 * Stands between the reader, which must never wait (Home Assistant cuts off a client that does), and the spool, which may:
 * a bounded buffer in memory, and a pump that appends it in groups.
 */
export interface Intake {
  /** Never waits, never throws. At the bound the oldest go and are counted as lost. */
  push(record: NewRelayRecord, bytes: number): void;
  /** Resolves when at least half of the buffer is free, or it is closing: for those who can wait (the snapshot). */
  room(): Promise<void>;
  /** Runs until `close`, and until what is in memory is appended, or could not be at the last attempt. */
  run(): Promise<void>;
  close(): void;
  /** What waits in memory, and what was lost from it. */
  state(): { readonly records: number; readonly bytes: number; readonly lost: number; readonly lastError?: string };
}

export interface IntakeOptions {
  readonly spool: Spool;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly onAppended: () => void;
  /** Default 50,000. */
  readonly maxRecords?: number;
  /** Default 32 MiB. */
  readonly maxBytes?: number;
}

interface Entry {
  readonly record: NewRelayRecord;
  readonly bytes: number;
  readonly atMs: number;
}

/** One group is one transaction; small enough that the event loop is not held for long. */
const GROUP_MAX_RECORDS = 1_000;
const GROUP_MAX_BYTES = 524_288;
/** A group waits so long for more, so that a busy home does not cost an fsync an event. */
const GATHER_MS = 20;
const RETRY_MAX_MS = 5_000;
const IDLE_MS = 60_000;

export function createIntake(options: IntakeOptions): Intake {
  return new MemoryIntake(options);
}

class MemoryIntake implements Intake {
  readonly #options: Required<IntakeOptions>;
  readonly #bell: ReturnType<typeof createBell>;
  readonly #closing = new AbortController();
  #queue: Entry[] = [];
  #group: Entry[] = [];
  #bytes = 0;
  #waitingForRoom: (() => void)[] = [];
  #lost = 0;
  #unrecorded: { count: number; fromMs: number; toMs: number } | undefined;
  #lastError: string | undefined;

  constructor(options: IntakeOptions) {
    this.#options = { maxRecords: 50_000, maxBytes: 33_554_432, ...options };
    this.#bell = createBell(options.clock);
  }

  push(record: NewRelayRecord, bytes: number): void {
    this.#queue.push({ record, bytes, atMs: this.#options.clock.nowMs() });
    this.#bytes += bytes;
    if (this.#queue.length > this.#options.maxRecords || this.#bytes > this.#options.maxBytes) this.#dropOldest();
    this.#bell.ring();
  }

  room(): Promise<void> {
    if (this.#hasRoom()) return Promise.resolve();
    return new Promise((resolve) => this.#waitingForRoom.push(resolve));
  }

  async run(): Promise<void> {
    const { clock } = this.#options;
    for (;;) {
      if (this.#queue.length === 0 && !this.#unrecorded) {
        if (this.#closing.signal.aborted) return;
        await this.#bell.wait(IDLE_MS);
        continue;
      }
      if (this.#queue.length < GROUP_MAX_RECORDS) await clock.sleep(GATHER_MS, this.#closing.signal);
      const isAppended = await this.#appendGroup();
      if (!isAppended && this.#closing.signal.aborted) return;
    }
  }

  close(): void {
    this.#closing.abort();
    this.#bell.ring();
    this.#announceRoom();
  }

  state() {
    const lastError = this.#lastError;
    // What is being appended is not durable yet, so it counts as being in memory.
    const bytes = this.#group.reduce((sum, entry) => sum + entry.bytes, this.#bytes);
    const records = this.#queue.length + this.#group.length;
    return { records, bytes, lost: this.#lost, ...(lastError && { lastError }) };
  }

  /** Tries again until the group is in the spool; gives up only when closing. */
  async #appendGroup(): Promise<boolean> {
    const { spool, clock, random, log, onAppended } = this.#options;
    const group = this.#takeGroup();
    this.#group = group;
    for (let attempt = 1; ; attempt++) {
      try {
        if (group.length > 0) await spool.append(group.map(({ record }) => record));
        group.length = 0;
        await this.#recordLost();
        if (this.#lastError) log.info("The spool takes records again.", { attempts: attempt });
        this.#lastError = undefined;
        onAppended();
        return true;
      } catch (thrown) {
        if (!this.#lastError) log.error("The spool cannot be written: events wait in memory.", { error: thrown });
        this.#lastError = messageOf(thrown);
        if (this.#closing.signal.aborted) {
          this.#queue.unshift(...group.splice(0));
          log.error("The relay ends with records that the spool did not take.", { count: this.#queue.length });
          return false;
        }
        await clock.sleep(Math.max(100, backoffMs(attempt, random, { maxMs: RETRY_MAX_MS })), this.#closing.signal);
      }
    }
  }

  #takeGroup(): Entry[] {
    let count = 0;
    for (let bytes = 0; count < Math.min(this.#queue.length, GROUP_MAX_RECORDS) && bytes < GROUP_MAX_BYTES; count++) {
      bytes += this.#queue[count]?.bytes ?? 0;
    }
    const group = this.#queue.splice(0, count);
    for (const { bytes } of group) this.#bytes -= bytes;
    if (this.#hasRoom()) this.#announceRoom();
    return group;
  }

  #dropOldest(): void {
    const { maxRecords, maxBytes } = this.#options;
    let count = 0;
    let bytes = this.#bytes;
    // A share of them at once: the buffer is moved once, not for each event.
    while (
      count < this.#queue.length - 1 &&
      (this.#queue.length - count > maxRecords * 0.95 || bytes > maxBytes * 0.95)
    ) {
      bytes -= this.#queue[count]?.bytes ?? 0;
      count += 1;
    }
    const gone = this.#queue.splice(0, count);
    this.#bytes = bytes;
    this.#lost += gone.length;
    const [first, last] = [gone[0], gone.at(-1)];
    if (!first || !last) return;
    const before = this.#unrecorded;
    this.#unrecorded = {
      count: gone.length + (before?.count ?? 0),
      fromMs: before?.fromMs ?? first.atMs,
      toMs: last.atMs,
    };
  }

  async #recordLost(): Promise<void> {
    const lost = this.#unrecorded;
    if (!lost) return;
    this.#unrecorded = undefined;
    try {
      await this.#options.spool.recordLoss({
        ...lost,
        reason: "the spool could not be written and the memory was full",
      });
      this.#options.log.error("Events were lost while the spool could not be written.", { count: lost.count });
    } catch (thrown) {
      const since = this.#unrecorded as typeof lost | undefined;
      this.#unrecorded = { ...lost, count: lost.count + (since?.count ?? 0), toMs: since?.toMs ?? lost.toMs };
      throw thrown;
    }
  }

  #hasRoom(): boolean {
    const { maxRecords, maxBytes } = this.#options;
    return this.#closing.signal.aborted || (this.#queue.length <= maxRecords / 2 && this.#bytes <= maxBytes / 2);
  }

  #announceRoom(): void {
    for (const resolve of this.#waitingForRoom.splice(0)) resolve();
  }
}
