import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import type { Microseconds } from "../base/time.ts";
import { type HomeKey, readEnvelope } from "../event/index.ts";
import { createEnvelopePacker, type SecretCount } from "../relay/index.ts";
import { Batch } from "./batch.ts";
import type { HistoryChunk, HistorySource, ImportSink, ImportState, ImportStateFile, PastRow } from "./ports.ts";
import { Sender } from "./send.ts";
import { type TakeOptions, Taker } from "./take.ts";
import { type ImportCounts, Tally } from "./tally.ts";

export interface ImportOptions extends TakeOptions {
  readonly homeId: string;
  readonly key: HomeKey;
  readonly source: HistorySource;
  readonly file: ImportStateFile;
  readonly sink: ImportSink;
  readonly clock: Clock;
  readonly random: Random;
  readonly newRelayId: () => string;
  /** The store does not keep raw events from before this for long: they are counted. */
  readonly rawFromUs?: Microseconds;
  /** Through all of it again, from the start. What is in the store already stays as it is. */
  readonly isRestart: boolean;
  /** Aborted: ends after what is being sent, and can be gone on with. */
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: ImportProgress) => void;
}

export interface ImportProgress {
  readonly counts: ImportCounts;
  /** 0 to 1, of the whole history. */
  readonly fraction: number;
  /** The import waits for the cloud: so many messages lie in front of the store. */
  readonly waiting?: number;
}

export interface ImportSummary extends ImportCounts {
  readonly relayId: string;
  /** The last number that was given: the ledger is complete up to it when all has arrived. */
  readonly sequence: number;
  readonly messages: number;
  /** `last_updated` of the earliest and the latest record of this run. */
  readonly firstUs?: number;
  readonly lastUs?: number;
  /** Records of this run from before `rawFromUs`. */
  readonly pastRaw: number;
  readonly secrets: SecretCount;
  readonly remarks: readonly string[];
  /** False: it was stopped by its signal; the same command goes on. */
  readonly isFinished: boolean;
  readonly durationMs: number;
}

/**
 * Reads a history to its end and sends what it holds. Each batch of messages is written down before it is sent, so that whatever ends the run,
 * the next one sends the very same messages again and goes on behind them: no number ever has two contents.
 * @throws HearthlineError what reading, writing or sending throws; what was read before is sent, and the next run goes on there
 */
export async function runImport(options: ImportOptions): Promise<ImportSummary> {
  const run = new ImportRun(options);
  return run.finish();
}

class ImportRun {
  readonly #options: ImportOptions;
  readonly #tally = new Tally();
  readonly #taker: Taker;
  readonly #sender: Sender;
  readonly #batch: Batch;
  readonly #startedMs: number;
  #state: ImportState;
  #position: unknown;
  #fraction = 0;
  #inFlight = 0;
  #messages = 0;
  #firstUs = Number.POSITIVE_INFINITY;
  #lastUs = Number.NEGATIVE_INFINITY;
  #pastRaw = 0;

  constructor(options: ImportOptions) {
    const { homeId, source, file, isRestart, newRelayId, clock } = options;
    this.#options = options;
    this.#startedMs = clock.monotonicMs();
    const { kind, identity, name } = source;
    const fresh: ImportState = {
      version: 1,
      homeId,
      source: { kind, identity, name },
      relayId: "",
      sequence: 0,
      pending: [],
      entities: {},
      isFinished: false,
    };
    const stored = file.load();
    if (file.remark) this.#tally.remark(file.remark);
    const { position: _, ...again } = stored ?? fresh;
    const begun = isRestart ? { ...again, entities: {} } : (stored ?? fresh);
    this.#state = stored ? begun : { ...fresh, relayId: newRelayId() };
    this.#position = this.#state.position;
    this.#taker = new Taker(options, this.#state.entities);
    this.#batch = new Batch(createEnvelopePacker({ ...options, relayId: this.#state.relayId }));
    this.#sender = new Sender({ ...options, onWait: (waiting) => this.#report(waiting) });
  }

