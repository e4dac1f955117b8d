import { statSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { type Clock, systemClock } from "../../base/clock.ts";
import { HearthlineError } from "../../base/errors.ts";
import type { EventStore } from "../../store/ports.ts";
import { createIdTables, type IdTables } from "./event-store-ids.ts";
import { createPruning } from "./event-store-prune.ts";
import { createReader, type Reader, rangeOf } from "./event-store-range.ts";
import { encodeRow, UPSERT_EVENT } from "./event-store-row.ts";
import { EVENT_STORE_APPLICATION_ID, EVENT_STORE_STEPS } from "./event-store-schema.ts";
import { statsOf } from "./event-store-stats.ts";
import { openSqlite, snapshot, transaction, withSqliteErrors } from "./open.ts";

export interface SqliteEventStoreOptions {
  /** The database file; its folder is made when missing. `:memory:` for none. */
  readonly path: string;
  /** How long to wait for another process's lock. Default 5,000 ms, and the thread is blocked meanwhile. */
  readonly busyTimeoutMs?: number;
  readonly clock?: Clock;
}

/** Between two chunks of a prune, so that a process that waits for the lock (and polls for it) gets its turn. */
const PRUNE_PAUSE_MS = 5;

interface Open {
  readonly db: DatabaseSync;
  readonly ids: IdTables;
  readonly reader: Reader;
  /** Of the file that was opened. */
  readonly file: number | undefined;
}

/** By which a file is told from another of the same name; undefined: there is none. */
const fileNumber = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.ino;

/**
 * The embedded time-series store. Any number of processes may have the file open: readers never wait, writers wait for each other.
 * A batch is one transaction, synced to the disk before `write` resolves. The file is opened by the first call; a call after a failed one tries again.
 * Errors: `service_timeout` (locked), `service_failed` (disk full, read-only, not to be opened, deleted while open) are worth another try;
 * `data_folder_unusable` (damaged, not ours, from a newer version) is for a person.
 */
export function createSqliteEventStore(options: SqliteEventStoreOptions): EventStore {
  const { path, busyTimeoutMs, clock = systemClock } = options;
  let open: Open | undefined;
  let isClosed = false;

  function opened(): Open {
    if (isClosed)
      throw new HearthlineError("service_failed", `The event store "${path}" is closed; wanted is an open one.`);
    if (!open) {
      const db = openSqlite({
        path,
        applicationId: EVENT_STORE_APPLICATION_ID,
        what: "event store",
        steps: EVENT_STORE_STEPS,
        ...(busyTimeoutMs !== undefined && { busyTimeoutMs }),
      });
      open = { db, ids: createIdTables(db), reader: createReader(db), file: fileNumber(path) };
    }
    if (fileNumber(path) !== open.file) letGo(open.db);
    return open;
  }

  /** What is written to a file without a name is gone with this process: nothing may count as stored in it. */
  function letGo(db: DatabaseSync): never {
    open = undefined;
    db.close();
    throw new HearthlineError(
      "service_failed",
      `The event store "${path}" was deleted or replaced while it was open; the next try opens what is there then.`,
    );
  }

  const using = <T>(doing: string, work: (open: Open) => T): T => withSqliteErrors(doing, path, () => work(opened()));
  const reading = <T>(doing: string, work: (open: Open) => T): T =>
    using(doing, (it) => snapshot(it.db, () => work(it)));

  return {
    write: async (events) => {
      if (events.length === 0) return;
      using("Writing to the event store", ({ db, ids }) => {
        const upsert = db.prepare(UPSERT_EVENT);
        try {
          transaction(db, () => {
            ids.begin();
            for (const event of events) upsert.run(...encodeRow(event, ids.idsOf(event)));
          });
        } catch (thrown) {
          ids.forget();
          throw thrown;
        }
      });
    },
    range: async (query) => reading("Reading the event store", ({ reader }) => rangeOf(reader, query)),
    stats: async (query) => {
      const counting = using("Reading the event store", ({ reader }) => statsOf(reader, query));
      for (;;) {
        const step = reading("Reading the event store", () => counting.next());
        if (step.done) return step.value;
        await clock.sleep(0);
      }
    },
    prune: async (homeId, beforeUs) => {
      const pruning = using("Pruning the event store", ({ db }) => createPruning(db, homeId, beforeUs));
      for (let count = 0; ; ) {
        const { events, isDone } = using("Pruning the event store", () => pruning.step());
        count += events;
        if (isDone) return count;
        await clock.sleep(PRUNE_PAUSE_MS);
      }
    },
    check: async () =>
      void using("Asking the event store", ({ db }) => db.prepare("SELECT value FROM generation").get()),
    close: async () => {
      isClosed = true;
      open?.db.close();
      open = undefined;
    },
  };
}
