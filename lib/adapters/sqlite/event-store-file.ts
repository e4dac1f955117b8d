import { statSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../base/clock.ts";
import { HearthlineError } from "../../base/errors.ts";
import { createBlocks, REMEMBERED_ROWS } from "./event-store-blocks.ts";
import { isMigrating, keepCopy, migrateSome, removeUnfinished } from "./event-store-migrate.ts";
import { EVENT_STORE_APPLICATION_ID, EVENT_STORE_STEPS } from "./event-store-schema.ts";
import type { Source } from "./event-store-spans.ts";
import { createTables } from "./event-store-tables.ts";
import { openSqlite, STORE_CODES, snapshot, transaction, withSqliteErrors } from "./open.ts";

/** Between two transactions of one long piece of work, so that a process that waits for the lock (and polls for it) gets its turn. */
export const PAUSE_MS = 5;

export interface EventStoreFileOptions {
  readonly path: string;
  readonly busyTimeoutMs: number | undefined;
  readonly clock: Clock;
  readonly onNotice: ((message: string) => void) | undefined;
}

/** The file, opened when it is first needed and again after it was deleted or replaced; its errors in our words. */
export interface EventStoreFile {
  /** To be awaited before anything else: opens the file, and moves what an earlier version left in it. */
  ready(doing: string): Promise<void>;
  /** One state of the file, whatever is written meanwhile. */
  read<T>(doing: string, work: (source: Source) => T): T;
  /** All or nothing, synced when it returns. */
  write<T>(doing: string, work: (source: Source, db: DatabaseSync) => T): T;
  /** Outside of any transaction. */
  plain<T>(doing: string, work: (db: DatabaseSync) => T): T;
  close(): void;
}

interface Open {
  readonly db: DatabaseSync;
  readonly source: Source;
  /** Of the file that was opened. */
  readonly inode: number | undefined;
  isMigrated: boolean;
}

/** By which a file is told from another of the same name; undefined: there is none. */
const inodeOf = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.ino;

export function createEventStoreFile({ path, busyTimeoutMs, clock, onNotice }: EventStoreFileOptions): EventStoreFile {
  /** A file that was there before; what makes a new one is nothing to tell of. */
  let isOld = false;
  let open: Open | undefined;
  let isClosed = false;
  let migration: Promise<void> | undefined;

  function opened(): Open {
    if (isClosed)
      throw new HearthlineError("store_unavailable", `The event store "${path}" is closed; wanted is an open one.`);
    open ??= openFile();
    if (inodeOf(path) !== open.inode) letGo(open.db);
    return open;
  }

  function openFile(): Open {
    const db = openSqlite({
      path,
      applicationId: EVENT_STORE_APPLICATION_ID,
      what: "event store",
      steps: EVENT_STORE_STEPS,
      codes: STORE_CODES,
      givesBackPages: true,
      beforeSteps: (old, version) => {
        isOld = true;
        const copy = keepCopy(old, path, version);
        const kept = copy === undefined ? "another process has kept a copy of it" : `a copy of it is kept as "${copy}"`;
        onNotice?.(`The event store "${path}" has schema version ${version}: ${kept}, then it is changed.`);
      },
      ...(busyTimeoutMs !== undefined && { busyTimeoutMs }),
    });
    const source = { tables: createTables(db), blocks: createBlocks(REMEMBERED_ROWS) };
    return { db, source, inode: inodeOf(path), isMigrated: !isMigrating(db) };
  }

  /** What is written to a file without a name is gone with this process: nothing may count as stored in it. */
  function letGo(db: DatabaseSync): never {
    open = undefined;
    db.close();
    throw new HearthlineError(
      "store_unavailable",
      `The event store "${path}" was deleted or replaced while it was open; the next try opens what is there then.`,
    );
  }

  const using = <T>(doing: string, work: (open: Open) => T): T =>
    withSqliteErrors({ doing, path, codes: STORE_CODES }, () => work(opened()));

  const write = <T>(doing: string, work: (source: Source, db: DatabaseSync) => T): T =>
    using(doing, ({ db, source }) => {
      try {
        return transaction(db, () => work(source, db));
      } catch (thrown) {
        source.blocks.clear();
        throw thrown;
      }
    });

  async function migrate(): Promise<void> {
    const doing = `Changing the event store to a newer schema (as it was it is kept beside it, as "${path}.schema-1")`;
    let isDone = false;
    let leftOut = 0;
    while (!isDone) {
      isDone = write(doing, (source, db) => {
        leftOut += migrateSome(db, source);
        return !isMigrating(db);
      });
      await clock.sleep(PAUSE_MS);
    }
    using(doing, (it) => {
      it.isMigrated = true;
      if (isOld) removeUnfinished(path);
      shrink(it.db);
    });
    const missing = leftOut === 0 ? "" : `; ${leftOut} rows could not be read: only the copy has them`;
    if (isOld)
      onNotice?.(`The event store "${path}" was changed to schema version ${EVENT_STORE_STEPS.length}${missing}.`);
  }

  return {
    ready: async (doing) => {
      if (using(doing, ({ isMigrated }) => isMigrated)) return;
      migration ??= migrate().finally(() => {
        migration = undefined;
      });
      await migration;
    },
    read: (doing, work) => using(doing, ({ db, source }) => snapshot(db, () => work(source))),
    write,
    plain: (doing, work) => using(doing, ({ db }) => work(db)),
    close: () => {
      isClosed = true;
      open?.db.close();
      open = undefined;
    },
  };
}

/** Locked by somebody else (5, 6), no room (13) or no place (10, 14) for the copy that VACUUM makes in the system's folder for temporary files. */
const NOT_NOW: ReadonlySet<number> = new Set([5, 6, 10, 13, 14]);

/** Writes the whole file anew, without free pages; not if it cannot be done now: pages that are free will be used. */
export function shrink(db: DatabaseSync): void {
  try {
    db.exec("PRAGMA auto_vacuum = INCREMENTAL; VACUUM");
  } catch (thrown) {
    const { errcode } = thrown as { errcode?: unknown };
    // The low byte is the primary code, the rest details it.
    if (!NOT_NOW.has(Number(errcode) & 0xff)) throw thrown;
  }
}
