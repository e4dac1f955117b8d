import type { Clock } from "../../base/clock.ts";
import { HearthlineError, isHearthlineError, messageOf } from "../../base/errors.ts";
import type { Random } from "../../base/random.ts";
import { statsByReading, tilesByReading } from "../../series/index.ts";
import type { EventStore, RetentionMeans } from "../../store/ports.ts";
import { aggregateDays } from "./aggregate.ts";
import { createDayReader } from "./day-reader.ts";
import { EVENTS, HOT, MARKER, ROLLUPS } from "./names.ts";
import { createObjectSegments } from "./object-segments.ts";
import { createPartFiles } from "./part-files.ts";
import type { HotSegments, ObjectStore } from "./ports.ts";
import { onFreshListing, readAll, readPage } from "./reading.ts";
import type { RollupParts } from "./rollup-file.ts";
import { createSegmentWriter } from "./segment-writer.ts";
import { compactHome, pruneHome } from "./upkeep.ts";
import { WeightedCache } from "./weighted-cache.ts";

export interface ParquetEventStoreOptions {
  readonly objects: ObjectStore;
  /** Where the segments of open days lie. Default: among the objects. */
  readonly hot?: HotSegments;
  readonly clock: Clock;
  readonly random: Random;
}

/** Of the marker object: another number is another layout. */
const VERSION = 1;
/** An object's age counts from when it was put; its events may be ahead of it by as much as a home's clock is, and a day file is as old as its oldest event's day. */
export const EXPIRY_MARGIN_DAYS = 7;
const ROLLUP_CACHE_BYTES = 32 * 1024 * 1024;
/** Everything that grows old. The marker does not. */
const AGING = [EVENTS, HOT, ROLLUPS];

/**
 * The store without a server: a folder or a bucket. A write is an immutable segment of one home and day; closed days are one Parquet file each (`compact`), which any
 * other program reads as it is. Layout and columns: docs/stores-parquet.md.
 */
export function createParquetEventStore(options: ParquetEventStoreOptions): EventStore {
  const { objects, clock, random } = options;
  const hot = options.hot ?? createObjectSegments(objects);
  const files = createPartFiles(objects);
  const reader = createDayReader({ hot, files });
  const sources = { objects, hot, files };
  const rollups = new WeightedCache<RollupParts>(ROLLUP_CACHE_BYTES);
  const parts = { sources, reader, clock, random, rollups };
  const writer = createSegmentWriter({ hot, clock, random });
  const fresh = <T>(work: () => Promise<T>): Promise<T> => onFreshListing(parts, work);
  const readEvents = (reading: Parameters<typeof readAll>[1]) => readAll(parts, reading);

  let known: Promise<void> | undefined;
  /** Once: that what lies there is of this version. */
  function checkVersion(): Promise<void> {
    known ??= readMarker(objects).then(() => {});
    known.catch(() => {
      known = undefined;
    });
    return known;
  }
  const checked = async <T>(work: () => Promise<T>): Promise<T> => {
    await checkVersion();
    return work();
  };

  return {
    write: (events) => checked(() => writer.write(events)),
    range: (query) => checked(() => fresh(readPage(parts, query))),
    scan: async function* (query) {
      await checkVersion();
      yield* readEvents(query);
    },
    stats: (query) => checked(() => statsByReading(query, readEvents)),
    aggregate: (query) => checked(() => fresh(() => aggregateDays(parts, query))),
    tiles: (query) => checked(() => tilesByReading(query, readEvents)),
    prune: (homeId, beforeUs) => checked(() => pruneHome(parts, homeId, beforeUs)),
    compact: (homeId, beforeUs) => checked(() => compactHome(parts, homeId, beforeUs)),
    setUp: ({ rawDays }) => setUp(objects, rawDays).catch(asIncompatible),
    retention: (homeId) =>
      checked(async () => {
        const storeDays = await objects.expiry?.read(AGING);
        const means: RetentionMeans[] = storeDays === undefined ? ["job"] : ["job", "lifecycle"];
        const first = await fresh(readPage(parts, { homeId, order: "asc", limit: 1 }));
        const [oldest] = first.events;
        return { means, ...(storeDays !== undefined && { storeDays }), ...(oldest && { oldestUs: oldest.atUs }) };
      }),
    drop: async () => {
      await hot.drop();
      for (const root of AGING) await objects.remove((await objects.list(root)).map(({ name }) => name));
      await objects.expiry?.clear(AGING);
      await objects.remove([MARKER]);
      reader.forget();
      rollups.clear();
      known = undefined;
    },
    check: () => objects.check(),
    close: async () => reader.forget(),
  };
}

async function setUp(objects: ObjectStore, rawDays: number): Promise<void> {
  await objects.setUp();
  if (!(await readMarker(objects))) {
    await objects.put(MARKER, Buffer.from(JSON.stringify({ format: "hearthline-parquet", version: VERSION })));
  }
  await objects.expiry?.set(AGING, rawDays + EXPIRY_MARGIN_DAYS);
}

/** No right to make what is needed: the port has a code of its own for it. */
function asIncompatible(thrown: unknown): never {
  if (!isHearthlineError(thrown) || thrown.code !== "service_refused") throw thrown;
  throw new HearthlineError("store_incompatible", `The store could not be set up: ${thrown.message}`, {
    cause: thrown,
  });
}

/** False: there is none yet. @throws HearthlineError `store_incompatible` */
async function readMarker(objects: ObjectStore): Promise<boolean> {
  const bytes = await objects.get(MARKER);
  if (!bytes) return false;
  let version: unknown;
  try {
    ({ version } = JSON.parse(Buffer.from(bytes).toString()) as { version?: unknown });
  } catch (thrown) {
    const what = `The object "${MARKER}" in the ${objects.place} is not JSON: ${messageOf(thrown)}. It says which version the store is of.`;
    throw new HearthlineError("store_damaged", what, { cause: thrown });
  }
  if (version === VERSION) return true;
  const what = `The store in the ${objects.place} has version "${String(version)}"; this program knows version ${VERSION}.`;
  throw new HearthlineError("store_incompatible", what);
}
