import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../base/clock.ts";
import { type LossRecord, type LostRange, mergeLostRanges, type NewRelayRecord } from "../../event/index.ts";
import type { LostEvents, ReadOptions, SpooledRecord, SpoolState } from "../../relay/ports.ts";
import { transaction } from "./open.ts";
import type { SqliteSpoolOptions } from "./spool-file.ts";

/** So much of the bound stays after records had to go, so that they do not go one by one. */
const KEEP_SHARE = 0.94;

const prepareAll = (db: DatabaseSync) => ({
  meta: db.prepare("SELECT value FROM meta WHERE name = ?"),
  setMeta: db.prepare("UPDATE meta SET value = ? WHERE name = ?"),
  insert: db.prepare("INSERT INTO records (n, at_ms, loss, line) VALUES (?, ?, ?, ?)"),
  select: db.prepare("SELECT n, at_ms, line FROM records WHERE n > ? ORDER BY n LIMIT ?"),
  remove: db.prepare("DELETE FROM records WHERE n <= ?"),
  losses: db.prepare("SELECT line FROM records WHERE loss = 1 AND n <= ? ORDER BY n"),
  span: db.prepare(
    "SELECT min(n) AS first, count(*) AS count, min(at_ms) AS from_ms, max(at_ms) AS to_ms FROM records WHERE n <= ?",
  ),
  cursors: db.prepare("SELECT sink, n FROM cursors"),
  moveCursor: db.prepare("UPDATE cursors SET n = ? WHERE sink = ? AND n < ?"),
  pages: db.prepare("PRAGMA page_count"),
  freePages: db.prepare("PRAGMA freelist_count"),
});

/** What is appended by one call. */
export interface SpoolPart {
  readonly records: readonly NewRelayRecord[];
  readonly lost?: LostEvents;
}

/** The tables of a spool's file. All of it is synchronous; each call that changes something is one transaction. */
export class SpoolTables {
  readonly relayId: string;
  readonly #db: DatabaseSync;
  readonly #sql: ReturnType<typeof prepareAll>;
  readonly #clock: Clock;
  readonly #maxBytes: number;
  readonly #pageBytes: number;
  // What is in the file, kept beside it; read again after a transaction that failed, because a commit that failed may have been kept.
  #isStale = true;
  #last = 0;
  #losses = 0;
  #revision = 0;
  #count = 0;
  #bytes = 0;
  #oldestAtMs: number | undefined;
  #cursors: Record<string, number> = {};