  async finish(): Promise<ImportSummary> {
    this.#sendPending();
    const failed = await this.#readAll();
    const isFinished = !failed && !this.#options.signal.aborted;
    if (this.#batch.records > 0) await this.#flush();
    await this.#landed();
    if (this.#state.pending.length > 0 || isFinished !== this.#state.isFinished || this.#hasMoved())
      this.#save({ pending: [], isFinished });
    if (failed) throw failed.thrown;
    this.#report();
    return this.#summary(isFinished);
  }

  #hasMoved(): boolean {
    return JSON.stringify(this.#position) !== JSON.stringify(this.#state.position);
  }

  /** What a run before this one had written down and may not have sent. */
  #sendPending(): void {
    const { pending } = this.#state;
    if (pending.length === 0) return;
    const records = pending.reduce((sum, message) => sum + readEnvelope(message).count, 0);
    this.#tally.resent = records;
    this.#begin(pending, records);
  }

  #begin(messages: readonly string[], records: number): void {
    this.#inFlight = records;
    this.#messages += messages.length;
    this.#sender.begin(messages);
  }

  async #landed(): Promise<void> {
    await this.#sender.taken();
    this.#tally.imported += this.#inFlight;
    this.#inFlight = 0;
  }

  /**
   * Gives what the history threw: what was read before it broke off is not given up with it. What writing or sending throws is thrown on,
   * because then nothing may be written down any more.
   */
  async #readAll(): Promise<{ readonly thrown: unknown } | undefined> {
    const { source, signal } = this.#options;
    const chunks = source.read(this.#position, signal)[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await chunks.next().catch((thrown: unknown) => ({ thrown }));
        if ("thrown" in next) return next;
        if (next.done) return undefined;
        this.#takeChunk(next.value);
        if (this.#batch.isFull) await this.#flush();
        this.#report();
        if (signal.aborted) return undefined;
      }
    } finally {
      await chunks.return?.();
    }
  }

  #takeChunk({ rows, rejected, position, fraction, remark }: HistoryChunk): void {
    if (remark) this.#tally.remark(remark);
    this.#tally.read += rows.length + rejected.length;
    for (const row of rejected) this.#tally.reject(row);
    for (const row of rows) this.#take(row);
    this.#position = position;
    this.#fraction = fraction;
  }

  #take(row: PastRow): void {
    const taken = this.#taker.take(row);
    if (taken.outcome === "skipped") {
      this.#tally.skip(taken.reason);
      return;
    }
    if (taken.outcome === "rejected") {
      const { code, detail } = taken;
      this.#tally.reject({ code, detail, ...(row.place !== undefined && { place: row.place }) });
      return;
    }
    if (taken.isOutOfOrder) this.#tally.outOfOrder += 1;
    this.#batch.add(taken.text);
    this.#firstUs = Math.min(this.#firstUs, row.atUs);
    this.#lastUs = Math.max(this.#lastUs, row.atUs);
    if (row.atUs < (this.#options.rawFromUs ?? Number.NEGATIVE_INFINITY)) this.#pastRaw += 1;
  }

  /** Packs what was read, waits until the batch before was taken, writes the new one down, and begins to send it. */
  async #flush(): Promise<void> {
    const records = this.#batch.records;
    const messages = this.#batch.pack(this.#state.sequence);
    await this.#landed();
    this.#save({ pending: messages, isFinished: false, sequence: this.#state.sequence + records });
    this.#begin(messages, records);
  }

  #save(changed: Pick<ImportState, "pending" | "isFinished"> & { readonly sequence?: number }): void {
    const position = this.#position;
    this.#state = {
      ...this.#state,
      ...changed,
      ...(position !== undefined && { position }),
      entities: this.#taker.entities,
    };
    this.#options.file.save(this.#state);
  }

  #report(waiting?: number): void {
    const counts = this.#tally.counts();
    this.#options.onProgress?.({ counts, fraction: this.#fraction, ...(waiting !== undefined && { waiting }) });
  }

  #summary(isFinished: boolean): ImportSummary {
    const { clock } = this.#options;
    const { relayId, sequence } = this.#state;
    return {
      ...this.#tally.counts(),
      relayId,
      sequence,
      messages: this.#messages,
      ...(Number.isFinite(this.#firstUs) && { firstUs: this.#firstUs, lastUs: this.#lastUs }),
      pastRaw: this.#pastRaw,
      secrets: this.#taker.secrets,
      remarks: [...this.#tally.remarks, ...unsureRemark(this.#taker.unsure)],
      isFinished,
      durationMs: clock.monotonicMs() - this.#startedMs,
    };
  }
}

const unsureRemark = (count: number): string[] =>
  count === 0
    ? []
    : [
        `${count} states of text entities were replaced by "[secret]": the recorder does not keep whether a text is a password, and this home has not said so yet. Let the relay run, then import again with --restart.`,
      ];
