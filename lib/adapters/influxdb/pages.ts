import { HearthlineError } from "../../base/errors.ts";
import type { HomeEvent } from "../../event/index.ts";
import type { EventPage, Position, RangeQuery } from "../../store/ports.ts";
import { extraIn } from "./flags.ts";
import { ALL_COLUMNS, cellOf, compareRows, eventOf, KEY_COLUMNS, type Row, winnersOf } from "./rows.ts";
import { askRows, type Reader, type Scan, scan } from "./scan.ts";

/** So many rows more than a page has are asked for: what is left of the last moment, and lower ranks, seldom cost a second question. */
const MORE_ROWS = 64;
const RANK_MAX = 4;
const RANKS = ["0", "1", "2", "3", "4", "r1", "r2", "r3", "r4"];

/** A page in the order of `compareEvents`. The place where it goes on is a natural key, so that what is written meanwhile moves nothing. */
export async function readPage(reader: Reader, query: RangeQuery): Promise<EventPage> {
  const { homeId, order, limit, after } = query;
  const isAscending = order === "asc";
  const wanted: Scan = {
    ...{ homeId, order, entityIds: query.entityIds, columns: ALL_COLUMNS, fields: fieldsOf(query) },
    fromUs: after && isAscending ? Math.max(after.atUs, query.fromUs ?? after.atUs) : query.fromUs,
    toUs: after && !isAscending ? Math.min(after.atUs + 1, query.toUs ?? after.atUs + 1) : query.toUs,
  };
  const page: Row[] = [];
  for await (const rows of scan(reader, wanted, { pageRows: limit + MORE_ROWS })) {
    const winners = await withoutOutranked(reader, winnersOf(rows), wanted);
    const beyond = (isAscending ? winners : winners.reverse()).filter((row) => isBeyond(row, after, isAscending));
    page.push(...beyond.slice(0, limit - page.length));
    if (page.length === limit) break;
  }
  const events: HomeEvent[] = [];
  for (const row of page) events.push(await wholeEvent(reader, homeId, row));
  const last = page.at(-1);
  const next = last && { atUs: last.atUs, entityId: last.entityId, removed: last.isRemoval };
  return next && page.length === limit ? { events, next } : { events };
}

function fieldsOf({ areaId, deviceId, domain }: RangeQuery): Record<string, string> {
  return {
    ...(areaId !== undefined && { area: areaId }),
    ...(deviceId !== undefined && { device: deviceId }),
    ...(domain !== undefined && { domain }),
  };
}

function isBeyond(row: Row, after: Position | undefined, isAscending: boolean): boolean {
  if (!after) return true;
  const order = compareRows(row, { ...row, atUs: after.atUs, entityId: after.entityId, isRemoval: after.removed });
  return isAscending ? order > 0 : order < 0;
}

/**
 * A question that filters by a field finds points that a higher rank of the same event, with another area perhaps, has taken the place of. Such a higher rank is looked for wherever there can be one.
 */
async function withoutOutranked(reader: Reader, found: Row[], { homeId, fields = {} }: Scan): Promise<Row[]> {
  const lower = found.filter(({ rank }) => rank < RANK_MAX);
  if (Object.keys(fields).length === 0 || lower.length === 0) return found;
  const times = lower.map(({ atUs }) => atUs);
  const lowest = Math.min(...lower.map(({ rank }) => rank));
  const higher: Scan = {
    ...{ homeId, columns: KEY_COLUMNS, entityIds: [...new Set(lower.map(({ entityId }) => entityId))] },
    ranks: RANKS.filter((tag) => Number(tag.replace("r", "")) > lowest),
    fromUs: Math.min(...times),
    toUs: Math.max(...times) + 1,
  };
  const best = new Map<string, number>();
  for await (const rows of scan(reader, higher, { pageRows: 5_000 }))
    for (const row of rows) best.set(keyOf(row), Math.max(row.rank, best.get(keyOf(row)) ?? 0));
  return found.filter((row) => row.rank >= (best.get(keyOf(row)) ?? 0));
}

const keyOf = ({ atUs, entityId, isRemoval }: Row): string => `${atUs} ${isRemoval} ${entityId}`;

/** The event of a row that was read with ALL_COLUMNS; what did not fit one string is fetched. */
export async function wholeEvent(reader: Reader, homeId: string, row: Row): Promise<HomeEvent> {
  const { atUs, entityId, isRemoval, rank } = row;
  const extra = extraIn(row.flags);
  if (extra === 0) return eventOf(homeId, row);
  const names = Array.from({ length: extra }, (_, index) => `more_${index + 2}`);
  const ranks = [`${isRemoval ? "r" : ""}${rank}`];
  const here = { homeId, entityIds: [entityId], ranks, fromUs: atUs, toUs: atUs + 1 };
  const [now] = await askRows(reader, { ...here, columns: [...ALL_COLUMNS, ...names] });
  if (now && extraIn(now.flags) === extra)
    return eventOf(homeId, now, ["more", ...names].map((name) => String(cellOf(now, name) ?? "")).join(""));
  throw new HearthlineError("conflict", `The event of "${entityId}" at ${atUs} us was changed while it was read.`);
}
