import { messageOf } from "../../base/errors.ts";
import type { LostEvents } from "../../relay/ports.ts";
import type { Book } from "./book.ts";
import { type Call, Group } from "./group.ts";
import { GroupBuffer } from "./group-buffer.ts";
import { type JournalOptions, segmentBytesOf } from "./options.ts";
import { createRoom, type Room } from "./room.ts";
import type { Segment, Segments } from "./segment.ts";
import type { StateFile } from "./state-file.ts";
import { Tail } from "./tail.ts";

/** So many numbers are given at most beyond those that the state file knows: where the newest segment is gone, so many are skipped. */
export const RESERVE = 1_000_000;

export interface JournalParts {
  readonly book: Book;
  readonly segments: Segments;
  readonly stateFile: StateFile;
  /** To be written on. */
  readonly tail: Segment | undefined;
}

/** What is on the disk, and every way to change it. Not for two calls at once: `JournalSpool` puts them in a row. */
export class Journal {
  readonly book: Book;
  readonly segments: Segments;
  readonly #options: JournalOptions;
  readonly #stateFile: StateFile;
  readonly #tail: Tail;
  readonly #room: Room;
  readonly #buffer = new GroupBuffer();
  /** What the state file on the disk knows, marked as not ended; undefined before the first word of this run. */
  #savedLast: number | undefined;
  #saveError: string | undefined;

