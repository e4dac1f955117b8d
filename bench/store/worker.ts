/** One store measured in a process of its own: `worker.ts KIND LINES FOLDER EVENTS BATCH`, LINES the file of the events. Its last line is one JSON object of figures. */
import type { HomeEvent } from "../../lib/event/index.ts";
import type { AggregateQuery, EventStore, Position, RangeQuery } from "../../lib/store/ports.ts";
import { median, progress } from "../support/report.ts";
import { batches, DAY_US, EVENTS_PER_DAY, HOME, START_US } from "./events.ts";
import { createNaiveTable, isoOf } from "./naive.ts";
import { folderBytes, type MeasuredStore, STORES, type StoreKind } from "./stores.ts";

const HOUR_US = 3_600_000_000;
const PAGE = 1_000;
/** A sensor as most are, and one of the busiest. */
const ENTITIES = ["sensor.upstairs_temperature_170", "sensor.upstairs_power_0"];
const NAIVE_ONE_BY_ONE = 5_000;

const [kind = "", lines = "", folder = "", count = "0", batch = "0"] = process.argv.slice(2);
const events = Number(count);
const batchSize = Number(batch);
const days = Math.max(1, Math.floor(events / EVENTS_PER_DAY));
/** The last day is open; the month ends with the last closed one. */
const openDayUs = START_US + (days - 1) * DAY_US;
const closedDayUs = START_US + Math.max(0, days - 2) * DAY_US;
const monthUs = Math.max(START_US, openDayUs - 29 * DAY_US);

const rssMb = (): number => process.memoryUsage().rss / 1e6;
const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};

interface Times {
  readonly wallMs: number;
  readonly cpuMs: number;
}

async function timed(work: () => unknown): Promise<Times> {
  const [wall, cpu] = [performance.now(), cpuMs()];
  await work();
  return { wallMs: performance.now() - wall, cpuMs: cpuMs() - cpu };
}

async function medianMs(work: () => unknown, runs = 5): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < runs; run++) times.push((await timed(work)).wallMs);
  return median(times);
}

/** Times of writing only: making and parsing events is not the store's. */
async function fill(write: (batch: HomeEvent[]) => unknown, total: number): Promise<Times & { rssPeakMb: number }> {
  const sum = { wallMs: 0, cpuMs: 0, rssPeakMb: 0 };
  let written = 0;
  for (const some of batches(lines, total, batchSize)) {
    const { wallMs, cpuMs } = await timed(() => write(some));
    sum.wallMs += wallMs;
    sum.cpuMs += cpuMs;
    sum.rssPeakMb = Math.max(sum.rssPeakMb, rssMb());
    const before = written;
    written += some.length;
    if (Math.floor(written / 500_000) > Math.floor(before / 500_000)) progress(`${kind}: ${written} written`);
  }
  return sum;
}

const day = (fromUs: number) => ({ homeId: HOME, fromUs, toUs: fromUs + DAY_US, order: "asc" }) as const;

/** In pages, as the API reads. */
async function scan(store: EventStore, query: Omit<RangeQuery, "limit" | "after">): Promise<number> {
  let rows = 0;
  let after: Position | undefined;
  do {
    const page = await store.range({ ...query, limit: PAGE, ...(after && { after }) });
    rows += page.events.length;
    after = page.next;
  } while (after);
  return rows;
}

function hourly(entityIds: readonly string[], fromUs: number, hours: number): AggregateQuery {
  return { homeId: HOME, entityIds, edges: Array.from({ length: hours + 1 }, (_, hour) => fromUs + hour * HOUR_US) };
}

/** What people ask of it; `prefix` says in which state it is. */
async function readings(store: EventStore, prefix: string): Promise<Record<string, number>> {
  const [usual = "", busy = ""] = ENTITIES;
  const month = (entityId: string) => ({ ...day(monthUs), toUs: openDayUs, entityIds: [entityId] });
  const aggregate = (entityIds: string[], fromUs: number, hours: number) =>
    medianMs(() => store.aggregate(hourly(entityIds, fromUs, hours)));
  const monthHours = (openDayUs - monthUs) / HOUR_US;
  return {
    [`${prefix}_day_scan_rows`]: await scan(store, day(closedDayUs)),
    [`${prefix}_day_scan_ms`]: await medianMs(() => scan(store, day(closedDayUs)), 3),
    [`${prefix}_newest_100_ms`]: await medianMs(() => store.range({ homeId: HOME, order: "desc", limit: 100 }), 21),
    [`${prefix}_entity_month_rows`]: await scan(store, month(usual)),
    [`${prefix}_entity_month_ms`]: await medianMs(() => scan(store, month(usual))),
    [`${prefix}_busy_entity_month_rows`]: await scan(store, month(busy)),
    [`${prefix}_busy_entity_month_ms`]: await medianMs(() => scan(store, month(busy)), 3),
    [`${prefix}_hourly_closed_day_ms`]: await aggregate([busy], closedDayUs, 24),
    [`${prefix}_hourly_open_day_ms`]: await aggregate([busy], openDayUs, 24),
    [`${prefix}_hourly_month_ms`]: await aggregate([busy], monthUs, monthHours),
  };
}

