import { DatabaseSync } from "node:sqlite";
import type { Row } from "../generate/past.ts";
import { type Attributes, recordedAttributes } from "../house/attributes.ts";

/** The rows of what was live, in DATA/recorder.db: found again after a restart. What is not committed yet is lost with a power cut. */
export interface Recorder {
  add(entityId: string, row: Row): void;
  /** Writes at most `rows` of what waits (all by default). */
  commit(rows?: number): void;
  /** Forgets what is not committed: the power cut. */
  discard(): void;
  /** Rows with `from < at < to`, ascending; only what is committed. */
  rows(entityId: string, from: number, to: number): Iterable<Row>;
  lastBefore(entityId: string, moment: number): Row | undefined;
  /** Of which there were ever rows. */
  entityIds(): string[];
  backlog(): number;
  lastAt(): number | undefined;
  /** Forgets rows before `moment`, and the oldest beyond `RECORDER_MAX_ROWS`. */
  prune(moment: number): void;
  close(): void;
}

/** Rows kept, whatever their age: about 500 MB. At 2,000 events a second that is 40 minutes, at 0.3 more than ten days. */
export const RECORDER_MAX_ROWS = 5_000_000;
/** Home Assistant's own bound of what waits; beyond it rows are committed at once. */
export const RECORDER_MAX_BACKLOG = 65_000;
const TEXTS_KNOWN = 5_000;

const SCHEMA = `
  PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
  CREATE TABLE IF NOT EXISTS entities (id INTEGER PRIMARY KEY, entity_id TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE IF NOT EXISTS attributes (id INTEGER PRIMARY KEY, json TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE IF NOT EXISTS states (id INTEGER PRIMARY KEY, entity INTEGER NOT NULL, updated REAL NOT NULL, changed REAL, state TEXT, attributes INTEGER NOT NULL, context TEXT, parent TEXT, user TEXT) STRICT;
  CREATE INDEX IF NOT EXISTS states_by_entity ON states (entity, updated);
`;

const CONTEXT_COLUMNS = ["context", "parent", "user"] as const;

interface StoredRow {
  readonly updated: number;
  readonly changed: number | null;
  readonly state: string | null;
  readonly json: string;
  readonly context: string | null;
  readonly parent: string | null;
  readonly user: string | null;
}

const toRow = (stored: StoredRow): Row => ({
  at: stored.updated,
  changedAt: stored.changed ?? stored.updated,
  state: stored.state,
  attributes: JSON.parse(stored.json) as Attributes,
  ...(stored.context !== null && {
    context: { id: stored.context, parent_id: stored.parent, user_id: stored.user },
  }),
});

/** The number of a text in its table; a bounded part is known by heart. */
function idOf(database: DatabaseSync, table: "entities" | "attributes", column: string): (text: string) => number {
  const known = new Map<string, number>();
  const insert = database.prepare(`INSERT OR IGNORE INTO ${table} (${column}) VALUES (?)`);
  const find = database.prepare(`SELECT id FROM ${table} WHERE ${column} = ?`);
  return (text) => {
    const id = known.get(text);
    if (id !== undefined) return id;
    insert.run(text);
    const found = Number((find.get(text) as { id: number }).id);
    if (known.size >= TEXTS_KNOWN) known.clear();
    known.set(text, found);
    return found;
  };
}

/** The JSON of the attributes that are recorded, made once for one object. */
function createRecordedJson(): (entityId: string, attributes: Attributes) => string {
  const made = new WeakMap<Attributes, string>();
  return (entityId, attributes) => {
    const known = made.get(attributes);
    if (known !== undefined) return known;
    const json = JSON.stringify(recordedAttributes(entityId.slice(0, entityId.indexOf(".")), attributes));
    made.set(attributes, json);
    return json;
  };
}

export function openRecorder(path: string): Recorder {
  const database = new DatabaseSync(path);
  database.exec(SCHEMA);
  const columns = database
    .prepare("SELECT name FROM pragma_table_info('states')")
    .all()
    .map(({ name }) => name);
  // A home that is older than these columns.
  for (const column of CONTEXT_COLUMNS)
    if (!columns.includes(column)) database.exec(`ALTER TABLE states ADD COLUMN ${column} TEXT`);
  const addState = database.prepare(
    "INSERT INTO states (entity, updated, changed, state, attributes, context, parent, user) VALUES (?,?,?,?,?,?,?,?)",
  );
  const [entityId, attributesId] = [idOf(database, "entities", "entity_id"), idOf(database, "attributes", "json")];
  const select =
    "SELECT updated, changed, state, json, context, parent, user FROM states JOIN attributes ON attributes.id = states.attributes";
  const selectRows = database.prepare(
    `${select} WHERE entity = ? AND updated > ? AND updated < ? ORDER BY updated, states.id`,
  );
  const selectLast = database.prepare(
    `${select} WHERE entity = ? AND updated <= ? ORDER BY updated DESC, states.id DESC LIMIT 1`,
  );
  const recordedJson = createRecordedJson();
  let waiting: { readonly id: string; readonly row: Row }[] = [];
  const recorder: Recorder = {
    add(id, row) {
      waiting.push({ id, row });
      if (waiting.length > RECORDER_MAX_BACKLOG) recorder.commit();
    },
    commit(rows = waiting.length) {
      if (waiting.length === 0) return;
      const batch = waiting.splice(0, rows);
      database.exec("BEGIN");
      for (const { id, row } of batch) {
        const changed = row.changedAt === row.at ? null : row.changedAt;
        const { id: context = null, parent_id = null, user_id = null } = row.context ?? {};
        const attributes = attributesId(recordedJson(id, row.attributes));
        addState.run(entityId(id), row.at, changed, row.state, attributes, context, parent_id, user_id);
      }
      database.exec("COMMIT");
    },
    discard: () => {
      waiting = [];
    },
    *rows(id, from, to) {
      for (const row of selectRows.iterate(entityId(id), from, to)) yield toRow(row as unknown as StoredRow);
    },
    lastBefore(id, moment) {
      const row = selectLast.get(entityId(id), moment);
      return row && toRow(row as unknown as StoredRow);
    },
    entityIds: () =>
      database
        .prepare("SELECT entity_id FROM entities")
        .all()
        .map((row) => String(row.entity_id)),
    backlog: () => waiting.length,
    lastAt: () =>
      (database.prepare("SELECT max(updated) AS at FROM states").get() as { at: number | null }).at ?? undefined,
    prune(moment) {
      database.prepare("DELETE FROM states WHERE updated < ?").run(moment);
      database.prepare("DELETE FROM states WHERE id <= (SELECT max(id) FROM states) - ?").run(RECORDER_MAX_ROWS);
    },
    close() {
      recorder.commit();
      database.close();
    },
  };
  return recorder;
}
