import { existsSync } from "node:fs";
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { type ErrorCode, HearthlineError, messageOf } from "../../base/errors.ts";
import type { OldDevice, OldDevices } from "../../migration/ports.ts";
import { malformed } from "./old-ask.ts";
import { deviceOf, rowOf } from "./old-device-row.ts";

/** Somebody else's file, with his program beside it: nobody waits long for its lock. */
const LOCK_WAIT_MS = 5_000;
const LISTS: ReadonlySet<string> = new Set(["labels", "capabilities"]);

/**
 * A table `devices` with a text `id` and any of the columns name, manufacturer, model, sw_version, area, labels, capabilities (JSON lists), changed_at. Other columns stay as they are; of a column
 * that is missing the value is nowhere. The file is opened for each call and never made.
 */
export function createSqliteDevices(path: string, waitMs: number = LOCK_WAIT_MS): OldDevices {
  const what = `for the table "devices" of the file "${path}"`;
  return {
    name: path,
    list: () =>
      withFile(path, { readOnly: true, waitMs }, (db) => {
        const columns = columnsOf(db, what);
        const rows = db.prepare(`SELECT ${[...columns].map(quoted).join(", ")} FROM "devices" ORDER BY "id"`).all();
        return rows.map((row) => deviceOf(unpacked(row, what), what));
      }),
    put: (devices) =>
      withFile(path, { readOnly: false, waitMs }, (db) => {
        const columns = columnsOf(db, what);
        return { refused: devices.flatMap((device) => putOne(db, columns, device)) };
      }),
  };
}

const KNOWN = ["id", "name", "manufacturer", "model", "sw_version", "area", "labels", "capabilities", "changed_at"];
const quoted = (column: string): string => `"${column}"`;

function columnsOf(db: DatabaseSync, what: string): ReadonlySet<string> {
  const there = new Set(
    db
      .prepare("SELECT name FROM pragma_table_info('devices')")
      .all()
      .map(({ name }) => String(name)),
  );
  if (!there.has("id")) throw malformed(what, there.size === 0 ? "that there is none" : 'that it has no column "id"');
  return new Set(KNOWN.filter((column) => there.has(column)));
}

function unpacked(row: Readonly<Record<string, unknown>>, what: string): Record<string, unknown> {
  const lists = [...LISTS].flatMap((name) => {
    const value = row[name];
    if (typeof value !== "string" || value === "") return value === "" ? [[name, null] as const] : [];
    try {
      return [[name, JSON.parse(value) as unknown] as const];
    } catch (thrown) {
      throw malformed(what, `"${name}" that are no JSON`, thrown);
    }
  });
  return { ...row, ...Object.fromEntries(lists) };
}

function putOne(db: DatabaseSync, columns: ReadonlySet<string>, device: OldDevice) {
  const values = Object.entries(rowOf(device)).filter(([column]) => columns.has(column));
  const names = values.map(([column]) => quoted(column));
  // Found by its id, whether the table calls that a key or not.
  const isThere = db.prepare('SELECT 1 FROM "devices" WHERE "id" = ?').get(device.id) !== undefined;
  const inputs = values.map(
    ([, value]): SQLInputValue => (Array.isArray(value) ? JSON.stringify(value) : String(value)),
  );
  try {
    if (!isThere)
      db.prepare(`INSERT INTO "devices" (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})`).run(
        ...inputs,
      );
    else if (names.length > 1)
      db.prepare(
        `UPDATE "devices" SET ${names
          .slice(1)
          .map((name) => `${name} = ?`)
          .join(", ")} WHERE "id" = ?`,
      ).run(...inputs.slice(1), device.id);
    return [];
  } catch (thrown) {
    if (isConstraint(thrown)) return [{ id: device.id, reason: messageOf(thrown) }];
    throw thrown;
  }
}

const CONSTRAINT = 19;
const primaryCode = (thrown: unknown): number => Number((thrown as { errcode?: unknown }).errcode) & 0xff;
const isConstraint = (thrown: unknown): boolean => primaryCode(thrown) === CONSTRAINT;

// Primary result codes: https://www.sqlite.org/rescode.html
const CODES: Readonly<Record<number, ErrorCode>> = {
  5: "service_timeout",
  6: "service_timeout",
  8: "service_refused",
  11: "old_malformed",
  26: "old_malformed",
};

async function withFile<T>(
  path: string,
  { readOnly, waitMs }: { readonly readOnly: boolean; readonly waitMs: number },
  work: (db: DatabaseSync) => T,
): Promise<T> {
  if (!existsSync(path))
    throw new HearthlineError(
      "service_unreachable",
      `The old list of devices "${path}" is not there; wanted is a SQLite file with a table "devices".`,
    );
  // Only where there is such a list: the functions of everybody else never load it.
  const { DatabaseSync: Database } = await import("node:sqlite");
  let db: DatabaseSync | undefined;
  try {
    db = new Database(path, { readOnly, timeout: waitMs });
    return work(db);
  } catch (thrown) {
    if (thrown instanceof HearthlineError) throw thrown;
    const code = CODES[primaryCode(thrown)] ?? "service_failed";
    throw new HearthlineError(
      code,
      `The old list of devices "${path}" could not be ${readOnly ? "read" : "written"}: ${messageOf(thrown)}.`,
      { cause: thrown },
    );
  } finally {
    db?.close();
  }
}
