import { existsSync, renameSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { HearthlineError, isHearthlineError } from "../../base/errors.ts";
import { openSqlite } from "./open.ts";

/** "HLsp": PRAGMA application_id of the spool of version 0.1, which was a SQLite file. */
const APPLICATION_ID = 0x484c7370;

/** Its only format; read here, never written. `meta` holds relay_id, last_sequence, last_revision, losses. `loss` is 1 for a loss record. */
const STEPS = [
  `CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
   CREATE TABLE cursors (sink TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;
   CREATE TABLE records (n INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, loss INTEGER NOT NULL, line TEXT NOT NULL);`,
];

/** What is in the spool of version 0.1. Records: those that some sink has not acknowledged, ascending. */
export interface OldSpool {
  readonly relayId: string;
  readonly last: number;
  readonly revision: number;
  readonly losses: number;
  readonly cursors: Readonly<Record<string, number>>;
  records(): Iterable<{
    readonly n: number;
    readonly appendedAtMs: number;
    readonly line: string;
    readonly isLoss: boolean;
  }>;
  /** Its records are safe elsewhere: closes the file and renames it to `NAME.moved`. */
  finish(): void;
  close(): void;
}

/**
 * Opens the file, for this process alone; undefined where there is none, or none with anything in it.
 * @throws HearthlineError `already_running` (a relay of version 0.1 runs), `data_folder_unusable`, `service_failed`
 */
export function openOldSpool(path: string): OldSpool | undefined {
  if (!existsSync(path)) return undefined;
  const db = openLocked(path);
  const meta = (name: string) => db.prepare("SELECT value FROM meta WHERE name = ?").get(name)?.value;
  let isOpen = true;
  const close = () => {
    if (isOpen) db.close();
    isOpen = false;
  };
  const finish = () => {
    close();
    renameSync(path, `${path}.moved`);
  };
  const relayId = meta("relay_id");
  if (relayId === undefined) {
    finish();
    return undefined;
  }
  const cursors = db.prepare("SELECT sink, n FROM cursors").all();
  return {
    relayId: String(relayId),
    last: Number(meta("last_sequence")),
    revision: Number(meta("last_revision") ?? 0),
    losses: Number(meta("losses") ?? 0),
    cursors: Object.fromEntries(cursors.map(({ sink, n }) => [String(sink), Number(n)])),
    *records() {
      for (const row of db.prepare("SELECT n, at_ms, loss, line FROM records ORDER BY n").iterate()) {
        yield { n: Number(row.n), appendedAtMs: Number(row.at_ms), line: String(row.line), isLoss: row.loss === 1 };
      }
    },
    finish,
    close,
  };
}

function openLocked(path: string): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    db = openSqlite({
      path,
      applicationId: APPLICATION_ID,
      what: "spool of the earlier version",
      steps: STEPS,
      busyTimeoutMs: 500,
    });
    db.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; COMMIT");
    return db;
  } catch (thrown) {
    db?.close();
    const isBusy = isHearthlineError(thrown)
      ? thrown.code === "service_timeout"
      : (Number((thrown as { errcode?: unknown }).errcode) & 0xff) === 5;
    if (!isBusy) throw thrown;
    throw new HearthlineError(
      "already_running",
      `The spool "${path}" of the earlier version is in use; wanted is one relay for one spool.`,
      {
        cause: thrown,
      },
    );
  }
}
