import { HearthlineError } from "../../base/errors.ts";
import type { LostEvents, ReadOptions, Spool, SpoolEntry, SpooledRecord, SpoolState } from "../../relay/ports.ts";
import type { Call } from "./group.ts";
import type { Journal } from "./journal.ts";
import { type JournalOptions, spoolFailed } from "./options.ts";
import type { Segment } from "./segment.ts";
import { SinkPlace } from "./sink-place.ts";
import { Unreadable } from "./unreadable.ts";

/** Calls that came while a group was being written go together, up to about this much: one write and one sync for all of them. */
const GROUP_MAX_CHARACTERS = 1_048_576;
/** A cursor is on the disk so much later than it moved: a crash meanwhile costs a delivery that is repeated. */
const SAVE_AFTER_MS = 2_000;

interface Waiting extends Call {
  resolve(numbers: readonly number[]): void;
  reject(reason: unknown): void;
}

/** The port over a journal: puts what changes the disk in a row, and gathers appends into groups. */
export class JournalSpool implements Spool {
  readonly relayId: string;
  readonly #journal: Journal;
  readonly #options: JournalOptions;
  readonly #places: ReadonlyMap<string, SinkPlace>;
  readonly #closing = new AbortController();
  #waiting: Waiting[] = [];
  #isDraining = false;
  #isSaveDue = false;
  #row: Promise<unknown> = Promise.resolve();
  #closed: Promise<void> | undefined;

