import type { DetectorDay, HomeDay } from "../types.ts";
import { FIRST_LETTER, type LineRow, type LinesRow, type TokensRow } from "./rows.ts";

/** One entity's changes on one day, ready to be walked over. Times are seconds since the day's beginning. */
export interface EntityLine {
  readonly entityId: string;
  readonly role: "target" | "sensor";
  readonly areaId?: string;
  /** State before the first change. */
  readonly from?: string;
  readonly at: readonly number[];
  readonly states: readonly string[];
  readonly isAutomated: readonly boolean[];
  /** 0: shared with no other entity. */
  readonly acts: readonly number[];
  /** Places of the changes to each state. */
  readonly byState: ReadonlyMap<string, readonly number[]>;
  readonly away: readonly number[];
}

/** A day's lines. */
export interface LinesDay {
  readonly day: HomeDay;
  readonly startMinute: number;
  readonly silent: readonly number[];
  /** Decoded when they are asked for: most entities of a large home belong to no candidate. */
  readonly entities: Pick<ReadonlyMap<string, EntityLine>, "get">;
  readonly tokens: readonly TokensRow[];
}

function decodeLine(row: LineRow): EntityLine {
  let now = 0;
  const at = row.at.map((step) => {
    now += step;
    return now / 10;
  });
  const byState = new Map<string, number[]>();
  const values = Array.from(row.v, (letter) => letter.charCodeAt(0) - FIRST_LETTER);
  const states = values.map((value, place) => {
    const state = row.states[value >> 1] ?? "";
    const places = byState.get(state);
    if (places) places.push(place);
    else byState.set(state, [place]);
    return state;
  });
  return {
    entityId: row.e,
    role: row.target ? "target" : "sensor",
    ...(row.area !== undefined && { areaId: row.area }),
    ...(row.from !== undefined && { from: row.from }),
    at,
    states,
    isAutomated: values.map((value) => value % 2 === 1),
    acts: row.acts ?? values.map(() => 0),
    byState,
    away: row.away ?? [],
  };
}

type Decoded = Omit<LinesDay, "day">;

/** A night looks at the same days three times: the rows of a day are decoded once while somebody holds them. */
const decoded = new WeakMap<readonly LinesRow[], Decoded>();

function decode(rows: readonly LinesRow[]): Decoded {
  const there = decoded.get(rows);
  if (there) return there;
  const lines = new Map<string, LineRow>();
  const entities = new Map<string, EntityLine>();
  const tokens: TokensRow[] = [];
  let [startMinute, silent]: [number, readonly number[]] = [180, []];
  for (const row of rows) {
    if (row.t === "line") lines.set(row.e, row);
    else if (row.t === "tokens") tokens.push(row);
    else [startMinute, silent] = [row.start, row.silent];
  }
  const get = (entityId: string): EntityLine | undefined => {
    const row = lines.get(entityId);
    if (!row) return undefined;
    const line = entities.get(entityId) ?? decodeLine(row);
    entities.set(entityId, line);
    return line;
  };
  const result = { startMinute, silent, entities: { get }, tokens };
  decoded.set(rows, result);
  return result;
}

/** The days on which somebody lived there, ascending. */
export const linesDays = (days: readonly DetectorDay<LinesRow>[]): readonly LinesDay[] =>
  days.filter(({ day }) => day.isEligible).map(({ day, rows }) => ({ day, ...decode(rows) }));

/** Whether the time lies in one of the stretches (from, to by turns), `before` seconds before them included. */
export function isWithin(stretches: readonly number[], at: number, before = 0): boolean {
  for (let index = 0; index + 1 < stretches.length; index += 2)
    if (at >= (stretches[index] ?? 0) - before && at < (stretches[index + 1] ?? 0)) return true;
  return false;
}

/** Local wall clock of a time of the day, in minutes. On the two days of a clock change it is an hour off after the change. */
export const minuteAt = (day: LinesDay, at: number): number => (day.startMinute + at / 60) % 1440;
