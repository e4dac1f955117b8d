import { gapsOf, type LedgerRow } from "../ingest/index.ts";
import type { LedgerFigures } from "./health-shapes.ts";

/** An answer names no more gaps and losses than this; the counts are of all. */
const NAMED_MAX = 20;

/** What a ledger row says to people: complete up to where, what is missing within, what was given up. */
export function ledgerFigures(row: LedgerRow): LedgerFigures {
  const gaps = gapsOf(row.ranges);
  const [first] = row.ranges;
  return {
    relay_id: row.relayId,
    complete_up_to: first !== undefined && first[0] <= 1 ? first[1] : 0,
    last_sequence: row.ranges.at(-1)?.[1] ?? 0,
    gaps: gaps.slice(0, NAMED_MAX).map(([from, to]) => ({ first: from, last: to })),
    missing: gaps.reduce((sum, [from, to]) => sum + to - from + 1, 0),
    lost: row.lost.slice(-NAMED_MAX).map(({ first, last, count, reason }) => ({ first, last, count, reason })),
    lost_records: row.lost.reduce((sum, { count }) => sum + count, 0),
    records: row.counts.records,
    rejected: row.counts.rejected,
    duplicates: row.counts.duplicates,
    updated_at: row.updatedAt,
  };
}