  constructor({ book, segments, stateFile, tail }: JournalParts, options: JournalOptions) {
    this.book = book;
    this.segments = segments;
    this.#options = options;
    this.#stateFile = stateFile;
    const { files, homeId } = options;
    this.#tail = new Tail({
      files,
      segment: tail,
      segmentBytes: segmentBytesOf(options.maxBytes),
      header: (first) => ({
        home_id: homeId,
        relay_id: book.relayId,
        first,
        created_ms: Math.max(0, options.clock.nowMs()),
        revision: book.revision,
        losses: book.losses,
      }),
    });
    this.#room = createRoom({ ...options, segments });
  }

  /**
   * The numbers of each call, durable; undefined where they were refused at the bound.
   * `inHand` says which numbers a sink has read and not acknowledged.
   */
  async append(
    calls: readonly Call[],
    inHand: (segment: Segment) => boolean,
  ): Promise<(readonly number[])[] | undefined> {
    const { book } = this;
    const group = new Group(this.#buffer, book.last + 1, this.#options.clock.nowMs());
    const numbers = calls.map((call) => group.add(call));
    const bytes = group.bytes().length;
    const isOnlyLoss = calls.every(({ entries }) => entries.length === 0);
    if (!isOnlyLoss && !(await this.#makeRoom(bytes, inHand))) {
      await this.#refuse(calls);
      return undefined;
    }
    await this.#write(group);
    for (const { lost } of calls) book.losses += lost?.count ?? 0;
    // One group larger than the bound: it goes as well.
    if (this.segments.bytes > this.#options.maxBytes && !isOnlyLoss) {
      await this.#tail.leave();
      await this.#makeRoom(0, inHand);
      await this.writeLosses();
    }
    return numbers;
  }

  /** Writes the losses that no record says yet. */
  async writeLosses(): Promise<void> {
    if (this.book.pending.length > 0) {
      await this.#write(new Group(this.#buffer, this.book.last + 1, this.#options.clock.nowMs()));
    }
  }

  /** Removes segments that every sink is past. */
  async removeDone(): Promise<void> {
    const { done } = this.book;
    const gone = this.segments.all.filter((each) => each !== this.#tail.segment && this.segments.lastOf(each) <= done);
    if (gone.length === 0) return;
    this.#forgetActive(gone);
    // First the cursors: what is removed must be known as acknowledged.
    await this.save();
    await this.#remove(gone);
  }

  hasDone(): boolean {
    const [first] = this.segments.all;
    return first !== undefined && first !== this.#tail.segment && this.segments.lastOf(first) <= this.book.done;
  }

  /** Cursors, numbers and losses as they are now, on the disk. */
  async save(how: { readonly clean: boolean } = { clean: false }): Promise<void> {
    this.book.forgetHoles();
    const { last } = this.book;
    await this.#stateFile.write(this.book.kept(how));
    this.#savedLast = last;
    if (this.#saveError) this.#options.log.info("The spool's state can be written again.");
    this.#saveError = undefined;
  }

  /** The same, for later: what fails is logged once, and tried again with the next. */
  async trySave(): Promise<boolean> {
    try {
      await this.save();
      return true;
    } catch (thrown) {
      if (!this.#saveError) {
        const message = "The spool's state cannot be written: after a crash sinks may get records again.";
        this.#options.log.warn(message, { path: this.#options.files.path, error: thrown });
      }
      this.#saveError = messageOf(thrown);
      return false;
    }
  }

  async close(): Promise<void> {
    try {
      await this.save({ clean: true });
    } catch (thrown) {
      const message = "The spool's state could not be written at the end: sinks may get records again.";
      this.#options.log.warn(message, { path: this.#options.files.path, error: thrown });
    } finally {
      await this.#tail.close();
      await this.#stateFile.close();
    }
  }

  async #write(group: Group): Promise<void> {
    const { book } = this;
    const losses = book.pending;
    for (const lost of losses) group.addLoss(lost);
    if (group.last <= book.last) return;
    if (this.#savedLast === undefined || group.last > this.#savedLast + RESERVE) await this.save();
    const bytes = group.bytes();
    const segment = await this.#tail.prepare(book.last + 1, bytes.length);
    await this.#tail.write(bytes);
    const isNew = this.#publish(segment, group);
    book.pending = [];
    // That there is a segment more must be known, should the disk lose it.
    if (isNew || losses.length > 0) await this.trySave();
  }

  #publish(segment: Segment, group: Group): boolean {
    const { book, segments } = this;
    const { fromMs, toMs, losses } = group.facts();
    const isNew = segment.last === undefined;
    if (isNew) segments.add(segment);
    segments.grow(segment, segment.bytes + group.bytes().length, group.last);
    if (isNew) segment.facts = { fromMs, toMs, losses: [] };
    if (segment.facts) {
      segment.facts.fromMs = Math.min(segment.facts.fromMs, fromMs);
      segment.facts.toMs = Math.max(segment.facts.toMs, toMs);
      segment.facts.losses.push(...losses);
    }
    book.active = segment.first;
    book.last = group.last;
    book.revision = Math.max(book.revision, group.revision);
    this.#room.wrote(group.bytes().length);
    return isNew;
  }

  /** Gives up segments until there is room for `bytes`; false: there is none, and the newest has to go. */
  async #makeRoom(bytes: number, inHand: (segment: Segment) => boolean): Promise<boolean> {
    const { book } = this;
    const { isFull, victims, reason } = await this.#room.make(bytes, { inHand, tail: this.#tail.segment });
    if (victims.length === 0) return !isFull;
    const before = { holes: book.holes, pending: book.pending, losses: book.losses };
    let events = 0;
    for (const segment of victims) {
      const facts = segment.facts ?? (await this.#room.read(segment));
      const last = this.segments.lastOf(segment);
      const { fromMs, toMs, losses } = facts;
      events += book.giveUp({ first: segment.first, last, reason, fromMs, toMs, older: losses });
    }
    this.#forgetActive(victims);
    try {
      // First the word that they are lost, then the loss.
      await this.save();
    } catch (thrown) {
      Object.assign(book, before);
      throw thrown;
    }
    await this.#remove(victims);
    this.#options.log.error("The spool is full: its oldest records were given up.", { events, reason });
    return true;
  }

  /** The segment written to last may go as well when nothing is written to it any more; its absence then means nothing. */
  #forgetActive(gone: readonly Segment[]): void {
    if (gone.some(({ first }) => first === this.book.active)) this.book.active = undefined;
  }

  async #refuse(calls: readonly Call[]): Promise<void> {
    const { book } = this;
    const before = { pending: book.pending, losses: book.losses };
    const atMs = this.#options.clock.nowMs();
    const count = calls.reduce((sum, { entries }) => sum + entries.length, 0);
    const lost: LostEvents[] = calls.flatMap((call) => call.lost ?? []);
    book.refuse({ count, reason: `${this.#room.reason()}: what came was refused`, fromMs: atMs, toMs: atMs });
    for (const each of lost) book.refuse(each);
    try {
      await this.save();
    } catch (thrown) {
      Object.assign(book, before);
      throw thrown;
    }
  }

  /** A damaged one is kept, under a name that the spool does not read. */
  async #remove(gone: readonly Segment[]): Promise<void> {
    this.segments.remove(gone);
    const { files, log } = this.#options;
    for (const { name, isDamaged } of gone) {
      try {
        if (!isDamaged) await files.remove(name);
        else await files.rename(name, `${name}.damaged`).then(() => files.syncFolder());
      } catch (error) {
        log.warn("A file of the spool cannot be removed; the next start tries again.", { name, error });
      }
    }
  }
}
