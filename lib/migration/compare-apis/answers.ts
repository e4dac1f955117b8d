import type { Microseconds } from "../../base/time.ts";
import { compareEvents, type HomeEvent } from "../../event/index.ts";
import type { EventPage, RangeQuery } from "../../store/ports.ts";
import { comparable } from "../consistency/comparable.ts";
import type { OldLimits } from "../ports.ts";

/** One field in which two answers differ, and nothing says why it may. */
export interface FieldDifference {
  /** `row`: only one of them has the event. `order`: an answer is not in the order that was asked for, or outside of its bounds. */
  readonly field: string;
  readonly entityId: string;
  readonly atUs: Microseconds;
  readonly old?: string;
  readonly new?: string;
}

/** What a comparison of two answers found. */
export interface Comparison {
  readonly rows: number;
  readonly fields: number;
  /** How often each difference that OLD's limits explain was met, by its name. */
  readonly known: Readonly<Record<string, number>>;
  readonly different: readonly FieldDifference[];
}

/** Of one answer; more is not asked for: the comparison ends where the shorter one does. */
const ROWS_MAX = 1_000;
const PAGES_MAX = 100;
const DIFFERENT_MAX = 10;

/** An answer, page by page, and how far it goes. */
export interface Answer {
  readonly events: readonly HomeEvent[];
  /** False: there is more behind the last event. */
  readonly isWhole: boolean;
}

export async function wholeAnswer(
  range: (query: RangeQuery) => Promise<EventPage>,
  query: Omit<RangeQuery, "after">,
): Promise<Answer> {
  const events: HomeEvent[] = [];
  let page = await range(query);
  for (let pages = 1; ; pages++) {
    events.push(...page.events);
    if (!page.next) return { events, isWhole: true };
    if (events.length >= ROWS_MAX || pages >= PAGES_MAX) return { events, isWhole: false };
    page = await range({ ...query, after: page.next });
  }
}

/** Names of OLD's limits (as in `OldLimits.words`) for members of an event that OLD does not hold. */
const LIMIT_OF: Readonly<Record<string, string>> = {
  attributes: "attributes",
  ...Object.fromEntries(
    ["context", "oldState", "secondsInOldState", "origin", "kind", "source", "lastChangedUs"].map((member) => [
      member,
      "contexts",
    ]),
  ),
};
/** What NEW adds to an event: area, device, typed value, unit, quality, local time, weather. OLD has no such members. */
export const ENRICHMENT = "enrichment";
/** A state that stayed in the home: NEW has `[secret]` in its place. */
export const SECRETS = "secrets";
/** Compared by `comparable`, or the key itself. */
const COMPARED_ELSEWHERE: ReadonlySet<string> = new Set(["homeId", "entityId", "atUs", "state"]);

/** Two answers to one request, field by field. Pure. */
export function compareAnswers(
  query: Omit<RangeQuery, "after">,
  answers: { readonly old: Answer; readonly new: Answer },
  limits: OldLimits,
): Comparison {
  const found = new Found();
  found.order(query, answers.new.events, "new");
  // A cut stamp may lie before the moment that was asked for.
  const { fromUs = 0 } = query;
  found.order({ ...query, fromUs: fromUs - (limits.precisionUs - 1) }, answers.old.events, "old");
  const isCovered = coveredBy(query, [answers.old, answers.new], limits);
  const old = byKey(answers.old.events.filter(isCovered), limits);
  const fresh = byKey(answers.new.events.filter(isCovered), limits);
  for (const event of answers.new.events)
    if (isCovered(event) && !comparable(event, limits)) found.know(limitOfMissing(event));
  for (const [key, ours] of fresh) {
    const theirs = old.get(key) ?? [];
    for (const { event, text, mayLack, isSecret = false } of ours) {
      found.rows += 1;
      const same =
        theirs.find((one) => one.text === text) ?? (ours.length === 1 && theirs.length === 1 ? theirs[0] : undefined);
      if (same) found.pair(same, { event, text, isSecret }, limits);
      else if (mayLack) found.know("start");
      else if (theirs.length > 0 && limits.precisionUs > 1 && limits.keepsAllOfOneStamp !== true)
        found.know("precision");
      else found.differ({ field: "row", entityId: event.entityId, atUs: event.atUs, new: event.state });
    }
  }
  for (const [key, theirs] of old) {
    const ours = fresh.get(key) ?? [];
    const isPaired = theirs.length === 1 && ours.length === 1;
    for (const { event, text } of theirs)
      if (!isPaired && ours.every((one) => one.text !== text && !one.isSecret))
        found.differ({ field: "row", entityId: event.entityId, atUs: event.atUs, old: event.state });
  }
  return found;
}

