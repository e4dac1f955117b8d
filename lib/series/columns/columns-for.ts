import { IntColumn } from "./bytes.ts";
import * as layout from "./layout.ts";

/** A row's context and its parent each have one. */
const MAY_COME_TWICE: ReadonlySet<layout.Column> = new Set(["ulidTimes", "ids"]);

export type Columns = Readonly<Record<layout.Column, IntColumn>>;

function newColumns(count: number): Columns {
  const columns = layout.COLUMNS.map((name) => [name, new IntColumn(MAY_COME_TWICE.has(name) ? 2 * count : count)]);
  return Object.fromEntries(columns) as Columns;
}

/** Room for the columns of most blocks, used again and again: 2 MB that need not be made and cleared each time. */
const SHARED_ROWS = 16_384;
let shared: Columns | undefined;

/** Empty columns with room for so many rows. Up to 16,384 rows they are the ones of the call before: only one encoder at a time may use them. */
export function columnsFor(count: number): Columns {
  if (count > SHARED_ROWS) return newColumns(count);
  shared ??= newColumns(SHARED_ROWS);
  for (const name of layout.COLUMNS) shared[name].length = 0;
  return shared;
}
