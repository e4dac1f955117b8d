import { createMemoryAggregateStore, createMemoryRetentionRecords } from "../../../lib/adapters/memory/aggregates.ts";
import { aggregateStoreConformance } from "../../conformance/aggregate-store.ts";

aggregateStoreConformance(async (clock) => ({
  store: createMemoryAggregateStore({ clock }),
  records: createMemoryRetentionRecords(),
}));
