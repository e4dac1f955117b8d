import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import { type Noted, usOf } from "./known-of.ts";
import { forgetSince, type KnownTable, newestOf, putBounded } from "./known-table.ts";
import { OpenGap } from "./open-gap.ts";
import type { LastKnownEntity, LastKnownImage, LastKnownStore, Spool } from "./ports.ts";
import { recordsAfter } from "./records-after.ts";

const SAVE_EVERY_MS = 60_000;

export interface LastKnownOptions {
  readonly homeId: string;
  readonly spool: Spool;
  readonly store: LastKnownStore;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Per entity the newest that is safely in the spool. While a gap is open, the entities that it concerns stand still: what comes live of them is kept aside
 * until their part of the gap is in the spool too. So the table may lag behind, which costs a question twice, but never runs ahead, which would cost events.
 */
export class LastKnown {
  readonly #options: LastKnownOptions;
  #known: KnownTable = new Map();
  /** What has come of the entities that stand still. */
  #ahead: KnownTable = new Map();
  #still: Set<string> | "all" | undefined;
  readonly #open = new OpenGap();
  /** A kill finds on the disk that there is a gap. */
  #openIsSaved = false;
  #gap = 0;
  /** Grows when something is lost between the reader and the spool: what had been on its way then no longer tells that all before it is known. */
  #losses = 0;
  #heard: string | undefined;
  /** By our clock. */
  #heardAtMs: number | undefined;
  #sequence = 0;
  #connectedSince: string | undefined;
  #isChanged = false;
  #saving: Promise<void> = Promise.resolve();
  #savedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: LastKnownOptions) {
    this.#options = options;
    this.#savedAtMs = options.clock.monotonicMs();
  }

