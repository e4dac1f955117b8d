import { HearthlineError } from "../../base/errors.ts";
import { formatIsoUs, type Microseconds } from "../../base/time.ts";
import type { EventStore } from "../../store/ports.ts";
import type { OldSystem } from "../ports.ts";
import { type ComparableLimits, type ComparableRow, comparable, type SideRow } from "./comparable.ts";

/** Half-open in time, whole multiples of OLD's precision; absent entities: all. */
export interface Span {
  readonly fromUs: Microseconds;
  readonly toUs: Microseconds;
  readonly entityIds?: readonly string[];
}

export type SideName = "old" | "new";

/** One of the two that are compared. */
export interface Side {
  readonly name: SideName;
  /** Ascending by time, in pieces. Errors as of the port behind it. */
  read(span: Span): AsyncIterable<readonly SideRow[]>;
}

export interface Sides {
  readonly old: Side;
  readonly new: Side;
  readonly limits: ComparableLimits;
  /** Entities that one of the two was told to leave out: neither is asked about them. Absent: none. */
  readonly isLeftOut?: (entityId: string) => boolean;
}

export const oldSide = (old: OldSystem): Side => ({ name: "old", read: (span) => old.scan(span) });

export const newSide = (events: EventStore, homeId: string): Side => ({
  name: "new",
  read: (span) => events.scan({ homeId, ...span }),
});

/** A row and what it says when it is compared. */
export interface ReadRow {
  readonly row: SideRow;
  readonly said: ComparableRow;
}

/** What one reading met. */
export interface Tally {
  /** All rows that came, comparable or not. */
  rows: number;
  /** Of them those that OLD cannot hold. */
  leftOut: number;
}

/** Stopped before it was done: nothing of it counts. */
export class Stopped extends Error {}

export interface ReadOptions {
  /** Sees every row, comparable or not, before it is taken. */
  readonly onRow?: (row: SideRow) => void;
  readonly tally?: Tally;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Calls `take` for each comparable row, ascending by its (cut) time.
 * @throws HearthlineError `old_malformed`, `store_damaged`: rows go back in time, or are not of the span; `Stopped`: the signal was aborted
 */
export async function forEachRow(
  { side, limits, isLeftOut, span }: { readonly side: Side; readonly span: Span } & Pick<Sides, "limits" | "isLeftOut">,
  take: (said: ComparableRow, row: SideRow) => void,
  { tally, signal, onRow }: ReadOptions = {},
): Promise<void> {
  let beforeUs = span.fromUs;
  for await (const rows of side.read(span)) {
    if (signal?.aborted) throw new Stopped("The comparison was stopped: its time is over.");
    if (tally) tally.rows += rows.length;
    for (const row of rows) {
      if (!(row.atUs >= beforeUs && row.atUs < span.toUs)) throw wrongOrder(side.name, row, span);
      beforeUs = row.atUs;
      onRow?.(row);
      const said = isLeftOut?.(row.entityId) ? undefined : comparable(row, limits);
      if (said) take(said, row);
      else if (tally) tally.leftOut += 1;
    }
  }
  if (signal?.aborted) throw new Stopped("The comparison was stopped: its time is over.");
}

function wrongOrder(side: SideName, { entityId, atUs }: SideRow, { fromUs, toUs }: Span): HearthlineError {
  const at = Number.isSafeInteger(atUs) ? formatIsoUs(atUs) : String(atUs);
  const message = `Reading the rows from ${formatIsoUs(fromUs)} to ${formatIsoUs(toUs)} gave a row of "${entityId}" at "${at}"; wanted are rows of that span, ascending by time.`;
  return new HearthlineError(side === "old" ? "old_malformed" : "store_damaged", message);
}
