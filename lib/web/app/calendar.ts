/** Hits and misses of a pattern by day, as a calendar of weeks. */

export interface DayEvidence {
  readonly date: string;
  readonly hits: number;
  readonly opportunities: number;
}

export interface Cell {
  readonly date: string;
  /** `none`: it could not have happened. */
  readonly kind: "hit" | "part" | "miss" | "none";
  /** From the left, from the top: weeks and their days from Monday. */
  readonly week: number;
  readonly weekday: number;
  readonly words: string;
}

const DAY_MS = 86_400_000;
const WEEKDAYS = 7;
/** Monday, 5 January 1970. */
const FIRST_MONDAY = 4;

const dayNumber = (date: string): number => Math.floor(Date.parse(`${date}T00:00:00Z`) / DAY_MS);
const dateOf = (day: number): string => new Date(day * DAY_MS).toISOString().slice(0, 10);
const weekOf = (day: number): number => Math.floor((day - FIRST_MONDAY) / WEEKDAYS);

/** Every day from the first to the last of the evidence, at most the last `weeksMax` weeks of it. */
export function calendarOf(days: readonly DayEvidence[], weeksMax = 14): { cells: readonly Cell[]; weeks: number } {
  const known = new Map(days.map((day) => [day.date, day]));
  const numbers = days.map(({ date }) => dayNumber(date)).filter((day) => !Number.isNaN(day));
  if (numbers.length === 0) return { cells: [], weeks: 0 };
  const last = Math.max(...numbers);
  const firstWeek = Math.max(weekOf(Math.min(...numbers)), weekOf(last) - weeksMax + 1);
  const first = Math.max(Math.min(...numbers), firstWeek * WEEKDAYS + FIRST_MONDAY);
  const cells = Array.from({ length: last - first + 1 }, (_, index): Cell => {
    const day = first + index;
    const date = dateOf(day);
    const week = weekOf(day);
    return { ...kindOf(known.get(date)), date, week: week - firstWeek, weekday: day - FIRST_MONDAY - week * WEEKDAYS };
  });
  return { cells, weeks: weekOf(last) - firstWeek + 1 };
}

function kindOf(day: DayEvidence | undefined): Pick<Cell, "kind" | "words"> {
  if (!day || day.opportunities === 0) return { kind: "none", words: "could not happen" };
  const { hits, opportunities } = day;
  const words = opportunities === 1 ? (hits > 0 ? "happened" : "did not happen") : `${hits} of ${opportunities} times`;
  return { kind: hits === 0 ? "miss" : hits < opportunities ? "part" : "hit", words };
}
