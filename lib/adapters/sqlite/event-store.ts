import { type Clock, systemClock } from "../../base/clock.ts";
import { type Reading, statsByReading, tilesByReading } from "../../series/index.ts";
import type { EventStore } from "../../store/ports.ts";
import { aggregatesOf } from "./event-store-aggregate.ts";
import { createPassingBlocks, REMEMBERED_ROWS } from "./event-store-blocks.ts";
import { createEventStoreFile, shrink } from "./event-store-file.ts";
import { FIRST_US, LAST_US, pageOf, type Step, stepsOf } from "./event-store-read.ts";
import type { Source } from "./event-store-spans.ts";
import { createBytesOf } from "./event-store-stats.ts";
import { createUpkeep } from "./event-store-upkeep.ts";
import { prepare, put } from "./event-store-write.ts";

export interface SqliteEventStoreOptions {
  /** The database file; its folder is made when missing. `:memory:` for none. */
  readonly path: string;
  /** How long to wait for another process's lock. Default 5,000 ms, and the thread is blocked meanwhile. */
  readonly busyTimeoutMs?: number;
  readonly clock?: Clock;
  /** Told in a sentence when a file of an earlier version is changed, and where its copy is. */
  readonly onNotice?: (message: string) => void;
}

const READING = "Reading the event store";
/** Of a scan: a step is in memory whole, and V8 keeps several that are dead. */
const SCAN_STEP_ROWS = 2_048;

/**
 * The embedded time-series store: blocks of columns in SQLite. Any number of processes may have the file open: readers never wait, writers wait for each other.
 * A batch is one transaction, synced to the disk before `write` resolves. The file is opened by the first call; a call after a failed one tries again.
 * A file of an earlier schema version is changed by the first call (a copy is kept beside it); all calls wait for that.
 * Errors: `store_unavailable` (locked, not to be opened, deleted while open), `store_full` are worth another try; `store_read_only`, `store_damaged`,
 * `store_incompatible` (not ours, from a newer version) are for a person.
 */
export function createSqliteEventStore(options: SqliteEventStoreOptions): EventStore {
  const { path, busyTimeoutMs, clock = systemClock, onNotice } = options;
  const file = createEventStoreFile({ path, busyTimeoutMs, clock, onNotice });
  const upkeep = createUpkeep(file, clock);
  const reading = <T>(work: (source: Source) => T): T => file.read(READING, work);

  /** Each step of the work in a transaction of its own. */
  async function stepped<T>(start: (source: () => Source) => Generator<undefined, T>): Promise<T> {
    let source: Source | undefined;
    const work = start(() => source as Source);
    for (;;) {
      const step = reading((now) => {
        source = now;
        return work.next();
      });
      if (step.done) return step.value;
      await clock.sleep(0);
    }
  }

  /** `onStep` sees each step before its events are given. */
  async function* read({ homeId, entityIds, fromUs, toUs }: Reading, onStep?: (step: Step) => void) {
    const span = { fromUs: fromUs ?? FIRST_US, toUs: toUs ?? LAST_US };
    // A scan comes to each block once, in steps that follow each other: what others have opened stays, and what it has opened itself goes once it is past it. About 5 MB, where the day was merged.
    const blocks = createPassingBlocks(REMEMBERED_ROWS);
    const passing = <T>(work: (source: Source) => T): T => reading(({ tables }) => work({ tables, blocks }));
    for (const step of stepsOf(passing, { homeId, span, choice: { entityIds }, rows: SCAN_STEP_ROWS })) {
      onStep?.(step);
      yield step.events;
      blocks.forgetBefore(step.span.toUs);
      await clock.sleep(0);
    }
  }

  return {
    write: async (events) => {
      const doing = "Writing to the event store";
      await file.ready(doing);
      const prepared = prepare(events);
      if (prepared.length === 0) return;
      file.write(doing, (source) => {
        for (const each of prepared) put(source, each);
      });
    },
    range: async (query) => {
      await file.ready(READING);
      return stepped((source) => pageOf(source, query));
    },
    scan: async function* (query) {
      await file.ready(READING);
      for await (const events of read(query)) if (events.length > 0) yield events;
    },
    stats: async (query) => {
      await file.ready(READING);
      const { begin, bytesOf } = createBytesOf();
      return statsByReading(query, (of) => read(of, begin), bytesOf);
    },
    aggregate: async (query) => {
      await file.ready(READING);
      return stepped((source) => aggregatesOf(source, query));
    },
    tiles: async (query) => {
      await file.ready(READING);
      return tilesByReading(query, read);
    },
    prune: upkeep.prune,
    compact: upkeep.compact,
    setUp: () => file.ready("Setting up the event store"),
    retention: async (homeId) => {
      await file.ready(READING);
      const oldest = await stepped((source) => pageOf(source, { homeId, order: "asc", limit: 1 }));
      const oldestUs = oldest.events[0]?.atUs;
      return { means: ["job"], ...(oldestUs !== undefined && { oldestUs }) };
    },
    drop: async () => {
      const doing = "Dropping the event store";
      await file.ready(doing);
      file.write(doing, (_source, db) => {
        for (const table of ["segment", "rollup", "day", "home"]) db.exec(`DELETE FROM ${table}`);
      });
      file.plain(doing, shrink);
    },
    check: async () => {
      const doing = "Asking the event store";
      await file.ready(doing);
      file.plain(doing, (db) => void db.prepare("SELECT 1 FROM segment LIMIT 1").get());
    },
    close: async () => file.close(),
  };
}
