import { byText } from "../order.ts";
import type { Occurrence } from "../types.ts";

/** What a day was like for everybody: where its clock began and when nothing was heard (seconds since its beginning, from and to by turns). */
export interface DayRow {
  readonly t: "day";
  readonly date: string;
  /** Local wall clock at the beginning, in minutes. */
  readonly start: number;
  readonly silent: readonly number[];
}

/**
 * One entity's changes on one day, exactly: what a counted pair is looked at again with. Of a merge, only the newest day's lines remain, so that a month is no
 * larger than a day; the counts beside them are sums.
 */
export interface LineRow {
  readonly t: "line";
  readonly date: string;
  readonly e: string;
  /** Absent: a sensor. */
  readonly target?: true;
  readonly area?: string;
  /** The state before the first change, if that is known. */
  readonly from?: string;
  readonly states: readonly string[];
  /** Tenths of a second: the first since the day's beginning, each other since the one before. */
  readonly at: readonly number[];
  /** A letter of each change, from `A` on: twice the place of the new state in `states`, and one more where an automation made it. */
  readonly v: string;
  /** By change: the act that it shares with other entities, 0 for none. Absent: it shares none. */
  readonly acts?: readonly number[];
  /** When it could not be asked: seconds since the day's beginning, from and to by turns. */
  readonly away?: readonly number[];
}

/** Code of `A`: states beyond the fiftieth go on through the letters behind Z. */
export const FIRST_LETTER = 65;

/** Counts of all tokens, and of what fired before which, by the tokens' places in `names`. */
export interface TokensRow {
  readonly t: "tokens";
  /** Ascending. */
  readonly names: readonly string[];
  /** By name. 0: of sums, a trigger of which only the pairs were kept. */
  readonly n: readonly number[];
  /** Five for each pair: target, trigger, near, far (near ones included), by automation. */
  readonly pairs: readonly number[];
}

export type LinesRow = DayRow | LineRow | TokensRow;

export interface LinesOptions {
  readonly accepts: (occurrence: Occurrence) => boolean;
  /** What of it may follow a trigger. */
  readonly follows: (occurrence: Occurrence) => boolean;
  readonly nearSeconds: number;
  readonly farSeconds: number;
}

export const tokenOf = (entityId: string, state: string): string => `${entityId}=${state}`;

const keyOf = (row: LinesRow): string =>
  row.t === "tokens" ? "" : row.t === "line" ? `${row.date} ${row.e}` : row.date;

/** The one order of rows, whatever the order in which they came. */
export function inOrder(rows: readonly LinesRow[]): readonly LinesRow[] {
  return rows
    .map((row) => [`${row.t} ${keyOf(row)}`, row] as const)
    .sort(([a, one], [b, other]) => byText(a, b) || byText(JSON.stringify(one), JSON.stringify(other)))
    .map(([, row]) => row);
}
