import { closeSync, fsyncSync, linkSync, openSync, readdirSync, readSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { compareEvents } from "../../event/index.ts";
import { type EventRow, eventOf, ROW_COLUMNS, ROW_TABLES } from "./event-store-row.ts";
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

/** Removes copies that processes left unfinished that were killed. To be called when the file is changed: a copy that somebody makes of it now is worth nothing. */
export function removeUnfinished(path: string): void {
  const name = basename(path);
  for (const other of readdirSync(dirname(path))) {
    const isOne = other.startsWith(`${name}.`) && /^\d+\.unfinished(-journal)?$/.test(other.slice(name.length + 1));
    if (isOne) rmSync(join(dirname(path), other), { force: true });
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

/**
 * Moves some rows of version 1 into segments, or, when there are none left, drops its tables. To be called in a write transaction. How many rows were left out: those
 * that no program of ours wrote so (a tag that is no JSON, a time that is no number, an entity without a name); the copy keeps them.
 */
export function migrateSome(db: DatabaseSync, source: Source): number {
  if (!isMigrating(db)) return 0;
  const { tables } = source;
  const [first] = tables.rows<[number, string]>(
    "SELECT h.id, h.name FROM event e JOIN home h ON h.id = e.home ORDER BY e.home LIMIT 1",
  );
  if (!first) {
    const [nameless = [0]] = tables.rows<[number]>("SELECT count(*) FROM event");
    for (const table of OLD_TABLES) db.exec(`DROP TABLE ${table}`);
    return nameless[0];
  }
  const [home, homeId] = first;
  // Rows of one moment stay together, so that the next chunk begins behind them.
  const nth = "SELECT at_us FROM event WHERE home = ? ORDER BY at_us LIMIT 1 OFFSET ?";
  const last = tables.rows<[unknown]>(nth, home, CHUNK_ROWS - 1)[0]?.[0];
  // What is no number comes behind all numbers: then it is the end.
  const chunk = typeof last === "number" ? "e.home = ? AND e.at_us <= ?" : "e.home = ?";
  const values = typeof last === "number" ? [home, last] : [home];
  const sql = `SELECT ${ROW_COLUMNS} FROM ${ROW_TABLES} WHERE ${chunk} ORDER BY e.at_us`;
  const events = tables.rows<EventRow>(sql, ...values).flatMap((row) => eventOf(homeId, row) ?? []);
  for (const prepared of prepare(events.sort(compareEvents))) put(source, prepared);
  return tables.run(`DELETE FROM event AS e WHERE ${chunk}`, ...values) - events.length;
}
