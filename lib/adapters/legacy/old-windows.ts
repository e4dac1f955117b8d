import { HearthlineError } from "../../base/errors.ts";
import type { Microseconds } from "../../base/time.ts";
import type { OldRow } from "../../migration/ports.ts";
import type { EventPage, RangeQuery } from "../../store/ports.ts";
import { compareRows } from "./old-row.ts";

export interface Window {
  /** Included. */
  readonly fromUs: Microseconds;
  /** Not included. */
  readonly toUs: Microseconds;
}

/** The rows of a window in any order; undefined: there are more than `max`. A window of one microsecond always gives its rows. */
export type ReadWindow = (window: Window, max: number) => Promise<readonly OldRow[] | undefined>;

/** 2200-01-01: where a question without an end ends. Events of clocks that are wrong are events. */
export const FAR_US: Microseconds = 7_258_118_400_000_000;
const MINUTE_US: Microseconds = 60_000_000;
/** What is held at once. */
const WINDOW_MAX_ROWS = 10_000;
const FIRST_WIDTH_US = 60 * MINUTE_US;

/** All rows of a span, ascending, window by window: narrower where there is much, wider where there is little. Whatever order OLD answers in. */
export async function* scanWindows(read: ReadWindow, { fromUs, toUs }: Window): AsyncGenerator<readonly OldRow[]> {
  let at = fromUs;
  let widthUs = FIRST_WIDTH_US;
  while (at < toUs) {
    const endUs = Math.min(at + widthUs, toUs);
    const rows = await read({ fromUs: at, toUs: endUs }, WINDOW_MAX_ROWS);
    if (!rows) {
      widthUs = Math.max(1, Math.floor((endUs - at) / 2));
      continue;
    }
    if (rows.length > 0) yield rows.toSorted(compareRows);
    at = endUs;
    if (rows.length < WINDOW_MAX_ROWS / 4) widthUs *= 2;
  }
}

export interface LastRows extends Window {
  readonly wanted: number;
  /** Ours: where to begin to look when `toUs` lies ahead. */
  readonly nowUs: Microseconds;
}

/** At least the `wanted` newest rows of a span (all, if it has fewer), descending. */
export async function lastRows(
  read: ReadWindow,
  { fromUs, toUs, wanted, nowUs }: LastRows,
): Promise<readonly OldRow[]> {
  const found: OldRow[] = [];
  const max = Math.max(2 * wanted, 2_000);
  let endUs = toUs;
  // What lies ahead of our clock is looked at first, by itself: nearly always nothing.
  let widthUs = nowUs > fromUs && nowUs < toUs ? toUs - nowUs : MINUTE_US;
  while (endUs > fromUs && found.length < wanted) {
    const beginUs = Math.max(fromUs, endUs - widthUs);
    const rows = await read({ fromUs: beginUs, toUs: endUs }, max);
    if (!rows) {
      widthUs = Math.max(1, Math.floor((endUs - beginUs) / 2));
      continue;
    }
    found.push(...rows.toSorted((a, b) => compareRows(b, a)));
    widthUs = endUs === toUs && widthUs > MINUTE_US ? MINUTE_US : widthUs * 2;
    endUs = beginUs;
  }
  return found;
}

/** A page of the rows that were found for a query, which are more than its limit if there are more. */
export function pageOf(
  rows: readonly OldRow[],
  query: RangeQuery,
  toEvent: (row: OldRow) => EventPage["events"][number],
): EventPage {
  const sign = query.order === "asc" ? 1 : -1;
  const { after } = query;
  const isBeyond = (row: OldRow): boolean =>
    after === undefined || sign * compareRows(row, { ...after, state: after.removed ? null : "" }) > 0;
  const ordered = rows.filter(isBeyond).toSorted((a, b) => sign * compareRows(a, b));
  // What OLD has twice is one event.
  const distinct = ordered.filter((row, at) => at === 0 || compareRows(row, ordered[at - 1] ?? row) !== 0);
  const events = distinct.slice(0, query.limit).map(toEvent);
  const last = events.at(-1);
  if (!last || distinct.length <= query.limit) return { events };
  return { events, next: { atUs: last.atUs, entityId: last.entityId, removed: last.kind === "removed" } };
}

/** @throws HearthlineError `request_invalid`: OLD holds neither areas nor devices */
export function refusePlaces({ areaId, deviceId }: RangeQuery): void {
  if (areaId === undefined && deviceId === undefined) return;
  throw new HearthlineError(
    "request_invalid",
    "The old pipeline was asked for the events of an area or a device, of which it holds nothing; wanted are entities or a domain.",
  );
}
