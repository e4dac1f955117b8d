import { HearthlineError } from "../base/errors.ts";
import { countOfRanges, coversRange, gapsOf, mergeRanges, type SequenceRange } from "./ranges.ts";

/** What has arrived of one relay: ascending, disjoint, not touching. Complete up to N: the first range is [1, N]. */
export interface LedgerRow {
  readonly relayId: string;
  readonly ranges: readonly SequenceRange[];
  /** Sequence ranges that the relay reported as lost. They also count as accounted for in `ranges`. */
  readonly lost: readonly {
    readonly first: number;
    readonly last: number;
    readonly count: number;
    readonly reason: string;
  }[];
  /** Records counted over the relay's life. */
  readonly counts: { readonly records: number; readonly rejected: number; readonly duplicates: number };
  readonly updatedAt: string;
  /** Since when the lowest missing number is missing, as `updatedAt`; absent when none is. */
  readonly gapSince?: string;
}

export interface LedgerEntry {
  readonly range: SequenceRange;
  readonly lost?: LedgerRow["lost"];
  readonly rejected?: number;
}

/** A row with more ranges than this takes no further gap: a relay that leaves a thousand holes is broken, and a row must fit one item. */
export const LEDGER_MAX_RANGES = 1_000;
/** Losses beyond this many are joined with their neighbours, oldest first, so that a long life with many losses still fits one item. */
export const LEDGER_MAX_LOSSES = 500;

type Loss = LedgerRow["lost"][number];

/** A relay of which nothing has arrived. */
export const emptyLedgerRow = (relayId: string): LedgerRow => ({
  relayId,
  ranges: [],
  lost: [],
  counts: { records: 0, rejected: 0, duplicates: 0 },
  updatedAt: "",
});

/**
 * The row after these entries. Ranges and losses do not depend on the order of entries, and entries that were merged before change only
 * `counts.duplicates`: an entry whose range is there already counts as that many duplicates, any other adds its new numbers to `records`.
 * @throws HearthlineError `ledger_full`: the row would have more than LEDGER_MAX_RANGES ranges; it may fit once the gaps have closed
 */
export function mergeLedgerEntries(row: LedgerRow, entries: readonly LedgerEntry[], updatedAt: string): LedgerRow {
  let { ranges } = row;
  let { records, rejected, duplicates } = row.counts;
  let lost: readonly Loss[] = row.lost;
  for (const entry of entries) {
    if (coversRange(ranges, entry.range)) {
      duplicates += entry.range[1] - entry.range[0] + 1;
    } else {
      const before = countOfRanges(ranges);
      ranges = mergeRanges(ranges, [entry.range]);
      records += countOfRanges(ranges) - before;
      rejected += entry.rejected ?? 0;
    }
    for (const loss of entry.lost ?? []) {
      ranges = mergeRanges(ranges, [[loss.first, loss.last]]);
      lost = withLoss(lost, loss);
    }
  }
  if (ranges.length > LEDGER_MAX_RANGES) {
    throw new HearthlineError(
      "ledger_full",
      `The ledger of relay "${row.relayId}" would have ${ranges.length} ranges; at most ${LEDGER_MAX_RANGES} are kept. Complete up to ${ranges[0]?.[1] ?? 0}.`,
    );
  }
  return {
    relayId: row.relayId,
    ranges,
    lost: boundLosses(lost),
    counts: { records, rejected, duplicates },
    updatedAt,
    ...gapOf(ranges, row, updatedAt),
  };
}

/**
 * Has every number of `range` arrived itself? One that was only reported as lost has not: its envelope may have been under way when the relay gave it up,
 * and must not be taken for a duplicate when it comes after all.
 */
export const hasArrived = ({ ranges, lost }: LedgerRow, range: SequenceRange): boolean =>
  coversRange(ranges, range) && !lost.some(({ first, last }) => first <= range[1] && range[0] <= last);

function gapOf(ranges: readonly SequenceRange[], before: LedgerRow, updatedAt: string): Pick<LedgerRow, "gapSince"> {
  const lowest = gapsOf(ranges)[0]?.[0];
  if (lowest === undefined) return {};
  const isKnown = lowest === gapsOf(before.ranges)[0]?.[0];
  return { gapSince: isKnown ? (before.gapSince ?? updatedAt) : updatedAt };
}

/** In order of `first`; a loss that lies within a known one says nothing new; of equal reason, one that begins where another ends joins it. */
function withLoss(lost: readonly Loss[], loss: Loss): readonly Loss[] {
  if (lost.some((known) => known.first <= loss.first && loss.last <= known.last)) return lost;
  const rest = lost.filter((known) => !(loss.first <= known.first && known.last <= loss.last));
  const joined: Loss[] = [];
  for (const next of [...rest, loss].sort((a, b) => a.first - b.first)) {
    const last = joined.at(-1);
    if (last && last.last + 1 === next.first && last.reason === next.reason)
      joined[joined.length - 1] = join(last, next);
    else joined.push(next);
  }
  return joined;
}

const join = (a: Loss, b: Loss): Loss => ({
  first: Math.min(a.first, b.first),
  last: Math.max(a.last, b.last),
  count: a.count + b.count,
  reason: a.reason === b.reason ? a.reason : "several reasons",
});

function boundLosses(lost: readonly Loss[]): readonly Loss[] {
  if (lost.length <= LEDGER_MAX_LOSSES) return lost;
  const over = lost.length - LEDGER_MAX_LOSSES + 1;
  return [lost.slice(0, over).reduce(join), ...lost.slice(over)];
}
