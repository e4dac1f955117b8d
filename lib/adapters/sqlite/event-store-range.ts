import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import type { EventPage, Position, RangeQuery } from "../../store/ports.ts";
import { sortKey } from "./event-store-ids.ts";
import { type Cursor, mergeCursors, type SeriesKey } from "./event-store-merge.ts";
import { decodeRow, type EventRow, ROW_COLUMNS, ROW_TABLES } from "./event-store-row.ts";

/** With more series than these a page is found faster by walking all events in order than by asking each series for its next one. */
const MERGED_SERIES_MAX = 512;
/** Before and after any time that an event can have (integers of a double are exact up to 2^53). */
const FIRST_US = Number.MIN_SAFE_INTEGER;
const LAST_US = Number.MAX_SAFE_INTEGER;

/** A database's statements, each prepared once, giving rows as arrays. */
export interface Reader {
  statement(sql: string): StatementSync;
  rows<T>(sql: string, ...values: SQLInputValue[]): T[];
}

export function createReader(db: DatabaseSync): Reader {
  const statements = new Map<string, StatementSync>();
  function statement(sql: string): StatementSync {
    let known = statements.get(sql);
    if (!known) {
      known = db.prepare(sql);
      known.setReturnArrays(true);
      statements.set(sql, known);
    }
    return known;
  }
  return { statement, rows: <T>(sql: string, ...values: SQLInputValue[]) => statement(sql).all(...values) as T[] };
}

/** Bounds and direction in SQL's words. */
interface Plan {
  readonly home: number;
  readonly fromUs: number;
  readonly toUs: number;
  readonly order: "asc" | "desc";
  readonly limit: number;
  readonly after: Position | undefined;
}

/** One page. To be called inside `snapshot`. */
export function rangeOf(reader: Reader, query: RangeQuery): EventPage {
  const { homeId, order, limit, after, fromUs = FIRST_US, toUs = LAST_US } = query;
  const home = homeRow(reader, homeId);
  const series = seriesOf(reader, query);
  if (home === undefined || series?.length === 0) return { events: [] };
  const plan: Plan = { home, fromUs, toUs, order, limit, after };
  const isMerged = series && series.length > 1 && series.length <= MERGED_SERIES_MAX;
  const rows = isMerged ? merge(reader, plan, series) : walk(reader, plan, series);
  const events = rows.map((row) => decodeRow(homeId, row));
  const last = events.at(-1);
  if (!last || events.length < limit) return { events };
  return { events, next: { atUs: last.atUs, entityId: last.entityId, removed: last.kind === "removed" } };
}

export const homeRow = (reader: Reader, homeId: string): number | undefined =>
  reader.rows<[number]>("SELECT id FROM home WHERE name = ?", homeId)[0]?.[0];

/** Ids of the series that the query may meet; undefined: of every series of the home. */
export function seriesOf(
  reader: Reader,
  query: Pick<RangeQuery, "homeId" | "entityIds" | "areaId" | "deviceId" | "domain">,
): readonly number[] | undefined {
  const { homeId, entityIds, areaId, deviceId, domain } = query;
  const wanted: [string, string | undefined][] = [
    ["AND n.name IN (SELECT value FROM json_each(?))", entityIds && JSON.stringify(entityIds)],
    ["AND s.area = ?", areaId],
    ["AND s.device = ?", deviceId],
    ["AND s.domain = ?", domain],
  ];
  const set = wanted.filter((pair): pair is [string, string] => pair[1] !== undefined);
  if (set.length === 0) return undefined;
  const sql = `SELECT s.id FROM home h JOIN series s ON s.home = h.id JOIN entity n ON n.id = s.entity
    WHERE h.name = ? ${set.map(([condition]) => condition).join(" ")}`;
  return reader.rows<[number]>(sql, homeId, ...set.map(([, value]) => value)).map(([id]) => id);
}

/** All of the home's events in the order of the key, or those of one or very many series. */
function walk(reader: Reader, plan: Plan, series: readonly number[] | undefined): EventRow[] {
  const { fromUs, toUs, after, limit } = plan;
  const up = plan.order === "asc";
  const by = up ? "" : "DESC";
  const isOne = series?.length === 1;
  const values: SQLInputValue[] = isOne ? [series[0] ?? 0] : [plan.home];
  let where = isOne ? "e.series = ?" : "e.home = ?";
  where += " AND e.at_us >= ? AND e.at_us < ?";
  // The bound on at_us alone lets SQLite begin at the right place; the rest decides among events of the same moment.
  values.push(up && after ? Math.max(fromUs, after.atUs) : fromUs);
  values.push(!up && after ? Math.min(toUs, after.atUs + 1) : toUs);
  if (after) {
    where += ` AND (e.at_us, n.sort, e.removed) ${up ? ">" : "<"} (?, ?, ?)`;
    values.push(after.atUs, sortKey(after.entityId), Number(after.removed));
  }
  if (series && !isOne) {
    where += " AND e.series IN (SELECT value FROM json_each(?))";
    values.push(JSON.stringify(series));
  }
  const order = isOne ? `e.at_us ${by}, e.removed ${by}` : `e.at_us ${by}, n.sort ${by}, e.removed ${by}`;
  const sql = `SELECT ${ROW_COLUMNS} FROM ${ROW_TABLES} WHERE ${where} ORDER BY ${order} LIMIT ?`;
  return reader.rows(sql, ...values, limit);
}

/** Each series in its own order, merged: costs a few rows a series, however rare its events are among the home's. */
function merge(reader: Reader, plan: Plan, series: readonly number[]): EventRow[] {
  const up = plan.order === "asc";
  const by = up ? "" : "DESC";
  const names = reader.rows<[number, number, Uint8Array]>(
    "SELECT s.id, n.id, n.sort FROM json_each(?) j CROSS JOIN series s ON s.id = j.value CROSS JOIN entity n ON n.id = s.entity",
    JSON.stringify(series),
  );
  const next = `SELECT at_us, removed FROM event WHERE series = ? AND at_us >= ? AND at_us < ?
    AND (at_us, removed) ${up ? ">" : "<"} (?, ?) ORDER BY at_us ${by}, removed ${by} LIMIT ?`;
  const cursors = names.map(
    ([id, entity, sort]): Cursor => ({
      entity,
      sort,
      read: (last, count) => {
        const { atUs, removed } = last ?? startOf(plan, sort);
        const from = up ? Math.max(plan.fromUs, atUs) : plan.fromUs;
        const to = up ? plan.toUs : Math.min(plan.toUs, atUs + 1);
        return reader.rows(next, id, from, to, atUs, removed, count);
      },
    }),
  );
  const keys = mergeCursors(cursors, { up, limit: plan.limit });
  const one = `SELECT ${ROW_COLUMNS} FROM ${ROW_TABLES} WHERE e.home = ? AND e.at_us = ? AND e.entity = ? AND e.removed = ?`;
  return keys.flatMap((key) => reader.rows<EventRow>(one, plan.home, key.atUs, key.entity, key.removed));
}

/** Before the first event of a series that the page may hold; `sort` is the place of the series' entity among events of the same moment. */
function startOf({ order, after, fromUs, toUs }: Plan, sort: Uint8Array): SeriesKey {
  const [before, behind] = order === "asc" ? [-1, 2] : [2, -1];
  if (!after) return { atUs: order === "asc" ? fromUs : toUs, removed: order === "asc" ? before : behind };
  const compared = Buffer.compare(sort, sortKey(after.entityId)) * (order === "asc" ? 1 : -1);
  return { atUs: after.atUs, removed: compared === 0 ? Number(after.removed) : compared > 0 ? before : behind };
}
