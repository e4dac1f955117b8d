import type { EntityStats, EventStore } from "../../store/ports.ts";
import { homeRow, type Reader, seriesOf } from "./event-store-range.ts";

/** What a row takes beside its texts: key, numbers, headers, its entry in `event_by_series` (measured: bench/store.bench.ts). */
const ROW_BYTES = 80;
/** Rows of one slice: some 10 ms, in which the thread does nothing else. */
const SLICE_ROWS = 2_000;
/** What looking an entity up costs, in rows, so that a slice of thousands of quiet entities is no longer than another. */
const ENTITY_ROWS = 20;

interface Span {
  readonly fromUs: number;
  readonly toUs: number;
}
type EntityRow = [name: string, series: string];
type Totals = [count: number, firstUs: number, lastUs: number, gapUs: number, bytes: number];

/**
 * Per entity, ordered as JavaScript orders their ids. Yields after each slice: each `next()` reads of one state of the file, and between two of them
 * others get their turn. Work grows with the number of events in the range; memory with the entities and one entity's attribute sets.
 */
export function* statsOf(
  reader: Reader,
  query: Parameters<EventStore["stats"]>[0],
): Generator<undefined, readonly EntityStats[]> {
  const { fromUs = Number.MIN_SAFE_INTEGER, toUs = Number.MAX_SAFE_INTEGER } = query;
  const found: EntityStats[] = [];
  let rows = 0;
  for (const [entityId, series] of entitiesOf(reader, query)) {
    rows += ENTITY_ROWS;
    let stats: EntityStats | undefined;
    const texts = new Set<number>();
    for (let begin = fromUs; ; ) {
      const endUs = sliceEnd(reader, series, { fromUs: begin, toUs });
      stats = add(stats, entityId, slice(reader, { series, span: { fromUs: begin, toUs: endUs ?? toUs }, texts }));
      rows += endUs === undefined ? 0 : SLICE_ROWS;
      if (rows >= SLICE_ROWS) {
        rows = 0;
        yield;
      }
      if (endUs === undefined) break;
      begin = endUs;
    }
    rows += (stats?.count ?? 0) % SLICE_ROWS;
    if (stats) found.push(stats);
  }
  return found;
}

/** Each entity with the ids of its series, as JSON. */
function entitiesOf(reader: Reader, query: Parameters<EventStore["stats"]>[0]): EntityRow[] {
  const { homeId, entityIds } = query;
  const home = homeRow(reader, homeId);
  if (home === undefined) return [];
  const series = entityIds && JSON.stringify(seriesOf(reader, { homeId, entityIds }));
  const sql = `SELECT n.name, json_group_array(s.id) FROM series s CROSS JOIN entity n ON n.id = s.entity
    WHERE s.home = ?${series ? " AND s.id IN (SELECT value FROM json_each(?))" : ""} GROUP BY n.id ORDER BY n.sort`;
  return reader.rows(sql, home, ...(series ? [series] : []));
}

/** Where a slice ends that begins at the span's begin; undefined: at the span's end. */
function sliceEnd(reader: Reader, series: string, { fromUs, toUs }: Span): number | undefined {
  // A series has at most two rows of one moment, so that the third is of a later one: each slice gets on.
  const sql = `SELECT min(end_us) FROM (SELECT (SELECT at_us FROM event WHERE series = j.value AND at_us >= ? AND at_us < ?
    ORDER BY at_us LIMIT 1 OFFSET ?) AS end_us FROM json_each(?) j)`;
  const each = Math.max(2, Math.floor(SLICE_ROWS / JSON.parse(series).length));
  return reader.rows<[number | null]>(sql, fromUs, toUs, each, series)[0]?.[0] ?? undefined;
}

/** One slice of one entity; `texts`: the attribute sets that were counted already. */
function slice(
  reader: Reader,
  { series, span, texts }: { series: string; span: Span; texts: Set<number> },
): Totals | undefined {
  const rows = `SELECT count(*), min(at_us), max(at_us), coalesce(max(gap_us), 0), sum(bytes),
      json_group_array(DISTINCT attributes), json_group_array(DISTINCT weather) FROM (
    SELECT at_us, at_us - lag(at_us) OVER (ORDER BY at_us) AS gap_us, attributes, weather,
      ${ROW_BYTES} + octet_length(state) + coalesce(octet_length(old_state), 0) + octet_length(context) AS bytes
    FROM event WHERE series IN (SELECT value FROM json_each(?)) AND at_us >= ? AND at_us < ?)`;
  const [row] = reader.rows<[...Totals, string, string]>(rows, series, span.fromUs, span.toUs);
  if (!row || row[0] === 0) return undefined;
  const [count, firstUs, lastUs, gapUs, bytes, ...used] = row;
  const fresh = used
    .flatMap((ids) => JSON.parse(ids) as (number | null)[])
    .filter((id) => id !== null && !texts.has(id));
  for (const id of fresh) if (id !== null) texts.add(id);
  const lengths = "SELECT coalesce(sum(octet_length(body)), 0) FROM text WHERE id IN (SELECT value FROM json_each(?))";
  const shared = fresh.length === 0 ? 0 : (reader.rows<[number]>(lengths, JSON.stringify(fresh))[0]?.[0] ?? 0);
  return [count, firstUs, lastUs, gapUs, bytes + shared];
}

/** What there is of an entity so far, and its next slice. */
function add(so: EntityStats | undefined, entityId: string, totals: Totals | undefined): EntityStats | undefined {
  if (!totals) return so;
  const [count, firstUs, lastUs, gapUs, bytes] = totals;
  const between = so ? firstUs - so.lastUs : 0;
  return {
    entityId,
    count: (so?.count ?? 0) + count,
    firstUs: so?.firstUs ?? firstUs,
    lastUs,
    bytes: (so?.bytes ?? 0) + bytes,
    longestGapSeconds: Math.max(so?.longestGapSeconds ?? 0, between / 1e6, gapUs / 1e6),
  };
}
