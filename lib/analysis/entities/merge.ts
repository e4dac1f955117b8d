import { createRollup, type Rollup, type RollupBuilder } from "../../series/index.ts";
import { type EntityRow, leftBy } from "./rows.ts";

/** By entity id, as JavaScript orders strings. */
export const byEntity = (a: EntityRow, b: EntityRow): number => (a.entityId < b.entityId ? -1 : 1);

/** Days of one period, added in order; a day's rows are not held. Complexity: O(rows). */
export function createDaysMerge(): { add(rows: readonly EntityRow[]): void; finish(): EntityRow[] } {
  const builders = new Map<string, RollupBuilder>();
  const befores = new Map<string, EntityRow["before"]>();
  return {
    add: (rows) => {
      for (const { entityId, before, rollup } of rows) {
        let builder = builders.get(entityId);
        if (!builder) {
          builder = createRollup();
          builders.set(entityId, builder);
          befores.set(entityId, before);
        }
        if (rollup) builder.addRollup(rollup);
      }
    },
    finish: () =>
      [...builders]
        .map(([entityId, builder]) => rowOf(entityId, befores.get(entityId), builder.finish()))
        .sort(byEntity),
  };
}

/** Days, ascending and without a gap, as one period. */
export function mergeDays(days: Iterable<readonly EntityRow[]>): EntityRow[] {
  const merge = createDaysMerge();
  for (const rows of days) merge.add(rows);
  return merge.finish();
}

/**
 * What is to be kept of a period when it was `made` anew, and `there` was made of it before: for each entity the new row, unless it lacks some of what the old one
 * speaks of. Events never become fewer but by pruning, so what has fewer of them, or begins later, was made of what is left. `isWhole`: what was held before the
 * period is known of every entity.
 */
export function keptOf(
  made: readonly EntityRow[],
  there: readonly EntityRow[],
  { isWhole }: { readonly isWhole: boolean },
): EntityRow[] {
  const kept = new Map(there.filter(({ rollup }) => !isWhole || rollup).map((row) => [row.entityId, row]));
  for (const row of made) {
    const { entityId, before, rollup } = row;
    const old = kept.get(entityId);
    if (!old?.rollup || speaksOfAll(rollup, old.rollup))
      kept.set(entityId, rowOf(entityId, isWhole ? before : (before ?? old?.before), rollup));
  }
  return [...kept.values()].sort(byEntity);
}

const speaksOfAll = (made: EntityRow["rollup"], old: Rollup): boolean =>
  made !== undefined && made.count >= old.count && made.firstUs <= old.firstUs && made.lastUs >= old.lastUs;

/** A row without the members that are not there. */
export const rowOf = (entityId: string, before: EntityRow["before"], rollup: EntityRow["rollup"]): EntityRow => ({
  entityId,
  ...(before && { before }),
  ...(rollup && { rollup }),
});

/** The day's rows with what the day before it leaves behind now; entities without events of which nothing is held fall out. */
export function rebase(rows: readonly EntityRow[], previous: readonly EntityRow[]): EntityRow[] {
  const left = new Map(previous.map((row) => [row.entityId, leftBy(row)]));
  const own = new Map(rows.map((row) => [row.entityId, row]));
  const entityIds = new Set([...own.keys(), ...left.keys()]);
  return [...entityIds]
    .map((entityId) => rowOf(entityId, left.get(entityId), own.get(entityId)?.rollup))
    .filter(({ before, rollup }) => before !== undefined || rollup !== undefined)
    .sort(byEntity);
}
