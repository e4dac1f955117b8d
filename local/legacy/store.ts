import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

export interface LegacyRow {
  readonly atUs: number;
  readonly entityId: string;
  readonly isRemoval: boolean;
  /** The event as JSON, in Home Assistant's `state_changed` shape. */
  readonly event: string;
}

export interface RowQuery {
  readonly fromUs: number;
  readonly toUs: number;
  readonly entityIds: readonly string[] | undefined;
  readonly isDescending: boolean;
  readonly limit: number;
  /** Of the last row that was given. */
  readonly after: { readonly atUs: number; readonly id: number } | undefined;
  /** Rows that came later cannot be read yet. */
  readonly cameBeforeMs: number;
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at_us INTEGER NOT NULL, entity_id TEXT NOT NULL, is_removal INTEGER NOT NULL, copy INTEGER NOT NULL,
    came_ms INTEGER NOT NULL, event TEXT NOT NULL, UNIQUE (entity_id, at_us, is_removal, copy)
  );
  CREATE INDEX IF NOT EXISTS events_at ON events (at_us, id);
  CREATE TABLE IF NOT EXISTS devices (
    id TEXT PRIMARY KEY, name TEXT, manufacturer TEXT, model TEXT, sw_version TEXT, area TEXT, labels TEXT, capabilities TEXT, changed_at TEXT
  );`;

export const DEVICE_COLUMNS = [
  ...["id", "name", "manufacturer", "model", "sw_version", "area", "labels", "capabilities", "changed_at"],
] as const;

/** DATA/legacy.db: events by entity, time and removal (the same one again changes nothing), and devices by id. */
export function openLegacyStore(folder: string) {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const db = new DatabaseSync(join(folder, "legacy.db"), { timeout: 5_000 });
  db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;");
  db.exec(SCHEMA);
  const insert = db.prepare(
    `INSERT INTO events (at_us, entity_id, is_removal, copy, came_ms, event) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET event = excluded.event`,
  );
  const ends = db.prepare(
    "SELECT min(at_us) AS oldest, max(at_us) AS newest, count(*) AS rows FROM events WHERE came_ms < ?",
  );
  const putDevice = db.prepare(
    `INSERT OR REPLACE INTO devices (${DEVICE_COLUMNS.join(", ")}) VALUES (${DEVICE_COLUMNS.map(() => "?").join(", ")})`,
  );
  return {
    /** All of one request, or none. `copies`: how often each is kept. */
    add(rows: readonly (LegacyRow & { readonly copies: number })[], cameMs: number): void {
      db.exec("BEGIN IMMEDIATE");
      try {
        for (const { atUs, entityId, isRemoval, event, copies } of rows)
          for (let copy = 0; copy < copies; copy++) insert.run(atUs, entityId, Number(isRemoval), copy, cameMs, event);
        db.exec("COMMIT");
      } catch (thrown) {
        if (db.isTransaction) db.exec("ROLLBACK");
        throw thrown;
      }
    },
    read({ fromUs, toUs, entityIds, isDescending, limit, after, cameBeforeMs }: RowQuery) {
      const [beyond, order] = isDescending ? ["<", "DESC"] : [">", "ASC"];
      const named = entityIds ? `AND entity_id IN (${entityIds.map(() => "?").join(", ") || "NULL"})` : "";
      const rows = db
        .prepare(
          `SELECT id, at_us, event FROM events WHERE at_us >= ? AND at_us < ? AND came_ms < ? ${named}
           ${after ? `AND (at_us, id) ${beyond} (?, ?)` : ""} ORDER BY at_us ${order}, id ${order} LIMIT ?`,
        )
        .all(
          ...[fromUs, toUs, cameBeforeMs, ...(entityIds ?? [])],
          ...[...(after ? [after.atUs, after.id] : []), limit],
        );
      return rows.map(({ id, at_us, event }) => ({ id: Number(id), atUs: Number(at_us), event: String(event) }));
    },
    ends(cameBeforeMs: number) {
      const { oldest = null, newest = null, rows } = ends.get(cameBeforeMs) ?? {};
      return { oldestUs: oldest as number | null, newestUs: newest as number | null, rows: Number(rows) };
    },
    loseNewest(rows: number): void {
      db.prepare("DELETE FROM events WHERE id IN (SELECT id FROM events ORDER BY at_us DESC, id DESC LIMIT ?)").run(
        rows,
      );
    },
    devices: () => db.prepare("SELECT * FROM devices ORDER BY id").all() as Record<string, string | null>[],
    putDevice(row: Readonly<Record<string, string | null>>): void {
      putDevice.run(...DEVICE_COLUMNS.map((column) => row[column] ?? null));
    },
    close: () => db.close(),
  };
}

export type LegacyStore = ReturnType<typeof openLegacyStore>;
