import type { Microseconds } from "../../base/time.ts";
import type { HomeEvent } from "../../event/index.ts";
import type { EventPage, RangeQuery } from "../../store/ports.ts";
import { type ComparableRow, comparable } from "../consistency/comparable.ts";
import type { OldLimits } from "../ports.ts";

export interface BothPages {
  readonly old: EventPage;
  readonly new: EventPage;
}

export interface CompareOptions {
  readonly limits: OldLimits;
  /** Rows of this moment and later are not compared: one side may not have them yet. */
  readonly settledUs: Microseconds;
}

/**
 * Whether two pages that answer the same query hold the same: what both cover, without what OLD cannot hold. A page of OLD may reach further than NEW's of the same length, because it has fewer rows
 * for the same time; what only one of them covers is left out. Nothing in common is equal.
 */
export function areEqual(query: RangeQuery, pages: BothPages, options: CompareOptions): boolean {
  const isCovered = covered(query, pages, options);
  const old = rowsOf(pages.old, isCovered, options.limits);
  const found = rowsOf(pages.new, isCovered, options.limits);
  for (const [key, texts] of old) {
    const there = found.get(key);
    if (!there) return false;
    if (hasSecret(there)) continue;
    if ([...texts.keys()].some((text) => !there.has(text))) return false;
  }
  // Of several rows of one entity in one of its ticks OLD may have kept one.
  const isTickShared = options.limits.precisionUs > 1;
  for (const [key, texts] of found) {
    const there = old.get(key);
    if (there && (isTickShared || hasSecret(texts))) continue;
    for (const [text, { mayLack }] of texts) if (!mayLack && !there?.has(text)) return false;
  }
  return true;
}

type Place = Pick<HomeEvent, "atUs" | "entityId" | "kind">;

/** What of the query's time both pages have seen to the end. */
function covered(query: RangeQuery, pages: BothPages, { limits, settledUs }: CompareOptions) {
  const { precisionUs } = limits;
  const { order, after } = query;
  const tickOf = (atUs: Microseconds): Microseconds => atUs - (atUs % precisionUs);
  // Ticks that the bounds cut through are in one side's answer and not in the other's.
  let fromUs = query.fromUs === undefined ? 0 : tickOf(query.fromUs + precisionUs - 1);
  let toUs = tickOf(Math.min(query.toUs ?? settledUs, settledUs));
  if (after && order === "asc") fromUs = Math.max(fromUs, tickOf(after.atUs) + precisionUs);
  if (after && order === "desc") toUs = Math.min(toUs, tickOf(after.atUs));
  const ends: Place[] = [];
  for (const { events, next } of [pages.old, pages.new]) {
    const last = next && events.at(-1);
    if (!last) continue;
    if (precisionUs === 1) ends.push(last);
    else if (order === "asc") toUs = Math.min(toUs, tickOf(last.atUs));
    else fromUs = Math.max(fromUs, tickOf(last.atUs) + precisionUs);
  }
  return (place: Place): boolean =>
    place.atUs >= fromUs && place.atUs < toUs && ends.every((end) => isWithin(place, end, order));
}

/** Whether a page that ends here has come to that place; a removal beside its state may be on the next one. */
function isWithin(place: Place, end: Place, order: "asc" | "desc"): boolean {
  if (place.atUs !== end.atUs) return order === "asc" ? place.atUs < end.atUs : place.atUs > end.atUs;
  if (place.entityId === end.entityId) return place.kind !== "removed" && end.kind !== "removed";
  return place.entityId < end.entityId === (order === "asc");
}

/** By entity and tick: the texts, and what is known of them. */
type Texts = Map<string, Pick<ComparableRow, "mayLack" | "isSecret">>;
type Rows = Map<string, Texts>;

/** What stands in NEW for a password is equal to whatever OLD has there. */
const hasSecret = (texts: Texts): boolean => [...texts.values()].some(({ isSecret }) => isSecret === true);

function rowsOf(page: EventPage, isCovered: (place: Place) => boolean, limits: OldLimits): Rows {
  const found: Rows = new Map();
  for (const event of page.events) {
    const row = isCovered(event) ? comparable(event, limits) : undefined;
    if (!row) continue;
    const key = `${row.atUs}\n${row.entityId}`;
    const texts: Texts = found.get(key) ?? new Map();
    found.set(key, texts.set(row.text, row));
  }
  return found;
}
