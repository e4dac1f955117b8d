import type { Microseconds } from "../../base/time.ts";
import type { InfluxClient } from "./client.ts";
import { AnswerTooLong } from "./http.ts";
import { quotedName, quotedText } from "./influxql.ts";
import { encodeName } from "./names.ts";
import { MEASUREMENT, nanoseconds } from "./point.ts";
import { isThere, KEY_COLUMNS, type Row, rowsOf, SAMPLE_COLUMNS } from "./rows.ts";

/** What rows are read, and which of their columns. */
export interface Scan {
  readonly homeId: string;
  readonly columns: readonly string[];
  readonly order?: "asc" | "desc";
  readonly entityIds?: readonly string[] | undefined;
  /** Tags `rank`. */
  readonly ranks?: readonly string[] | undefined;
  /** Fields that are equal to these ids. */
  readonly fields?: Readonly<Record<string, string>> | undefined;
  /** Included. */
  readonly fromUs?: Microseconds | undefined;
  /** Not included. */
  readonly toUs?: Microseconds | undefined;
}

export interface ScanOptions {
  /** Rows of one question. */
  readonly pageRows: number;
}

/** Asks for rows; `from` is the measurement, with its retention policy where the server knows such. */
export interface Reader {
  readonly client: InfluxClient;
  readonly retentionPolicy: string;
}

/** A question never names more entities, nor longer ones together: InfluxDB 3 takes the question in an address. */
const ENTITIES_MAX = 500;
const ENTITIES_MAX_CHARACTERS = 24_000;
/** From so many on one pattern is found faster than many equal signs (1.6.7: 1,000 entities in 50 instead of 540 ms). */
const PATTERN_FROM_ENTITIES = 20;
const PAGE_ROWS_MIN = 16;

/**
 * The rows in the order of time, in pages of whole moments: what happened in one microsecond is never divided, because InfluxDB orders by time and nothing else.
 * Where a page would take too much memory, the next ones are smaller.
 */
export async function* scan(reader: Reader, wanted: Scan, { pageRows }: ScanOptions): AsyncGenerator<Row[]> {
  if (wanted.entityIds?.length === 0) return;
  const isAscending = wanted.order !== "desc";
  let { fromUs = FIRST_US, toUs = BEHIND_US } = wanted;
  let limit = pageRows;
  let spanUs = Number.POSITIVE_INFINITY;
  while (fromUs < toUs) {
    const window = isAscending
      ? { fromUs, toUs: Math.min(toUs, fromUs + spanUs) }
      : { fromUs: Math.max(fromUs, toUs - spanUs), toUs };
    const page = await askPage(reader, { ...wanted, ...window }, limit);
    if (!page) {
      limit = Math.max(PAGE_ROWS_MIN, limit >> 2);
      continue;
    }
    const { whole, openUs } = page;
    if (whole.length > 0) yield whole.filter(isThere);
    else if (openUs !== undefined) yield (await momentAt(reader, wanted, openUs)).filter(isThere);
    // The next page most likely takes as long as this one. A question about all that is left would have the server open all of its shards.
    spanUs = openUs === undefined ? Number.POSITIVE_INFINITY : spanOf(whole, openUs);
    const isDone = whole.length === 0;
    if (isAscending) fromUs = openUs === undefined ? window.toUs : openUs + Number(isDone);
    else toUs = openUs === undefined ? window.fromUs : openUs + Number(!isDone);
  }
}

const spanOf = (whole: readonly Row[], openUs: Microseconds): Microseconds =>
  Math.max(1_000_000, 4 * Math.abs(openUs - (whole[0]?.atUs ?? openUs)));

/** Times are whole, and none is beyond the numbers that are exact. */
const FIRST_US = Number.MIN_SAFE_INTEGER;
const BEHIND_US = Number.MAX_SAFE_INTEGER + 1;

interface Page {
  readonly whole: readonly Row[];
  /** The moment of the last rows, of which there may be more. */
  readonly openUs: Microseconds | undefined;
}

/** undefined: the answer is too long, and a shorter one can be asked for. */
async function askPage(reader: Reader, wanted: Scan, limit: number): Promise<Page | undefined> {
  try {
    const keys = isWide(wanted) ? await askRows(reader, { ...wanted, columns: KEY_COLUMNS }, limit) : undefined;
    const rows = keys?.length === 0 ? [] : await askRows(reader, keys ? within(wanted, keys) : wanted, limit);
    const openUs = [rows, keys ?? []].find(({ length }) => length >= limit)?.at(-1)?.atUs;
    return { whole: rows.filter(({ atUs }) => atUs !== openUs), openUs };
  } catch (thrown) {
    if (thrown instanceof AnswerTooLong && limit > PAGE_ROWS_MIN) return undefined;
    throw thrown;
  }
}

