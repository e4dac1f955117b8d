import { byText } from "./order.ts";
import type { DetectorDay, HomeDay } from "./types.ts";

/** Sparse counts as a flat list of places and counts, ascending by place: `[7, 2, 19, 1]`. Small as JSON, and quick to add. */
export type Sparse = readonly number[];

/** Complexity: O(n log n) of all entries. */
export function addSparse(parts: Iterable<Sparse>): number[] {
  const sums = new Map<number, number>();
  for (const part of parts)
    for (let at = 0; at + 1 < part.length; at += 2) {
      const place = part[at] ?? 0;
      sums.set(place, (sums.get(place) ?? 0) + (part[at + 1] ?? 0));
    }
  return [...sums].sort((a, b) => a[0] - b[0]).flat();
}

export const sparseOf = (places: Iterable<number>): number[] => addSparse([...places].map((place) => [place, 1]));

export function* entriesOf(sparse: Sparse): Generator<readonly [place: number, count: number]> {
  for (let at = 0; at + 1 < sparse.length; at += 2) yield [sparse[at] ?? 0, sparse[at + 1] ?? 0];
}

export function totalOf(sparse: Sparse): number {
  let total = 0;
  for (let at = 1; at < sparse.length; at += 2) total += sparse[at] ?? 0;
  return total;
}

/** Rows of several days by what they are of, each added up; ordered by that name. Complexity: O(rows). */
export function sumRows<Row>(
  parts: Iterable<readonly Row[]>,
  nameOf: (row: Row) => string,
  add: (rows: readonly Row[]) => Row,
): Row[] {
  const byName = new Map<string, Row[]>();
  for (const rows of parts)
    for (const row of rows) {
      const name = nameOf(row);
      const there = byName.get(name);
      if (there) there.push(row);
      else byName.set(name, [row]);
    }
  return [...byName].sort(([a], [b]) => byText(a, b)).map(([, rows]) => add(rows));
}

/** A day's rows by name. */
export interface IndexedDay<Row> {
  readonly day: HomeDay;
  readonly rows: ReadonlyMap<string, Row>;
}

/** A night looks at the same days three times: the rows of a day are indexed once while somebody holds them. A detector has one name for its rows. */
const indexes = new WeakMap<object, ReadonlyMap<string, unknown>>();

export const indexed = <Row>(
  days: readonly DetectorDay<Row>[],
  nameOf: (row: Row) => string,
): readonly IndexedDay<Row>[] =>
  days.map(({ day, rows }) => {
    const there = indexes.get(rows) as ReadonlyMap<string, Row> | undefined;
    const index = there ?? new Map(rows.map((row) => [nameOf(row), row]));
    if (!there) indexes.set(rows, index);
    return { day, rows: index };
  });
