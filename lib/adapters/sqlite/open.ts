import { accessSync, constants, existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type ErrorCode, HearthlineError, isHearthlineError, messageOf } from "../../base/errors.ts";

export interface SqliteFile {
  /** Its folder is made when missing (mode 700: what is inside is private). `:memory:` for a database without a file. */
  readonly path: string;
  /** Four bytes that say whose file this is (PRAGMA application_id), so that another program's database is refused and not filled with our tables. */
  readonly applicationId: number;
  /** What the file is, for messages: "event store". */
  readonly what: string;
  /** Step n leads from schema version n to n + 1. Steps are never changed once released, only added. */
  readonly steps: readonly string[];
  /** How long a statement waits for another process's lock. Default 5,000 ms; the thread is blocked meanwhile. */
  readonly busyTimeoutMs?: number;
  /** Freed pages can be given back to the file system (a file that exists already stays as it was made). */
  readonly givesBackPages?: boolean;
  /** Called before the first step of a file that an earlier version made. */
  readonly beforeSteps?: (db: DatabaseSync, version: number) => void;
  readonly codes?: SqliteCodes;
}

/** The codes of errors, by what the file's owner promises. */
export type SqliteCodes = Readonly<
  Record<"locked" | "failed" | "full" | "unopened" | "readOnly" | "damaged" | "foreign", ErrorCode>
>;

const SERVICE_CODES: SqliteCodes = {
  locked: "service_timeout",
  failed: "service_failed",
  full: "service_failed",
  unopened: "service_failed",
  readOnly: "service_failed",
  damaged: "data_folder_unusable",
  foreign: "data_folder_unusable",
};
export const STORE_CODES: SqliteCodes = {
  locked: "store_unavailable",
  failed: "store_unavailable",
  full: "store_full",
  unopened: "store_unavailable",
  readOnly: "store_read_only",
  damaged: "store_damaged",
  foreign: "store_incompatible",
};

/**
 * Opens a database for several processes at once, and brings its schema to the newest version.
 * A transaction that has been committed survives kill -9 and a power cut: WAL with `synchronous = FULL` syncs the log at every commit
 * (with NORMAL a power cut takes the last commits away). `fullfsync` makes that true on macOS as well.
 * @throws HearthlineError by `codes`; default `service_timeout` (locked), `service_failed` (disk full, read-only, cannot be opened): safe to try again;
 * `data_folder_unusable` (damaged, another program's file, written by a newer Hearthline): a person has to act
 */
export function openSqlite(file: SqliteFile): DatabaseSync {
  const { path, codes } = file;
  return withSqliteErrors({ doing: `Opening the ${file.what}`, path, ...(codes && { codes }) }, () => {
    if (path !== ":memory:") mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const db = new DatabaseSync(path, { timeout: file.busyTimeoutMs ?? 5_000 });
    try {
      refuseForeign(db, file);
      // Only what comes before the first table of a file has any effect.
      if (file.givesBackPages) db.exec("PRAGMA auto_vacuum = INCREMENTAL");
      db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA fullfsync = ON;");
      // Without the limit the log stays as long as it once had to be.
      db.exec("PRAGMA journal_size_limit = 67108864;");
      migrate(db, file);
      return db;
    } catch (thrown) {
      db.close();
      throw thrown;
    }
  });
}

const pragma = (db: DatabaseSync, name: "user_version" | "application_id"): number =>
  Number(db.prepare(`PRAGMA ${name}`).get()?.[name]);

function refuseForeign(db: DatabaseSync, file: SqliteFile): void {
  const { path, what, applicationId, steps, codes = SERVICE_CODES } = file;
  const id = pragma(db, "application_id");
  const isEmpty = id === 0 && db.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() === undefined;
  if (id !== applicationId && !isEmpty) {
    throw new HearthlineError(
      codes.foreign,
      `Opening the ${what} "${path}": the file is another program's database (application id ${id}); wanted is a file of Hearthline or no file.`,
    );
  }
  const version = pragma(db, "user_version");
  if (version > steps.length) {
    throw new HearthlineError(
      codes.foreign,
      `Opening the ${what} "${path}": the file has schema version "${version}", this program knows ${steps.length}; wanted is the newer Hearthline that wrote it.`,
    );
  }
}