async function measureStore(): Promise<Record<string, number | undefined>> {
  const known = STORES[kind];
  if (!known) throw new Error(`There is no store "${kind}".`);
  const opened = await known.open(folder);
  try {
    return await measureOpened(known, opened);
  } finally {
    await opened.stop();
  }
}

/** Closed and opened again in between, as far as it keeps anything: so that caches are cold and files as they are at rest. */
async function measureOpened(known: StoreKind, opened: MeasuredStore): Promise<Record<string, number | undefined>> {
  const reopened = async (store: EventStore): Promise<EventStore> => {
    if (!known.isFile) return store;
    await store.close();
    return (await known.open(folder)).store;
  };
  let { store } = opened;
  await store.setUp({ rawDays: 36_500 });
  const baseRssMb = rssMb();
  const inserted = await fill((some) => store.write(some), events);
  const filled = await readings(store, "uncompacted");
  store = await reopened(store);
  const uncompactedBytes = opened.bytes();
  const compacted = await timed(() => store.compact(HOME, openDayUs));
  const closed = await readings(store, "closed");
  const stats = await timed(() => store.stats({ homeId: HOME }));
  const tiles = await timed(() =>
    store.tiles({ homeId: HOME, fromUs: closedDayUs, toUs: closedDayUs + DAY_US, widthUs: HOUR_US }),
  );
  const rssPeakMb = rssMb();
  store = await reopened(store);
  const closedBytes = opened.bytes();
  let pruned = 0;
  const pruning = await timed(async () => {
    pruned = await store.prune(HOME, START_US + DAY_US);
  });
  await store.close();
  return {
    rows: events,
    insert_rows_per_second: events / (inserted.wallMs / 1000),
    insert_rows_per_processor_second: events / (inserted.cpuMs / 1000),
    uncompacted_bytes_per_row: uncompactedBytes && uncompactedBytes / events,
    closed_bytes_per_row: closedBytes && closedBytes / events,
    compact_day_ms: compacted.wallMs / Math.max(1, days - 1),
    ...filled,
    ...closed,
    month_to_open_day_ratio: (closed.closed_hourly_month_ms ?? 0) / (closed.closed_hourly_open_day_ms ?? 1),
    month_to_closed_day_ratio: (closed.closed_hourly_month_ms ?? 0) / (closed.closed_hourly_closed_day_ms ?? 1),
    stats_ms: stats.wallMs,
    tiles_day_ms: tiles.wallMs,
    prune_day_ms: pruning.wallMs,
    prune_day_rows: pruned,
    rss_before_mb: baseRssMb,
    rss_writing_mb: inserted.rssPeakMb,
    rss_after_reading_mb: rssPeakMb,
  };
}

/** What reading and parsing the events takes, and no store. */
async function measureParsing(): Promise<Record<string, number>> {
  const { rssPeakMb } = await fill(() => {}, events);
  return { rss_mb: rssPeakMb };
}

async function measureNaive(): Promise<Record<string, number>> {
  const table = createNaiveTable(folder);
  const [usual = "", busy = ""] = ENTITIES;
  let oneByOne: Times | undefined;
  const filled = await fill(async (some) => {
    if (oneByOne) return table.insertTogether(some);
    oneByOne = await timed(() => table.insertOneByOne(some.slice(0, NAIVE_ONE_BY_ONE)));
    table.insertTogether(some.slice(NAIVE_ONE_BY_ONE));
  }, events);
  const span = (fromUs: number, toUs: number) => [isoOf(fromUs), isoOf(toUs)] as const;
  const month = span(monthUs, openDayUs);
  const firstRows = Math.min(NAIVE_ONE_BY_ONE, batchSize);
  const figures = {
    rows: events,
    insert_rows_per_second: firstRows / ((oneByOne?.wallMs ?? 1) / 1000),
    insert_in_transactions_rows_per_second: events / (filled.wallMs / 1000),
    bytes_per_row: folderBytes(folder) / events,
    day_scan_ms: await medianMs(() => table.day(...span(closedDayUs, closedDayUs + DAY_US)), 3),
    entity_month_ms: await medianMs(() => table.entity(usual, ...month), 3),
    busy_entity_month_ms: await medianMs(() => table.entity(busy, ...month), 3),
    hourly_open_day_ms: await medianMs(() => table.hourly(busy, ...span(openDayUs, openDayUs + DAY_US)), 3),
    hourly_month_ms: await medianMs(() => table.hourly(busy, ...month), 3),
    prune_day_ms: (await timed(() => table.prune(isoOf(START_US + DAY_US)))).wallMs,
    rss_writing_mb: filled.rssPeakMb,
  };
  table.close();
  return figures;
}

const others: Readonly<Record<string, () => Promise<Record<string, number>>>> = {
  naive: measureNaive,
  parsing: measureParsing,
};
const figures = await (others[kind] ?? measureStore)();
process.stdout.write(`${JSON.stringify(figures)}\n`);
