import { existsSync, renameSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../base/clock.ts";
import { HearthlineError, isHearthlineError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { openSqlite, transaction } from "./open.ts";

/** "HLsp": PRAGMA application_id of a spool. */
const APPLICATION_ID = 0x484c7370;

/**
 * The format of the file, by version. `meta` holds relay_id, last_sequence (records are deleted, numbers are never given again), last_revision, losses, is_closed.
 * `loss` is 1 for a loss record. Rows of `records` have no holes between them: they are appended at the end and deleted from the front.
 */
const STEPS = [
  `CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
   CREATE TABLE cursors (sink TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;
   CREATE TABLE records (n INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, loss INTEGER NOT NULL, line TEXT NOT NULL);`,
];

export interface SqliteSpoolOptions {
  readonly path: string;
  readonly log: Logger;
  readonly clock: Clock;
  /** Makes the relay id of a new file. */
  readonly newRelayId: () => string;
  /** Every sink that has a cursor. A new one begins with the oldest record that is there; one that is no longer named holds nothing back. */
  readonly sinks: readonly string[];
  /** Of the records' pages; when it is reached, the oldest 6 % go at once. */
  readonly maxBytes: number;
}

/**
 * Opens the spool's file, for this process alone. A damaged file is set aside under another name, never deleted, and a new one (with a new relay id) is begun.
 * @throws HearthlineError `already_running` (another relay uses the file), `data_folder_unusable` (a newer program's file, or no file of ours),
 * `service_failed` (disk full, read-only)
 */
export function openSpoolFile(options: SqliteSpoolOptions): DatabaseSync {
  const { path, log, clock } = options;
  try {
    return openChecked(options);
  } catch (thrown) {
    if (isHearthlineError(thrown) && thrown.code === "service_timeout") {
      throw new HearthlineError(
        "already_running",
        `The spool "${path}" is in use; wanted is one relay for one spool.`,
        {
          cause: thrown,
        },
      );
    }
    if (!isDamage(thrown)) throw thrown;
    const aside = setAside(path, clock.nowMs());
    log.error("The spool is damaged: it was set aside, and a new one begins with a new relay id.", {
      path,
      aside,
      error: thrown,
    });
    return openChecked(options);
  }
}

function openChecked({ path, clock, newRelayId }: SqliteSpoolOptions): DatabaseSync {
  const db = openSqlite({
    path,
    applicationId: APPLICATION_ID,
    what: "relay's spool",
    steps: STEPS,
    busyTimeoutMs: 500,
  });
  try {
    // The lock is kept from the next transaction on: two relays in one file would give one number twice.
    db.exec("PRAGMA locking_mode = EXCLUSIVE");
    transaction(db, () => {
      db.prepare(
        "INSERT OR IGNORE INTO meta VALUES ('relay_id', ?), ('last_sequence', 0), ('losses', 0), ('last_revision', 0), ('created_ms', ?)",
      ).run(newRelayId(), clock.nowMs());
      const closed = db.prepare("SELECT value FROM meta WHERE name = 'is_closed'").get()?.value;
      // Reads the whole file: only where the last user did not close it.
      if (closed !== 1) checkWhole(db);
      db.exec("INSERT OR REPLACE INTO meta VALUES ('is_closed', 0)");
    });
    return db;
  } catch (thrown) {
    db.close();
    throw thrown;
  }
}

class DamagedError extends Error {
  readonly errcode = 11;
}

function checkWhole(db: DatabaseSync): void {
  const answer = db.prepare("PRAGMA quick_check(1)").get()?.quick_check;
  if (answer !== "ok") throw new DamagedError(`quick_check says "${String(answer)}"`);
  const first = db.prepare("SELECT min(n) AS first, max(n) AS last, count(*) AS count FROM records").get();
  const last = db.prepare("SELECT value FROM meta WHERE name = 'last_sequence'").get()?.value;
  const count = Number(first?.count);
  const isWhole = count === 0 || (first?.last === last && Number(first?.last) - Number(first?.first) + 1 === count);
  if (!isWhole)
    throw new DamagedError(`${count} records do not end at the last number "${String(last)}" without holes`);
}

/** SQLite's primary codes 11 (corrupt) and 26 (not a database), in whatever they are wrapped. */
export function isDamage(thrown: unknown): boolean {
  if (typeof thrown !== "object" || thrown === null) return false;
  const { errcode, cause } = thrown as { errcode?: unknown; cause?: unknown };
  return [11, 26].includes(Number(errcode) & 0xff) || isDamage(cause);
}

function setAside(path: string, nowMs: number): string {
  const stamp = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, "");
  let aside = `${path}.damaged-${stamp}`;
  for (let copy = 2; existsSync(aside); copy++) aside = `${path}.damaged-${stamp}-${copy}`;
  // The log first: alone it is nothing, with the file it may hold the newest records.
  for (const part of ["-wal", "-shm", ""]) if (existsSync(path + part)) renameSync(path + part, aside + part);
  return aside;
}