  constructor(journal: Journal, options: JournalOptions) {
    this.#journal = journal;
    this.#options = options;
    this.relayId = journal.book.relayId;
    const { files } = options;
    const { segments } = journal;
    const unreadable = new Unreadable({ ...options, segments });
    const isLost = (n: number) => journal.book.isLost(n);
    const onMissing = (first: number, last: number) => this.#miss(first, last);
    this.#places = new Map(
      options.sinks.map((sink) => [sink, new SinkPlace({ files, segments, unreadable, isLost, onMissing })]),
    );
  }

  /** Looks how old each sink's oldest record is. */
  async start(): Promise<void> {
    for (const [sink, place] of this.#places) {
      try {
        await place.moved(
          () => this.#journal.book.cursorOf(sink),
          () => this.#journal.book.last,
        );
      } catch (thrown) {
        this.#options.log.error("The spool's oldest record cannot be read.", { sink, error: thrown });
      }
    }
  }

  append(entries: readonly SpoolEntry[]): Promise<readonly number[]> {
    return this.#enqueue({ entries });
  }

  async recordLoss(lost: LostEvents): Promise<number> {
    const [number = 0] = await this.#enqueue({ entries: [], lost });
    return number;
  }

  async read(sink: string, options: ReadOptions): Promise<readonly SpooledRecord[]> {
    return this.#guard("Reading", () => {
      this.#journal.book.cursorOf(sink);
      return this.#placeOf(sink).read(() => this.#journal.book.cursorOf(sink), options);
    });
  }

  async acknowledge(sink: string, sequence: number): Promise<void> {
    await this.#guard("Moving a cursor of", async () => {
      const { book } = this.#journal;
      const to = Math.min(sequence, book.last);
      if (to <= book.cursorOf(sink)) return;
      book.cursors[sink] = to;
      this.#saveSoon();
      await this.#placeOf(sink).moved(
        () => book.cursorOf(sink),
        () => book.last,
      );
      if (this.#journal.hasDone()) await this.#inRow(() => this.#journal.removeDone());
    });
  }

  state(): SpoolState {
    const { book, segments } = this.#journal;
    const oldestAtMs = [...this.#places]
      .filter(([sink]) => book.cursorOf(sink) === book.done)
      .map(([, place]) => place.oldestAtMs)
      .find((each) => each !== undefined);
    return {
      relayId: this.relayId,
      lastSequence: book.last,
      lastRevision: book.revision,
      bytes: segments.bytes,
      records: book.records,
      losses: book.losses,
      ...(oldestAtMs !== undefined && { oldestAtMs }),
      cursors: { ...book.cursors },
    };
  }

  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #end(): Promise<void> {
    this.#closing.abort();
    if (this.#waiting.length > 0) this.#drainSoon();
    try {
      while (this.#isDraining) await this.#row;
      // First the readers: what they miss at the last moment is written as well.
      for (const place of this.#places.values()) await place.close();
      await this.#inRow(() => this.#journal.close());
    } catch (thrown) {
      throw spoolFailed("Closing", this.#options.files.path, thrown);
    } finally {
      this.#options.release?.();
    }
  }

  #enqueue(call: Call): Promise<readonly number[]> {
    if (this.#closed) return Promise.reject(this.#closedError("Appending to"));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...call, resolve, reject });
      this.#drainSoon();
    });
  }

  #drainSoon(): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    void this.#inRow(async () => {
      while (this.#waiting.length > 0) await this.#appendGroup(this.#takeGroup());
      this.#isDraining = false;
    });
  }

  #takeGroup(): Waiting[] {
    let [count, characters] = [0, 0];
    while (count < this.#waiting.length && characters < GROUP_MAX_CHARACTERS) {
      for (const { text } of this.#waiting[count]?.entries ?? []) characters += text.length;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #appendGroup(group: readonly Waiting[]): Promise<void> {
    const { book } = this.#journal;
    const before = book.last;
    const atMs = this.#options.clock.nowMs();
    try {
      const numbers = await this.#journal.append(group, (segment) => this.#isInHand(segment));
      this.#noteOldest(before, atMs);
      for (const [index, call] of group.entries()) call.resolve(numbers?.[index] ?? call.entries.map(() => 0));
    } catch (thrown) {
      const error = spoolFailed("Appending to", this.#options.files.path, thrown);
      for (const { reject } of group) reject(error);
    }
  }

  /** For a sink that had nothing left, what has come is the oldest; for one whose oldest was given up, the next segment's. */
  #noteOldest(before: number, atMs: number): void {
    const { book, segments } = this.#journal;
    for (const [sink, place] of this.#places) {
      const cursor = book.cursorOf(sink);
      if (cursor >= before && book.last > before) place.oldestAtMs ??= atMs;
      const holding = segments.holding(cursor + 1);
      if (holding && holding.first > cursor + 1) place.oldestAtMs = holding.createdMs;
    }
  }

  #isInHand(segment: Segment): boolean {
    const { book, segments } = this.#journal;
    const last = segments.lastOf(segment);
    return [...this.#places].some(([sink, place]) => place.isInHand(segment, last, book.cursorOf(sink)));
  }

  /** A reader found numbers missing. Holes that are known are none of its business. */
  #miss(first: number, last: number): void {
    const { book } = this.#journal;
    const atMs = this.#options.clock.nowMs();
    const reason = "the spool was damaged";
    const events = book.giveUp({ first, last, reason, fromMs: atMs, toMs: atMs });
    if (events === 0) return;
    this.#options.log.error("Records of the spool are damaged or missing.", { first, last, events });
    this.#inRow(() => this.#journal.writeLosses()).catch((thrown: unknown) => {
      this.#options.log.error("A loss could not be recorded yet.", { first, last, error: thrown });
    });
  }

  #saveSoon(): void {
    if (this.#isSaveDue || this.#closed) return;
    this.#isSaveDue = true;
    void this.#options.clock.sleep(SAVE_AFTER_MS, this.#closing.signal).then(async () => {
      this.#isSaveDue = false;
      if (this.#closed) return;
      const isSaved = await this.#inRow(() => this.#journal.trySave());
      if (!isSaved) this.#saveSoon();
    });
  }

  #placeOf(sink: string): SinkPlace {
    const place = this.#places.get(sink);
    if (!place) throw new RangeError(`The spool has no place for the sink "${sink}".`);
    return place;
  }

  #inRow<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#row.then(work);
    this.#row = result.catch(() => {});
    return result;
  }

  async #guard<T>(doing: string, work: () => Promise<T>): Promise<T> {
    if (this.#closed) throw this.#closedError(doing);
    try {
      return await work();
    } catch (thrown) {
      throw spoolFailed(doing, this.#options.files.path, thrown);
    }
  }

  #closedError(doing: string): HearthlineError {
    return new HearthlineError("spool_failed", `${doing} the spool "${this.#options.files.path}": it is closed.`);
  }
}
