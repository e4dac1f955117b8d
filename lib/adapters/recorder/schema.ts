import type { DatabaseSync } from "node:sqlite";
import { HearthlineError } from "../../base/errors.ts";

/** What a recorder's database has, by its tables and columns: a new version of the schema that still has them is read like the one before. */
export interface RecorderSchema {
  /** The newest row of schema_changes; undefined when there is none. */
  readonly version: number | undefined;
  /** When the database was made; the same in every copy. Undefined when nothing says so. */
  readonly madeAt: string | undefined;
  readonly hasMeta: boolean;
  readonly hasSharedAttributes: boolean;
  /** The statement that reads rows after a state_id, ascending. */
  readonly select: string;
}

/** A row of that statement. Columns that the database does not have are null. */
export interface StateRow {
  readonly state_id: number;
  readonly entity_id: string | null;
  readonly state: string | null;
  readonly attributes: string | null;
  readonly attributes_id: number | null;
  readonly last_updated_ts: number | null;
  readonly last_changed_ts: number | null;
  /** UTC without an offset, as older versions wrote it. */
  readonly last_updated: string | null;
  readonly last_changed: string | null;
  readonly has_old: number;
  readonly origin_idx: number | null;
  readonly origin: string | null;
  readonly context_id: string | null;
  readonly context_parent_id: string | null;
  readonly context_user_id: string | null;
  readonly context_id_bin: Uint8Array | null;
  readonly context_parent_id_bin: Uint8Array | null;
  readonly context_user_id_bin: Uint8Array | null;
}

/** @throws HearthlineError `history_schema_unknown` */
export function readSchema(db: DatabaseSync, path: string): RecorderSchema {
  const tables = new Set(
    db
      .prepare("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')")
      .all()
      .map(({ name }) => String(name)),
  );
  if (!tables.has("states")) {
    throw new HearthlineError(
      "history_schema_unknown",
      `The database "${path}" has no table "states": it is not a recorder's. Wanted is Home Assistant's home-assistant_v2.db, or a copy of it.`,
    );
  }
  const columns = columnsOf(db, "states");
  const hasMeta = tables.has("states_meta") && columns.has("metadata_id");
  const hasSharedAttributes = tables.has("state_attributes") && columns.has("attributes_id");
  const changes = tables.has("schema_changes") ? schemaChanges(db) : undefined;
  const missing = [
    ...["state_id", "state"].filter((name) => !columns.has(name)),
    ...(hasMeta || columns.has("entity_id") ? [] : ["entity_id (or metadata_id with a table states_meta)"]),
    ...(columns.has("last_updated_ts") || columns.has("last_updated") ? [] : ["last_updated_ts (or last_updated)"]),
  ];
  if (missing.length > 0) {
    throw new HearthlineError(
      "history_schema_unknown",
      `The recorder's database "${path}" has schema version "${changes?.version ?? "unknown"}", whose table "states" lacks ${missing.join(", ")}: this program cannot read it. Wanted is a newer Hearthline, or a database of Home Assistant 2020.12 to 2026.11.`,
    );
  }
  return {
    version: changes?.version,
    madeAt: changes?.madeAt,
    hasMeta,
    hasSharedAttributes,
    select: selectOf(columns, hasMeta),
  };
}

const columnsOf = (db: DatabaseSync, table: string): Set<string> =>
  new Set(
    db
      .prepare(`PRAGMA table_info(${table})`)
      .all()
      .map(({ name }) => String(name)),
  );

function schemaChanges(db: DatabaseSync): { version: number | undefined; madeAt: string | undefined } {
  const row = db.prepare("SELECT max(schema_version) AS version, min(changed) AS made FROM schema_changes").get();
  return {
    version: row?.version === null || row === undefined ? undefined : Number(row.version),
    madeAt: row?.made === null || row === undefined ? undefined : String(row.made),
  };
}

/** SQLite keeps whatever type it was given; an integer above 2^53 in one of these would end the whole reading. */
const CASTS: Readonly<Record<string, string>> = {
  attributes_id: "REAL",
  last_updated_ts: "REAL",
  last_changed_ts: "REAL",
  origin_idx: "REAL",
  last_updated: "TEXT",
  last_changed: "TEXT",
};
const OPTIONAL = [
  ...["attributes", "attributes_id", "last_updated_ts", "last_changed_ts", "last_updated", "last_changed"],
  ...["origin_idx", "origin", "context_id", "context_parent_id", "context_user_id"],
  ...["context_id_bin", "context_parent_id_bin", "context_user_id_bin"],
];

/**
 * In the order of state_id, which is that of writing: SQLAlchemy inserts an entity's rows one after the other (each refers to the one before),
 * and a later commit has higher numbers also when the clock was set back in between.
 */
function selectOf(columns: ReadonlySet<string>, hasMeta: boolean): string {
  const optional = OPTIONAL.map((name) => {
    if (!columns.has(name)) return `NULL AS ${name}`;
    return name in CASTS ? `CAST(s.${name} AS ${CASTS[name]}) AS ${name}` : `s.${name}`;
  });
  const own = columns.has("entity_id") ? "s.entity_id" : "NULL";
  // Between the two: a database in the middle of Home Assistant's own migration has rows of both kinds.
  const entity = hasMeta ? `coalesce(m.entity_id, ${own})` : own;
  const old = columns.has("old_state_id") ? "s.old_state_id IS NOT NULL" : "1";
  const join = hasMeta ? "LEFT JOIN states_meta m ON m.metadata_id = s.metadata_id" : "";
  return `SELECT s.state_id, ${entity} AS entity_id, s.state, ${optional.join(", ")}, ${old} AS has_old FROM states s ${join} WHERE s.state_id > ? ORDER BY s.state_id LIMIT ?`;
}
