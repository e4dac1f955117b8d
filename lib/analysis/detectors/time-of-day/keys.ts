import type { Routine } from "./refine.ts";

/** Parts of the day whose edges lie where few people have habits, so that a routine that moves a little stays what it is. */
const PARTS: readonly (readonly [name: string, fromMinute: number, toMinute: number])[] = [
  ["morning", 180, 660],
  ["noon", 660, 900],
];

/** A routine is its token, its days and its part of the day; of two in one part the later one is the second. */
export function keysOf(routines: readonly Routine[], clockOf: (routine: Routine) => number): string[] {
  const placed = routines.map((routine, index) => {
    const { series, candidate } = routine;
    const minute = clockOf(routine);
    const part = PARTS.find(([, from, to]) => minute >= from && minute < to)?.[0] ?? "evening";
    const by = series.who === "automation" ? "/automation" : "";
    return { index, minute, key: `${series.entityId}=${series.state}/${candidate.set.name}/${part}${by}` };
  });
  const keys: string[] = [];
  const seen = new Map<string, number>();
  // Evenings go on behind midnight.
  const order = (minute: number) => (minute + 1440 - 180) % 1440;
  for (const { index, key } of placed.sort((a, b) => order(a.minute) - order(b.minute))) {
    const count = (seen.get(key) ?? 0) + 1;
    seen.set(key, count);
    keys[index] = count === 1 ? key : `${key}/${count}`;
  }
  return keys;
}
