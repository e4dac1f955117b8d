import { HearthlineError } from "../base/errors.ts";
import { hasNotes, type LedgerNotes, mergeNotes, type NewNotes, NO_NOTES, shortReason } from "./ledger-notes.ts";
import {
  countOfRanges,
  coversRange,
  gapsOf,
  mergeRanges,
  normalRanges,
  type SequenceRange,
  splitRange,
} from "./ranges.ts";

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
  readonly notes: LedgerNotes;
  readonly updatedAt: string;
  /** When the first of it came; absent in rows that are older than this member. */
  readonly firstAt?: string;
  /** The latest time at which the relay itself, by its own clock, sealed an envelope; never later than when it came. */
  readonly lastSentAt?: string;
  /** By which keys its envelopes were signed, and when the last of each came, as `updatedAt`; the LEDGER_MAX_KEYS latest. */
  readonly keys?: Readonly<Record<string, string>>;
  /** Since when the lowest missing number is missing, as `updatedAt`; absent when none is. */
  readonly gapSince?: string;
}

export interface LedgerEntry extends NewNotes {
  /** Absent: records that came without a range of their own (put back from the dead letters). */
  readonly range?: SequenceRange;
  readonly lost?: LedgerRow["lost"];
  /** Numbers of the range whose records were set aside. */
  readonly rejected?: readonly number[];
  /** When the relay sealed the envelope, by its own clock. */
  readonly sentAt?: string;
  /** The key that signed the envelope. */
  readonly keyId?: string;
}

/** A row with more ranges than this takes no further gap: a relay that leaves a thousand holes is broken, and a row must fit one item. */
export const LEDGER_MAX_RANGES = 1_000;
/** Losses beyond this many are joined with their neighbours, oldest first, so that a long life with many losses still fits one item. */
export const LEDGER_MAX_LOSSES = 500;

/** A relay has one key, and two while it changes from one to the next. */
const LEDGER_MAX_KEYS = 4;

type Loss = LedgerRow["lost"][number];

/** Not a relay but a run of `hearthline history import`: it begins and ends, and nobody waits for the rest of it. */
export const isImport = (relayId: string): boolean => relayId.startsWith("import-");

/** A relay of which nothing has arrived. */
export const emptyLedgerRow = (relayId: string): LedgerRow => ({
  relayId,
  ranges: [],
  lost: [],
  counts: { records: 0, rejected: 0, duplicates: 0 },
  notes: NO_NOTES,
  updatedAt: "",
});

/**
 * The row after these entries. Ranges, losses and notes do not depend on the order of entries, and entries that were merged before change only
 * `counts.duplicates`: of an entry, the numbers that are there already are duplicates, the others add to `records` and `rejected`.
 * @throws HearthlineError `ledger_full`: the row would have more than LEDGER_MAX_RANGES ranges; it may fit once the gaps have closed
 */
export function mergeLedgerEntries(row: LedgerRow, entries: readonly LedgerEntry[], updatedAt: string): LedgerRow {
  let { ranges, notes } = row;
  let { records, rejected, duplicates } = row.counts;
  let lost: readonly Loss[] = row.lost;
  for (const entry of entries) {
    if (entry.range) {
      const fresh = splitRange(entry.range, ranges).outside;
      const count = countOfRanges(fresh);
      records += count;
      duplicates += countOfRanges([entry.range]) - count;
      rejected += entry.rejected?.filter((n) => coversRange(fresh, [n, n])).length ?? 0;
      ranges = mergeRanges(ranges, [entry.range]);
    }
    for (const loss of entry.lost ?? []) {
      ranges = mergeRanges(ranges, [[loss.first, loss.last]]);
      lost = withLoss(lost, { ...loss, reason: shortReason(loss.reason) });
    }
    if (hasNotes(entry)) notes = mergeNotes(notes, entry);
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
    notes,
    updatedAt,
    ...timesOf(row, entries, updatedAt),
    ...keysOf(row, entries, updatedAt),
    ...gapOf(ranges, row, updatedAt),
  };
}

/**
 * The parts of `range` whose numbers have arrived themselves. One that was only reported as lost has not: its envelope may have been under way when the relay
 * gave it up, and must not be taken for a duplicate when it comes after all.
 */
export function arrivedParts({ ranges, lost }: LedgerRow, range: SequenceRange): SequenceRange[] {
  const gone = normalRanges(lost.map(({ first, last }) => [first, last] as const));
  return splitRange(range, ranges).inside.flatMap((part) => splitRange(part, gone).outside);
}

function timesOf(
  row: LedgerRow,
  entries: readonly LedgerEntry[],
  updatedAt: string,
): Pick<LedgerRow, "firstAt" | "lastSentAt"> {
  const isNew = row.updatedAt === "";
  const firstAt = isNew ? updatedAt : row.firstAt;
  const sentMs = entries
    .flatMap(({ range, sentAt }) => (range && sentAt !== undefined ? Date.parse(sentAt) : []))
    // A relay's clock that is ahead must not keep it active for ever.
    .map((ms) => Math.min(ms, Date.parse(updatedAt)))
    .filter((ms) => !Number.isNaN(ms));
  const known = row.lastSentAt === undefined ? [] : [Date.parse(row.lastSentAt)];
  const latestMs = Math.max(...known, ...sentMs);
  return {
    ...(firstAt !== undefined && { firstAt }),
    ...(Number.isFinite(latestMs) && { lastSentAt: new Date(latestMs).toISOString() }),
  };
}

function keysOf({ keys }: LedgerRow, entries: readonly LedgerEntry[], updatedAt: string): Pick<LedgerRow, "keys"> {
  const used = entries.flatMap(({ keyId }) => (keyId === undefined ? [] : [[keyId, updatedAt] as const]));
  const known = { ...keys, ...Object.fromEntries(used) };
  const latest = Object.entries(known).sort(([a, at], [b, bt]) => (at === bt ? (a < b ? -1 : 1) : at < bt ? 1 : -1));
  return latest.length === 0 ? {} : { keys: Object.fromEntries(latest.slice(0, LEDGER_MAX_KEYS)) };
}

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
  // Never beyond what is exact, whatever a relay says.
  count: Math.min(a.count + b.count, Number.MAX_SAFE_INTEGER),
  reason: a.reason === b.reason ? a.reason : "several reasons",
});

function boundLosses(lost: readonly Loss[]): readonly Loss[] {
  if (lost.length <= LEDGER_MAX_LOSSES) return lost;
  const over = lost.length - LEDGER_MAX_LOSSES + 1;
  return [lost.slice(0, over).reduce(join), ...lost.slice(over)];
}
