import { isActive } from "../active.ts";
import { addSparse, type Sparse, sparseOf, sumRows } from "../sums.ts";
import type { DayFacts, Occurrence } from "../types.ts";

/** How long one entity was in one state, each time that a person ended it on that day. */
export interface DurationRow {
  readonly e: string;
  readonly s: string;
  /** By `binOf` of the seconds. */
  readonly n: Sparse;
  /** How often an automation ended it. */
  readonly a: number;
  /** What came after it, and how often. */
  readonly x: Readonly<Record<string, number>>;
}

/** Each bin ends a tenth behind its beginning: so much of the logarithm. */
export const BIN_WIDTH = Math.log(1.1);
/** Nobody does anything on purpose for less, and after three days the beginning is forgotten. */
const MIN_SECONDS = 5;
const MAX_SECONDS = 3 * 86_400;
/** Of a very large home those that changed most often. */
const ROWS_MAX = 2_500;

export const binOf = (seconds: number): number => Math.floor(Math.log(seconds) / BIN_WIDTH);
/** Where the bin begins, in seconds. */
export const secondsOf = (bin: number): number => Math.exp(bin * BIN_WIDTH);

/** Of what sees people these are the devices' own times. */
const OPENINGS: ReadonlySet<string> = new Set(["door", "window", "garage_door", "opening", "lock"]);

const isWanted = ({ role, domain, deviceClass = "" }: Occurrence): boolean =>
  role === "target" ? domain !== "scene" : domain === "binary_sensor" && OPENINGS.has(deviceClass);

const nameOf = ({ e, s }: DurationRow): string => `${e}=${s}`;

export function durationRows(facts: DayFacts): DurationRow[] {
  const found = new Map<string, { e: string; s: string; bins: number[]; a: number; x: Record<string, number> }>();
  for (const occurrence of facts.occurrences) {
    const { entityId, oldState, state, secondsInOldState = 0, actor, atUs } = occurrence;
    if (oldState === undefined || !isActive(oldState) || !isWanted(occurrence)) continue;
    if (secondsInOldState < MIN_SECONDS || secondsInOldState > MAX_SECONDS) continue;
    const beganUs = atUs - secondsInOldState * 1e6;
    // What happened while nothing was heard is not known.
    if (facts.silent.some(([from, to]) => beganUs < to && atUs > from)) continue;
    const name = `${entityId}=${oldState}`;
    const row = found.get(name) ?? { e: entityId, s: oldState, bins: [], a: 0, x: {} };
    found.set(name, row);
    row.x[state] = (row.x[state] ?? 0) + 1;
    if (actor === "automation") row.a++;
    else row.bins.push(binOf(secondsInOldState));
  }
  const rows = [...found.values()].map(({ e, s, bins, a, x }): DurationRow => ({ e, s, n: sparseOf(bins), a, x }));
  const size = ({ x }: DurationRow) => Object.values(x).reduce((sum, count) => sum + count, 0);
  const most = rows.length <= ROWS_MAX ? rows : rows.sort((a, b) => size(b) - size(a)).slice(0, ROWS_MAX);
  return mergeDurations([most]);
}

export const mergeDurations = (parts: Iterable<readonly DurationRow[]>): DurationRow[] =>
  sumRows(parts, nameOf, (rows) => {
    const [{ e, s } = { e: "", s: "" }] = rows;
    const after: Record<string, number> = {};
    for (const { x } of rows)
      for (const [state, count] of Object.entries(x)) after[state] = (after[state] ?? 0) + count;
    return {
      e,
      s,
      n: addSparse(rows.map(({ n }) => n)),
      a: rows.reduce((sum, { a }) => sum + a, 0),
      x: Object.fromEntries(Object.entries(after).sort(([a], [b]) => (a < b ? -1 : 1))),
    };
  });
