import { isSwitched } from "../../../event/index.ts";
import { localMinuteOf } from "../local-time.ts";
import { addMinutes, type Minutes, minutesOf, tenthsOf } from "../minutes.ts";
import type { DayFacts } from "../types.ts";

/** Who did it; or that the entity could not be asked then (its state is empty). */
export type Who = "person" | "automation" | "away";

/** When in the day a token came about: `[entityId, state, who, minutes]`. `away`: the middles of the ten minutes in which there was nothing to be heard. */
export type TimeRow = readonly [entityId: string, state: string, who: Who, minutes: Minutes];

/** Stands for every entity: the whole home was silent. */
export const EVERYTHING = "*";

/** About 300 KB. Of a larger home the tokens that came most often are kept. */
const ROWS_MAX = 3000;
const SLOT_MINUTES = 10;
const SLOT_US = SLOT_MINUTES * 60e6;

/** Targets only: nobody can switch a door, and what follows a sensor is another detector's. */
export function rowsOf(facts: DayFacts): TimeRow[] {
  const found = new Map<string, { key: readonly [string, string, Who]; tenths: number[] }>();
  const add = (key: readonly [string, string, Who], tenths: number) => {
    const name = key.join("\n");
    const there = found.get(name) ?? { key, tenths: [] };
    found.set(name, there);
    there.tenths.push(tenths);
  };
  for (const { entityId, state, actor, minute, role } of facts.occurrences)
    if (role === "target") add([entityId, state, actor], tenthsOf(minute));
  const away = [
    ...facts.unavailable.filter(([entityId]) => isSwitched(entityId)),
    ...facts.silent.map(([fromUs, toUs]) => [EVERYTHING, fromUs, toUs] as const),
  ];
  for (const [entityId, fromUs, toUs] of away)
    for (const middleUs of wholeSlots(fromUs, toUs))
      add([entityId, "", "away"], tenthsOf(localMinuteOf(middleUs, facts.timeZone)));
  const isHeard = (key: readonly [string, string, Who]) => Number(key[2] !== "away" || key[0] === EVERYTHING);
  return [...found.values()]
    .sort((a, b) => isHeard(b.key) - isHeard(a.key) || b.tenths.length - a.tenths.length || compareKeys(a.key, b.key))
    .slice(0, ROWS_MAX)
    .map(({ key, tenths }): TimeRow => [...key, minutesOf(tenths)])
    .sort(compareKeys);
}

/** The middles of the ten minutes of the clock that lie wholly between. */
function* wholeSlots(fromUs: number, toUs: number): Iterable<number> {
  for (let slot = Math.ceil(fromUs / SLOT_US); (slot + 1) * SLOT_US <= toUs; slot++) yield (slot + 0.5) * SLOT_US;
}

/** Complexity: O(rows). */
export function mergeRows(parts: Iterable<readonly TimeRow[]>): TimeRow[] {
  const sums = new Map<string, TimeRow[]>();
  for (const rows of parts) {
    for (const row of rows) {
      const name = row.slice(0, 3).join("\n");
      const there = sums.get(name);
      if (there) there.push(row);
      else sums.set(name, [row]);
    }
  }
  return [...sums.values()]
    .flatMap((rows): TimeRow[] => {
      const [first] = rows;
      return first ? [[first[0], first[1], first[2], addMinutes(rows.map((row) => row[3]))]] : [];
    })
    .sort(compareKeys);
}

const compare = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);
const compareKeys = (a: readonly unknown[], b: readonly unknown[]): number =>
  compare(String(a[0]), String(b[0])) || compare(String(a[1]), String(b[1])) || compare(String(a[2]), String(b[2]));
