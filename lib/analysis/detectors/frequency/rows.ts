import { isActive } from "../active.ts";
import { sumRows } from "../sums.ts";
import type { DayFacts } from "../types.ts";

/** How often one entity came into one state. */
export interface FrequencyRow {
  readonly e: string;
  readonly s: string;
  /** By persons, or as a sensor saw it. */
  readonly n: number;
  /** By automations. */
  readonly a: number;
  /** Of the n the sums of the cosine and the sine of the time of day, in thousandths: whole numbers add up exactly. */
  readonly c: number;
  readonly i: number;
  /** It cannot be switched, so nobody else speaks of its times. */
  readonly m?: 1;
}

/** Of a very large home those that happened most often. */
const ROWS_MAX = 4_000;
const DAY_MINUTES = 1_440;

export const nameOf = ({ e, s }: Pick<FrequencyRow, "e" | "s">): string => `${e}=${s}`;

export function frequencyRows(facts: DayFacts): FrequencyRow[] {
  const rows: FrequencyRow[] = facts.occurrences.flatMap(({ entityId, state, actor, minute, role, domain }) => {
    if (!isActive(state)) return [];
    const isPerson = actor === "person";
    const angle = (2 * Math.PI * minute) / DAY_MINUTES;
    return {
      e: entityId,
      s: state,
      n: Number(isPerson),
      a: Number(!isPerson),
      c: isPerson ? Math.round(1_000 * Math.cos(angle)) : 0,
      i: isPerson ? Math.round(1_000 * Math.sin(angle)) : 0,
      ...(role === "sensor" && domain === "sensor" && { m: 1 as const }),
    };
  });
  const sums = mergeFrequencies([rows]);
  if (sums.length <= ROWS_MAX) return sums;
  return mergeFrequencies([sums.sort((x, y) => y.n - x.n).slice(0, ROWS_MAX)]);
}

export const mergeFrequencies = (parts: Iterable<readonly FrequencyRow[]>): FrequencyRow[] =>
  sumRows(parts, nameOf, (rows) => {
    const sum = { n: 0, a: 0, c: 0, i: 0 };
    for (const { n, a, c, i } of rows) {
      sum.n += n;
      sum.a += a;
      sum.c += c;
      sum.i += i;
    }
    const { e, s } = rows[0] ?? { e: "", s: "" };
    return { e, s, ...sum, ...(rows.some(({ m }) => m === 1) && { m: 1 as const }) };
  });
