import type { Microseconds } from "../../base/time.ts";
import type { HomeEvent } from "../../event/index.ts";
import type { OldRow } from "../../migration/ports.ts";
import type { EventPage, RangeQuery } from "../../store/ports.ts";
import type { InfluxOld } from "./old-influx-query.ts";
import { COLUMNS, rowsOf } from "./old-influx-rows.ts";
import { conditionOf, fromAll, type InfluxSchema } from "./old-influx-schema.ts";
import { pageOf, refusePlaces } from "./old-windows.ts";

/**
 * One page in one or two requests, so that a comparison of times is fair. Each measurement gives its first rows by itself; where one of them is cut within a moment, all rows of that moment are
 * asked for, because within a moment InfluxDB's order is not ours.
 */
export async function influxRange(
  influx: InfluxOld,
  query: RangeQuery,
  { schema, eventOf }: { readonly schema: InfluxSchema; readonly eventOf: (row: OldRow) => HomeEvent },
): Promise<EventPage> {
  refusePlaces(query);
  const { order, limit, after, entityIds, domain } = query;
  if (schema.measurements.length === 0 || entityIds?.length === 0) return { events: [] };
  const isAscending = order === "asc";
  const ofTimes = (times: readonly string[]) =>
    `SELECT ${COLUMNS} FROM ${fromAll(schema)}${conditionOf(schema, { entityIds, domain, times })}`;
  const span = [
    ...(query.fromUs === undefined ? [] : [`time >= ${query.fromUs}u`]),
    ...(query.toUs === undefined ? [] : [`time < ${query.toUs}u`]),
  ];
  const momentOf = (atUs: Microseconds) => ofTimes([...span, `time = ${atUs}u`]);
  const beyond = after ? [`time ${isAscending ? ">" : "<"} ${after.atUs}u`] : [];
  // One more than is wanted: then it is known whether there are more.
  const most = limit + 1;
  const page = `${ofTimes([...span, ...beyond])} ORDER BY time ${isAscending ? "ASC" : "DESC"} LIMIT ${most}`;
  const answers = await influx.query(after ? `${page}; ${momentOf(after.atUs)}` : page);
  const cuts = answers.flatMap(({ values, columns }) => {
    const lastUs = Number(values.at(-1)?.[columns.indexOf("time")]);
    return values.length === most && lastUs !== after?.atUs ? [lastUs] : [];
  });
  let rows: OldRow[] = answers.flatMap(rowsOf);
  if (cuts.length > 0) {
    const cutUs = isAscending ? Math.min(...cuts) : Math.max(...cuts);
    const moment = await influx.query(momentOf(cutUs));
    rows = rows.filter(({ atUs }) => (isAscending ? atUs < cutUs : atUs > cutUs)).concat(moment.flatMap(rowsOf));
  }
  return pageOf(rows, query, eventOf);
}
