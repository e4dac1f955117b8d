import type { Microseconds } from "../../base/time.ts";
import type { OldRow } from "../../migration/ports.ts";
import type { Series } from "../influxdb/influxql.ts";
import { malformed } from "./old-ask.ts";
import { type InfluxOld, SAFE_ROWS } from "./old-influx-query.ts";
import { conditionOf, fromAll, type InfluxSchema } from "./old-influx-schema.ts";

interface Asking {
  readonly schema: InfluxSchema;
  readonly entityIds?: readonly string[] | undefined;
  readonly fromUs: Microseconds;
  readonly toUs: Microseconds;
}

/** Only what is compared: with its attributes a row has as many columns as all entities have attributes. Without a field of the two a point is no row. */
export const COLUMNS = `"state", "value", "domain", "entity_id"`;

const whereOf = ({ schema, entityIds, fromUs, toUs }: Asking): string =>
  conditionOf(schema, { entityIds, times: [`time >= ${fromUs}u`, `time < ${toUs}u`] });

/** As `ReadWindow` asks. The limit is one of each measurement, so an answer may be that much longer; none is cut in silence, because of what is full the window is asked again, narrower. */
export async function readWindow(
  influx: InfluxOld,
  asking: Asking & { readonly max: number },
): Promise<readonly OldRow[] | undefined> {
  const { schema, max, fromUs, toUs } = asking;
  if (schema.measurements.length === 0) return [];
  const most = Math.min(max, SAFE_ROWS - 1);
  const isNarrowest = toUs - fromUs <= 1;
  const limit = isNarrowest ? "" : ` LIMIT ${most + 1}`;
  const wanted = asking.entityIds && new Set(asking.entityIds);
  const series = await influx.query(`SELECT ${COLUMNS} FROM ${fromAll(schema)}${whereOf(asking)}${limit}`);
  const count = series.reduce((sum, { values }) => sum + values.length, 0);
  if (count > most && !isNarrowest) return undefined;
  const rows = series.flatMap(rowsOf);
  return wanted ? rows.filter(({ entityId }) => wanted.has(entityId)) : rows;
}

export function rowsOf({ columns, values, name = "" }: Series): OldRow[] {
  const [time = -1, state = -1, value = -1, domain = -1, object = -1] = [
    "time",
    "state",
    "value",
    "domain",
    "entity_id",
  ].map((column) => columns.indexOf(column));
  return values.map((point) => {
    const atUs = point[time];
    if (!Number.isSafeInteger(atUs))
      throw malformed(`for the points of "${name}"`, `the time ${JSON.stringify(atUs)}, which is no whole microsecond`);
    return {
      entityId: `${point[domain]}.${point[object]}`,
      atUs: atUs as Microseconds,
      state: stateOf(point[state], point[value], name),
    };
  });
}

/** A text where there is one ("on" lies there as 1 too). */
function stateOf(text: unknown, value: unknown, name: string): string {
  if (typeof text === "string") return text;
  if (typeof value === "number") return String(value);
  throw malformed(
    `for the points of "${name}"`,
    `the state ${JSON.stringify(text)} and the value ${JSON.stringify(value)}`,
  );
}

interface Counting extends Asking {
  readonly widthUs: Microseconds;
}

/** Tiles of one question; fewer where an answer would be cut, because each measurement answers by itself. */
const TILES_AT_ONCE = 5_000;

/** Points with a state or a value, a tile. A point may have both, so fields cannot be counted: the tag is, over what has one of them. */
export async function readCounts(
  influx: InfluxOld,
  counting: Counting,
): Promise<{ readonly fromUs: Microseconds; readonly count: number }[]> {
  const { schema, widthUs, toUs } = counting;
  if (schema.measurements.length === 0) return [];
  const found = new Map<Microseconds, number>();
  let tiles = TILES_AT_ONCE;
  for (let at = counting.fromUs; at < toUs; ) {
    const endUs = Math.min((Math.floor(at / widthUs) + tiles) * widthUs, toUs);
    const counts = await countsOf(influx, { ...counting, fromUs: at, toUs: endUs });
    if (!counts && tiles > 1) {
      tiles = Math.floor(tiles / 2);
      continue;
    }
    for (const { fromUs, count } of counts ?? []) found.set(fromUs, (found.get(fromUs) ?? 0) + count);
    at = endUs;
  }
  return [...found]
    .map(([fromUs, count]) => ({ fromUs, count }))
    .filter(({ count }) => count > 0)
    .toSorted((a, b) => a.fromUs - b.fromUs);
}

async function countsOf(influx: InfluxOld, counting: Counting) {
  const { schema, widthUs, fromUs, toUs } = counting;
  const inner = `SELECT "state", "value", "entity_id" AS "counted" FROM ${fromAll(schema)}${whereOf(counting)}`;
  const series = await influx.queryWhole(
    `SELECT count("counted") FROM (${inner}) WHERE time >= ${fromUs}u AND time < ${toUs}u GROUP BY time(${widthUs}u) fill(none)`,
  );
  return series?.flatMap(({ values }) => values.map(([at, count]) => ({ fromUs: Number(at), count: Number(count) })));
}

/** The time of the oldest or newest row. */
export async function endRow(
  influx: InfluxOld,
  schema: InfluxSchema,
  order: "ASC" | "DESC",
): Promise<Microseconds | undefined> {
  if (schema.measurements.length === 0) return undefined;
  const series = await influx.query(
    `SELECT ${COLUMNS} FROM ${fromAll(schema)}${conditionOf(schema, { times: [] })} ORDER BY time ${order} LIMIT 1`,
  );
  const times = series.flatMap(rowsOf).map(({ atUs }) => atUs);
  if (times.length === 0) return undefined;
  return order === "ASC" ? Math.min(...times) : Math.max(...times);
}
