import {
  completeUpTo,
  countOfRanges,
  type GapNote,
  gapsOf,
  isImport,
  type LedgerRow,
  type LossNote,
} from "../ingest/index.ts";
import type { LedgerDetails, LedgerFigures } from "./ledger-shapes.ts";

/** The short form names no more gaps and losses than this; the counts are of all. */
const NAMED_MAX = 20;

type Head = Omit<LedgerDetails, "gaps" | "lost" | "interruptions" | "other_sinks_lost">;

function headOf(row: LedgerRow): Head {
  const lost = row.lost.reduce((sum, { count }) => sum + count, 0);
  return {
    relay_id: row.relayId,
    kind: isImport(row.relayId) ? "import" : "relay",
    ...(row.firstAt !== undefined && { first_at: row.firstAt }),
    ...(row.lastSentAt !== undefined && { last_sent_at: row.lastSentAt }),
    complete_up_to: completeUpTo(row.ranges),
    last_sequence: row.ranges.at(-1)?.[1] ?? 0,
    missing: countOfRanges(gapsOf(row.ranges)),
    // A relay may say what it likes; a count stays one that JSON keeps.
    lost_records: Math.min(lost + row.notes.unnumberedLost.totals.events, Number.MAX_SAFE_INTEGER),
    records: row.counts.records,
    rejected: row.counts.rejected,
    duplicates: row.counts.duplicates,
    updated_at: row.updatedAt,
  };
}

/** What a ledger row says to people, in short: complete up to where, what is missing within, what was given up, what was interrupted. */
export function ledgerFigures(row: LedgerRow): LedgerFigures {
  const { gaps, lost, interruptions, other_sinks_lost } = ledgerDetails(row);
  const { recent, ...totals } = interruptions;
  const [last] = recent;
  const [lastOfOther] = other_sinks_lost.recent;
  return {
    ...headOf(row),
    gaps: gaps.slice(0, NAMED_MAX),
    lost: lost.slice(-NAMED_MAX),
    interruptions: { ...totals, ...(last && { last }) },
    other_sinks_lost: { events: other_sinks_lost.events, ...(lastOfOther && { last: lastOfOther }) },
  };
}

/** All that the ledger keeps of a relay. */
export function ledgerDetails(row: LedgerRow): LedgerDetails {
  const { interruptions, otherSinksLost, unnumberedLost } = row.notes;
  const lost = [...row.lost, ...unnumberedLost.recent].toSorted((a, b) => a.first - b.first);
  return {
    ...headOf(row),
    gaps: gapsOf(row.ranges).map(([first, last]) => ({ first, last })),
    lost: lost.map(({ first, last, count, reason }) => ({ first, last, count, reason })),
    interruptions: { ...interruptions.totals, recent: interruptions.recent.toReversed().map(wireGap) },
    other_sinks_lost: {
      events: otherSinksLost.totals.events,
      recent: otherSinksLost.recent.toReversed().map(wireLoss),
    },
  };
}

const wireGap = ({ n, missing, ...rest }: GapNote): LedgerDetails["interruptions"]["recent"][number] => ({
  sequence: n,
  ...rest,
  missing: missing.map(({ reason, entities, examples }) => ({ reason, entities, examples: [...examples] })),
});

const wireLoss = ({ n, sink = "", ...rest }: LossNote) => ({ sequence: n, sink, ...rest });
