import type { DatabaseSync } from "node:sqlite";
import { HearthlineError } from "../../base/errors.ts";
import type { NewRelayRecord } from "../../event/index.ts";
import type { LostEvents, Spool, SpooledRecord, SpoolState } from "../../relay/ports.ts";
import { withSqliteErrors } from "./open.ts";
import { isDamage, openSpoolFile, type SqliteSpoolOptions } from "./spool-file.ts";
import { SpoolTables } from "./spool-tables.ts";

export type { SqliteSpoolOptions };

/** Appends that come while one is being written go together, up to this many records: one fsync for all of them. */
const GROUP_MAX_RECORDS = 2_000;

interface Waiting {
  readonly records: readonly NewRelayRecord[];
  readonly lost?: LostEvents;
  resolve(numbers: readonly number[]): void;
  reject(reason: unknown): void;
}

/**
 * The spool in one SQLite file. A number that was given is on the disk: every append is a transaction, synced before it resolves.
 * @throws HearthlineError as `openSpoolFile`
 */
export function createSqliteSpool(options: SqliteSpoolOptions): Spool {
  const db = openSpoolFile(options);
  try {
    return new SqliteSpool(db, options);
  } catch (thrown) {
    db.close();
    throw thrown;
  }
}

class SqliteSpool implements Spool {
  readonly relayId: string;
  readonly #db: DatabaseSync;
  readonly #tables: SpoolTables;
  readonly #path: string;
  #waiting: Waiting[] = [];
  #isScheduled = false;
  #isClosed = false;
  #isDamaged = false;

  constructor(db: DatabaseSync, options: SqliteSpoolOptions) {
    this.#db = db;
    this.#path = options.path;
    this.#tables = new SpoolTables(db, options);
    this.relayId = this.#tables.relayId;
  }

  append(records: readonly NewRelayRecord[]): Promise<readonly number[]> {
    return this.#enqueue(records);
  }

  async recordLoss(lost: LostEvents): Promise<number> {
    const [number = 0] = await this.#enqueue([], lost);
    return number;
  }

  async read(sink: string, options: Parameters<Spool["read"]>[1]): Promise<readonly SpooledRecord[]> {
    return this.#guard("Reading", () => this.#tables.read(sink, options));
  }

  async acknowledge(sink: string, sequence: number): Promise<void> {
    this.#guard("Moving a cursor of", () => this.#tables.acknowledge(sink, sequence));
  }

  state(): SpoolState {
    return this.#tables.state();
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    while (this.#waiting.length > 0) this.#writeGroup();
    this.#isClosed = true;
    try {
      // A file that showed damage is read whole at the next start.
      if (!this.#isDamaged) this.#tables.markClosed();
    } finally {
      this.#db.close();
    }
  }

  #enqueue(records: readonly NewRelayRecord[], lost?: LostEvents): Promise<readonly number[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ records, resolve, reject, ...(lost && { lost }) });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#writeGroup();
      if (this.#waiting.length > 0) this.#schedule();
    });
  }

  #writeGroup(): void {
    const group: Waiting[] = [];
    for (let count = 0; this.#waiting.length > 0 && count < GROUP_MAX_RECORDS; ) {
      const next = this.#waiting.shift();
      if (next) group.push(next);
      count += next?.records.length ?? 0;
    }
    try {
      const numbers = this.#guard("Appending to", () => this.#tables.append(group));
      for (const [index, waiting] of group.entries()) waiting.resolve(numbers[index] ?? []);
    } catch (thrown) {
      for (const waiting of group) waiting.reject(thrown);
    }
  }

  /** Whatever goes wrong with the file is `spool_failed`, which may be tried again. A misuse (an unknown sink) stays what it is. */
  #guard<T>(doing: string, work: () => T): T {
    if (this.#isClosed) throw new HearthlineError("spool_failed", `${doing} the spool "${this.#path}": it is closed.`);
    try {
      return withSqliteErrors(`${doing} the spool`, this.#path, work);
    } catch (thrown) {
      if (thrown instanceof RangeError) throw thrown;
      this.#isDamaged ||= isDamage(thrown);
      throw new HearthlineError("spool_failed", (thrown as Error).message, { cause: thrown });
    }
  }
}