/** Of all entities and with all columns the server would open each column of each series in each shard of the time asked for. So the keys are asked for first, and the rest within their times. */
const isWide = ({ columns, entityIds }: Scan): boolean =>
  columns.length > SAMPLE_COLUMNS.length && entityIds === undefined;

function within(wanted: Scan, keys: readonly Row[]): Scan {
  const ends = [keys[0], keys.at(-1)].map((row) => row?.atUs ?? 0);
  return { ...wanted, fromUs: Math.min(...ends), toUs: Math.max(...ends) + 1 };
}

/** All rows of one microsecond, however many; in parts, because many entities with long attributes may have spoken. */
async function momentAt(reader: Reader, wanted: Scan, atUs: Microseconds): Promise<Row[]> {
  const moment = { ...wanted, fromUs: atUs, toUs: atUs + 1 };
  // Grouped, because a series of more than 10,000 rows is marked as cut whether it is or not.
  const { client, retentionPolicy } = reader;
  const from = `FROM ${tableOf(retentionPolicy)} WHERE ${conditionsOf(moment)}`;
  const keys = rowsOf(await client.ask(`SELECT "flags" ${from} GROUP BY "entity_id", "rank"`));
  const rows: Row[] = [];
  for (const entityIds of parts([...new Set(keys.map((row) => row.entityId))]))
    rows.push(...(await askOnce(reader, { ...moment, entityIds })));
  return rows;
}

/** One question, or several where it names too many entities; these are joined in the order of time. Marks of pruned events are among the rows. */
export async function askRows(reader: Reader, wanted: Scan, limit?: number): Promise<Row[]> {
  const { entityIds, order } = wanted;
  if (entityIds === undefined) return askOnce(reader, wanted, limit);
  const rows: Row[] = [];
  const all = parts(entityIds);
  for (const part of all) rows.push(...(await askOnce(reader, { ...wanted, entityIds: part }, limit)));
  if (all.length > 1) rows.sort((a, b) => (order === "desc" ? b.atUs - a.atUs : a.atUs - b.atUs));
  return limit === undefined ? rows : rows.slice(0, limit);
}

/** So many entities together as one question may name. */
function parts(entityIds: readonly string[]): string[][] {
  const found: string[][] = [];
  let characters = Number.POSITIVE_INFINITY;
  for (const entityId of entityIds) {
    const last = found.at(-1);
    characters += encodeName(entityId).length;
    if (last && last.length < ENTITIES_MAX && characters <= ENTITIES_MAX_CHARACTERS) last.push(entityId);
    else {
      found.push([entityId]);
      characters = 0;
    }
  }
  return found;
}

async function askOnce({ client, retentionPolicy }: Reader, wanted: Scan, limit?: number): Promise<Row[]> {
  const columns = wanted.columns.map(quotedName).join(", ");
  const order = wanted.order === "desc" ? "DESC" : "ASC";
  const rows = limit === undefined ? "" : ` LIMIT ${limit}`;
  const series = await client.ask(
    `SELECT ${columns} FROM ${tableOf(retentionPolicy)} WHERE ${conditionsOf(wanted)} ORDER BY time ${order}${rows}`,
  );
  return rowsOf(series);
}

export const tableOf = (retentionPolicy: string): string =>
  `${retentionPolicy === "" ? "" : `${quotedName(retentionPolicy)}.`}${quotedName(MEASUREMENT)}`;

export function conditionsOf({ homeId, entityIds, ranks, fields = {}, fromUs, toUs }: Omit<Scan, "columns">): string {
  return [
    `"home_id" = ${quotedText(encodeName(homeId))}`,
    ...anyOf("entity_id", entityIds?.map(encodeName)),
    ...anyOf("rank", ranks),
    ...Object.entries(fields).map(([field, id]) => `"${field}" = ${quotedText(encodeName(id))}`),
    ...(fromUs === undefined || fromUs <= FIRST_US ? [] : [`time >= ${nanoseconds(Math.ceil(fromUs))}`]),
    toUs === undefined || toUs >= BEHIND_US
      ? `time <= ${nanoseconds(BEHIND_US - 1)}`
      : `time < ${nanoseconds(Math.ceil(toUs))}`,
  ].join(" AND ");
}

/** A coded name has of a pattern's characters the dot only. */
function anyOf(tag: string, values: readonly string[] | undefined): string[] {
  if (!values) return [];
  return values.length < PATTERN_FROM_ENTITIES
    ? [`(${values.map((value) => `"${tag}" = ${quotedText(value)}`).join(" OR ")})`]
    : [`"${tag}" =~ /^(${values.map((value) => value.replaceAll(".", String.raw`\.`)).join("|")})$/`];
}