interface Row {
  readonly event: HomeEvent;
  readonly text: string;
  readonly mayLack?: boolean;
  readonly isSecret?: boolean;
}

class Found implements Comparison {
  rows = 0;
  fields = 0;
  readonly known: Record<string, number> = {};
  readonly different: FieldDifference[] = [];

  know(name: string): void {
    this.known[name] = (this.known[name] ?? 0) + 1;
  }

  differ(difference: FieldDifference): void {
    if (this.different.length < DIFFERENT_MAX) this.different.push(difference);
  }

  order(
    { order, fromUs = 0, toUs = Number.POSITIVE_INFINITY }: Pick<RangeQuery, "order" | "fromUs" | "toUs">,
    events: readonly HomeEvent[],
    side: "old" | "new",
  ): void {
    for (const [i, event] of events.entries()) {
      const { entityId, atUs } = event;
      const before = events[i - 1];
      const isAfter = !before || (order === "asc" ? 1 : -1) * compareEvents(before, event) <= 0;
      if (isAfter && atUs >= fromUs && atUs < toUs) continue;
      this.differ({
        field: "order",
        entityId,
        atUs,
        [side]: isAfter ? "outside of what was asked for" : `not ${order}`,
      });
      return;
    }
  }

  pair(theirs: Row, ours: Row, limits: OldLimits): void {
    const { entityId, atUs } = ours.event;
    this.fields += 1;
    if (theirs.text !== ours.text && ours.isSecret) this.know(SECRETS);
    else if (theirs.text !== ours.text)
      this.differ({
        field: fieldOf(theirs.event, ours.event),
        entityId,
        atUs,
        old: shown(theirs.text),
        new: shown(ours.text),
      });
    else if (theirs.event.state !== ours.event.state) {
      const isNumber = limits.isNumberTextLost && Number.isFinite(Number(ours.text));
      this.know(isNumber ? "number-text" : "line-ends");
    }
    const [old, fresh]: readonly Record<string, unknown>[] = [{ ...theirs.event }, { ...ours.event }];
    for (const member of new Set([...Object.keys(old ?? {}), ...Object.keys(fresh ?? {})])) {
      if (COMPARED_ELSEWHERE.has(member) || isHeld(member, limits)) continue;
      this.fields += 1;
      if (JSON.stringify(old?.[member]) !== JSON.stringify(fresh?.[member])) this.know(LIMIT_OF[member] ?? ENRICHMENT);
    }
  }
}

/** Members that OLD holds are in `comparable`'s text. */
const isHeld = (member: string, limits: OldLimits): boolean =>
  (member === "attributes" && limits.attributes === "full") ||
  (member === "lastChangedUs" && limits.hasLastChanged === true);

const fieldOf = (old: HomeEvent, fresh: HomeEvent): string => {
  if (old.state !== fresh.state) return "state";
  return old.lastChangedUs === fresh.lastChangedUs ? "attributes" : "last_changed";
};

const shown = (text: string): string => (text.length > 80 ? `${text.slice(0, 77)}...` : text);

const limitOfMissing = ({ kind, state }: HomeEvent): string =>
  kind === "removed" ? "removals" : /^[+-]?(nan|inf)/i.test(state) ? "finite-only" : "states-left-out";

function byKey(events: readonly HomeEvent[], limits: OldLimits): Map<string, Row[]> {
  const rows = new Map<string, Row[]>();
  for (const event of events) {
    const row = comparable(event, limits);
    if (!row) continue;
    const key = `${row.atUs}\n${row.entityId}`;
    const all = rows.get(key) ?? [];
    // A row that a side gives twice is one: both upsert by their key, and the count of tiles is for consistency to judge.
    if (all.every(({ text }) => text !== row.text))
      all.push({ event, text: row.text, mayLack: row.mayLack === true, isSecret: row.isSecret === true });
    rows.set(key, all);
  }
  return rows;
}

/** What both answers have seen to the end, in whole ticks of OLD. */
function coveredBy(query: Omit<RangeQuery, "after">, answers: readonly Answer[], { precisionUs }: OldLimits) {
  const tickOf = (atUs: Microseconds) => atUs - (atUs % precisionUs);
  let fromUs = query.fromUs === undefined ? 0 : tickOf(query.fromUs + precisionUs - 1);
  let toUs = query.toUs === undefined ? Number.POSITIVE_INFINITY : tickOf(query.toUs);
  for (const { events, isWhole } of answers) {
    const last = isWhole ? undefined : events.at(-1);
    if (!last) continue;
    if (query.order === "asc") toUs = Math.min(toUs, tickOf(last.atUs));
    else fromUs = Math.max(fromUs, tickOf(last.atUs) + precisionUs);
  }
  return ({ atUs }: HomeEvent): boolean => atUs >= fromUs && atUs < toUs;
}
