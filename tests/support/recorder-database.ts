import { DatabaseSync } from "node:sqlite";
import { formatIsoUs, type Microseconds } from "../../lib/base/time.ts";

/** The recorder's tables as Home Assistant has had them; `half` is in the middle of its own migration from the old to the present ones. */
export const SCHEMAS = ["2021", "half", "2026"] as const;
export type Schema = (typeof SCHEMAS)[number];

/** One row. `lastChangedUs` absent: the same as `atUs`. */
export interface WrittenRow {
  readonly entityId: string;
  /** null: removed. */
  readonly state: string | null;
  readonly atUs: Microseconds;
  readonly lastChangedUs?: Microseconds;
  readonly attributes?: Readonly<Record<string, unknown>>;
  /** Home Assistant knew no state before: it had just started. */
  readonly isFirst?: boolean;
  /** 16 bytes. */
  readonly context?: Uint8Array;
}

const OLD_STATES = `CREATE TABLE states (state_id INTEGER NOT NULL PRIMARY KEY, domain VARCHAR(64), entity_id VARCHAR(255), state VARCHAR(255), attributes TEXT,
  event_id INTEGER, last_changed DATETIME, last_updated DATETIME, created DATETIME, old_state_id INTEGER)`;
const NEW_COLUMNS = `last_changed_ts FLOAT, last_updated_ts FLOAT, last_reported_ts FLOAT, old_state_id INTEGER, attributes_id INTEGER, origin_idx SMALLINT,
  context_id_bin BLOB, context_user_id_bin BLOB, context_parent_id_bin BLOB, metadata_id INTEGER`;
const TABLES: Readonly<Record<Schema, string>> = {
  "2021": OLD_STATES,
  half: `CREATE TABLE states (state_id INTEGER NOT NULL PRIMARY KEY, entity_id VARCHAR(255), state VARCHAR(255), attributes TEXT, event_id INTEGER,
    last_changed DATETIME, last_updated DATETIME, context_id VARCHAR(36), context_user_id VARCHAR(36), context_parent_id VARCHAR(36), ${NEW_COLUMNS})`,
  "2026": `CREATE TABLE states (state_id INTEGER NOT NULL PRIMARY KEY, entity_id CHAR(0), state VARCHAR(255), attributes CHAR(0), event_id SMALLINT,
    last_changed CHAR(0), last_updated CHAR(0), context_id CHAR(0), context_user_id CHAR(0), context_parent_id CHAR(0), ${NEW_COLUMNS})`,
};
const VERSIONS: Readonly<Record<Schema, number>> = { "2021": 16, half: 35, "2026": 53 };

/** A recorder's database that grows by `write`. Leave it open: it is then as Home Assistant's own while it runs. */
export class RecorderDatabase {
  readonly db: DatabaseSync;
  readonly #schema: Schema;
  readonly #entities = new Map<string, number>();
  readonly #attributes = new Map<string, number>();
  readonly #lastIds = new Map<string, number>();
  #stateId = 0;

  constructor(path: string, schema: Schema = "2026", madeAt = "2026-09-01 12:00:00.123456") {
    this.#schema = schema;
    this.db = new DatabaseSync(path);
    this.db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; ${TABLES[schema]};
      CREATE TABLE schema_changes (change_id INTEGER PRIMARY KEY, schema_version INTEGER, changed DATETIME)`);
    this.db.prepare("INSERT INTO schema_changes VALUES (1, ?, ?)").run(VERSIONS[schema], madeAt);
    if (schema !== "2021")
      this.db.exec(`CREATE TABLE states_meta (metadata_id INTEGER NOT NULL PRIMARY KEY, entity_id VARCHAR(255));
        CREATE TABLE state_attributes (attributes_id INTEGER NOT NULL PRIMARY KEY, hash BIGINT, shared_attrs TEXT)`);
  }

  /** All in one transaction. */
  write(rows: readonly WrittenRow[]): void {
    this.db.exec("BEGIN");
    for (const row of rows) this.#insert(row);
    this.db.exec("COMMIT");
  }

  /** As after a clean stop: no log is left beside the file. */
  close(): void {
    this.db.close();
  }

  #insert(row: WrittenRow): void {
    const id = ++this.#stateId;
    const oldId = row.isFirst ? null : (this.#lastIds.get(row.entityId) ?? null);
    if (row.state === null) this.#lastIds.delete(row.entityId);
    else this.#lastIds.set(row.entityId, id);
    // In a database that is being migrated the older rows are still as they were.
    if (this.#schema === "2021" || (this.#schema === "half" && id % 2 === 0)) this.#insertOld(id, oldId, row);
    else this.#insertNew(id, oldId, row);
  }

  #insertOld(id: number, oldId: number | null, { entityId, state, atUs, lastChangedUs, attributes = {} }: WrittenRow) {
    this.#prepared(
      "INSERT INTO states (state_id, entity_id, state, attributes, last_changed, last_updated, old_state_id) VALUES (?, ?, ?, ?, ?, ?, ?)",
    ).run(
      id,
      entityId,
      state ?? "",
      state === null ? "{}" : JSON.stringify(attributes),
      sqlText(lastChangedUs ?? atUs),
      sqlText(atUs),
      oldId,
    );
  }

  #insertNew(id: number, oldId: number | null, row: WrittenRow): void {
    const { entityId, state, atUs, lastChangedUs, attributes = {}, context } = row;
    this.#prepared(
      "INSERT INTO states (state_id, state, last_changed_ts, last_updated_ts, old_state_id, attributes_id, origin_idx, context_id_bin, metadata_id) VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?)",
    ).run(
      id,
      state,
      lastChangedUs === undefined || lastChangedUs === atUs ? null : lastChangedUs / 1e6,
      atUs / 1e6,
      oldId,
      state === null
        ? null
        : this.#idOf(this.#attributes, JSON.stringify(attributes), "state_attributes (attributes_id, shared_attrs)"),
      context ?? null,
      this.#idOf(this.#entities, entityId, "states_meta (metadata_id, entity_id)"),
    );
  }

  #idOf(known: Map<string, number>, text: string, table: string): number {
    const found = known.get(text);
    if (found !== undefined) return found;
    const id = known.size + 1;
    known.set(text, id);
    this.#prepared(`INSERT INTO ${table} VALUES (?, ?)`).run(id, text);
    return id;
  }

  readonly #statements = new Map<string, ReturnType<DatabaseSync["prepare"]>>();
  #prepared(sql: string): ReturnType<DatabaseSync["prepare"]> {
    const statement = this.#statements.get(sql) ?? this.db.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}

/** As SQLAlchemy writes a time: UTC, without saying so. */
const sqlText = (us: Microseconds): string => formatIsoUs(us).slice(0, 26).replace("T", " ");
