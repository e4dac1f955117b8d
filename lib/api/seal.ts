import { type HomeKey, sealEnvelope } from "../event/index.ts";
import type { QueueMessage } from "../ingest/index.ts";
import { SQS_MESSAGE_MAX_BYTES } from "../limits.ts";

export interface SealedFor {
  readonly homeId: string;
  readonly key: HomeKey;
  readonly sentAt: string;
}

/** How `enrich` tells what came through the API from what a relay numbered. */
export const API_RELAY_ID = "api";

/**
 * Records to as few messages as fit. One message nearly always does; what does not compress is halved until it fits.
 * A single record always fits: intake bounds it.
 */
export function sealRecords(records: readonly unknown[], home: SealedFor): QueueMessage[] {
  if (records.length === 0) return [];
  const body = sealEnvelope(records, { ...home, relayId: API_RELAY_ID, first: 0, last: 0 });
  if (body.length <= SQS_MESSAGE_MAX_BYTES || records.length === 1) return [{ body }];
  const middle = Math.ceil(records.length / 2);
  return [...sealRecords(records.slice(0, middle), home), ...sealRecords(records.slice(middle), home)];
}
