import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import { backoffMs } from "../base/retry.ts";
import { createBell } from "./bell.ts";
import type { Spool, SpoolEntry } from "./ports.ts";
import { UnrecordedLoss } from "./unrecorded-loss.ts";

/**
 * Stands between the reader, which must never wait (Home Assistant cuts off a client that does), and the spool, which may:
 * a bounded buffer in memory, and a pump that appends it in groups.
 */
export interface Intake {
  /**
   * Never waits, never throws. At the bound the oldest go and are counted as lost. `onDurable` is called when the entry is in the spool, in the order of
   * pushing, and never for one that was lost or that the spool refused.
   */
  push(entry: SpoolEntry, onDurable?: () => void): void;
  /** Calls when everything that was pushed so far is in the spool; at once when nothing waits. Not when the last of it was lost; of earlier ones `onLost` tells. */
  whenDurable(call: () => void): void;
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
  /** Something is in the spool, up to the record of this number; after every `onDurable` of it. */
  readonly onAppended: (lastSequence: number) => void;
  /** Some were lost, here or at the spool's bound; before any `onDurable` of what came after them. */
  readonly onLost?: () => void;
  /** Default 50,000. */
  readonly maxRecords?: number;
  /** Default 32 MiB, of what it really takes. */
  readonly maxBytes?: number;
}

interface Entry {
  readonly entry: SpoolEntry;
  readonly onDurable: (() => void) | undefined;
  /** What waits for this one to be durable. */
  after: (() => void)[] | undefined;
  /** About what it takes in memory. */
  readonly bytes: number;
  readonly atMs: number;
}

