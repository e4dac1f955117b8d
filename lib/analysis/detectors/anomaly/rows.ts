import type { Microseconds } from "../../../base/time.ts";
import { isActive } from "../active.ts";
import { binOf } from "../duration/rows.ts";
import { addSparse, type Sparse, sparseOf, sumRows } from "../sums.ts";
import type { DayFacts, Occurrence } from "../types.ts";

/** How often and how long one entity was in one state on a day. */
export interface AnomalyRow {
  readonly e: string;
  readonly s: string;
  /** It can be switched. */
  readonly t?: 1;
  /** How often it came into it, by the hour of the local wall clock. */
  readonly h: Sparse;
  /** How long it stayed so, by `binOf` of the seconds. */
  readonly l: Sparse;
  /** The longest: the second of the day (from 03:00; before it: negative) at which it began, and how many seconds it lasted, as far as the day goes. */
  readonly x: readonly (readonly [beganSecond: number, seconds: number])[];
  /** Seconds in which it could not be asked. */
  readonly u?: number;
}

const LONGEST_MAX = 3;
/** Of a very large home those that happened most often. */
const ROWS_MAX = 2_500;
const MIN_SECONDS = 5;
/** Shorter times out of reach do not matter. */
const MIN_UNAVAILABLE_SECONDS = 1_800;
const OPENINGS: ReadonlySet<string> = new Set(["door", "window", "garage_door", "opening", "lock"]);

export const nameOf = ({ e, s }: Pick<AnomalyRow, "e" | "s">): string => `${e}=${s}`;

interface Growing {
  readonly e: string;
  readonly s: string;
  isTarget: boolean;
  readonly hours: number[];
  readonly bins: number[];
  readonly longest: (readonly [number, number])[];
}

export function anomalyRows(facts: DayFacts): AnomalyRow[] {
  const rows = new Map<string, Growing>();
  const last = new Map<string, Occurrence>();
  const rowOf = ({ entityId: e, role }: Occurrence, s: string): Growing => {
    const row = rows.get(`${e}=${s}`) ?? { e, s, isTarget: role === "target", hours: [], bins: [], longest: [] };
    rows.set(`${e}=${s}`, row);
    return row;
  };
  const isSilent = (fromUs: Microseconds, toUs: Microseconds) =>
    facts.silent.some(([from, to]) => fromUs < to && toUs > from);

  for (const occurrence of facts.occurrences) {
    const { state, oldState, secondsInOldState = 0, atUs, actor, minute } = occurrence;
    last.set(occurrence.entityId, occurrence);
    if (isActive(state) && actor === "person") rowOf(occurrence, state).hours.push(Math.floor(minute / 60));
    if (oldState === undefined || !isActive(oldState) || !isHeld(occurrence)) continue;
    const beganUs = atUs - secondsInOldState * 1e6;
    if (secondsInOldState < MIN_SECONDS || isSilent(beganUs, atUs)) continue;
    const row = rowOf(occurrence, oldState);
    row.bins.push(binOf(secondsInOldState));
    row.longest.push([Math.round((beganUs - facts.fromUs) / 1e6), Math.round(secondsInOldState)]);
  }
  for (const occurrence of last.values()) {
    const seconds = Math.round((facts.toUs - occurrence.atUs) / 1e6);
    if (!isActive(occurrence.state) || !isHeld(occurrence) || isSilent(occurrence.atUs, facts.toUs)) continue;
    const began = Math.round((occurrence.atUs - facts.fromUs) / 1e6);
    rowOf(occurrence, occurrence.state).longest.push([began, seconds]);
  }
  return mergeAnomalies([most([...rows.values()].map(done)), unavailableRows(facts)]);
}

/** What is worth a word when it stays so: what can be switched, and what is open. */
const isHeld = ({ role, domain, deviceClass = "" }: Occurrence): boolean =>
  role === "target" ? domain !== "scene" : domain === "binary_sensor" && OPENINGS.has(deviceClass);

const done = ({ e, s, isTarget, hours, bins, longest }: Growing): AnomalyRow => ({
  e,
  s,
  ...(isTarget && { t: 1 as const }),
  h: sparseOf(hours),
  l: sparseOf(bins),
  x: longestOf(longest),
});

function most(rows: AnomalyRow[]): readonly AnomalyRow[] {
  if (rows.length <= ROWS_MAX) return rows;
  return rows.sort((a, b) => b.h.length - a.h.length || (nameOf(a) < nameOf(b) ? -1 : 1)).slice(0, ROWS_MAX);
}

/** Of an entity without a state of its own. */
function unavailableRows({ unavailable }: DayFacts): AnomalyRow[] {
  const seconds = new Map<string, number>();
  for (const [entityId, from, to] of unavailable)
    seconds.set(entityId, (seconds.get(entityId) ?? 0) + Math.round((to - from) / 1e6));
  return [...seconds].flatMap(([e, u]) => (u >= MIN_UNAVAILABLE_SECONDS ? [{ e, s: "", h: [], l: [], x: [], u }] : []));
}

const longestOf = (all: AnomalyRow["x"]): AnomalyRow["x"] =>
  all.toSorted((a, b) => b[1] - a[1] || b[0] - a[0]).slice(0, LONGEST_MAX);

export const mergeAnomalies = (parts: Iterable<readonly AnomalyRow[]>): AnomalyRow[] =>
  sumRows(parts, nameOf, (rows) => {
    const { e, s } = rows[0] ?? { e: "", s: "" };
    const seconds = rows.reduce((sum, { u = 0 }) => sum + u, 0);
    return {
      e,
      s,
      ...(rows.some(({ t }) => t === 1) && { t: 1 as const }),
      h: addSparse(rows.map(({ h }) => h)),
      l: addSparse(rows.map(({ l }) => l)),
      x: longestOf(rows.flatMap(({ x }) => x)),
      ...(seconds > 0 && { u: seconds }),
    };
  });
