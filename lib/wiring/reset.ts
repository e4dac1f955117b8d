import { createDynamodbAggregateStore, createDynamodbRetentionRecords } from "../adapters/dynamodb/aggregates.ts";
import { createDynamodbHomeDirectory } from "../adapters/dynamodb/homes.ts";
import { createDynamodbLateDays } from "../adapters/dynamodb/late-days.ts";
import { createDynamodbPatternStore } from "../adapters/dynamodb/patterns.ts";
import { createDynamodbSuggestionStore } from "../adapters/dynamodb/suggestions.ts";
import { AGGREGATE_LAYERS } from "../analysis/index.ts";
import { HearthlineError } from "../base/errors.ts";
import type { StoreRetention } from "../store/ports.ts";
import { type CloudOptions, createCloud } from "./aws.ts";
import type { Config } from "./config.ts";
import { createEventStore } from "./event-store.ts";

/** What was found after a fresh start. */
export interface FreshStart {
  readonly store: Config["HEARTHLINE_STORE"];
  readonly homes: readonly string[];
  /** Aggregates that went. */
  readonly aggregates: number;
  /** Patterns that went. */
  readonly patterns: number;
  /** As read back from the store. */
  readonly retention: StoreRetention;
}

/** After every date. */
const ALL_DATES = "9999-12-31";

/**
 * The fresh start: drops the events, aggregates and patterns of every home, makes the store anew with the retention of the settings, and reads back what came of it.
 * Homes, keys, tokens, settings, the index and the ledger stay, and so does what people have decided about suggestions. Broken off, it is safe to run again.
 * @throws HearthlineError `store_incompatible` when what is read back is not what was asked for; errors of store and table
 */
export async function startFresh(config: Config, options: CloudOptions = {}): Promise<FreshStart> {
  const cloud = createCloud(config, options);
  const homes = createDynamodbHomeDirectory(cloud.table);
  const aggregates = createDynamodbAggregateStore(cloud.table);
  const lateDays = createDynamodbLateDays(cloud.table);
  const relearn = createDynamodbLateDays(cloud.table, "RELEARN");
  const records = createDynamodbRetentionRecords(cloud.table);
  const patternStore = createDynamodbPatternStore(cloud.table);
  const suggestions = createDynamodbSuggestionStore(cloud.table);
  const store = createEventStore(config, cloud);
  const rawDays = config.HEARTHLINE_RAW_DAYS;
  try {
    // First, so that nothing is dropped where the table cannot be reached.
    const homeIds: string[] = [];
    for await (const { homeId } of homes.list()) homeIds.push(homeId);
    await store.drop();
    await store.setUp({ rawDays });
    let pruned = 0;
    let patterns = 0;
    for (const homeId of homeIds) {
      for (const layer of AGGREGATE_LAYERS) pruned += await aggregates.prune(homeId, layer, ALL_DATES);
      for (const days of [lateDays, relearn]) await days.clear(homeId, await days.list(homeId));
      patterns += (await patternStore.list(homeId)).length;
      await patternStore.change(homeId, () => []);
      await suggestions.change(homeId, (there) => there.filter(({ status }) => status !== "new"));
      await records.remove(homeId);
    }
    const retention = await store.retention(homeIds[0] ?? config.HEARTHLINE_HOME_ID);
    if (retention.storeDays !== undefined && retention.storeDays < rawDays)
      throw new HearthlineError(
        "store_incompatible",
        `The store "${config.HEARTHLINE_STORE}" was made anew for ${rawDays} days and says that it keeps ${retention.storeDays}; wanted are at least ${rawDays}.`,
      );
    return { store: config.HEARTHLINE_STORE, homes: homeIds, aggregates: pruned, patterns, retention };
  } finally {
    await store.close();
  }
}
