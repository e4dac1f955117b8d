import type { Clock } from "../../base/clock.ts";
import { HearthlineError } from "../../base/errors.ts";
import { aggregateByReading, type ReadEvents, statsByReading, tilesByReading } from "../../series/index.ts";
import type { EventStore } from "../../store/ports.ts";
import type { AwsClient } from "../aws/client.ts";
import type { Timestream } from "./context.ts";
import { NAME } from "./limits.ts";
import { type Form, lastBefore, pageOf, pagesOf } from "./range.ts";
import { dropTable, setUpTable, tableOf } from "./table.ts";
import { createStamps } from "./versions.ts";
import { writeEvents } from "./write.ts";

/** Rows of one statement when many are read. */
const READ_ROWS = 5_000;
const DEFAULT_TABLE = "events";
/** What AWS takes when nobody says: what comes later than that goes to the magnetic store, which is cheaper and slower. */
const DEFAULT_MEMORY_HOURS = 6;

export interface TimestreamEventStoreOptions {
  /** Of service `timestream-write`. */
  readonly writes: AwsClient;
  /** Of service `timestream-query`. */
  readonly queries: AwsClient;
  readonly database: string;
  /** Default `events`. */
  readonly table?: string;
  readonly clock: Clock;
  /** How long the memory store keeps events. 1 to 8,766; default 6. */
  readonly memoryHours?: number;
}

/**
 * The time-series store in Amazon Timestream for LiveAnalytics, for accounts that have it (it takes no new customers).
 *
 * What is different here, because the service is: nothing can be deleted, so `prune` deletes nothing and says 0, and events go by the table's retention
 * period alone, all homes' alike; reads are eventually consistent; times are taken from the table's retention back to 15 minutes ahead of now, others are
 * refused one by one (`EventsRefused`). Aggregates, tiles and stats are made here from rows, so that they agree with every other store.
 * @throws HearthlineError `setting_invalid`: a name that Timestream does not take
 */
export function createTimestreamEventStore(options: TimestreamEventStoreOptions): EventStore {
  const { writes, queries, database, table = DEFAULT_TABLE, clock, memoryHours = DEFAULT_MEMORY_HOURS } = options;
  for (const name of [database, table]) {
    if (NAME.test(name)) continue;
    const wanted = "Wanted are 3 to 256 letters, digits, dots, dashes and underscores.";
    throw new HearthlineError("setting_invalid", `"${name}" is no name of a Timestream database or table. ${wanted}`);
  }
  const store: Timestream = { writes, queries, name: { database, table }, clock };
  const nextStamp = createStamps(() => clock.nowMs());
  const reading =
    (form: Form): ReadEvents =>
    (query) =>
      pagesOf(store, query, { form, limit: READ_ROWS });

  return {
    write: (events) => writeEvents(store, events, nextStamp()),
    range: (query) => pageOf(store, query),
    scan: reading("full"),
    stats: (query) => statsByReading(query, reading("full")),
    aggregate: (query) =>
      aggregateByReading(query, {
        read: reading("slim"),
        lastBefore: (homeId, entityId, beforeUs) => lastBefore(store, { homeId, entityId, beforeUs }),
      }),
    tiles: (query) => tilesByReading(query, reading("full")),
    prune: async () => 0,
    // The service arranges its rows itself.
    compact: async () => {},
    setUp: ({ rawDays }) => setUpTable(store, { rawDays, memoryHours }),
    retention: async (homeId) => {
      const { RetentionProperties } = await tableOf(store);
      const [oldest] = (await pageOf(store, { homeId, order: "asc", limit: 1 }, "slim")).events;
      return {
        means: ["retention-period"],
        ...(RetentionProperties?.MagneticStoreRetentionPeriodInDays !== undefined && {
          storeDays: RetentionProperties.MagneticStoreRetentionPeriodInDays,
        }),
        ...(oldest && { oldestUs: oldest.atUs }),
      };
    },
    drop: () => dropTable(store),
    check: async () => void (await tableOf(store)),
    close: async () => {},
  };
}
