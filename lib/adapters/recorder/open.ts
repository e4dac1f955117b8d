import { closeSync, existsSync, openSync, readSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { HearthlineError, isHearthlineError, messageOf } from "../../base/errors.ts";

/** Another process (Home Assistant, a backup) may hold the lock for so long; the thread is blocked meanwhile. */
const BUSY_TIMEOUT_MS = 5_000;
const MAGIC = "SQLite format 3\0";
/** Byte 18 of the header is 2 when the database keeps a write-ahead log. */
const WAL_FLAG_AT = 18;

const unreadable = (path: string, why: string, cause?: unknown) =>
  new HearthlineError("history_unreadable", `The recorder's database "${path}" cannot be read: ${why}`, { cause });

/** A database that is read and never written, not even its side files, unless Home Assistant has it open at the same time. */
export interface ReadOnlyDatabase {
  readonly db: DatabaseSync;
  /** Home Assistant has opened the file since: what was read without its log may be torn. */
  isStale(): boolean;
}

/**
 * - No log beside the file: nobody writes. It is opened as immutable: without locks, and without the side files that SQLite would otherwise leave behind.
 * - A log beside it: Home Assistant is at work, or the copy was made with its log. It is opened read-only and sees every committed row.
 * @throws HearthlineError `history_unreadable`, `history_busy`, `history_damaged`
 */
export function openReadOnly(path: string): ReadOnlyDatabase {
  const isWal = checkHeader(path);
  const hasLog = () => existsSync(`${path}-wal`);
  const hadLog = hasLog();
  if (!isWal && sizeOf(`${path}-journal`) > 0) {
    throw unreadable(
      path,
      `beside it lies "${path}-journal", the half of a transaction that was never finished. Wanted is a copy of the database alone, made while Home Assistant was stopped.`,
    );
  }
  return guarded(path, () => {
    const url = pathToFileURL(path);
    if (!hadLog) url.searchParams.set("immutable", "1");
    return {
      db: new DatabaseSync(url, { readOnly: true, timeout: BUSY_TIMEOUT_MS }),
      isStale: () => !hadLog && hasLog(),
    };
  });
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

/** True when it keeps a write-ahead log. */
function checkHeader(path: string): boolean {
  const head = Buffer.alloc(100);
  let read: number;
  try {
    if (statSync(path).isDirectory()) {
      throw unreadable(path, `it is a folder; wanted is the file, such as "${path}/home-assistant_v2.db".`);
    }
    const file = openSync(path, "r");
    try {
      read = readSync(file, head, 0, head.length, 0);
    } finally {
      closeSync(file);
    }
  } catch (thrown) {
    if (isHearthlineError(thrown)) throw thrown;
    throw unreadable(path, messageOf(thrown), thrown);
  }
  if (read === 0) throw unreadable(path, "the file is empty (0 bytes).");
  if (head.toString("latin1", 0, MAGIC.length) !== MAGIC) {
    throw unreadable(
      path,
      "it is no SQLite database. Wanted is Home Assistant's home-assistant_v2.db, or a copy of it.",
    );
  }
  return head[WAL_FLAG_AT] === 2;
}

const BUSY = 5;
const LOCKED = 6;
const CORRUPT = 11;
const NOT_A_DATABASE = 26;
const CANNOT_OPEN = 14;
const READ_ONLY = 8;

/** Runs `work`; SQLite's errors become ours. `at`: how far it had come, for the message. */
export function guarded<T>(path: string, work: () => T, at = ""): T {
  try {
    return work();
  } catch (thrown) {
    const { errcode, code } = thrown as { errcode?: number; code?: unknown };
    if (code === "ERR_OUT_OF_RANGE")
      throw unreadable(path, `a row number beyond 2^53${at}, which no recorder gives.`, thrown);
    if (errcode === undefined) throw thrown;
    throw sqliteProblem(path, { primary: errcode & 0xff, message: messageOf(thrown), at, cause: thrown });
  }
}

interface Problem {
  readonly primary: number;
  readonly message: string;
  readonly at: string;
  readonly cause: unknown;
}

function sqliteProblem(path: string, { primary, message, at, cause }: Problem): HearthlineError {
  switch (primary) {
    case BUSY:
    case LOCKED:
      return new HearthlineError(
        "history_busy",
        `The recorder's database "${path}" stayed locked for ${BUSY_TIMEOUT_MS / 1000} s${at}. Another program holds it; run the import again later, or import a copy.`,
        { cause },
      );
    case CORRUPT:
    case NOT_A_DATABASE:
      return new HearthlineError(
        "history_damaged",
        `The recorder's database "${path}" is damaged${at} (SQLite: ${message}). Every row before that was imported; for the rest, recover it with: sqlite3 damaged.db .recover | sqlite3 whole.db, and import that.`,
        { cause },
      );
    case CANNOT_OPEN:
    case READ_ONLY:
      return unreadable(
        path,
        `SQLite says "${message}". Beside it lies a write-ahead log (-wal), which can be read only where this user may write in its folder: import a copy of both files in a folder of your own.`,
        cause,
      );
    default:
      return unreadable(path, `SQLite says "${message}"${at}.`, cause);
  }
}
