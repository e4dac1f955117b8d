import { quotedName } from "../influxdb/influxql.ts";
import type { InfluxQuery } from "./client.ts";

/** One entity and the measurements in which it lies: more than one where its unit has changed. */
export interface EntitySeries {
  readonly entityId: string;
  /** Tag `domain`. */
  readonly domain: string;
  /** Tag `entity_id`, which is without the domain. */
  readonly objectId: string;
  readonly measurements: readonly string[];
}

/** What the database holds of Home Assistant, by entity, ascending. */
export async function listEntities(query: InfluxQuery, signal?: AbortSignal): Promise<EntitySeries[]> {
  const found = new Map<string, { domain: string; objectId: string; measurements: Set<string> }>();
  for (const series of await query("SHOW SERIES", signal)) {
    for (const [key] of series.values) {
      const { measurement, tags } = parseSeriesKey(String(key));
      const { domain, entity_id: objectId } = tags;
      // Others may write to the same database.
      if (!domain || !objectId) continue;
      const known = found.get(`${domain}.${objectId}`) ?? { domain, objectId, measurements: new Set() };
      known.measurements.add(measurement);
      found.set(`${domain}.${objectId}`, known);
    }
  }
  return [...found]
    .map(([entityId, { measurements, ...tags }]) => ({ entityId, ...tags, measurements: [...measurements].toSorted() }))
    .toSorted((a, b) => (a.entityId < b.entityId ? -1 : 1));
}

/** `W,domain=sensor,entity_id=power`, with a backslash before a comma, a blank or an equals sign that belongs to a name. */
export function parseSeriesKey(key: string): { measurement: string; tags: Record<string, string> } {
  const [measurement = "", ...pairs] = splitAt(key, ",");
  const tags: Record<string, string> = {};
  for (const pair of pairs) {
    const [name = "", ...value] = splitAt(pair, "=");
    tags[plain(name)] = plain(value.join("="));
  }
  return { measurement: plain(measurement), tags };
}

const plain = (text: string): string => text.replaceAll(/\\([,= \\"])/g, "$1");

function splitAt(text: string, separator: string): string[] {
  const parts: string[] = [];
  let part = "";
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? "";
    if (char === "\\" && at + 1 < text.length) {
      part += char + (text[++at] ?? "");
    } else if (char === separator) {
      parts.push(part);
      part = "";
    } else part += char;
  }
  return [...parts, part];
}

/** The fields of a measurement that this entity has ever had. A measurement has the fields of all its entities, which are far more. */
export async function fieldsOf(
  query: InfluxQuery,
  { measurement, where }: { readonly measurement: string; readonly where: string },
  signal?: AbortSignal,
): Promise<string[]> {
  const [series] = await query(`SELECT last(*) FROM ${quotedName(measurement)} WHERE ${where}`, signal);
  const [row] = series?.values ?? [];
  if (!series || !row) return [];
  return series.columns.flatMap((column, at) =>
    column.startsWith("last_") && row[at] !== null && row[at] !== undefined ? [column.slice("last_".length)] : [],
  );
}

/**
 * Home Assistant names a measurement by the unit, else by its `default_measurement` or the entity id. A state that is no number has no unit: so where texts lie
 * (the field `state`), or what is called like an entity, is no unit.
 */
export async function unitsAmong(
  query: InfluxQuery,
  entities: readonly EntitySeries[],
  signal?: AbortSignal,
): Promise<ReadonlySet<string>> {
  const withTexts = new Set<string>();
  for (const { name, values } of await query("SHOW FIELD KEYS", signal))
    if (name !== undefined && values.some(([field]) => field === "state")) withTexts.add(name);
  const names = new Set(entities.flatMap(({ entityId, domain, objectId }) => [entityId, domain, objectId]));
  const all = entities.flatMap(({ measurements }) => measurements);
  return new Set(all.filter((name) => !withTexts.has(name) && !names.has(name) && !name.includes("__")));
}