/** One group is one fsync, and takes all that waits: behind a disk that stalls, smaller ones would never catch up. More than this would hold the event loop for long. */
const GROUP_MAX_RECORDS = 20_000;
const GROUP_MAX_BYTES = 12_582_912;
/** A group waits so long for more, so that a busy home does not cost an fsync an event; */
const GATHER_MS = 20;
/** but not when so many are there. */
const GATHERED_RECORDS = 1_000;
/** The objects around one text: the entry, its times and what is to be called (measured: 255 of 798 bytes). */
const ENTRY_BYTES = 256;
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
  #groupBytes = 0;
  #waitingForRoom: (() => void)[] = [];
  #lost = 0;
  readonly #unrecorded = new UnrecordedLoss();
  #lastError: string | undefined;

  constructor(options: IntakeOptions) {
    this.#options = { maxRecords: 50_000, maxBytes: 33_554_432, onLost: () => {}, ...options };
    this.#bell = createBell(options.clock);
  }

  push(entry: SpoolEntry, onDurable?: () => void): void {
    const bytes = costOf(entry.text);
    this.#queue.push({ entry, onDurable, after: undefined, bytes, atMs: this.#options.clock.nowMs() });
    this.#bytes += bytes;
    const { maxRecords, maxBytes } = this.#options;
    if (this.#queue.length + this.#group.length > maxRecords || this.#bytes + this.#groupBytes > maxBytes)
      this.#dropOldest();
    this.#bell.ring();
  }

  whenDurable(call: () => void): void {
    const last = this.#queue.at(-1) ?? this.#group.at(-1);
    if (!last) {
      call();
      return;
    }
    last.after = [...(last.after ?? []), call];
  }

  room(): Promise<void> {
    if (this.#hasRoom()) return Promise.resolve();
    return new Promise((resolve) => this.#waitingForRoom.push(resolve));
  }

  async run(): Promise<void> {
    const { clock } = this.#options;
    for (;;) {
      if (this.#queue.length === 0 && this.#unrecorded.isNone) {
        if (this.#closing.signal.aborted) return;
        await this.#bell.wait(IDLE_MS);
        continue;
      }
      if (this.#queue.length < GATHERED_RECORDS) await clock.sleep(GATHER_MS, this.#closing.signal);
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
    const bytes = this.#bytes + this.#groupBytes;
    const records = this.#queue.length + this.#group.length;
    return { records, bytes, lost: this.#lost, ...(lastError && { lastError }) };
  }

  /** Tries again until the group is in the spool; gives up only when closing. */
  async #appendGroup(): Promise<boolean> {
    const { spool, clock, random, log, onAppended } = this.#options;
    const group = this.#takeGroup();
    for (let attempt = 1; ; attempt++) {
      try {
        // First the loss: whoever reads the spool must not take what came after it for all there was.
        await this.#unrecorded.record(spool, log);
        if (group.length > 0) this.#settle(await spool.append(group.map(({ entry }) => entry)));
        if (this.#lastError) log.info("The spool takes records again.", { attempts: attempt });
        this.#lastError = undefined;
        onAppended(spool.state().lastSequence);
        return true;
      } catch (thrown) {
        if (!this.#lastError) log.error("The spool cannot be written: events wait in memory.", { error: thrown });
        this.#lastError = messageOf(thrown);
        if (this.#closing.signal.aborted) {
          this.#queue = [...group, ...this.#queue];
          this.#bytes += this.#groupBytes;
          this.#endGroup();
          log.error("The relay ends with records that the spool did not take.", { count: this.#queue.length });
          return false;
        }
        await clock.sleep(Math.max(100, backoffMs(attempt, random, { maxMs: RETRY_MAX_MS })), this.#closing.signal);
      }
    }
  }

  /** The group is in the spool, but for what was refused at its bound: that has the number 0. */
  #settle(numbers: readonly number[]): void {
    const group = this.#group;
    this.#endGroup();
    if (numbers.includes(0)) this.#options.onLost();
    for (const [index, { onDurable, after = [] }] of group.entries()) {
      if (numbers[index] === 0) continue;
      onDurable?.();
      for (const call of after) call();
    }
  }

  #takeGroup(): readonly Entry[] {
    const { maxRecords, maxBytes } = this.#options;
    // Half of the memory is left for what comes meanwhile.
    const mostRecords = Math.min(this.#queue.length, GROUP_MAX_RECORDS, Math.ceil(maxRecords / 2));
    const mostBytes = Math.min(GROUP_MAX_BYTES, maxBytes / 2);
    let [count, bytes] = [0, 0];
    while (count < mostRecords && bytes < mostBytes) bytes += this.#queue[count++]?.bytes ?? 0;
    this.#group = this.#queue.splice(0, count);
    this.#groupBytes = bytes;
    this.#bytes -= bytes;
    if (this.#hasRoom()) this.#announceRoom();
    return this.#group;
  }

  #endGroup(): void {
    this.#group = [];
    this.#groupBytes = 0;
  }

  #dropOldest(): void {
    const { maxRecords, maxBytes } = this.#options;
    let count = 0;
    let bytes = this.#bytes;
    const mostRecords = maxRecords * 0.95 - this.#group.length;
    const mostBytes = maxBytes * 0.95 - this.#groupBytes;
    // A share of them at once: the buffer is moved once, not for each event.
    while (count < this.#queue.length - 1 && (this.#queue.length - count > mostRecords || bytes > mostBytes)) {
      bytes -= this.#queue[count]?.bytes ?? 0;
      count += 1;
    }
    const gone = this.#queue.splice(0, count);
    this.#bytes = bytes;
    this.#lost += gone.length;
    const [first, last] = [gone[0], gone.at(-1)];
    if (!first || !last) return;
    this.#unrecorded.add({ count: gone.length, fromMs: first.atMs, toMs: last.atMs });
    this.#options.onLost();
  }

  #hasRoom(): boolean {
    const { maxRecords, maxBytes } = this.#options;
    return this.#closing.signal.aborted || (this.#queue.length <= maxRecords / 2 && this.#bytes <= maxBytes / 2);
  }

  #announceRoom(): void {
    for (const resolve of this.#waitingForRoom.splice(0)) resolve();
  }
}

/** A text of which one character is not Latin takes two bytes for each. */
const costOf = (text: string): number =>
  (Buffer.byteLength(text) === text.length ? text.length : 2 * text.length) + ENTRY_BYTES;
