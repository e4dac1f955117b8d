import type { Microseconds } from "../../base/time.ts";
import { formatIsoUs } from "../../base/time.ts";
import { cellOf } from "./cells.ts";

/**
 * The SQL that this adapter says to Timestream, all of it. The dialect is Trino's (Presto's): a quote inside a string is doubled, nothing else in a string
 * means anything. Everything that comes from outside goes through `literal` or `timestamp`.
 */
export interface Select {
  readonly table: TableName;
  readonly columns: readonly string[];
  readonly homeId: string;
  readonly measure: "event" | "part";
  /** Joined by AND, behind home and measure. */
  readonly conditions: readonly string[];
  readonly order?: "asc" | "desc";
  readonly limit?: number;
}

/** Both names match `NAME` of limits.ts. */
export interface TableName {
  readonly database: string;
  readonly table: string;
}

/** The home comes first: it is the table's partition key, and no statement is without it. */
export function selectOf({ table, columns, homeId, measure, conditions, order, limit }: Select): string {
  const where = [equals("home", homeId), `measure_name = '${measure}'`, ...conditions].join(" AND ");
  const from = `"${table.database}"."${table.table}"`;
  const tail = `${order ? ` ORDER BY time ${order.toUpperCase()}` : ""}${limit === undefined ? "" : ` LIMIT ${limit}`}`;
  return `SELECT ${columns.join(", ")} FROM ${from} WHERE ${where}${tail}`;
}

/** The only way of a text into a statement: as its cell (so without control characters), quotes doubled. */
export const literal = (text: string, maxBytes?: number): string => `'${cellOf(text, maxBytes).replaceAll("'", "''")}'`;

export const equals = (column: string, text: string, maxBytes?: number): string =>
  `${column} = ${literal(text, maxBytes)}`;

export const isOneOf = (column: string, texts: readonly string[]): string =>
  `${column} IN (${texts.map((text) => literal(text)).join(", ")})`;

/** Times go to the nanosecond. There are none before 1970: a negative one must not come here. */
export const timestamp = (atUs: Microseconds): string =>
  `TIMESTAMP '${formatIsoUs(atUs).replace("T", " ").replace("+00:00", "000")}'`;

/** Half-open; what lies before 1970 is no bound. Empty ranges are the caller's to know. */
export function within({
  fromUs = 0,
  toUs,
}: {
  readonly fromUs?: Microseconds;
  readonly toUs?: Microseconds;
}): string[] {
  return [
    ...(fromUs > 0 ? [`time >= ${timestamp(fromUs)}`] : []),
    ...(toUs === undefined ? [] : [`time < ${timestamp(toUs)}`]),
  ];
}
