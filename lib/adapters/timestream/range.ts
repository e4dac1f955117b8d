import { HearthlineError } from "../../base/errors.ts";
import type { Microseconds } from "../../base/time.ts";
import { compareEvents, type HomeEvent } from "../../event/index.ts";
import type { EventPage, Position, RangeQuery } from "../../store/ports.ts";
import { textOf } from "./cells.ts";
import type { Timestream } from "./context.ts";
import { rowsOf } from "./query.ts";
import {
  ALL_COLUMNS,
  decodeEvent,
  decodeSlim,
  type EventRow,
  maxBytesOf,
  PART_COLUMNS,
  partNamesOf,
  SLIM_COLUMNS,
} from "./row.ts";
import { equals, isOneOf, selectOf, within } from "./sql.ts";

/** Slim events have what aggregates need and no more: a third of the bytes. */
export type Form = "full" | "slim";

/** More ids than this, or longer ones together, are looked for here, not in the statement. */
const IDS_MAX = 1_000;
const IDS_MAX_CHARACTERS = 131_072;
/** Rows of the last page's moment that a page may have to skip. */
const SKIPPED_ROWS = 64;
const PARTS_A_QUERY = 400;
const PART_WAITS_MS = [200, 1_000, 3_000];

/** What orders an event: enough of it for `compareEvents`. */
interface Place {
  readonly atUs: Microseconds;
  readonly entityId: string;
  readonly kind: HomeEvent["kind"];
}
interface PlacedRow extends Place {
  readonly row: EventRow;
}
const comparePlaces = compareEvents as (a: Place, b: Place) => number;

const placed = (row: EventRow): PlacedRow => ({
  atUs: row.atUs,
  entityId: textOf(row.texts.entity ?? "") ?? "",
  kind: row.texts.removed === "true" ? "removed" : "change",
  row,
});

type Filter = Omit<RangeQuery, "order" | "limit" | "after">;

/**
 * One page. Nothing is asked of Timestream's order but that of times: the order of texts there is not documented, and ours is that of UTF-16. So a page is
 * made of whole moments: rows are read by time, the last moment (which the limit may have cut) is left to the next page or, alone, read whole.
 */
export async function pageOf(store: Timestream, query: RangeQuery, form: Form = "full"): Promise<EventPage> {
  const { order, limit, after } = query;
  if (isEmpty(query)) return { events: [] };
  const direction = order === "asc" ? 1 : -1;
  const isWanted = matcherOf(query, direction);
  let bounds = boundsOf(query);
  for (;;) {
    const wanted = limit + (after ? SKIPPED_ROWS : 1);
    const rows = await select(store, { ...query, ...bounds }, { form, order, limit: wanted });
    const isLast = rows.length < wanted;
    const lastUs = rows.at(-1)?.atUs ?? 0;
    let moments = isLast ? rows : rows.filter(({ atUs }) => atUs !== lastUs);
    if (!isLast && !moments.some(isWanted)) {
      const isCut = moments.length === 0;
      bounds =
        order === "asc" ? { ...bounds, fromUs: lastUs + Number(isCut) } : { ...bounds, toUs: lastUs + Number(!isCut) };
      if (!isCut) continue;
      moments = await select(store, { ...query, fromUs: lastUs, toUs: lastUs + 1 }, { form });
    }
    const found = moments.filter(isWanted).sort((a, b) => direction * comparePlaces(a, b));
    if (found.length === 0 && !isLast) continue;
    const events = await decoded(store, query.homeId, { rows: found.slice(0, limit), form });
    if (!events) return pageOf(store, query, "full");
    const last = events.at(-1);
    return last && (!isLast || found.length > limit) ? { events, next: positionOf(last) } : { events };
  }
}

/** What the statement may not have asked: beyond the last page's end, and of many entities those that are wanted. */
function matcherOf({ after, entityIds }: RangeQuery, direction: 1 | -1): (place: Place) => boolean {
  const end = after && { ...after, kind: after.removed ? ("removed" as const) : ("change" as const) };
  const ids = entityIds && new Set(entityIds);
  return (place) => (!end || direction * comparePlaces(place, end) > 0) && (!ids || ids.has(place.entityId));
}

/** The entity's last event before the moment. */
export async function lastBefore(
  store: Timestream,
  {
    homeId,
    entityId,
    beforeUs,
  }: { readonly homeId: string; readonly entityId: string; readonly beforeUs: Microseconds },
): Promise<HomeEvent | undefined> {
  const query = { homeId, entityIds: [entityId], toUs: beforeUs, order: "desc", limit: 1 } as const;
  return (await pageOf(store, query, "slim")).events[0];
}

