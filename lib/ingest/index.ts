/**
 * Room 2, ingest: from a message of the events queue to checked records; the sequence ledger; the bodies of the queues behind `enrich`.
 * Nothing that came from outside is trusted before `openMessage` has checked its signature.
 */

export {
  BATCH_MAX_BYTES,
  type IndexEntry,
  indexEntrySchema,
  packBatch,
  unpackBatch,
} from "./batch.ts";
export { EARLIEST_EVENT_US, type EventMoment, type EventTimes } from "./check.ts";
export { deadMessage, deadRecords } from "./dead-letter.ts";
export { cachedHomeKeys } from "./key-cache.ts";
export { type OpenedMessage, openMessage } from "./open.ts";
export type * from "./ports.ts";
export { completeUpTo, countOfRanges, coversRange, gapsOf, mergeRanges, normalRanges } from "./ranges.ts";
export {
  RECORD_MAX_BYTES,
  type ReadRecord,
  type ReadRecords,
  type RejectedRecord,
  readRecords,
} from "./records.ts";
