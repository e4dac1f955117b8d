import type { Microseconds } from "../../base/time.ts";
import type { HomeEvent } from "../../event/index.ts";
import type { OldLimits, OldRow, OldScan, OldSystem, Plan } from "../../migration/ports.ts";
import type { EventPage, RangeQuery } from "../../store/ports.ts";
import { recordCut } from "./cut-record.ts";
import { createHttpSink, encodeEvent } from "./http-sink.ts";
import { createAsk, eventsUrl, type HttpAsk } from "./old-http-ask.ts";
import { describeHttp } from "./old-http-describe.ts";
import { withPrecision } from "./old-influx-limits.ts";
import type { OldOptions, OldSecrets } from "./old-options.ts";
import { eventsIn } from "./old-row.ts";
import { FAR_US, lastRows, pageOf, type ReadWindow, refusePlaces, scanWindows, type Window } from "./old-windows.ts";
import { writeThrough } from "./old-write.ts";

const HTTP_LIMITS: OldLimits = {
  precisionUs: 1,
  statesLeftOut: [],
  isNumberTextLost: false,
  isFiniteOnly: false,
  hasRemovals: true,
  isCountRead: true,
  attributes: "full",
  words: { contexts: "Contexts and old states are not asked for." },
};

const PAGE_ROWS = 1_000;
const WRITE_MAX_EVENTS = 500;

/** The pipeline that takes and gives events over HTTP: `POST` and `GET /api/v1/events`, `/health`. The plan's address is that of the events, or of the server. */
export function createOldHttp(old: Plan["old"], secrets: OldSecrets, options: OldOptions): OldSystem {
  const { clock } = options;
  const limits = withPrecision(HTTP_LIMITS, old.precision);
  const ask = createAsk(old.url, secrets, options);
  const sink = createHttpSink({
    ...{ name: "old", url: eventsUrl(old.url).href, flushMs: 0, clock },
    ...(secrets.token !== undefined && { token: secrets.token }),
  });
  const reader =
    (entityIds: readonly string[] | undefined): ReadWindow =>
    (window, max) =>
      readWindow(ask, { ...window, entityIds, max });
  return {
    kind: "http",
    name: old.url,
    limits,
    describe: () => describeHttp(ask, reader(undefined), clock),
    scan: (query: OldScan) => scanWindows(reader(query.entityIds), query),
    counts: async (query) => countRows(scanWindows(reader(query.entityIds), query), query.widthUs),
    async range(query) {
      const eventOf = await eventsIn(query.homeId, options);
      return range(ask, query, { reader: reader(query.entityIds), nowUs: clock.nowMs() * 1000, eventOf });
    },
    write: (events) =>
      writeThrough(events, {
        ...{ sink, notHeld: "", maxEvents: WRITE_MAX_EVENTS },
        encode: (record) => encodeEvent(recordCut(record, limits.precisionUs)),
      }),
    close: async () => {},
  };
}

interface Reading extends Window {
  readonly entityIds: readonly string[] | undefined;
  readonly max: number;
}

async function readWindow(ask: HttpAsk, { max, ...query }: Reading): Promise<readonly OldRow[] | undefined> {
  const rows: OldRow[] = [];
  let cursor: string | undefined;
  do {
    const page = await ask.page({ ...query, limit: PAGE_ROWS, cursor });
    rows.push(...page.rows);
    if (rows.length > max && query.toUs - query.fromUs > 1) return undefined;
    cursor = page.next;
  } while (cursor !== undefined);
  return rows;
}

async function countRows(pieces: AsyncIterable<readonly OldRow[]>, widthUs: Microseconds) {
  const counts = new Map<Microseconds, number>();
  for await (const rows of pieces)
    for (const { atUs } of rows) {
      const fromUs = Math.floor(atUs / widthUs) * widthUs;
      counts.set(fromUs, (counts.get(fromUs) ?? 0) + 1);
    }
  return [...counts].map(([fromUs, count]) => ({ fromUs, count }));
}

interface Ranging {
  readonly reader: ReadWindow;
  readonly nowUs: Microseconds;
  readonly eventOf: (row: OldRow) => HomeEvent;
}

async function range(ask: HttpAsk, query: RangeQuery, { reader, nowUs, eventOf }: Ranging): Promise<EventPage> {
  refusePlaces(query);
  const { order, limit, after, entityIds, domain } = query;
  if (entityIds?.length === 0) return { events: [] };
  const isAscending = order === "asc";
  const fromUs = Math.max(query.fromUs ?? 0, isAscending ? (after?.atUs ?? 0) : 0);
  const endUs = query.toUs ?? FAR_US;
  const toUs = !isAscending && after ? Math.min(endUs, after.atUs + 1) : endUs;
  if (fromUs >= toUs) return { events: [] };
  const isWanted = ({ entityId }: OldRow) => domain === undefined || entityId.startsWith(`${domain}.`);
  const made = (rows: readonly OldRow[]) => pageOf(rows.filter(isWanted), query, eventOf);
  const rows: OldRow[] = [];
  let cursor: string | undefined;
  do {
    const page = await ask.page({
      fromUs,
      toUs,
      entityIds,
      limit: Math.min(limit + 1, PAGE_ROWS),
      cursor,
      ...(!isAscending && { order: "desc" as const }),
    });
    if (!isAscending && page.next !== undefined && !isDescending(page.rows))
      return fromTheEnd({ reader, fromUs, toUs, nowUs, limit, made });
    rows.push(...page.rows);
    const found = made(rows);
    // Within its last moment OLD's order may be another: all of that moment must be there.
    const isMomentWhole = page.next === undefined || rows.at(-1)?.atUs !== found.events.at(-1)?.atUs;
    if (found.next && isMomentWhole) return found;
    cursor = page.next;
  } while (cursor !== undefined);
  return made(rows);
}

/** An OLD that does not know `order` answers ascending; of equal times nobody can tell. */
function isDescending(rows: readonly OldRow[]): boolean {
  const [first, last] = [rows[0]?.atUs ?? 0, rows.at(-1)?.atUs ?? 0];
  return first > last;
}

interface FromTheEnd extends Window, Omit<Ranging, "eventOf"> {
  readonly limit: number;
  readonly made: (rows: readonly OldRow[]) => EventPage;
}

async function fromTheEnd({ reader, made, limit, ...span }: FromTheEnd): Promise<EventPage> {
  for (let wanted = limit + 2; ; wanted *= 2) {
    const found = await lastRows(reader, { ...span, wanted });
    const page = made(found);
    if (page.next || found.length < wanted) return page;
  }
}
