import type { Microseconds } from "../../base/time.ts";
import type { HomeEvent } from "../../event/index.ts";
import { aggregateByReading, type Reading, statsByReading, type Tile, tilesByReading } from "../../series/index.ts";
import type { AggregateQuery, EntityAggregates, EntityStats, TileQuery } from "../../store/ports.ts";
import { wholeEvent } from "./pages.ts";
import {
  ALL_COLUMNS,
  isThere,
  KEY_COLUMNS,
  type Row,
  rowsOf,
  SAMPLE_COLUMNS,
  sampleEventOf,
  winnersOf,
} from "./rows.ts";
import { conditionsOf, type Reader, scan, tableOf } from "./scan.ts";

/** Rows of one question: slim ones, and whole events. The server marks more than 10,000 rows as cut, whether they are or not. */
const SAMPLE_ROWS = 10_000;
const EVENT_ROWS = 5_000;

/**
 * Reads only what windows look at; the sums are ours (the server's own are not exact to the last bit). One more question finds what held before the first edge.
 */
export function aggregate(reader: Reader, query: AggregateQuery): Promise<EntityAggregates[]> {
  const { homeId, entityIds } = query;
  let before: Promise<ReadonlyMap<string, HomeEvent>> | undefined;
  return aggregateByReading(query, {
    read: (reading) => samples(reader, reading, SAMPLE_COLUMNS),
    lastBefore: async (_homeId, entityId, beforeUs) => {
      before ??= lastSamples(reader, { homeId, entityIds, toUs: beforeUs });
      return (await before).get(entityId);
    },
  });
}

export const tiles = (reader: Reader, query: TileQuery): Promise<Tile[]> =>
  tilesByReading(query, (reading) => events(reader, reading));

/** About what one point takes, compressed: a share of its characters, and its part of the series' columns. */
const BYTES_PER_CHARACTER = 0.45;
const POINT_BYTES = 16;

export const stats = (reader: Reader, query: Reading): Promise<EntityStats[]> =>
  statsByReading(
    query,
    (reading) => samples(reader, reading, KEY_COLUMNS),
    ({ characters = 0 }: HomeEvent & { readonly characters?: number }) =>
      Math.ceil(POINT_BYTES + characters * BYTES_PER_CHARACTER),
  );

async function* samples(reader: Reader, reading: Reading, columns: readonly string[]): AsyncGenerator<HomeEvent[]> {
  for await (const rows of scan(reader, { ...reading, columns }, { pageRows: SAMPLE_ROWS }))
    yield winnersOf(rows).map((row) => sampleEventOf(reading.homeId, row));
}

/** Every event of a reading, ascending; no piece is empty. */
export async function* events(reader: Reader, reading: Reading): AsyncGenerator<HomeEvent[]> {
  for await (const rows of scan(reader, { ...reading, columns: ALL_COLUMNS }, { pageRows: EVENT_ROWS })) {
    const page: HomeEvent[] = [];
    for (const row of winnersOf(rows)) page.push(await wholeEvent(reader, reading.homeId, row));
    if (page.length > 0) yield page;
  }
}

interface Before {
  readonly homeId: string;
  readonly entityIds: readonly string[];
  readonly toUs: Microseconds;
}

/** By entity its last event before the moment: the server gives the last point of each series, of which an entity has one for each rank. */
async function lastSamples(reader: Reader, before: Before): Promise<ReadonlyMap<string, HomeEvent>> {
  const { client, retentionPolicy } = reader;
  const series = await client.ask(
    `SELECT last("flags") AS "flags", "state", "value" FROM ${tableOf(retentionPolicy)} WHERE ${conditionsOf(before)} GROUP BY "entity_id", "rank"`,
  );
  const found = new Map<string, HomeEvent>();
  for (const [entityId, rows] of Map.groupBy(rowsOf(series), (row) => row.entityId)) {
    // Behind the mark of a pruned event there may be another: then all of the entity are looked through, the newest first.
    const last = rows.every(isThere)
      ? winnersOf(rows).at(-1)
      : await lastRow(reader, { ...before, entityIds: [entityId] });
    if (last) found.set(entityId, sampleEventOf(before.homeId, last));
  }
  return found;
}

async function lastRow(reader: Reader, before: Before): Promise<Row | undefined> {
  const newestFirst = scan(reader, { ...before, columns: SAMPLE_COLUMNS, order: "desc" }, { pageRows: 64 });
  for await (const rows of newestFirst) {
    const last = winnersOf(rows).at(-1);
    if (last) return last;
  }
  return undefined;
}

/** The moment of the home's oldest event. */
export async function oldestUs(reader: Reader, homeId: string): Promise<Microseconds | undefined> {
  for await (const [oldest] of scan(reader, { homeId, columns: KEY_COLUMNS }, { pageRows: 64 }))
    if (oldest) return oldest.atUs;
  return undefined;
}
