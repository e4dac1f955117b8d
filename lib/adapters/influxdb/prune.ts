import type { Microseconds } from "../../base/time.ts";
import { quotedName } from "./influxql.ts";
import { goneLine, MEASUREMENT } from "./point.ts";
import { KEY_COLUMNS, type Row, rowsOf, winnersOf } from "./rows.ts";
import { conditionsOf, type Reader, scan, tableOf } from "./scan.ts";
import { type WriteOptions, writeLines } from "./write.ts";

const PAGE_ROWS = 10_000;

/** Deletes the home's events before the moment; how many natural keys there were. */
export async function pruneByDelete(reader: Reader, homeId: string, beforeUs: Microseconds): Promise<number> {
  const count = await countEvents(reader, homeId, beforeUs);
  if (count > 0)
    await reader.client.ask(`DELETE FROM ${quotedName(MEASUREMENT)} WHERE ${conditionsOf({ homeId, toUs: beforeUs })}`);
  return count;
}

/** The server counts the points of each series; only an entity with points of several ranks is looked at point by point. */
async function countEvents(reader: Reader, homeId: string, beforeUs: Microseconds): Promise<number> {
  const { client, retentionPolicy } = reader;
  const series = await client.ask(
    `SELECT count("flags") AS "flags" FROM ${tableOf(retentionPolicy)} WHERE ${conditionsOf({ homeId, toUs: beforeUs })} GROUP BY "entity_id", "rank"`,
  );
  let count = 0;
  const several: string[] = [];
  // In the place of the flags stands the number of points.
  for (const [entityId, counts] of Map.groupBy(rowsOf(series), ({ entityId }) => entityId)) {
    const removals = counts.filter(({ isRemoval }) => isRemoval).length;
    const isPlain = removals <= 1 && counts.length - removals <= 1;
    if (isPlain) count += counts.reduce((sum, { flags }) => sum + flags, 0);
    else several.push(entityId);
  }
  const wanted = { homeId, entityIds: several, columns: KEY_COLUMNS, toUs: beforeUs };
  for await (const rows of scan(reader, wanted, { pageRows: PAGE_ROWS })) count += winnersOf(rows).length;
  return count;
}

/** Overwrites each point with a mark that reads as nothing. A later write of the same event takes the mark's place again. */
export async function pruneByMark(
  reader: Reader,
  homeId: string,
  options: WriteOptions & { beforeUs: Microseconds },
): Promise<number> {
  let count = 0;
  const wanted = { homeId, columns: KEY_COLUMNS, toUs: options.beforeUs };
  for await (const rows of scan(reader, wanted, { pageRows: PAGE_ROWS })) {
    count += winnersOf(rows).length;
    await writeLines(
      rows.map((row) => markOf(homeId, row)),
      options,
    );
  }
  return count;
}

const markOf = (homeId: string, { entityId, atUs, isRemoval, rank }: Row): string =>
  goneLine({ homeId, entityId, atUs }, `${isRemoval ? "r" : ""}${rank}`);