function migrate(db: DatabaseSync, file: SqliteFile): void {
  const version = pragma(db, "user_version");
  if (version === file.steps.length) return;
  if (version > 0) file.beforeSteps?.(db, version);
  transaction(db, () => {
    // Asked again under the lock: another process may have done it meanwhile.
    for (const step of file.steps.slice(pragma(db, "user_version"))) db.exec(step);
    db.exec(`PRAGMA application_id = ${file.applicationId}; PRAGMA user_version = ${file.steps.length};`);
  });
}

/** All or nothing. The write lock is taken at the start (IMMEDIATE), because a reader that becomes a writer can be refused without any wait. */
export function transaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    db.exec("COMMIT");
    return result;
  } catch (thrown) {
    // A full disk has rolled back already.
    if (db.isTransaction) db.exec("ROLLBACK");
    throw thrown;
  }
}

/** Several reads of one and the same state of the file, whatever is written meanwhile. */
export function snapshot<T>(db: DatabaseSync, work: () => T): T {
  db.exec("BEGIN");
  try {
    return work();
  } finally {
    if (db.isTransaction) db.exec("COMMIT");
  }
}

const DAMAGED = "the file is damaged; wanted is a backup of it, or a new file";
// Primary result codes: https://www.sqlite.org/rescode.html
const FATES: Readonly<Record<number, readonly [keyof SqliteCodes, string]>> = {
  5: ["locked", "another process holds its lock"],
  6: ["locked", "another connection holds its lock"],
  8: ["readOnly", "the file cannot be written; wanted is write permission on it and on its folder"],
  10: ["failed", "the disk answers with an error"],
  11: ["damaged", DAMAGED],
  13: ["full", "the disk is full; wanted is free space"],
  14: ["unopened", "the file cannot be opened; wanted is a folder that may be written"],
  26: ["damaged", "the file is no SQLite database; wanted is a backup of it, or a new file"],
};
const OTHER = ["failed", "SQLite answers with an error"] as const;

const FOLDER_FATES: Readonly<Record<string, readonly [keyof SqliteCodes, string]>> = {
  EACCES: ["readOnly", "its folder may not be written; wanted is a folder that may be written"],
  EPERM: ["readOnly", "its folder may not be written; wanted is a folder that may be written"],
  EROFS: ["readOnly", "its folder is on a disk that is read-only; wanted is a folder that may be written"],
  ENOSPC: ["full", "the disk is full; wanted is free space"],
};
const UNOPENED = 14;

/** SQLite does not say why it cannot open a file, and of a read-only disk `mkdir` says ENOENT. The nearest folder that there is knows. */
function whyUnwritable(path: string): string | undefined {
  const nearest = (at: string): string => (existsSync(at) || dirname(at) === at ? at : nearest(dirname(at)));
  try {
    for (const at of existsSync(path) ? [path, dirname(path)] : [nearest(path)]) accessSync(at, constants.W_OK);
    return undefined;
  } catch (thrown) {
    return String((thrown as { code?: unknown }).code);
  }
}

const NO_FOLDER = ["unopened", "its folder cannot be made; wanted is a folder that may be written"] as const;

/** Runs `work`; what SQLite or the file system throws becomes an error of ours that says what was tried, with which file, and what is wanted. */
export function withSqliteErrors<T>(
  { doing, path, codes = SERVICE_CODES }: { doing: string; path: string; codes?: SqliteCodes },
  work: () => T,
): T {
  try {
    return work();
  } catch (thrown) {
    if (isHearthlineError(thrown)) throw thrown;
    const { errcode, code } = thrown as { errcode?: unknown; code?: unknown };
    const isFileSystem = typeof code === "string" && /^E[A-Z]+$/.test(code);
    if (code === "ERR_OUT_OF_RANGE") {
      // What node says of whole numbers beyond 2^53. Nothing of ours writes such.
      throw new HearthlineError(codes.damaged, `${doing} "${path}": ${DAMAGED} (${messageOf(thrown)}).`, {
        cause: thrown,
      });
    }
    if (typeof errcode !== "number" && !isFileSystem) throw thrown;
    // The low byte is the primary code, the rest details it.
    const primary = Number(errcode) & 0xff;
    const reason = isFileSystem || primary === UNOPENED ? whyUnwritable(path) : undefined;
    const fate = isFileSystem ? (FOLDER_FATES[code] ?? NO_FOLDER) : (FATES[primary] ?? OTHER);
    const [ours, state] = FOLDER_FATES[reason ?? ""] ?? fate;
    throw new HearthlineError(codes[ours], `${doing} "${path}": ${state} (${messageOf(thrown)}).`, { cause: thrown });
  }
}
