import type { Microseconds } from "../../base/time.ts";
import type { HistoryChunk, HistorySource, PastRow } from "../../history/ports.ts";
import { quotedName, quotedText } from "../influxdb/influxql.ts";
import { createInfluxQuery, type InfluxQuery, type InfluxReaderOptions } from "./client.ts";
import { rowsOfPoints } from "./points.ts";
import { type EntitySeries, fieldsOf, listEntities, unitsAmong } from "./series.ts";

export interface InfluxSourceOptions extends InfluxReaderOptions {
  readonly isIncluded: (entityId: string) => boolean;
  readonly fromUs?: Microseconds | undefined;
  readonly toUs?: Microseconds | undefined;
}

/** By entity, the time of its last point that was read. */
interface Position {
  readonly read: Readonly<Record<string, Microseconds>>;
}

/** Points of one question. */
const PAGE_POINTS = 5_000;
/** They are secrets or say where the home is: not even asked for. What else is one goes with the other secrets. */
const NEVER_ASKED = /^(access_token|entity_picture|latitude|longitude)(_str)?$/;

/** What Home Assistant's InfluxDB integration wrote, entity by entity. Each point is asked for by name of its fields: a measurement of all entities has hundreds. */
export function createInfluxSource(options: InfluxSourceOptions): HistorySource {
  const query = createInfluxQuery(options);
  const { url, database } = options;
  return {
    kind: "influxdb",
    name: `${url} ${database}`,
    identity: `${new URL(url).host} ${database}`,
    placeName: "point",
    entityIds: async () => (await listEntities(query)).map(({ entityId }) => entityId),
    read: (position, signal) => readEntities(query, position as Position | undefined, { ...options, signal }),
    close: async () => {},
  };
}

interface Reading extends InfluxSourceOptions {
  readonly signal: AbortSignal;
}

async function* readEntities(
  query: InfluxQuery,
  position: Position | undefined,
  reading: Reading,
): AsyncGenerator<HistoryChunk> {
  const { signal, isIncluded } = reading;
  const entities = (await listEntities(query, signal)).filter(({ entityId }) => isIncluded(entityId));
  const units = await unitsAmong(query, entities, signal);
  let read = position?.read ?? {};
  for (const [index, entity] of entities.entries()) {
    const pages = readEntity(query, entity, { ...reading, units, afterUs: read[entity.entityId] });
    for await (const rows of pages) {
      const last = rows.at(-1);
      if (last) read = { ...read, [entity.entityId]: last.atUs };
      yield { rows, rejected: [], position: { read }, fraction: (index + 1) / entities.length };
      if (signal.aborted) return;
    }
  }
}

interface ReadingEntity extends Reading {
  readonly units: ReadonlySet<string>;
  readonly afterUs: Microseconds | undefined;
}

/** Pages in the order of time, over all measurements of the entity. */
async function* readEntity(
  query: InfluxQuery,
  entity: EntitySeries,
  reading: ReadingEntity,
): AsyncGenerator<PastRow[]> {
  const { signal, units } = reading;
  const where = `"domain" = ${quotedText(entity.domain)} AND "entity_id" = ${quotedText(entity.objectId)}`;
  const fields = new Map<string, string[]>();
  for (const measurement of entity.measurements) {
    const all = await fieldsOf(query, { measurement, where }, signal);
    fields.set(
      measurement,
      all.filter((field) => !NEVER_ASKED.test(field)),
    );
  }
  let afterUs = reading.afterUs;
  for (;;) {
    const span = spanOf(afterUs, reading);
    const pages: Page[] = [];
    for (const [measurement, names] of fields) {
      if (names.length === 0) continue;
      const [series] = await query(
        `SELECT ${names.map(quotedName).join(", ")} FROM ${quotedName(measurement)} WHERE ${where}${span} ORDER BY time ASC LIMIT ${PAGE_POINTS}`,
        signal,
      );
      if (!series) continue;
      const unit = units.has(measurement) ? measurement : undefined;
      const rows = rowsOfPoints(series, { entityId: entity.entityId, unit });
      const lastUs = Number(series.values.at(-1)?.[series.columns.indexOf("time")]);
      pages.push({ rows, isFull: series.values.length === PAGE_POINTS, lastUs });
    }
    if (pages.length === 0) return;
    // Beyond the end of a full page there may be points that were not asked for yet.
    const untilUs = Math.min(...pages.filter(({ isFull }) => isFull).map(({ lastUs }) => lastUs));
    yield pages
      .flatMap(({ rows }) => rows)
      .filter(({ atUs }) => atUs <= untilUs)
      .toSorted((a, b) => a.atUs - b.atUs);
    if (untilUs === Number.POSITIVE_INFINITY) return;
    afterUs = untilUs;
  }
}

interface Page {
  readonly rows: readonly PastRow[];
  readonly isFull: boolean;
  readonly lastUs: Microseconds;
}

function spanOf(afterUs: Microseconds | undefined, { fromUs, toUs }: ReadingEntity): string {
  const conditions = [
    ...(afterUs === undefined ? [] : [`time > ${afterUs}u`]),
    ...(fromUs === undefined || (afterUs ?? 0) >= fromUs ? [] : [`time >= ${fromUs}u`]),
    ...(toUs === undefined ? [] : [`time < ${toUs}u`]),
  ];
  return conditions.map((condition) => ` AND ${condition}`).join("");
}
