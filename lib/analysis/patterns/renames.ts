import type { Microseconds } from "../../base/time.ts";
import { datedChanges } from "../../devices/index.ts";
import type { RevisionChanges } from "../../devices/ports.ts";

/** What the entities of the home were called before, and which are no more; from the history of the index, which goes back a year. */
export interface EntityNames {
  /** JSON values with the ids of that moment, as the ids are now. The same object where nothing was renamed since. */
  asNow<T>(value: T, atUs: Microseconds): T;
  /** Whether the home has removed it. An entity that never was in the registry was never removed. */
  isGone(entityId: string): boolean;
}

interface Renames {
  readonly atUs: Microseconds;
  readonly names: ReadonlyMap<string, string>;
}

export function createEntityNames(history: readonly RevisionChanges[], present: ReadonlySet<string>): EntityNames {
  const changes = datedChanges(history).filter(({ registry }) => registry === "entities");
  const renames: Renames[] = [...Map.groupBy(changes, ({ atMs }) => atMs)]
    .map(([atMs, ofRevision]) => ({
      atUs: atMs * 1000,
      names: new Map(
        ofRevision.flatMap(({ kind, id, before }) =>
          kind === "renamed" && before !== undefined ? [[before, id] as const] : [],
        ),
      ),
    }))
    .filter(({ names }) => names.size > 0)
    .sort((a, b) => a.atUs - b.atUs);
  const removed = new Set(changes.flatMap(({ kind, id }) => (kind === "removed" && !present.has(id) ? [id] : [])));

  /** Revision by revision: in one of them two entities may have changed ids with each other. */
  function since(atUs: Microseconds): Map<string, string> {
    const now = new Map<string, string>();
    for (const { names } of renames.filter((one) => one.atUs > atUs)) {
      const taken = new Set(now.values());
      for (const [id, current] of now) now.set(id, names.get(current) ?? current);
      for (const [before, id] of names) if (!now.has(before) && !taken.has(before)) now.set(before, id);
    }
    return now;
  }

  return {
    isGone: (entityId) => removed.has(entityId),
    asNow: (value, atUs) => {
      const names = since(atUs);
      return names.size === 0 ? value : renamed(value, names);
    },
  };
}

/** Also in the names of members and within longer texts: a detector's keys are its own. */
function renamed<T>(value: T, names: ReadonlyMap<string, string>): T {
  const ids = [...names.keys()].map((id) => id.replaceAll(".", "\\."));
  const pattern = new RegExp(`(?<![a-z0-9_.])(?:${ids.join("|")})(?![a-z0-9_])`, "g");
  return JSON.parse(JSON.stringify(value).replace(pattern, (id) => names.get(id) ?? id)) as T;
}
