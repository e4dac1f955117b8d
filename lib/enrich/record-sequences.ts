import {
  countOfRanges,
  gapsOf,
  type Ledger,
  type LedgerEntry,
  type LedgerRow,
  type ReadRecords,
  type RejectedRecord,
} from "../ingest/index.ts";
import type { Failures, TakenMessage } from "./take-messages.ts";

/** A message on its way through the batch. */
export interface Work extends TakenMessage {
  readonly read: ReadRecords;
  /** Those of `read`, and those at which enrichment failed. */
  rejected: readonly RejectedRecord[];
}

/**
 * A gap that is younger means little: envelopes pass one another, and one that failed is on its way through the queue's five attempts
 * (of 180 s each: visibility time-out of the events queue, serverless/queues.cjs).
 */
const GAP_SETTLED_MS = 15 * 60_000;

/** What was recorded of one relay. */
export interface RecordedSequence {
  readonly homeId: string;
  readonly relayId: string;
  /** `17-42` */
  readonly ranges: readonly string[];
}

export interface RecordedSequences {
  /** Numbers that are missing below the highest one, of the worst relay in the batch. */
  readonly ledgerGap: number;
  /** The same of relays whose lowest number has been missing for GAP_SETTLED_MS. */
  readonly settledGap: number;
  readonly sequences: readonly RecordedSequence[];
}

/** A duplicate is recorded for its count: its range changes nothing. */
export const asDuplicate = (message: TakenMessage): Work => ({
  ...message,
  read: { records: [], rejected: [] },
  rejected: [],
});

/** What a message says of its relay's sequence: its range, with the losses that it reports. */
function ledgerEntriesOf({ range, read, rejected }: Work): LedgerEntry[] {
  const lost = read.records.flatMap(({ record }) => {
    if (record.t !== "loss") return [];
    const { first, last, count, reason } = record;
    return [{ first, last, count, reason }];
  });
  if (range) return [{ range, rejected: rejected.length, ...(lost.length > 0 && { lost }) }];
  return lost.map((loss) => ({ range: [loss.first, loss.last], lost: [loss] }));
}

/** One write a relay. Of messages that have failed nothing is recorded. */
export async function recordSequences(
  work: readonly Work[],
  ledger: Pick<Ledger, "record">,
  failures: Failures,
): Promise<RecordedSequences> {
  let ledgerGap = 0;
  let settledGap = 0;
  const sequences: RecordedSequence[] = [];
  const done = work.filter(({ messageId }) => !failures.has(messageId));
  const relays = Map.groupBy(done, ({ envelope }) => JSON.stringify([envelope.home_id, envelope.relay_id]));
  await Promise.all(
    [...relays.values()].map(async (ofRelay) => {
      const entries = ofRelay.flatMap(ledgerEntriesOf);
      const envelope = ofRelay[0]?.envelope;
      if (!envelope || entries.length === 0) return;
      const { home_id: homeId, relay_id: relayId } = envelope;
      try {
        const row = await ledger.record(homeId, relayId, entries);
        const gap = countOfRanges(gapsOf(row.ranges));
        ledgerGap = Math.max(ledgerGap, gap);
        if (isSettled(row)) settledGap = Math.max(settledGap, gap);
        sequences.push({ homeId, relayId, ranges: entries.map(({ range }) => range.join("-")) });
      } catch (thrown) {
        for (const { messageId } of ofRelay) failures.set(messageId, thrown);
      }
    }),
  );
  return { ledgerGap, settledGap, sequences };
}

const isSettled = ({ gapSince, updatedAt }: LedgerRow): boolean =>
  gapSince !== undefined && Date.parse(updatedAt) - Date.parse(gapSince) >= GAP_SETTLED_MS;
