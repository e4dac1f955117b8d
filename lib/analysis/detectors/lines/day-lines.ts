import { byText } from "../order.ts";
import type { DayFacts, Occurrence } from "../types.ts";
import { type DayRow, FIRST_LETTER, inOrder, type LineRow, type LinesOptions, type LinesRow } from "./rows.ts";
import { packTokens } from "./token-counts.ts";
import { countTokens } from "./tokens.ts";

/** What changes more often than this in a day (every 2.4 minutes, day and night) is no occasion for anything: it is left out, whole. */
const MOST_CHANGES_OF_ENTITY = 600;
/** A day of a very large home: entities are left out, those that change most often first, until the rest fits. So do those beyond as many entities as this. */
const MOST_CHANGES_OF_DAY = 6000;
const MOST_ENTITIES = 1500;

/** The day's changes of what is accepted, without the entities that are too many. */
function kept(facts: DayFacts, accepts: LinesOptions["accepts"]): readonly Occurrence[] {
  const accepted = facts.occurrences.filter(accepts);
  const counts = new Map<string, number>();
  for (const { entityId } of accepted) counts.set(entityId, (counts.get(entityId) ?? 0) + 1);
  let left = 0;
  let entities = 0;
  const without = new Set<string>();
  const byCount = [...counts].sort(([a, m], [b, n]) => m - n || byText(a, b));
  for (const [entityId, count] of byCount) {
    if (count > MOST_CHANGES_OF_ENTITY || left + count > MOST_CHANGES_OF_DAY || entities === MOST_ENTITIES)
      without.add(entityId);
    else {
      left += count;
      entities++;
    }
  }
  return without.size === 0 ? accepted : accepted.filter(({ entityId }) => !without.has(entityId));
}

/** Acts that more than one entity has part in. */
function sharedActs(occurrences: readonly Occurrence[]): ReadonlySet<number> {
  const first = new Map<number, string>();
  const shared = new Set<number>();
  for (const { act, entityId } of occurrences) {
    const other = first.get(act);
    if (other === undefined) first.set(act, entityId);
    else if (other !== entityId) shared.add(act);
  }
  return shared;
}

function lineOf(facts: DayFacts, changes: readonly Occurrence[], shared: ReadonlySet<number>): LineRow | undefined {
  const [first] = changes;
  if (!first) return undefined;
  const states = [...new Set(changes.map(({ state }) => state))].sort();
  const acts = changes.map(({ act }) => (shared.has(act) ? act : 0));
  const away = facts.unavailable.flatMap(([entityId, from, to]) =>
    entityId === first.entityId ? [secondsIn(facts, from), secondsIn(facts, to)] : [],
  );
  let before = 0;
  return {
    t: "line",
    date: facts.date,
    e: first.entityId,
    ...(first.role === "target" && { target: true as const }),
    ...(first.areaId !== undefined && { area: first.areaId }),
    ...(first.oldState !== undefined && { from: first.oldState }),
    states,
    at: changes.map(({ atUs }) => {
      const tenths = Math.round((atUs - facts.fromUs) / 100_000);
      const step = tenths - before;
      before = tenths;
      return step;
    }),
    v: changes.map(({ state, actor }) => letterOf(states.indexOf(state), actor)).join(""),
    ...(acts.some((act) => act !== 0) && { acts }),
    ...(away.length > 0 && { away }),
  };
}

const letterOf = (place: number, actor: Occurrence["actor"]) =>
  String.fromCharCode(FIRST_LETTER + 2 * place + (actor === "automation" ? 1 : 0));

const secondsIn = (facts: DayFacts, atUs: number) => Math.round((atUs - facts.fromUs) / 1e6);

/** A day's rows. Complexity: O(changes). */
export function linesOf(facts: DayFacts, options: LinesOptions): readonly LinesRow[] {
  const changes = kept(facts, options.accepts);
  const [first] = changes;
  if (!first) return [];
  const byEntity = new Map<string, Occurrence[]>();
  for (const change of changes) {
    const list = byEntity.get(change.entityId);
    if (list) list.push(change);
    else byEntity.set(change.entityId, [change]);
  }
  const shared = sharedActs(changes);
  const start = Math.round(first.minute - (first.atUs - facts.fromUs) / 6e7 + 1440) % 1440;
  const silent = facts.silent.flatMap(([from, to]) => [secondsIn(facts, from), secondsIn(facts, to)]);
  const lines = [...byEntity.values()].flatMap((list) => lineOf(facts, list, shared) ?? []);
  const day: DayRow = { t: "day", date: facts.date, start, silent };
  return inOrder([day, ...lines, ...packTokens(countTokens(changes, options))]);
}