/** Page after page, ascending. */
export async function* pagesOf(
  store: Timestream,
  filter: Filter,
  { form, limit }: { readonly form: Form; readonly limit: number },
): AsyncGenerator<readonly HomeEvent[]> {
  for (let after: Position | undefined; ; ) {
    const page = await pageOf(store, { ...filter, order: "asc", limit, ...(after && { after }) }, form);
    if (page.events.length > 0) yield page.events;
    if (!page.next) return;
    after = page.next;
  }
}

const positionOf = ({ atUs, entityId, kind }: HomeEvent): Position => ({ atUs, entityId, removed: kind === "removed" });

/** The query's times, narrowed to where the last page ended (its moment included: it may have more). */
function boundsOf({ fromUs, toUs, after, order }: RangeQuery): { fromUs?: Microseconds; toUs?: Microseconds } {
  const from = after && order === "asc" ? Math.max(after.atUs, fromUs ?? 0) : fromUs;
  const to = after && order === "desc" ? Math.min(after.atUs + 1, toUs ?? Number.MAX_SAFE_INTEGER) : toUs;
  return { ...(from !== undefined && { fromUs: from }), ...(to !== undefined && { toUs: to }) };
}

const isEmpty = ({ entityIds, fromUs = 0, toUs }: Filter): boolean =>
  entityIds?.length === 0 || (toUs !== undefined && (toUs <= 0 || toUs <= fromUs));

async function select(
  store: Timestream,
  filter: Filter,
  { form, order, limit }: { readonly form: Form; readonly order?: "asc" | "desc"; readonly limit?: number },
): Promise<PlacedRow[]> {
  if (isEmpty(filter)) return [];
  const { homeId, entityIds, areaId, deviceId, domain } = filter;
  const ids = entityIds && new Set(entityIds);
  const among = ids && ids.size <= IDS_MAX ? isOneOf("entity", [...ids]) : "";
  const isInStatement = among !== "" && among.length <= IDS_MAX_CHARACTERS;
  const statement = selectOf({
    table: store.name,
    columns: form === "full" ? ALL_COLUMNS : SLIM_COLUMNS,
    homeId,
    measure: "event",
    conditions: [
      ...within(filter),
      ...(isInStatement ? [among] : []),
      ...(areaId === undefined ? [] : [equals("area", areaId, maxBytesOf("area"))]),
      ...(deviceId === undefined ? [] : [equals("device", deviceId, maxBytesOf("device"))]),
      ...(domain === undefined ? [] : [equals("domain", domain, maxBytesOf("domain"))]),
    ],
    ...(order && { order }),
    ...(limit !== undefined && { limit }),
  });
  return (await rowsOf(store, statement)).map(placed);
}

/** undefined: a slim event's text is in its document, so the whole rows are wanted. */
async function decoded(
  store: Timestream,
  homeId: string,
  { rows, form }: { readonly rows: readonly PlacedRow[]; readonly form: Form },
): Promise<HomeEvent[] | undefined> {
  if (form === "slim") {
    const events = rows.map(({ row }) => decodeSlim(homeId, row));
    return events.every((event) => event !== undefined) ? events : undefined;
  }
  const texts = await partsOf(store, homeId, rows);
  return rows.map(({ row }) => {
    const names = partNamesOf(row);
    return decodeEvent(homeId, row, names?.map((name) => texts.get(name) ?? "").join(""));
  });
}

/** The parts of all documents that are in parts, by name. They are written before the row that names them, but may be seen after it. */
async function partsOf(store: Timestream, homeId: string, rows: readonly PlacedRow[]): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  const inParts = rows.filter(({ row }) => partNamesOf(row) !== undefined);
  const missing = () => inParts.filter(({ row }) => partNamesOf(row)?.some((name) => !texts.has(name)));
  for (const waitMs of [0, ...PART_WAITS_MS]) {
    if (missing().length === 0) return texts;
    if (waitMs > 0) await store.clock.sleep(waitMs);
    const names = [...new Set(missing().flatMap(({ row }) => partNamesOf(row) ?? []))];
    const times = missing().map(({ atUs }) => atUs);
    const bounds = within({ fromUs: Math.min(...times), toUs: Math.max(...times) + 1 });
    for (let at = 0; at < names.length; at += PARTS_A_QUERY) {
      const conditions = [...bounds, isOneOf("part", names.slice(at, at + PARTS_A_QUERY))];
      const about = { table: store.name, columns: PART_COLUMNS, homeId, measure: "part", conditions } as const;
      for (const { texts: found } of await rowsOf(store, selectOf(about))) {
        texts.set(found.part ?? "", found.text ?? "");
      }
    }
  }
  const [first] = missing();
  if (!first) return texts;
  const said = `Of the event of "${first.entityId}" at ${first.atUs} µs only a part can be seen yet.`;
  throw new HearthlineError("store_unavailable", `${said} Timestream shows what was written after a while: try again.`);
}