  constructor(db: DatabaseSync, { sinks, clock, maxBytes }: SqliteSpoolOptions) {
    if (sinks.length === 0) throw new RangeError("The spool was opened for no sink; wanted is at least one.");
    this.#db = db;
    this.#sql = prepareAll(db);
    this.#clock = clock;
    this.#maxBytes = maxBytes;
    this.#pageBytes = Number(db.prepare("PRAGMA page_size").get()?.page_size);
    this.relayId = String(this.#sql.meta.get("relay_id")?.value);
    transaction(db, () => this.#setSinks(sinks));
    this.#load();
  }

  /** The numbers of each part, in order. */
  append(parts: readonly SpoolPart[]): (readonly number[])[] {
    return this.#atomically(() => {
      const atMs = this.#clock.nowMs();
      const numbers = parts.map(({ records, lost }) => {
        const given = records.map((record) => this.#put(record, atMs));
        return lost ? [...given, this.#putLost(lost, atMs)] : given;
      });
      this.#keepBound(atMs);
      return numbers;
    });
  }

  read(sink: string, { limit, maxBytes, after = 0 }: ReadOptions): SpooledRecord[] {
    const found: SpooledRecord[] = [];
    let size = 0;
    for (const row of this.#sql.select.iterate(Math.max(after, this.#cursorOf(sink)), limit)) {
      const line = String(row.line);
      size += Buffer.byteLength(line);
      if (found.length > 0 && size > maxBytes) break;
      found.push({ n: Number(row.n), appendedAtMs: Number(row.at_ms), line });
    }
    return found;
  }

  acknowledge(sink: string, sequence: number): void {
    const to = Math.min(sequence, this.#last);
    if (to <= this.#cursorOf(sink)) return;
    this.#atomically(() => {
      this.#sql.moveCursor.run(to, sink, to);
      this.#cursors[sink] = to;
      this.#count -= Number(this.#sql.remove.run(Math.min(...Object.values(this.#cursors))).changes);
    });
  }

  state(): SpoolState {
    return {
      relayId: this.relayId,
      lastSequence: this.#last,
      lastRevision: this.#revision,
      bytes: this.#bytes,
      records: this.#count,
      losses: this.#losses,
      ...(this.#oldestAtMs !== undefined && { oldestAtMs: this.#oldestAtMs }),
      cursors: { ...this.#cursors },
    };
  }

  markClosed(): void {
    this.#sql.setMeta.run(1, "is_closed");
  }

  #setSinks(sinks: readonly string[]): void {
    const oldest = Number(this.#sql.select.all(0, 1)[0]?.n ?? this.#metaNumber("last_sequence") + 1);
    const add = this.#db.prepare("INSERT OR IGNORE INTO cursors (sink, n) VALUES (?, ?)");
    for (const sink of sinks) add.run(sink, oldest - 1);
    const forget = this.#db.prepare("DELETE FROM cursors WHERE sink NOT IN (SELECT value FROM json_each(?))");
    forget.run(JSON.stringify(sinks));
    this.#sql.remove.run(Number(this.#db.prepare("SELECT min(n) AS n FROM cursors").get()?.n));
  }

  #put(record: NewRelayRecord, atMs: number): number {
    this.#last += 1;
    const line = `{"n":${this.#last},${JSON.stringify(record).slice(1)}`;
    this.#sql.insert.run(this.#last, atMs, record.t === "loss" ? 1 : 0, line);
    if ("revision" in record) this.#revision = Math.max(this.#revision, record.revision);
    this.#count += 1;
    return this.#last;
  }

  #putLost({ range, ...lost }: LostEvents, atMs: number): number {
    const [first, last] = range ?? [this.#last + 1, this.#last + 1];
    this.#losses += lost.count;
    return this.#put(lossRecord({ ...lost, first, last }), atMs);
  }

  /** Deletes the oldest records until enough is free; what they were is appended as loss records. */
  #keepBound(atMs: number): void {
    const gone: LostRange[] = [];
    for (let used = this.#usedBytes(); used > this.#maxBytes && this.#count > 0; used = this.#usedBytes()) {
      const excess = (used - this.#maxBytes * KEEP_SHARE) / used;
      gone.push(...this.#dropOldest(Math.max(1, Math.ceil(this.#count * excess))));
    }
    for (const range of mergeLostRanges(gone)) this.#put(lossRecord(range), atMs);
  }

  /** What the `count` oldest records were: one range for themselves, and again the ranges of loss records among them. */
  #dropOldest(count: number): LostRange[] {
    const upTo = Number(this.#sql.select.all(0, 1)[0]?.n) + count - 1;
    const row = this.#sql.span.get(upTo) ?? {};
    const older = this.#sql.losses.all(upTo).map(({ line }) => rangeOf(String(line)));
    this.#sql.remove.run(upTo);
    this.#count -= Number(row.count);
    const events = Number(row.count) - older.length;
    this.#losses += events;
    const itself: LostRange = {
      first: Number(row.first),
      last: Number(row.first) + Number(row.count) - 1,
      count: events,
      reason: `the spool was full (${Math.round(this.#maxBytes / 1_048_576)} MiB)`,
      fromMs: Number(row.from_ms),
      toMs: Number(row.to_ms),
    };
    return [itself, ...older];
  }

  #atomically<T>(work: () => T): T {
    if (this.#isStale) this.#load();
    this.#isStale = true;
    const result = transaction(this.#db, () => {
      const made = work();
      this.#sql.setMeta.run(this.#last, "last_sequence");
      this.#sql.setMeta.run(this.#losses, "losses");
      this.#sql.setMeta.run(this.#revision, "last_revision");
      return made;
    });
    this.#look();
    this.#isStale = false;
    return result;
  }

  #load(): void {
    this.#last = this.#metaNumber("last_sequence");
    this.#losses = this.#metaNumber("losses");
    this.#revision = this.#metaNumber("last_revision");
    this.#count = Number(this.#db.prepare("SELECT count(*) AS count FROM records").get()?.count);
    this.#cursors = Object.fromEntries(this.#sql.cursors.all().map((row) => [String(row.sink), Number(row.n)]));
    this.#look();
    this.#isStale = false;
  }

  #look(): void {
    const oldest = this.#sql.select.all(0, 1)[0];
    this.#oldestAtMs = oldest && Number(oldest.at_ms);
    this.#bytes = this.#usedBytes();
  }

  #usedBytes(): number {
    const pages = Number(this.#sql.pages.get()?.page_count) - Number(this.#sql.freePages.get()?.freelist_count);
    return pages * this.#pageBytes;
  }

  #metaNumber(name: string): number {
    return Number(this.#sql.meta.get(name)?.value);
  }

  #cursorOf(sink: string): number {
    const cursor = this.#cursors[sink];
    if (cursor !== undefined) return cursor;
    throw new RangeError(`The spool has no sink "${sink}"; it knows ${Object.keys(this.#cursors).join(", ")}.`);
  }
}

const lossRecord = ({ first, last, count, reason, fromMs, toMs }: LostRange): NewRelayRecord => ({
  t: "loss",
  first,
  last,
  // Zero when nothing but a loss record went, whose own number has to be accounted for all the same.
  count: Math.max(1, count),
  reason: reason.slice(0, 200),
  from: new Date(fromMs).toISOString(),
  to: new Date(toMs).toISOString(),
});

function rangeOf(line: string): LostRange {
  const { first, last, count, reason, from, to } = JSON.parse(line) as LossRecord;
  return { first, last, count, reason, fromMs: Date.parse(from), toMs: Date.parse(to) };
}
