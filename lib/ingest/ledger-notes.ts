import type { GapReason, GapRecord, LossRecord } from "../event/index.ts";
import { coversRange, mergeRanges, type SequenceRange } from "./ranges.ts";

/** A time in which a relay heard nothing: its `gap` record as the ledger keeps it. */
export interface GapNote
  extends Pick<GapRecord, "n" | "from" | "to" | "cause" | "entities" | "recovered" | "statistics" | "complete"> {
  /** One for each reason, with some of the entities. */
  readonly missing: readonly {
    readonly reason: GapReason;
    readonly entities: number;
    readonly examples: readonly string[];
  }[];
}

/** Events that are lost to one sink, or that never had a number: no sequence number is missing because of them. */
export interface LossNote extends Pick<LossRecord, "n" | "first" | "last" | "count" | "reason"> {
  readonly sink?: string;
}

/**
 * Records of one type that were noted, each by its own sequence number: noting one again changes nothing, and the order in which they come means nothing.
 * The newest are kept whole; the others are in the totals.
 */
export interface Notes<N extends { readonly n: number }, Total extends string> {
  /** The numbers of all that were noted. */
  readonly noted: readonly SequenceRange[];
  /** Ascending by number. */
  readonly recent: readonly N[];
  readonly totals: Readonly<Record<Total, number>>;
}

/** What a relay said of itself beside its events, over its life. */
export interface LedgerNotes {
  readonly interruptions: Notes<GapNote, "count" | "recovered" | "statistics" | "incomplete">;
  /** What another sink than the cloud has lost: the cloud has it, or gets it. */
  readonly otherSinksLost: Notes<LossNote, "count" | "events">;
  /** What was lost before it had a number. */
  readonly unnumberedLost: Notes<LossNote, "count" | "events">;
}

/** So many of each type are kept whole. */
export const NOTES_MAX_RECENT = 50;
/** Beyond so many stretches of noted numbers the lowest are joined: what lies between two of them then counts as noted. */
export const NOTES_MAX_RANGES = 1_000;
/** Entities that a gap names, for each reason and in all. */
const EXAMPLES_MAX = 5;
const EXAMPLES_MAX_BYTES = 1_500;
const REASON_MAX_BYTES = 200;

export const NO_NOTES: LedgerNotes = {
  interruptions: { noted: [], recent: [], totals: { count: 0, recovered: 0, statistics: 0, incomplete: 0 } },
  otherSinksLost: { noted: [], recent: [], totals: { count: 0, events: 0 } },
  unnumberedLost: { noted: [], recent: [], totals: { count: 0, events: 0 } },
};

/** What is to be noted, any of it before too. */
export interface NewNotes {
  readonly gaps?: readonly GapNote[];
  readonly otherSinksLost?: readonly LossNote[];
  readonly unnumberedLost?: readonly LossNote[];
}

export const hasNotes = ({ gaps, otherSinksLost, unnumberedLost }: NewNotes): boolean =>
  [gaps, otherSinksLost, unnumberedLost].some((notes) => notes !== undefined && notes.length > 0);

export const mergeNotes = (notes: LedgerNotes, added: NewNotes): LedgerNotes => ({
  interruptions: withNotes(notes.interruptions, added.gaps, ({ recovered, statistics, complete }) => ({
    count: 1,
    recovered,
    statistics,
    incomplete: complete ? 0 : 1,
  })),
  otherSinksLost: withNotes(notes.otherSinksLost, added.otherSinksLost, lossTotals),
  unnumberedLost: withNotes(notes.unnumberedLost, added.unnumberedLost, lossTotals),
});

const lossTotals = ({ count }: LossNote) => ({ count: 1, events: count });

function withNotes<N extends { readonly n: number }, Total extends string>(
  notes: Notes<N, Total>,
  added: readonly N[] = [],
  totalsOf: (note: N) => Readonly<Record<Total, number>>,
): Notes<N, Total> {
  let { noted } = notes;
  const totals: Record<Total, number> = { ...notes.totals };
  const fresh: N[] = [];
  for (const note of added) {
    if (coversRange(noted, [note.n, note.n])) continue;
    noted = mergeRanges(noted, [[note.n, note.n]]);
    fresh.push(note);
    const own = totalsOf(note);
    // Never beyond what is exact, whatever a relay says: the sum must stay a number that JSON keeps.
    for (const name of Object.keys(own) as Total[])
      totals[name] = Math.min(totals[name] + own[name], Number.MAX_SAFE_INTEGER);
  }
  if (fresh.length === 0) return notes;
  const recent = [...notes.recent, ...fresh].sort((a, b) => a.n - b.n).slice(-NOTES_MAX_RECENT);
  return { noted: boundRanges(noted), recent, totals };
}

function boundRanges(ranges: readonly SequenceRange[]): readonly SequenceRange[] {
  const over = ranges.length - NOTES_MAX_RANGES;
  const [first, last] = [ranges[0], ranges[over]];
  return over > 0 && first && last ? [[first[0], last[1]], ...ranges.slice(over + 1)] : ranges;
}

/** A gap as the ledger keeps it: reasons that come twice are one, and examples are few, so that it takes at most about 2.5 KB. */
export function noteOfGap({
  n,
  from,
  to,
  cause,
  entities,
  recovered,
  statistics,
  complete,
  missing,
}: GapRecord): GapNote {
  let leftBytes = EXAMPLES_MAX_BYTES;
  const fits = (entityId: string): boolean => {
    leftBytes -= jsonBytes(entityId);
    return leftBytes >= 0;
  };
  const reasons = Map.groupBy(missing, ({ reason }) => reason);
  return {
    ...{ n, from, to, cause, entities, recovered, statistics, complete },
    missing: [...reasons].map(([reason, alike]) => ({
      reason,
      entities: Math.min(
        alike.reduce((sum, one) => sum + one.entities, 0),
        Number.MAX_SAFE_INTEGER,
      ),
      examples: alike
        .flatMap(({ examples }) => examples)
        .slice(0, EXAMPLES_MAX)
        .filter(fits),
    })),
  };
}

export const noteOfLoss = ({ n, first, last, count, reason, sink }: LossRecord): LossNote => ({
  ...{ n, first, last, count },
  reason: shortReason(reason),
  ...(sink !== undefined && { sink }),
});

/** A reason that takes no more room than REASON_MAX_BYTES, however it is written. */
export function shortReason(reason: string): string {
  let short = reason;
  while (jsonBytes(short) > REASON_MAX_BYTES) short = short.slice(0, Math.floor(short.length * 0.9));
  return short;
}

const jsonBytes = (text: string): number => Buffer.byteLength(JSON.stringify(text));