  /** Reads what was kept, and takes it as far as the records go that are still in the spool. */
  async load(): Promise<void> {
    const { store, spool, homeId, log } = this.#options;
    const image = await store.load();
    if (!image) return;
    if (image.homeId !== homeId) {
      log.warn("The last-known table is of another home: it is begun anew.", { other: image.homeId });
      return;
    }
    this.#known = new Map(image.entities);
    this.#heard = image.heard;
    this.#heardAtMs = image.heardAtMs;
    this.#open.restore(image);
    if (image.relayId !== spool.relayId) this.#distrust(image);
    else {
      this.#sequence = image.sequence;
      this.#connectedSince = image.connectedSince;
      // What came after the beginning of an open gap must not hide the gap.
      const from = { sequence: image.sequence, connectedSince: image.connectedSince };
      for await (const { n, noted, isLive, atMs } of image.openSince === undefined ? recordsAfter(spool, from) : []) {
        if (noted) this.#note(noted, isLive, undefined, atMs);
        this.#sequence = n;
      }
    }
    log.info("The last-known table was read.", { entities: this.#known.size, heard: this.#heard });
  }

  /** What is known; to be read, not kept. */
  get entities(): ReadonlyMap<string, LastKnownEntity> {
    return this.#known;
  }

  get sequence(): number {
    return this.#sequence;
  }

  /** When the gap begins that is open: after the last event that is surely kept. undefined: nothing was ever heard. */
  get openSince(): string | undefined {
    return this.#open.since;
  }

  /** How far our clock was ahead of Home Assistant's when the open gap began, in milliseconds; undefined when that is not known. */
  get aheadMs(): number | undefined {
    return this.#open.aheadMs;
  }

  /** By how much Home Assistant's clock was set back in the open gap, as far as any session in it could tell; 0: not, as far as is known. */
  get setBackMs(): number {
    return this.#open.setBackMs;
  }

  /** The largest counts, over all sessions of a gap: the clock may be right again when the gap is filled, and what happened meanwhile is dated wrongly all the same. */
  noteSetBack(byMs: number): void {
    if (!this.#open.noteSetBack(byMs)) return;
    this.#isChanged = true;
    void this.save();
  }

  /**
   * To be called when a record of this entity goes to the spool; what it gives back, when it is there. `isLive`: it came as an event, not in a snapshot.
   * Where it belongs is decided now: what was heard before a gap is known, though it may become durable only when the gap has begun.
   */
  noteWhenDurable({ entityId, entity }: Noted, isLive: boolean): () => void {
    const aheadOf = this.#isStill(entityId) ? this.#gap : undefined;
    const losses = this.#losses;
    return () => {
      if (losses === this.#losses) this.#note({ entityId, entity }, isLive, aheadOf);
    };
  }

  #note({ entityId, entity }: Noted, isLive: boolean, aheadOf?: number, atMs = this.#options.clock.nowMs()): void {
    this.#isChanged = true;
    // Between it and what is known lies a gap that has not been filled, and a new one begins before it.
    if (aheadOf !== undefined && aheadOf !== this.#gap) return;
    const table = aheadOf !== undefined && this.#isStill(entityId) ? this.#ahead : this.#known;
    putBounded(table, entityId, entity);
    if (!isLive) return;
    this.#heard = entity.lastUpdated;
    this.#heardAtMs = atMs;
  }

  #isStill(entityId: string): boolean {
    return this.#still !== undefined && (this.#still === "all" || this.#still.has(entityId));
  }

  /** Every record up to this number has been noted. */
  reached(sequence: number): void {
    this.#sequence = sequence;
  }

  /**
   * A gap begins: from this call on all entities stand still. An earlier one that is still open becomes a part of it, and `fill` and `close` for that one do
   * nothing any more. Gives the gap's number; `saved` resolves when that is durable.
   */
  open(connectedSince: string): { readonly gap: number; readonly saved: Promise<void> } {
    // One that is open already, of the same connection, is so on the disk too.
    const isOpen = this.#openIsSaved && this.#connectedSince === connectedSince;
    this.#standStill();
    this.#connectedSince = connectedSince;
    return { gap: this.#gap, saved: isOpen ? this.#saving : this.save() };
  }

  /** Something was lost on its way to the spool: it lies in a gap that begins after the last that is in the spool, and that the next `open` goes on with. */
  lost(): void {
    this.#losses += 1;
    this.#standStill();
  }

  #standStill(): void {
    this.#gap += 1;
    this.#open.begin(this.#heard, this.#heardAtMs, () => newestOf(this.#known));
    this.#still = "all";
    this.#ahead = new Map();
    this.#isChanged = true;
  }

  /** It is known now which entities the gap concerns: all others go on. */
  narrow(gap: number, entityIds: Iterable<string>): void {
    if (gap !== this.#gap || this.#still === undefined) return;
    const still = new Set(entityIds);
    this.#still = still;
    const ahead = [...this.#ahead].filter(([entityId]) => !still.has(entityId));
    for (const [entityId, entity] of ahead) this.#goOn(entityId, entity);
    this.#isChanged = true;
  }

  /** The gap of this entity is filled up to `last`, and what fills it is in the spool. undefined: it is gone. */
  fill(gap: number, entityId: string, last: LastKnownEntity | undefined): void {
    if (gap !== this.#gap || this.#still === undefined || this.#still === "all") return;
    if (!this.#still.delete(entityId)) return;
    const entity = this.#ahead.get(entityId) ?? last;
    if (entity) this.#goOn(entityId, entity);
    else this.#known.delete(entityId);
    this.#isChanged = true;
  }

  /** The gap has ended, and its record is in the spool. */
  async close(gap: number): Promise<void> {
    if (gap !== this.#gap) return;
    this.narrow(gap, []);
    this.#still = undefined;
    this.#open.end();
    this.#openIsSaved = false;
    this.#heard ??= new Date(this.#options.clock.nowMs()).toISOString();
    this.#isChanged = true;
    await this.save();
  }

  /** Forgets nothing, saves what has changed, at most once a minute. */
  async saveNowAndThen(): Promise<void> {
    const { clock } = this.#options;
    if (clock.monotonicMs() - this.#savedAtMs >= SAVE_EVERY_MS) await this.save();
  }

  /** Never rejects: an older table costs only a question twice. */
  save(): Promise<void> {
    this.#saving = this.#saving.then(() => this.#write());
    return this.#saving;
  }

  async #write(): Promise<void> {
    if (!this.#isChanged) return;
    const { store, spool, homeId, clock, log } = this.#options;
    this.#isChanged = false;
    const isOpen = this.#open.since !== undefined;
    this.#savedAtMs = clock.monotonicMs();
    const { oldestAtMs } = spool.state();
    try {
      await store.save({
        homeId,
        relayId: spool.relayId,
        sequence: this.#sequence,
        ...(this.#connectedSince !== undefined && { connectedSince: this.#connectedSince }),
        ...(this.#heard !== undefined && { heard: this.#heard }),
        ...(this.#heardAtMs !== undefined && { heardAtMs: this.#heardAtMs }),
        ...this.#open.kept,
        ...(oldestAtMs !== undefined && { unsentSince: new Date(oldestAtMs).toISOString() }),
        entities: this.#known,
      });
      this.#openIsSaved = isOpen && this.#open.since !== undefined;
    } catch (thrown) {
      this.#isChanged = true;
      log.warn("The last-known table could not be saved: the next one will hold more.", { error: thrown });
    }
  }

  #goOn(entityId: string, entity: LastKnownEntity): void {
    this.#known.set(entityId, entity);
    this.#ahead.delete(entityId);
  }

  /** Another spool: what the old one had not sent when this was saved may be lost with it, so it is not known. */
  #distrust({ unsentSince, heard }: LastKnownImage): void {
    this.#options.log.warn("The spool is another one: what the old one had not sent is asked for again.", {
      unsentSince,
    });
    const sinceUs = usOf(unsentSince ?? heard);
    if (sinceUs === undefined) return;
    forgetSince(this.#known, sinceUs);
    const openUs = usOf(this.#open.since);
    if (openUs === undefined || openUs > sinceUs) this.#open.beginAt(sinceUs);
  }
}
