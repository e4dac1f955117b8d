import type { LossRecord } from "./record.ts";

/** The sink that feeds the ledger. The spool's cursor carries its name, so it must never change. */
export const CLOUD_SINK = "cloud";

/** A stretch of sequence numbers whose records are gone, both ends included. `count` may differ from its length: see `LossRecord`. */
export interface LostRange {
  readonly first: number;
  readonly last: number;
  readonly count: number;
  readonly reason: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** Only this sink has lost them; absent: every sink. */
  readonly sink?: string;
}

/** A stretch of numbers that a spool gives up. */
export interface GivenUp extends Omit<LostRange, "count" | "sink"> {
  /** The loss records within it, by their own number: what they stand for has to be said again. */
  readonly older: readonly { readonly n: number; readonly range: LostRange }[];
}

/**
 * What is lost when a stretch is given up while each sink has acknowledged up to its cursor: a sink loses only what lies behind its own.
 * `events` counts each number once, loss records not.
 */
export function lossesOf(
  given: GivenUp,
  cursors: Readonly<Record<string, number>>,
): { readonly ranges: readonly LostRange[]; readonly events: number } {
  const sinks = Object.entries(cursors);
  const losersOf = (n: number) => sinks.filter(([, cursor]) => cursor < n).map(([sink]) => sink);
  /** The same for all, or once for each loser. */
  const said = (range: LostRange, losers: readonly string[]): LostRange[] => {
    if (range.sink !== undefined) return losers.includes(range.sink) ? [range] : [];
    return losers.length === sinks.length ? [range] : losers.map((sink) => ({ ...range, sink }));
  };
  const starts = [...new Set(sinks.map(([, cursor]) => Math.max(cursor + 1, given.first)))]
    .filter((start) => start <= given.last)
    .sort((a, b) => a - b);
  const { older, ...itself } = given;
  const parts = starts.map((first, index) => {
    const last = (starts[index + 1] ?? given.last + 1) - 1;
    return {
      ...itself,
      first,
      last,
      count: last - first + 1 - older.filter(({ n }) => n >= first && n <= last).length,
    };
  });
  return {
    ranges: [
      ...parts.flatMap((part) => said(part, losersOf(part.first))),
      ...older.flatMap(({ n, range }) => said(range, losersOf(n))),
    ],
    events: parts.reduce((sum, { count }) => sum + count, 0),
  };
}

/** More separate stretches are not told apart (chosen by us: loss records must not fill the spool that they protect). */
export const LOST_RANGES_MAX = 64;
const REASON_MAX_CHARACTERS = 200;

/** Stretches of the same sink that touch or overlap become one; ascending, those of every sink first. Counts are added, reasons joined. */
export function mergeLostRanges(ranges: readonly LostRange[]): LostRange[] {
  const bySink = Map.groupBy(ranges, ({ sink }) => sink ?? "");
  return [...bySink.keys()].sort().flatMap((sink) => mergeOneSink(bySink.get(sink) ?? []));
}

function mergeOneSink(ranges: readonly LostRange[]): LostRange[] {
  const merged: LostRange[] = [];
  for (const range of ranges.toSorted((a, b) => a.first - b.first)) {
    const before = merged.at(-1);
    if (before && before.last + 1 >= range.first) merged.splice(-1, 1, joined(before, range));
    else merged.push(range);
  }
  while (merged.length > LOST_RANGES_MAX) {
    const [oldest, next] = merged;
    if (oldest && next) merged.splice(0, 2, joined(oldest, next));
  }
  return merged;
}

function joined(a: LostRange, b: LostRange): LostRange {
  const reasons = new Set([...a.reason.split("; "), ...b.reason.split("; ")]);
  return {
    first: Math.min(a.first, b.first),
    last: Math.max(a.last, b.last),
    count: a.count + b.count,
    reason: [...reasons].join("; ").slice(0, REASON_MAX_CHARACTERS),
    fromMs: Math.min(a.fromMs, b.fromMs),
    toMs: Math.max(a.toMs, b.toMs),
    ...(a.sink !== undefined && { sink: a.sink }),
  };
}

/** A loss as it is written; the numbers of the range are below the record's own. */
export const lossRecordOf = ({ fromMs, toMs, ...lost }: LostRange): Omit<LossRecord, "n"> => ({
  t: "loss",
  ...lost,
  // Zero when nothing but a loss record went, whose own number has to be accounted for all the same.
  count: Math.max(1, lost.count),
  reason: lost.reason.slice(0, REASON_MAX_CHARACTERS),
  from: new Date(fromMs).toISOString(),
  to: new Date(toMs).toISOString(),
});

/** What a loss record says. */
export const lostRangeOf = ({ first, last, count, reason, from, to, sink }: LossRecord): LostRange => ({
  first,
  last,
  count,
  reason,
  fromMs: Date.parse(from),
  toMs: Date.parse(to),
  ...(sink !== undefined && { sink }),
});
