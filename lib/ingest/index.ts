/**
 * Room 3, ingest: from a message of the events queue to checked records; the sequence ledger; the bodies of the queues behind `enrich`.
 * Nothing that came from outside is trusted before `openMessage` has checked its signature.
 */

export {
  BATCH_MAX_BYTES,
  type IndexEntry,
  indexEntrySchema,
  packBatch,
  unpackBatch,
} from "./batch.ts";
/** `checkEvent`: what the schema of an event does not say; also for whoever wants to know beforehand what `enrich` will take. */
export { checkEvent, EARLIEST_EVENT_US, type EventMoment, type EventTimes, isUnnumberedLoss } from "./check.ts";
export { deadMessage, deadRecords } from "./dead-letter.ts";
export { cachedHomeKeys } from "./key-cache.ts";
export { type GapNote, type LossNote, noteOfGap, noteOfLoss } from "./ledger-notes.ts";
export { isImport } from "./ledger-row.ts";
export { type OpenedMessage, openMessage } from "./open.ts";
export type * from "./ports.ts";
/** For whoever reads the store or the index queue: whether the homes of a batch are there still. */
export { presenceOfBatch } from "./presence.ts";
export { completeUpTo, countOfRanges, coversRange, gapsOf, mergeRanges, normalRanges } from "./ranges.ts";
export {
  RECORD_MAX_BYTES,
  type ReadRecord,
  type ReadRecords,
  type RejectedRecord,
  readRecords,
} from "./records.ts";
