import { realpathSync } from "node:fs";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { isHearthlineError } from "../../base/errors.ts";
import type { Microseconds } from "../../base/time.ts";
import type { HistoryChunk, HistorySource, PastRow, RejectedRow } from "../../history/ports.ts";
import { guarded, openReadOnly } from "./open.ts";
import { createRowReader, type RowReader, timeOf } from "./rows.ts";
import { type RecorderSchema, readSchema, type StateRow } from "./schema.ts";

/** Rows of one statement: no transaction stays open between two, so Home Assistant's log does not grow for our sake. */
const CHUNK_ROWS = 1_000;
/** Attributes of one chunk: before 2022 nothing bounded those of a row. */
const CHUNK_MAX_CHARACTERS = 8_388_608;

/** The last row that was read. Its time tells whether a row of that number is still the same one. */
interface Position {
  readonly stateId: number;
  readonly atUs: Microseconds | null;
}

/** Home Assistant's recorder in SQLite: its own file while it runs, or a copy. @throws HearthlineError as `openReadOnly` and `readSchema` */
export function createRecorderSource(path: string): HistorySource {
  let opened = openReadOnly(path);
  let schema: RecorderSchema;
  try {
    schema = guarded(path, () => readSchema(opened.db, path), " in its schema");
  } catch (thrown) {
    opened.db.close();
    throw thrown;
  }
  /** Home Assistant was started on the file meanwhile: what was opened as immutable must not be read on. */
  const current = (): DatabaseSync => {
    if (opened.isStale()) {
      opened.db.close();
      opened = openReadOnly(path);
    }
    return opened.db;
  };
  return {
    kind: "recorder",
    name: path,
    identity: schema.madeAt ?? realpathSync(path),
    placeName: "state_id",
    entityIds: async () => guarded(path, () => entityIdsOf(current(), schema), " in its list of entities"),
    read: (position, signal) => readRows({ path, schema, current }, position, signal),
    close: async () => opened.db.close(),
  };
}

function entityIdsOf(db: DatabaseSync, { hasMeta }: RecorderSchema): string[] {
  const rows = db.prepare(`SELECT DISTINCT entity_id FROM ${hasMeta ? "states_meta" : "states"}`).all();
  return rows.flatMap(({ entity_id }) => (typeof entity_id === "string" ? [entity_id] : []));
}

interface Reading {
  readonly path: string;
  readonly schema: RecorderSchema;
  readonly current: () => DatabaseSync;
}

const REUSED =
  "The row at which the last import ended is another one now (Home Assistant's purge_entities lets numbers be used again), so everything was read again. What was imported before stays as it is.";

async function* readRows(reading: Reading, position: unknown, signal: AbortSignal): AsyncGenerator<HistoryChunk> {
  const { path, schema } = reading;
  let last = position as Position | undefined;
  let remark: string | undefined;
  if (last && !guarded(path, () => isStill(reading.current(), schema, last as Position))) {
    last = undefined;
    remark = REUSED;
  }
  const bounds = guarded(path, () => boundsOf(reading.current()));
  const next = chunkReader(reading);
  while (!signal.aborted) {
    const { newest, rows, rejected } = next(last?.stateId ?? bounds.first - 1);
    if (!newest) return;
    last = positionOf(newest);
    const fraction = (newest.state_id - bounds.first) / Math.max(1, bounds.last - bounds.first);
    yield { rows, rejected, position: last, fraction: Math.min(1, fraction), ...(remark && { remark }) };
    remark = undefined;
  }
}

/** Reads what comes after a row. Before a damaged page or row it reads fewer and fewer rows, so that all in front of it are read. */
function chunkReader({ path, schema, current }: Reading) {
  let prepared: Prepared | undefined;
  let limit = CHUNK_ROWS;

  function read(after: number) {
    const db = current();
    if (prepared?.db !== db) prepared = prepare(db, schema);
    const { select, reader } = prepared;
    const enough = reader.characters + CHUNK_MAX_CHARACTERS;
    const rows: PastRow[] = [];
    const rejected: RejectedRow[] = [];
    let newest: StateRow | undefined;
    for (const row of select.iterate(after, limit) as Iterable<unknown> as Iterable<StateRow>) {
      newest = row;
      const each = reader.read(row);
      if ("code" in each) rejected.push(each);
      else rows.push(each);
      if (reader.characters >= enough) break;
    }
    return { newest, rows, rejected };
  }

  return (after: number) => {
    for (;;) {
      try {
        return guarded(path, () => read(after), ` after the row with state_id ${after}`);
      } catch (thrown) {
        const isHere = isHearthlineError(thrown) && /^history_(damaged|unreadable)$/.test(thrown.code);
        if (!isHere || limit === 1) throw thrown;
        limit = Math.ceil(limit / 10);
      }
    }
  };
}

interface Prepared {
  readonly db: DatabaseSync;
  readonly select: StatementSync;
  readonly reader: RowReader;
}

const prepare = (db: DatabaseSync, schema: RecorderSchema): Prepared => ({
  db,
  select: db.prepare(schema.select),
  reader: createRowReader(db, schema),
});

const positionOf = ({ state_id, last_updated_ts, last_updated }: StateRow): Position => ({
  stateId: state_id,
  atUs: momentOf(last_updated_ts, last_updated),
});

function momentOf(seconds: number | null, text: string | null): Microseconds | null {
  try {
    return timeOf(seconds, text) ?? null;
  } catch {
    // Rejected as a row already.
    return null;
  }
}

/** A row that is gone was purged; one of another time has taken its number. */
function isStill(db: DatabaseSync, { select }: RecorderSchema, { stateId, atUs }: Position): boolean {
  const row = db.prepare(select).get(stateId - 1, 1) as StateRow | undefined;
  return row?.state_id !== stateId || positionOf(row).atUs === atUs;
}

function boundsOf(db: DatabaseSync): { readonly first: number; readonly last: number } {
  // Each by itself is one look at the tree; both in one are a walk through the whole table.
  const row = db
    .prepare(
      "SELECT CAST((SELECT min(state_id) FROM states) AS REAL) AS first, CAST((SELECT max(state_id) FROM states) AS REAL) AS last",
    )
    .get();
  return { first: Number(row?.first ?? 0), last: Number(row?.last ?? 0) };
}
