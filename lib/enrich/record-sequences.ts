import { CLOUD_SINK, type GapRecord, type LossRecord } from "../event/index.ts";
import {
  countOfRanges,
  coversRange,
  gapsOf,
  isImport,
  isUnnumberedLoss,
  type Ledger,
  type LedgerEntry,
  type LedgerRow,
  noteOfGap,
  noteOfLoss,
  type ReadRecords,
  type RejectedRecord,
} from "../ingest/index.ts";
import type { Failures, TakenMessage } from "./take-messages.ts";

/** A message on its way through the batch. */
export interface Work extends TakenMessage {
  readonly read: ReadRecords;
  /** Those of `read`, and those at which enrichment failed; without such as came in another envelope before. */
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
  /** Events that the relays of the batch report as lost to the cloud. */
  readonly lostEvents: number;
  /** Times in which a relay heard nothing, and what Home Assistant's recorder gave of them afterwards. */
  readonly interruptions: number;
  readonly recoveredEvents: number;
  readonly sequences: readonly RecordedSequence[];
}

/** A duplicate is recorded for its count: its range changes nothing. */
export const asDuplicate = (message: TakenMessage): Work => ({
  ...message,
  read: { records: [], rejected: [] },
  rejected: [],
});

const isOtherSinks = ({ sink }: LossRecord): boolean => sink !== undefined && sink !== CLOUD_SINK;

/** What a message says of its relay's sequence: its range, with the losses and interruptions that it reports. */
function ledgerEntryOf({ envelope, range, read, rejected }: Work): LedgerEntry {
  const { losses, gaps } = reportsOf(read);
  const [elsewhere, here] = [losses.filter(isOtherSinks), losses.filter((loss) => !isOtherSinks(loss))];
  return {
    ...(range && {
      range,
      sentAt: envelope.sent_at,
      keyId: envelope.key_id,
      rejected: rejected.flatMap(({ place }) => place ?? []),
    }),
    lost: here
      .filter((loss) => !isUnnumberedLoss(loss))
      .map(({ first, last, count, reason }) => ({ first, last, count, reason })),
    gaps: gaps.map(noteOfGap),
    otherSinksLost: elsewhere.map(noteOfLoss),
    unnumberedLost: here.filter(isUnnumberedLoss).map(noteOfLoss),
  };
}

function reportsOf({ records }: ReadRecords): { readonly losses: LossRecord[]; readonly gaps: GapRecord[] } {
  return {
    losses: records.flatMap(({ record }) => (record.t === "loss" ? record : [])),
    gaps: records.flatMap(({ record }) => (record.t === "gap" ? record : [])),
  };
}

const isEmpty = ({ range, lost, gaps, otherSinksLost, unnumberedLost }: LedgerEntry): boolean =>
  !range && [lost, gaps, otherSinksLost, unnumberedLost].every((list) => !list?.length);

const added = (a: number, b: number): number => Math.min(a + b, Number.MAX_SAFE_INTEGER);

/** What was reported now and not in an envelope before. */
function countReports(
  work: readonly Work[],
): Pick<RecordedSequences, "lostEvents" | "interruptions" | "recoveredEvents"> {
  const counts = { lostEvents: 0, interruptions: 0, recoveredEvents: 0 };
  for (const { read, arrived } of work) {
    const isNew = ({ n }: { readonly n: number }) => !coversRange(arrived, [n, n]);
    const { losses, gaps } = reportsOf(read);
    for (const loss of losses)
      if (isNew(loss) && !isOtherSinks(loss)) counts.lostEvents = added(counts.lostEvents, loss.count);
    for (const gap of gaps.filter(isNew)) {
      counts.interruptions += 1;
      counts.recoveredEvents = added(counts.recoveredEvents, gap.recovered);
    }
  }
  return counts;
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
      const entries = ofRelay.map(ledgerEntryOf).filter((entry) => !isEmpty(entry));
      const envelope = ofRelay[0]?.envelope;
      if (!envelope || entries.length === 0) return;
      const { home_id: homeId, relay_id: relayId } = envelope;
      try {
        const row = await ledger.record(homeId, relayId, entries);
        sequences.push({ homeId, relayId, ranges: entries.flatMap(({ range }) => range?.join("-") ?? []) });
        // Whoever stops an import in the middle has not lost anything: it goes on when it is started again.
        if (isImport(relayId)) return;
        const gap = countOfRanges(gapsOf(row.ranges));
        ledgerGap = Math.max(ledgerGap, gap);
        if (isSettled(row)) settledGap = Math.max(settledGap, gap);
      } catch (thrown) {
        for (const { messageId } of ofRelay) failures.set(messageId, thrown);
      }
    }),
  );
  return {
    ledgerGap,
    settledGap,
    ...countReports(done.filter(({ messageId }) => !failures.has(messageId))),
    sequences,
  };
}

const isSettled = ({ gapSince, updatedAt }: LedgerRow): boolean =>
  gapSince !== undefined && Date.parse(updatedAt) - Date.parse(gapSince) >= GAP_SETTLED_MS;
