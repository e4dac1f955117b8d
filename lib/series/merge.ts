import { compareEvents, type HomeEvent, rankOf } from "../event/index.ts";

/**
 * Merges runs of one home's events, each sorted by `compareEvents`, the oldest write first. The result is sorted and has one event a natural key:
 * the one of the higher `rankOf`, of equal ranks that of the later run (within a run: the later one). Runs pairwise, so that n events of k runs cost O(n log k).
 */
export function mergeRuns(runs: readonly (readonly HomeEvent[])[]): HomeEvent[] {
  let level = runs.filter((run) => run.length > 0).map(withoutDuplicates);
  while (level.length > 1) {
    const next: HomeEvent[][] = [];
    for (let at = 0; at < level.length; at += 2) {
      const [earlier = [], later] = [level[at], level[at + 1]];
      next.push(later ? mergePair(earlier, later) : earlier);
    }
    level = next;
  }
  return level[0] ?? [];
}

/** Of two events at one natural key, `later` written after `earlier`, the one that stays. */
export const betterOf = (earlier: HomeEvent, later: HomeEvent): HomeEvent =>
  rankOf(later) >= rankOf(earlier) ? later : earlier;

function withoutDuplicates(run: readonly HomeEvent[]): HomeEvent[] {
  const kept: HomeEvent[] = [];
  for (const event of run) {
    const last = kept.at(-1);
    if (last && compareEvents(last, event) === 0) kept[kept.length - 1] = betterOf(last, event);
    else kept.push(event);
  }
  return kept;
}

function mergePair(earlier: HomeEvent[], later: HomeEvent[]): HomeEvent[] {
  const merged: HomeEvent[] = [];
  let at = 0;
  for (const event of later) {
    let order = 1;
    for (; at < earlier.length; at++) {
      const before = earlier[at];
      if (!before) break;
      order = compareEvents(before, event);
      if (order >= 0) break;
      merged.push(before);
    }
    const same = order === 0 ? earlier[at] : undefined;
    if (same) at++;
    merged.push(same ? betterOf(same, event) : event);
  }
  for (; at < earlier.length; at++) {
    const rest = earlier[at];
    if (rest) merged.push(rest);
  }
  return merged;
}
