import { closeSync, fsyncSync, linkSync, openSync, readSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { compareEvents } from "../../event/index.ts";
import { decodeRow, type EventRow, ROW_COLUMNS, ROW_TABLES } from "./event-store-row.ts";
import type { Source } from "./event-store-spans.ts";
import { prepare, put } from "./event-store-write.ts";

/** Rows of one transaction: about 50 ms, in which nobody else can write. */
const CHUNK_ROWS = 4_000;
const OLD_TABLES = ["event", "text", "series", "entity", "generation"];

const COPIES_MAX = 1_000;
const COMPARED_BYTES = 1024 * 1024;

/**
 * Keeps the file as the earlier version left it, beside it, and gives the copy's path. Safe to break off and to repeat, also by two processes at once: equal copies
 * are one, and a copy that was begun too late (of a file already changed) is none.
 */
export function keepCopy(db: DatabaseSync, path: string, version: number): string | undefined {
  const unfinished = `${path}.${process.pid}.unfinished`;
  rmSync(unfinished, { force: true });
  try {
    db.prepare("VACUUM INTO ?").run(unfinished);
    if (versionOf(unfinished) !== version) return undefined;
    // SQLite does not sync what VACUUM INTO writes.
    sync(unfinished);
    const copy = named(unfinished, `${path}.schema-${version}`);
    sync(dirname(path));
    return copy;
  } finally {
    rmSync(unfinished, { force: true });
  }
}

function versionOf(path: string): number {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    return Number(db.prepare("PRAGMA user_version").get()?.user_version);
  } finally {
    db.close();
  }
}

function sync(path: string): void {
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Gives the copy the first name that is free, or finds it there already. */
function named(copy: string, wanted: string): string {
  for (let number = 1; ; number++) {
    const name = number === 1 ? wanted : `${wanted}.${number}`;
    try {
      linkSync(copy, name);
      return name;
    } catch (thrown) {
      if ((thrown as { code?: unknown }).code !== "EEXIST" || number === COPIES_MAX) throw thrown;
      if (isSame(copy, name)) return name;
    }
  }
}

function isSame(one: string, other: string): boolean {
  const { size } = statSync(one);
  const there = statSync(other);
  if (!there.isFile() || there.size !== size) return false;
  const [a, b] = [openSync(one, "r"), openSync(other, "r")];
  try {
    const [left, right] = [Buffer.alloc(COMPARED_BYTES), Buffer.alloc(COMPARED_BYTES)];
    for (let at = 0; at < size; at += COMPARED_BYTES) {
      const length = readSync(a, left, 0, COMPARED_BYTES, at);
      if (readSync(b, right, 0, COMPARED_BYTES, at) !== length || left.compare(right, 0, length, 0, length) !== 0) {
        return false;
      }
    }
    return true;
  } finally {
    closeSync(a);
    closeSync(b);
  }
}

/** Whether rows of version 1 are still to be moved. */
export const isMigrating = (db: DatabaseSync): boolean =>
  db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'event'").get() !== undefined;

/** Moves some rows of version 1 into segments, or, when there are none left, drops its tables. To be called in a write transaction. */
export function migrateSome(db: DatabaseSync, source: Source): void {
  if (!isMigrating(db)) return;
  const { tables } = source;
  const [first] = tables.rows<[number, string]>(
    "SELECT h.id, h.name FROM event e JOIN home h ON h.id = e.home ORDER BY e.home LIMIT 1",
  );
  if (!first) {
    for (const table of OLD_TABLES) db.exec(`DROP TABLE ${table}`);
    return;
  }
  const [home, homeId] = first;
  // Rows of one moment stay together, so that the next chunk begins behind them.
  const nth = "SELECT at_us FROM event WHERE home = ? ORDER BY at_us LIMIT 1 OFFSET ?";
  const lastUs = tables.rows<[number]>(nth, home, CHUNK_ROWS - 1)[0]?.[0] ?? Number.MAX_SAFE_INTEGER;
  const sql = `SELECT ${ROW_COLUMNS} FROM ${ROW_TABLES} WHERE e.home = ? AND e.at_us <= ? ORDER BY e.at_us`;
  const events = tables.rows<EventRow>(sql, home, lastUs).map((row) => decodeRow(homeId, row));
  for (const prepared of prepare(events.sort(compareEvents))) put(source, prepared);
  tables.run("DELETE FROM event WHERE home = ? AND at_us <= ?", home, lastUs);
}
