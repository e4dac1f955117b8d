import type { RevisionChanges, RowChange } from "./registry-change.ts";

/** One change with its moment. */
export interface DatedChange extends RowChange {
  /** The revision with which it came: milliseconds since 1970 at which the relay read the registry. It happened before that, and after the revision before. */
  readonly atMs: number;
}

/** All changes, in the order of the history (newest first). */
export const datedChanges = (history: readonly RevisionChanges[]): DatedChange[] =>
  history.flatMap(({ revision, changes }) => changes.map((change) => ({ ...change, atMs: revision })));

/**
 * What happened to a device, newest first: to itself under this id and those that it had before (a device that was split goes on in each of its parts), to what
 * it can do, and to entities while they were its own.
 */
export function historyOfDevice(
  history: readonly RevisionChanges[],
  deviceId: string,
  zigbeeAddresses: readonly string[] = [],
): DatedChange[] {
  const ids = new Set([deviceId]);
  const addresses = new Set(zigbeeAddresses);
  return newestFirst(datedChanges(history)).filter((change) => {
    const { registry, kind, id, before, into = [], fields } = change;
    switch (registry) {
      case "devices": {
        const concerns = ids.has(id) || into.some((one) => ids.has(one)) || (before !== undefined && ids.has(before));
        if (concerns && kind === "split") ids.add(id);
        if (concerns && before !== undefined) ids.add(before);
        return concerns;
      }
      case "entities":
        return (
          (change.deviceId !== undefined && ids.has(change.deviceId)) ||
          fields.some(({ field, from }) => field === "deviceId" && ids.has(String(from)))
        );
      case "capabilities":
        return addresses.has(id);
      default:
        return false;
    }
  });
}

/** What happened to one row, newest first, also under the ids that it had before. */
export function historyOfRow(
  history: readonly RevisionChanges[],
  registry: RowChange["registry"],
  id: string,
): DatedChange[] {
  if (registry === "devices") return historyOfDevice(history, id).filter((change) => change.registry === "devices");
  let ids: ReadonlySet<string> = new Set([id]);
  const ofRegistry = newestFirst(datedChanges(history)).filter((change) => change.registry === registry);
  // Revision by revision: in one of them two rows may have changed ids with each other.
  return [...Map.groupBy(ofRegistry, ({ atMs }) => atMs).values()].flatMap((changes) => {
    const renamed = changes.filter(({ id, before }) => before !== undefined && ids.has(id));
    const taken = new Set(renamed.map(({ id }) => id));
    // Before one of them took an id, that was another row's.
    const kept = new Set([...ids].filter((one) => !taken.has(one)));
    const own = changes.filter(({ id, before }) => ids.has(id) || (before !== undefined && kept.has(before)));
    ids = new Set([...kept, ...renamed.flatMap(({ before }) => before ?? [])]);
    return own;
  });
}

const newestFirst = (changes: readonly DatedChange[]): DatedChange[] => changes.toSorted((a, b) => b.atMs - a.atMs);

/** When a field of a row was last seen to change, in milliseconds since 1970; undefined: never since the index knows it. */
export type LastChangeMs = (row: Pick<RowChange, "registry" | "id"> & { readonly field: string }) => number | undefined;

/** Builds the look-up. O(changes). */
export function createLastChanges(history: readonly RevisionChanges[]): LastChangeMs {
  const latest = new Map<string, number>();
  for (const { registry, id, fields, atMs } of datedChanges(history)) {
    for (const { field } of fields) {
      const key = JSON.stringify([registry, id, field]);
      latest.set(key, Math.max(atMs, latest.get(key) ?? 0));
    }
  }
  return ({ registry, id, field }) => latest.get(JSON.stringify([registry, id, field]));
}
