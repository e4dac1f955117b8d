import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { HearthlineError } from "../../base/errors.ts";

export const DAY_US = 86_400_000_000;
export const dayOf = (atUs: number): number => Math.floor(atUs / DAY_US);

/** What the directory knows of a segment. Its body never changes. */
export interface Segment {
  readonly id: number;
  readonly home: number;
  readonly day: number;
  readonly seq: number;
  readonly isClosed: boolean;
  readonly count: number;
  readonly bytes: number;
  readonly minUs: number;
  readonly maxUs: number;
  /** By code units; undefined: any entity may lie in it. */
  readonly firstEntity: string | undefined;
  readonly lastEntity: string | undefined;
}

/** A segment that is to be written; `seq` undefined: the newest. */
export interface NewSegment extends Omit<Segment, "id" | "home" | "day" | "seq" | "bytes"> {
  readonly seq: number | undefined;
  readonly body: Uint8Array;
}

export type DayState = 0 | 1 | 2;
export interface Day {
  readonly day: number;
  readonly state: DayState;
}

type SegmentRow = [number, number, number, number, number, number, number, string | null, string | null];

/** A database's tables, by statements that are each prepared once. Nothing here begins or ends a transaction. */
export interface Tables {
  homeOf(homeId: string): number | undefined;
  nameOf(home: number): string | undefined;
  makeHome(homeId: string): number;
  /** undefined: it has no events. */
  day(home: number, day: number): Day | undefined;
  /** Of these days, both included, those with events, ascending or descending. */
  days(home: number, from: number, to: number): Day[];
  /** The first or the last of these days that has events. */
  nextDay(home: number, from: number, to: number, order: "asc" | "desc"): Day | undefined;
  /** False: the entity has no events in that day. */
  mayHaveEvents(home: number, day: Day, entityId: string): boolean;
  /** By `seq`, the oldest first. @throws HearthlineError `store_damaged` */
  segments(home: number, day: number): Segment[];
  /** The newest ones of a day, the newest first. */
  tail(home: number, day: number, limit: number): Segment[];
  body(id: number): Uint8Array | undefined;
  add(home: number, day: number, segment: NewSegment): number;
  remove(ids: readonly number[]): void;
  run(sql: string, ...values: SQLInputValue[]): number;
  rows<T>(sql: string, ...values: SQLInputValue[]): T[];
}

const SEGMENT = "id, seq, closed, count, bytes, min_us, max_us, first_entity, last_entity";

export function createTables(db: DatabaseSync): Tables {
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
  const rows = <T>(sql: string, ...values: SQLInputValue[]): T[] => statement(sql).all(...values) as T[];
  const run = (sql: string, ...values: SQLInputValue[]): number => Number(statement(sql).run(...values).changes);

  // Not remembered: another process may have dropped everything.
  const homeOf = (homeId: string): number | undefined =>
    rows<[number]>("SELECT id FROM home WHERE name = ?", homeId)[0]?.[0];

  return {
    rows,
    run,
    homeOf,
    nameOf: (home) => rows<[string]>("SELECT name FROM home WHERE id = ?", home)[0]?.[0],
    makeHome: (homeId) =>
      homeOf(homeId) ?? Number(statement("INSERT INTO home (name) VALUES (?)").run(homeId).lastInsertRowid),
    day: (home, day) => {
      const [row] = rows<[DayState]>("SELECT state FROM day WHERE home = ? AND day = ?", home, day);
      return row && { day, state: row[0] };
    },
    days: (home, from, to) =>
      rows<[number, DayState]>(
        "SELECT day, state FROM day WHERE home = ? AND day BETWEEN ? AND ? ORDER BY day",
        ...[home, from, to],
      ).map(([day, state]) => ({ day, state })),
    nextDay: (home, from, to, order) => {
      const sql = `SELECT day, state FROM day WHERE home = ? AND day BETWEEN ? AND ? ORDER BY day ${order} LIMIT 1`;
      const [row] = rows<[number, DayState]>(sql, home, from, to);
      return row && { day: row[0], state: row[1] };
    },
    mayHaveEvents: (home, { day, state }, entityId) =>
      state === 0 ||
      rows("SELECT 1 FROM rollup WHERE home = ? AND entity = ? AND day = ?", home, entityId, day).length > 0,
    segments: (home, day) =>
      rows<SegmentRow>(`SELECT ${SEGMENT} FROM segment WHERE home = ? AND day = ? ORDER BY seq`, home, day).map(
        segmentOf(home, day),
      ),
    tail: (home, day, limit) =>
      rows<SegmentRow>(
        `SELECT ${SEGMENT} FROM segment WHERE home = ? AND day = ? ORDER BY seq DESC LIMIT ?`,
        ...[home, day, limit],
      ).map(segmentOf(home, day)),
    body: (id) => rows<[Uint8Array]>("SELECT body FROM segment WHERE id = ?", id)[0]?.[0],
    add: (home, day, segment) => {
      const { seq, isClosed, count, minUs, maxUs, firstEntity = null, lastEntity = null, body } = segment;
      const { lastInsertRowid } = statement(
        `INSERT INTO segment (home, day, seq, closed, count, bytes, min_us, max_us, first_entity, last_entity, body)
        VALUES (?, ?, coalesce(?, (SELECT coalesce(max(seq), 0) + 1 FROM segment WHERE home = ?1 AND day = ?2)), ?, ?, ?, ?, ?, ?, ?, ?)`,
      ).run(
        ...[home, day, seq ?? null, Number(isClosed), count, body.length, minUs, maxUs],
        ...[firstEntity, lastEntity, body],
      );
      return Number(lastInsertRowid);
    },
    remove: (ids) => {
      for (const id of ids) run("DELETE FROM segment WHERE id = ?", id);
    },
  };
}

const segmentOf =
  (home: number, day: number) =>
  ([id, seq, closed, count, bytes, minUs, maxUs, first, last]: SegmentRow): Segment => {
    if (dayOf(minUs) !== day || dayOf(maxUs) !== day) {
      throw new HearthlineError(
        "store_damaged",
        `The directory of the event store says that segment "${id}" of day "${day}" is of another day; wanted is a backup of the file.`,
      );
    }
    const [firstEntity, lastEntity] = [first ?? undefined, last ?? undefined];
    return { id, home, day, seq, isClosed: closed === 1, count, bytes, minUs, maxUs, firstEntity, lastEntity };
  };
