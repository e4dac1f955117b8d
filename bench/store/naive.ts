import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { HomeEvent } from "../../lib/event/index.ts";

/** The table that one would write first: a text key, a row of JSON, a statement a row. */
export interface NaiveTable {
  /** Each row a statement and a transaction of its own, as durable as ours. */
  insertOneByOne(events: readonly HomeEvent[]): void;
  /** Each row a statement, the batch a transaction: to fill the table in a bearable time. */
  insertTogether(events: readonly HomeEvent[]): void;
  day(fromIso: string, toIso: string): number;
  entity(entityId: string, fromIso: string, toIso: string): number;
  hourly(entityId: string, fromIso: string, toIso: string): number;
  prune(beforeIso: string): void;
  close(): void;
}

export const isoOf = (atUs: number): string =>
  `${new Date(atUs / 1000).toISOString().slice(0, -1)}${String(atUs % 1000).padStart(3, "0")}Z`;

export function createNaiveTable(folder: string): NaiveTable {
  const db = new DatabaseSync(join(folder, "naive.db"));
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    CREATE TABLE event (home TEXT, at TEXT, entity TEXT, value REAL, body TEXT, PRIMARY KEY (home, at, entity)) WITHOUT ROWID;
    CREATE INDEX by_entity ON event (home, entity, at)`);
  const insert = db.prepare("INSERT OR REPLACE INTO event VALUES (?, ?, ?, ?, ?)");
  const all = (sql: string, ...values: string[]) => db.prepare(sql).all(...values);
  const put = (event: HomeEvent): void => {
    const { homeId, atUs, entityId, value } = event;
    insert.run(homeId, isoOf(atUs), entityId, typeof value === "number" ? value : null, JSON.stringify(event));
  };
  /** As a reader gives them: objects. */
  const parsed = (rows: Record<string, unknown>[]): number =>
    rows.map(({ body }) => JSON.parse(String(body)) as HomeEvent).length;
  return {
    insertOneByOne: (events) => events.forEach(put),
    insertTogether: (events) => {
      db.exec("BEGIN");
      events.forEach(put);
      db.exec("COMMIT");
    },
    day: (from, to) => parsed(all("SELECT body FROM event WHERE home = 'home' AND at >= ? AND at < ?", from, to)),
    entity: (entityId, from, to) =>
      parsed(
        all("SELECT body FROM event WHERE home = 'home' AND entity = ? AND at >= ? AND at < ?", entityId, from, to),
      ),
    hourly: (entityId, from, to) =>
      all(
        `SELECT substr(at, 1, 13), count(*), avg(value), min(value), max(value) FROM event
        WHERE home = 'home' AND entity = ? AND at >= ? AND at < ? GROUP BY 1`,
        ...[entityId, from, to],
      ).length,
    prune: (before) => void db.prepare("DELETE FROM event WHERE home = 'home' AND at < ?").run(before),
    close: () => db.close(),
  };
}
